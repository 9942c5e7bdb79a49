wsgi_app = "app:application"
bind = "127.0.0.1:49197"
workers = 3
