wsgi_app = "app:application"
bind = "127.0.0.1:47491"
workers = 2
