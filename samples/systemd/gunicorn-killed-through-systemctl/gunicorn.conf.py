wsgi_app = "app:application"
bind = "127.0.0.1:39807"
workers = 2
