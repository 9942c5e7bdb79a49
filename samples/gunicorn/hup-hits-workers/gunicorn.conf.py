wsgi_app = "app:application"
bind = "127.0.0.1:41901"
workers = 2
accesslog = "-"
