wsgi_app = "app:application"
bind = "127.0.0.1:41515"
workers = 2
