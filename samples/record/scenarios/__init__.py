"""The scenarios, one module for each family of servers."""

from scenario import SCENARIOS

from . import apache, asgi, gunicorn, machine, nginx, queues, supervisord, systemd, uwsgi

__all__ = ["SCENARIOS", "apache", "asgi", "gunicorn", "machine", "nginx", "queues", "supervisord", "systemd", "uwsgi"]
