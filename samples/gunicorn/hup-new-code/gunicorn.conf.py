wsgi_app = "app:application"
bind = "127.0.0.1:51533"
workers = 2
loglevel = "debug"
