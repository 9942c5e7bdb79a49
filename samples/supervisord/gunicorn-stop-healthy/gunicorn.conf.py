wsgi_app = "app:application"
bind = "127.0.0.1:41565"
workers = 2
