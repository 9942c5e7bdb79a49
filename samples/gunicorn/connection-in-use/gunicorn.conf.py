wsgi_app = "app:application"
bind = "127.0.0.1:54707"
workers = 1
