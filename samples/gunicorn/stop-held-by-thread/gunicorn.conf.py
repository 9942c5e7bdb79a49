wsgi_app = "app:application"
bind = "127.0.0.1:45275"
workers = 3
graceful_timeout = 5
