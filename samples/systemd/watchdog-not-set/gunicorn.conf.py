wsgi_app = "app:application"
bind = "127.0.0.1:59397"
workers = 2
