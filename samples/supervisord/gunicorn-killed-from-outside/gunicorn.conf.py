wsgi_app = "app:application"
bind = "127.0.0.1:58831"
workers = 2
timeout = 2
