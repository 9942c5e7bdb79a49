"""Scenarios drawn by lot: a configuration, an application and a script of actions, all from one seed."""

import random

from random_scenarios import gunicorn, outer, together, uwsgi

DRAWN = {"uwsgi": uwsgi.draw, "gunicorn": gunicorn.draw, "supervisord": outer.supervised, "systemd": outer.as_a_unit, "together": together.draw}


def scenario_of(server, seed):
    """The same server and seed give the same scenario; when its processes run, the machine decides."""
    return DRAWN[server](random.Random(f"{server} {seed}"), seed)
