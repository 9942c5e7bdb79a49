wsgi_app = "app:application"
bind = "127.0.0.1:33409"
workers = 2
