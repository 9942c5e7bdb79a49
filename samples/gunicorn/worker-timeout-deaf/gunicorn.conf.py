wsgi_app = "app:application"
bind = "127.0.0.1:37299"
workers = 2
timeout = 3
