wsgi_app = "app:application"
bind = "127.0.0.1:53367"
workers = 2
