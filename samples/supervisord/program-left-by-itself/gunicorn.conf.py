wsgi_app = "app:application"
bind = "127.0.0.1:44425"
workers = 2
errorlog = "gunicorn.log"
