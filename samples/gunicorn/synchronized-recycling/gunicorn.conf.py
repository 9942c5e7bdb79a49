wsgi_app = "app:application"
bind = "127.0.0.1:48145"
workers = 4
max_requests = 6
