wsgi_app = "app:application"
bind = "127.0.0.1:60687"
workers = 2
timeout = 3
accesslog = "-"
