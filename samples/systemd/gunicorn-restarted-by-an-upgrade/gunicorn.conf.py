wsgi_app = "app:application"
bind = "127.0.0.1:46691"
workers = 2
