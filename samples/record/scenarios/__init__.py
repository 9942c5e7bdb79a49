"""The scenarios, one module for each family of servers."""

from scenario import SCENARIOS

from . import asgi, gunicorn, machine, queues, supervisord, systemd, uwsgi

__all__ = ["SCENARIOS", "asgi", "gunicorn", "machine", "queues", "supervisord", "systemd", "uwsgi"]
