wsgi_app = "app:application"
bind = "127.0.0.1:36301"
workers = 2
loglevel = "debug"
graceful_timeout = 2
timeout = 8
