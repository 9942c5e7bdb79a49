wsgi_app = "app:application"
bind = "127.0.0.1:54377"
workers = 2
graceful_timeout = 3
