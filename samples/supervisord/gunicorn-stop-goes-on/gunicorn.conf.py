wsgi_app = "app:application"
bind = "127.0.0.1:47173"
workers = 1
graceful_timeout = 60
timeout = 80
