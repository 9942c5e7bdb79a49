wsgi_app = "app:application"
bind = "127.0.0.1:54503"
workers = 3
