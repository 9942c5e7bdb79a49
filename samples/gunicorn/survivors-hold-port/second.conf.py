wsgi_app = "app:application"
bind = "127.0.0.1:60535"
workers = 2
