wsgi_app = "app:application"
bind = "127.0.0.1:45609"
workers = 2
worker_class = "uvicorn.workers.UvicornWorker"
