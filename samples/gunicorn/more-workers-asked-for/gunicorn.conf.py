wsgi_app = "app:application"
bind = "127.0.0.1:49371"
workers = 2
