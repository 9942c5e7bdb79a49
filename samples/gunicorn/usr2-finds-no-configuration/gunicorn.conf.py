wsgi_app = "app:application"
bind = "127.0.0.1:53303"
workers = 2
accesslog = "-"
