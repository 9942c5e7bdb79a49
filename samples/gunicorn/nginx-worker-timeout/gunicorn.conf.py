wsgi_app = "app:application"
bind = "127.0.0.1:42297"
workers = 2
timeout = 3
