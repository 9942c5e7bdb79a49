wsgi_app = "app:application"
bind = "127.0.0.1:60343"
workers = 2
worker_class = "gthread"
threads = 2
graceful_timeout = 4
timeout = 6
