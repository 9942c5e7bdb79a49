wsgi_app = "app:application"
bind = "127.0.0.1:38149"
workers = 2
