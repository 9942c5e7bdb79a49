wsgi_app = "app:application"
bind = "127.0.0.1:53813"
workers = 3
preload_app = True
