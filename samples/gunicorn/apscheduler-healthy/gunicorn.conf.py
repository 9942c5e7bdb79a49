wsgi_app = "app:application"
bind = "127.0.0.1:55781"
workers = 1
