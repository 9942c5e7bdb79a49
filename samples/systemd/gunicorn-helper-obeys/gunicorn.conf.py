wsgi_app = "app:application"
bind = "127.0.0.1:35985"
workers = 2
