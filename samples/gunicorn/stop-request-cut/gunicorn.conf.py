wsgi_app = "app:application"
bind = "127.0.0.1:43041"
workers = 3
graceful_timeout = 4
