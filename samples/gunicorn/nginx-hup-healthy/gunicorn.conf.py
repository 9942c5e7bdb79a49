wsgi_app = "app:application"
bind = "127.0.0.1:36933"
workers = 2
keepalive = 0
