wsgi_app = "app:application"
bind = "127.0.0.1:54175"
workers = 2
loglevel = "debug"
preload_app = True
