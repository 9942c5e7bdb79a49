wsgi_app = "app:application"
bind = "127.0.0.1:35495"
workers = 3
timeout = 5
