wsgi_app = "app:application"
bind = "127.0.0.1:47717"
workers = 1
worker_class = "gthread"
threads = 2
graceful_timeout = 4
timeout = 6
