wsgi_app = "app:application"
bind = "unix:/tmp/logdoctor-record-p_e0bkvv/app/shop.sock"
workers = 2
