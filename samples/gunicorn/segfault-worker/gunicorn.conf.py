wsgi_app = "app:application"
bind = "127.0.0.1:53447"
workers = 2
