wsgi_app = "app:application"
bind = "127.0.0.1:38901"
workers = 2
