wsgi_app = "app:application"
bind = "127.0.0.1:48345"
workers = 1
