wsgi_app = "app:application"
bind = "127.0.0.1:35761"
workers = 2
