wsgi_app = "app:application"
bind = "127.0.0.1:44419"
workers = 3
