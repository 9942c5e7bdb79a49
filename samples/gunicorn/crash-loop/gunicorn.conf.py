wsgi_app = "app:application"
bind = "127.0.0.1:35385"
workers = 1
