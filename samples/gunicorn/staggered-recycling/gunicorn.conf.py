wsgi_app = "app:application"
bind = "127.0.0.1:46537"
workers = 4
max_requests = 6
max_requests_jitter = 30
