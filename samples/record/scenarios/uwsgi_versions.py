"""Troubles that only certain versions of uWSGI have, or uWSGI with certain versions of Python."""

import functools

from applications import PLAIN
from scenario import scenario as any_scenario
from servers import uwsgi_built

from . import uwsgi, uwsgi_beside

UWSGI_2_0_30 = uwsgi_built("uwsgi-2.0.30")
UWSGI_PYTHON_3_13 = uwsgi_built("uwsgi-python-3.13")


def ini(*lines, **options):
    """Python is built into them."""
    return uwsgi.ini(*lines, **options).replace("plugin = python3\n", "")


# -- 2.0.27 to 2.0.30: a graceful stop names workers that are gone, while another process is still there

MULES = ("enable-threads = true", "mule = mule.py", "mule-reload-mercy = 12", "worker-reload-mercy = 4", "master-fifo = master.fifo")
scenario_2_0_30 = functools.partial(any_scenario, kind=UWSGI_2_0_30, conf=ini(*MULES), app=PLAIN)


def graceful_stop(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.fifo("stop", "q")
    run.wait_ended(run.master)


@scenario_2_0_30(
    "graceful-stop-2.0.30-held-by-mule", "uWSGI 2.0.30: the workers leave a graceful stop at once, a mule is held for 12 s: NO MERCY names the workers",
    files={"mule.py": uwsgi_beside.MULE}, forced=None, expected=["kill-without-effect", "mule-blocks-reload"],
    notes=["The workers were gone before their mercy was over: they are named after their end."])
def stop_held_by_mule(run):
    graceful_stop(run)


@scenario_2_0_30(
    "graceful-stop-2.0.30", "The same with a daemon thread: the mule leaves at once, too",
    files={"mule.py": uwsgi_beside.MULE.replace('name="poller"', 'name="poller", daemon=True')})
def stop_left_by_mule(run):
    graceful_stop(run)


# -- Python 3.13: py-call-osafterfork ends each worker

scenario_3_13 = functools.partial(any_scenario, kind=UWSGI_PYTHON_3_13, app=PLAIN)


@scenario_3_13(
    "abort-at-fork", "py-call-osafterfork with Python 3.13: every worker aborts as soon as it is forked",
    conf=ini("enable-threads = true", "py-call-osafterfork = true", "show-config = true"), expected=["known-upstream-trouble"])
def abort_at_fork(run):
    run.start(workers=0)
    run.wait_log("Fatal Python error", times=4)
    run.sleep(3)


@scenario_3_13(
    "fork-hooks", "The same with py-call-uwsgi-fork-hooks in its place: the workers serve",
    conf=ini("enable-threads = true", "py-call-uwsgi-fork-hooks = true", "show-config = true"))
def fork_hooks(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.round(2)
