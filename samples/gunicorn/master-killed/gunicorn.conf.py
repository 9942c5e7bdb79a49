wsgi_app = "app:application"
bind = "127.0.0.1:59593"
workers = 2
timeout = 6
