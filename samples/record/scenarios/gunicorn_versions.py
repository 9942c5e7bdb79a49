"""Troubles that gunicorn has in certain versions only."""

import functools
import os
import signal

from applications import PLAIN
from scenario import scenario as any_scenario
from servers import gunicorn_built

from .gunicorn import conf

scenario_20_0 = functools.partial(any_scenario, kind=gunicorn_built("gunicorn-20.0.4"), conf=conf(workers=2), app=PLAIN)


# -- before 20.1: nothing is said of a worker that a signal ends

@scenario_20_0(
    "killed-in-silence", "gunicorn 20.0.4: somebody kills three workers with SIGKILL; only those that take their places show it",
    expected=["workers-end-silently"])
def killed_in_silence(run):
    run.start(workers=2)
    run.round(2)
    for killed in range(1, 4):
        run.sleep(5)
        os.kill(run.workers()[-1], signal.SIGKILL)
        run.wait_workers(2 + killed)
        run.round(2)
    run.sleep(1)


@scenario_20_0("more-workers-asked-for", "gunicorn 20.0.4: TTIN asks for three workers more, one after the other")
def more_workers(run):
    run.start(workers=2)
    run.round(2)
    for asked in range(1, 4):
        run.sleep(5)
        os.kill(run.master, signal.SIGTTIN)
        run.wait_workers(2 + asked)
        run.round(2)
    run.sleep(1)
