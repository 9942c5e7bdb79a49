wsgi_app = "app:application"
bind = "127.0.0.1:37009"
workers = 2
