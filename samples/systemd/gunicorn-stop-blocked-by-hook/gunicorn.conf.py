wsgi_app = "app:application"
bind = "127.0.0.1:60523"
workers = 2
graceful_timeout = 3
import os
import time


def child_exit(server, worker):
    server.log.info("leaving the registry: worker %s", worker.pid)
    while not os.path.exists("registry"):
        time.sleep(3)
        server.log.warning("the registry does not answer: worker %s", worker.pid)

