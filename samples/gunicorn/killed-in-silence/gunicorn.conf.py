wsgi_app = "app:application"
bind = "127.0.0.1:58833"
workers = 2
