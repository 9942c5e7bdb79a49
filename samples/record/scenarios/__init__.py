"""The scenarios, one module for each family of servers."""

from scenario import SCENARIOS

from . import (
    apache, asgi, gunicorn, gunicorn_versions, machine, nginx, queues, supervisord, systemd, uwsgi, uwsgi_beside, uwsgi_load, uwsgi_losses,
    uwsgi_versions, waitress,
)

__all__ = [
    "SCENARIOS", "apache", "asgi", "gunicorn", "gunicorn_versions", "machine", "nginx", "queues", "supervisord", "systemd", "uwsgi", "uwsgi_beside",
    "uwsgi_load", "uwsgi_losses", "uwsgi_versions", "waitress",
]
