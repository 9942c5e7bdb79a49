wsgi_app = "app:application"
bind = "127.0.0.1:44123"
workers = 2
timeout = 60
