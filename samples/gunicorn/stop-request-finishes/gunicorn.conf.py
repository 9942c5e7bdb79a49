wsgi_app = "app:application"
bind = "127.0.0.1:56303"
workers = 3
graceful_timeout = 10
