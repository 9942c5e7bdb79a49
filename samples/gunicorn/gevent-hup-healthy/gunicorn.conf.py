wsgi_app = "app:application"
bind = "127.0.0.1:47767"
workers = 2
worker_class = "gevent"
