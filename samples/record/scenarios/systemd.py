"""A real systemd, contained, with uWSGI or gunicorn as its unit: each scenario is a unit, what it reads, an application."""

import functools
import os
import signal

import scenario as scenarios
from applications import BROKEN_AT_IMPORT, PLAIN, THREAD_AT_IMPORT
from servers import SYSTEMD

from .gunicorn import LEAVING_A_REGISTRY
from .supervisord import DYING, DYING_ONCE, ini, settings

scenario = functools.partial(scenarios.scenario, kind=SYSTEMD)


def unit(command, *lines):
    return "\n".join([
        "[Unit]", "Description=Shop", "DefaultDependencies=no", "After=systemd-journald.service", "", "[Service]", f"ExecStart={command}",
        "WorkingDirectory={work}", "Environment=TZ=UTC TMPDIR={work} PYTHONDONTWRITEBYTECODE=1",
        "Environment=PYTHONPATH={recorder} LOGDOCTOR_WITNESS={witness}", *lines, ""])


uwsgi = functools.partial(unit, "/usr/bin/uwsgi --ini uwsgi.ini")
gunicorn = functools.partial(unit, "/usr/bin/gunicorn -c gunicorn.conf.py")


def stop(run, workers=2):
    run.start(workers=workers)
    run.round(workers)
    run.sleep(1)
    run.systemctl("stop", "stop", "shop.service")
    run.sleep(1)


# -- uWSGI

@scenario(
    "uwsgi-stop-healthy", "systemctl stop, uWSGI with die-on-term: it stops within a second",
    conf=uwsgi("KillMode=mixed"), files=ini("die-on-term = true"), app=PLAIN)
def uwsgi_stop_healthy(run):
    stop(run)


@scenario(
    "uwsgi-stop-became-reload", "The same without die-on-term: SIGTERM is a reload, and systemd kills after 4 s",
    conf=uwsgi("KillMode=mixed", "TimeoutStopSec=4"), files=ini(), app=PLAIN, expected=["stop-became-reload"])
def uwsgi_stop_became_reload(run):
    stop(run)


@scenario(
    "uwsgi-timeout-below-mercy", "A thread holds the workers, mercy 10, TimeoutStopSec 3: systemd kills first",
    conf=uwsgi("KillMode=mixed", "TimeoutStopSec=3"),
    files=ini("die-on-term = true", "enable-threads = true", "worker-reload-mercy = 10"), app=THREAD_AT_IMPORT,
    expected=["outer-timeout-too-short"])
def uwsgi_timeout_below_mercy(run):
    stop(run)


@scenario(
    "uwsgi-timeout-above-mercy", "The same with mercy 2 and TimeoutStopSec 8: uWSGI ends its workers itself",
    conf=uwsgi("KillMode=mixed", "TimeoutStopSec=8"), output="json",
    files=ini("die-on-term = true", "enable-threads = true", "worker-reload-mercy = 2"), app=THREAD_AT_IMPORT,
    forced=2, expected=["app-threads-block-shutdown"])
def uwsgi_timeout_above_mercy(run):
    stop(run)


@scenario(
    "uwsgi-survivors-hold-port", "Restart with KillMode=process: the held workers are left over, the next start finds the port in use",
    conf=uwsgi("KillMode=process", "TimeoutStopSec=2"), files=ini("die-on-term = true", "enable-threads = true"),
    app=THREAD_AT_IMPORT, expected=["survivors-hold-port", "outer-timeout-too-short"])
def uwsgi_survivors(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.systemctl("stop", "restart", "shop.service")
    run.sleep(2)


# -- gunicorn

@scenario(
    "gunicorn-stop-healthy", "systemctl stop: gunicorn stops at once", conf=gunicorn("KillMode=mixed"), files=settings(),
    app=PLAIN, output="short-iso-precise")
def gunicorn_stop_healthy(run):
    stop(run)


@scenario(
    "gunicorn-killed-too-early",
    "systemctl stop during a request of 9 s, graceful_timeout 30, TimeoutStopSec 3: systemd kills the arbiter and its worker",
    conf=gunicorn("KillMode=mixed", "TimeoutStopSec=3"), files=settings(), app=PLAIN, cut=1, output="json",
    expected=["outer-timeout-too-short"])
def gunicorn_timeout_below_graceful_timeout(run):
    run.start(workers=2)
    run.round(2)
    run.in_background("/report?sleep=9")
    run.sleep(0.5)
    run.systemctl("stop", "stop", "shop.service")
    run.sleep(1)


@scenario(
    "gunicorn-stop-blocked-by-hook", "systemctl stop, and a hook holds the arbiter: the journal ends before TimeoutStopSec=90",
    conf=gunicorn("KillMode=mixed", "TimeoutStopSec=90"), files=settings("graceful_timeout = 3", LEAVING_A_REGISTRY), app=PLAIN,
    expected=["reload-unfinished"])
def gunicorn_stop_blocked_by_hook(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.systemctl("stop", "stop", "--no-block", "shop.service")
    run.sleep(48)


@scenario(
    "gunicorn-stop-hook-answered", "The same, and the registry answers: the stop ends at once",
    conf=gunicorn("KillMode=mixed", "TimeoutStopSec=90"),
    files={**settings("graceful_timeout = 3", LEAVING_A_REGISTRY), "registry": ""}, app=PLAIN)
def gunicorn_stop_hook_answered(run):
    stop(run)


# -- units that do not stay up

@scenario(
    "gunicorn-boot-failure", "The application raises at import: after three starts systemd gives up",
    conf=gunicorn("Restart=on-failure", "RestartSec=200ms").replace("[Service]", "StartLimitBurst=3\nStartLimitIntervalSec=60\n\n[Service]"),
    files=settings(), app=BROKEN_AT_IMPORT, expected=["boot-failure"], may=["worker-crashed", "crash-loop"])
def gunicorn_boot_failure(run):
    run.start(workers=3)
    run.sleep(4)


@scenario(
    "program-crash-loop", "A program leaves with code 1 two seconds after each start; Restart=always",
    conf=unit("/usr/bin/python3 dying.py", "Restart=always", "RestartSec=200ms").replace(
        "[Service]", "StartLimitIntervalSec=0\n\n[Service]"),
    files={"dying.py": DYING}, app=PLAIN, expected=["crash-loop"], may=["worker-crashed"])
def program_crash_loop(run):
    run.start(workers=0)
    run.sleep(14)


@scenario(
    "gunicorn-killed-from-outside", "Somebody kills gunicorn's arbiter with SIGKILL; Restart=always",
    conf=gunicorn("Restart=always", "RestartSec=1"), files=settings(), app=PLAIN, expected=["killed-from-outside"],
    may=["master-died"])
def gunicorn_killed_from_outside(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    worker = next(process for process in run.kernel().processes.values() if process.inner == run.workers()[0])
    os.kill(worker.parent, signal.SIGKILL)
    run.wait_workers(4, within=40)
    run.round(2)
    run.sleep(1)


@scenario(
    "program-crashed-once", "A program leaves with code 1 once and then works: no loop",
    conf=unit("/usr/bin/python3 dying.py", "Restart=always", "RestartSec=200ms"), files={"dying.py": DYING_ONCE}, app=PLAIN,
    expected=["worker-crashed"])
def program_crashed_once(run):
    run.start(workers=0)
    run.sleep(6)
