"""The scenarios, one module for each family of servers."""

from scenario import SCENARIOS

from . import asgi, gunicorn, machine, nginx, queues, supervisord, systemd, uwsgi

__all__ = ["SCENARIOS", "asgi", "gunicorn", "machine", "nginx", "queues", "supervisord", "systemd", "uwsgi"]
