wsgi_app = "app:application"
bind = "127.0.0.1:45105"
workers = 2
