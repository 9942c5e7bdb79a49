wsgi_app = "app:application"
bind = "127.0.0.1:56273"
workers = 3
timeout = 4
