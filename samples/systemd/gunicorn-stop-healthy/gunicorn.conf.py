wsgi_app = "app:application"
bind = "127.0.0.1:57537"
workers = 2
