wsgi_app = "app:application"
bind = "127.0.0.1:49229"
workers = 2
timeout = 60
