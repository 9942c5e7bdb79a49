wsgi_app = "app:application"
bind = "127.0.0.1:44917"
workers = 2
