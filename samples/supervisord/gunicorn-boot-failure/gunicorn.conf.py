wsgi_app = "app:application"
bind = "127.0.0.1:59209"
workers = 2
