wsgi_app = "app:application"
bind = "127.0.0.1:55903"
workers = 2
