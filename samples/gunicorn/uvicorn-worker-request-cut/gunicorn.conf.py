wsgi_app = "app:application"
bind = "127.0.0.1:42083"
workers = 2
worker_class = "uvicorn.workers.UvicornWorker"
timeout = 5
graceful_timeout = 3
