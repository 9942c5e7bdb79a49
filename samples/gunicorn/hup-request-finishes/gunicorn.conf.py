wsgi_app = "app:application"
bind = "127.0.0.1:56643"
workers = 3
