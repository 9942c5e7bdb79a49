wsgi_app = "app:application"
bind = "127.0.0.1:56317"
workers = 2
worker_class = "gevent"
graceful_timeout = 4
