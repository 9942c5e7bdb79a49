wsgi_app = "app:application"
bind = "127.0.0.1:46533"
workers = 3
timeout = 5
