wsgi_app = "app:application"
bind = "unix:/tmp/logdoctor-record-r4eatah5/app/shop.sock"
workers = 1
backlog = 2
