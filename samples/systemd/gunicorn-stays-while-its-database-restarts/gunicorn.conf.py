wsgi_app = "app:application"
bind = "127.0.0.1:60139"
workers = 2
