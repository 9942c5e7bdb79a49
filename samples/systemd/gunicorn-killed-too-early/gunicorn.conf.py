wsgi_app = "app:application"
bind = "127.0.0.1:53073"
workers = 2
