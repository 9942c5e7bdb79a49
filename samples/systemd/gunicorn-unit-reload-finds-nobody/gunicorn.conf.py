wsgi_app = "app:application"
bind = "127.0.0.1:49089"
workers = 2
