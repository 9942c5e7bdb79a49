wsgi_app = "app:application"
bind = "127.0.0.1:45045"
workers = 2
