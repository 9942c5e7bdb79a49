wsgi_app = "app:application"
bind = "127.0.0.1:34863"
workers = 2
