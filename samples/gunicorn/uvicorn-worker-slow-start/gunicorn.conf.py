wsgi_app = "app:application"
bind = "127.0.0.1:60817"
workers = 2
worker_class = "uvicorn.workers.UvicornWorker"
