wsgi_app = "app:application"
bind = "127.0.0.1:44767"
workers = 2
