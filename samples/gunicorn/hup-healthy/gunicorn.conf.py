wsgi_app = "app:application"
bind = "127.0.0.1:53441"
workers = 3
accesslog = "-"
