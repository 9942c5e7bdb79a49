import multiprocessing

raise SystemExit("a configuration is read and not run")
bind = "0.0.0.0:8000"
MINUTE = 60
timeout = 2 * MINUTE
graceful_timeout = 30
workers = multiprocessing.cpu_count() * 2 + 1
preload_app = True
name = f"shop-{timeout}"


def post_fork(server, worker):
    timeout = 3


if timeout > 100:
    max_requests = 3
