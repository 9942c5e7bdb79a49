wsgi_app = "app:application"
bind = "127.0.0.1:37007"
workers = 3
preload_app = True
