wsgi_app = "app:application"
bind = "127.0.0.1:58237"
workers = 2
