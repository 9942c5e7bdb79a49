wsgi_app = "app:application"
bind = "127.0.0.1:49283"
workers = 2
max_requests = 8
