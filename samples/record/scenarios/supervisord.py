"""supervisord with uWSGI or gunicorn inside: each scenario is a supervisord.conf, what the program reads, an application."""

import functools
import os
import signal

import scenario as scenarios
from applications import BROKEN_AT_IMPORT, PLAIN, THREAD_AT_IMPORT
from servers import SUPERVISORD

from .gunicorn import LEAVING_A_REGISTRY

scenario = functools.partial(scenarios.scenario, kind=SUPERVISORD)

OWN = """\
[supervisord]
nodaemon = true
user = root
logfile = /dev/null
logfile_maxbytes = 0
pidfile = {work}/supervisord.pid

[unix_http_server]
file = {work}/supervisor.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{work}/supervisor.sock

[program:shop]
redirect_stderr = true
"""


def uwsgi(*lines):
    """supervisord's configuration, with uWSGI as the program."""
    return OWN + "\n".join(["command = /usr/bin/uwsgi --ini uwsgi.ini", "stdout_logfile = {work}/uwsgi.log", *lines, ""])


def gunicorn(*lines):
    return OWN + "\n".join(
        ["command = /usr/bin/gunicorn -c gunicorn.conf.py", "stdout_logfile = {work}/gunicorn.log", *lines, ""])


def ini(*lines, processes=2):
    return {"uwsgi.ini": "\n".join([
        "[uwsgi]", "plugin = python3", "http-socket = 127.0.0.1:{port}", "wsgi-file = app.py", "master = true",
        f"processes = {processes}", *lines, ""])}


def settings(*lines, workers=2):
    return {"gunicorn.conf.py": "\n".join(
        ['wsgi_app = "app:application"', 'bind = "127.0.0.1:{port}"', f"workers = {workers}", *lines, ""])}


def stop(run, workers=2):
    run.start(workers=workers)
    run.wait_log("entered RUNNING state")
    run.round(workers)
    run.control("stop", "stop", "shop")
    run.sleep(1)


# -- uWSGI

@scenario(
    "uwsgi-stop-healthy", "supervisorctl stop, uWSGI with die-on-term: it stops within a second",
    conf=uwsgi(), files=ini("die-on-term = true"), app=PLAIN)
def uwsgi_stop_healthy(run):
    stop(run)


@scenario(
    "uwsgi-stop-became-reload", "The same without die-on-term: SIGTERM is a reload, and supervisord kills after 5 s",
    conf=uwsgi("stopwaitsecs = 5"), files=ini(), app=PLAIN, expected=["stop-became-reload"])
def uwsgi_stop_became_reload(run):
    stop(run)


@scenario(
    "uwsgi-stopped-with-sigint", "The same with stopsignal=INT: a stop is a stop",
    conf=uwsgi("stopwaitsecs = 5", "stopsignal = INT"), files=ini(), app=PLAIN)
def uwsgi_stopped_with_sigint(run):
    stop(run)


@scenario(
    "uwsgi-stopwaitsecs-below-mercy", "A thread holds the workers, mercy 10, stopwaitsecs 3: supervisord kills first",
    conf=uwsgi("stopwaitsecs = 3"), files=ini("die-on-term = true", "enable-threads = true", "worker-reload-mercy = 10"),
    app=THREAD_AT_IMPORT, expected=["outer-timeout-too-short"])
def uwsgi_stopwaitsecs_below_mercy(run):
    stop(run)


@scenario(
    "uwsgi-stopwaitsecs-above-mercy", "The same with mercy 2 and stopwaitsecs 8: uWSGI ends its workers itself",
    conf=uwsgi("stopwaitsecs = 8"), files=ini("die-on-term = true", "enable-threads = true", "worker-reload-mercy = 2"),
    app=THREAD_AT_IMPORT, forced=2, expected=["app-threads-block-shutdown"])
def uwsgi_stopwaitsecs_above_mercy(run):
    stop(run)


def restart_held(run):
    """Held workers that outlive their master never leave by themselves; the next starts fail one after the other."""
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    run.control("stop", "restart", "shop")
    run.sleep(5)


@scenario(
    "uwsgi-survivors-hold-port", "The same restart: the held workers survive the kill, the next starts find the port in use",
    conf=uwsgi("stopwaitsecs = 2"), files=ini("die-on-term = true", "enable-threads = true"), app=THREAD_AT_IMPORT,
    expected=["survivors-hold-port", "outer-timeout-too-short"],
    may=["boot-failure"])
def uwsgi_survivors(run):
    restart_held(run)


@scenario(
    "uwsgi-killed-as-a-group", "The same with killasgroup: the workers are killed along, the next start gets the port",
    conf=uwsgi("stopwaitsecs = 2", "killasgroup = true"), files=ini("die-on-term = true", "enable-threads = true"),
    app=THREAD_AT_IMPORT, expected=["outer-timeout-too-short"])
def uwsgi_killed_as_a_group(run):
    restart_held(run)


# -- gunicorn

@scenario("gunicorn-stop-healthy", "supervisorctl stop: gunicorn stops at once", conf=gunicorn(), files=settings(), app=PLAIN)
def gunicorn_stop_healthy(run):
    stop(run)


@scenario(
    "gunicorn-request-finishes", "supervisorctl stop during a request of 3 s, stopwaitsecs 15: it is answered",
    conf=gunicorn("stopwaitsecs = 15"), files=settings(workers=1), app=PLAIN)
def gunicorn_request_finishes(run):
    run.start(workers=1)
    run.round(1)
    answer = run.in_background("/report?sleep=3")
    run.sleep(0.5)
    run.control("stop", "stop", "shop")
    assert answer.result()
    run.sleep(1)


@scenario(
    "gunicorn-killed-too-early",
    "Restart during a request of 9 s, graceful_timeout 30, stopwaitsecs 3: supervisord kills the arbiter, its worker keeps the port",
    conf=gunicorn("stopwaitsecs = 3"), files=settings(), app=PLAIN,
    expected=["outer-timeout-too-short", "survivors-hold-port"])
def gunicorn_stopwaitsecs_below_graceful_timeout(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    survivor = run.in_background("/report?sleep=9")
    run.sleep(0.5)
    run.control("stop", "restart", "shop")
    assert survivor.result()
    run.sleep(3)


# -- programs that do not stay up

@scenario(
    "gunicorn-boot-failure", "The application raises at import: supervisord tries three times and gives up",
    conf=gunicorn("startretries = 2", "startsecs = 8"), files=settings(), app=BROKEN_AT_IMPORT, expected=["boot-failure"],
    may=["worker-crashed", "crash-loop"])
def gunicorn_boot_failure(run):
    run.start(workers=0)
    run.wait_log("gave up: shop", within=60)
    run.sleep(1)


DYING = """\
import sys
import time

print("working", flush=True)
time.sleep(2)
sys.exit(1)
"""


@scenario(
    "program-crash-loop", "A program leaves with code 1 two seconds after each start; supervisord starts it again and again",
    conf=OWN + "command = /usr/bin/python3 dying.py\nstdout_logfile = {work}/shop.out\n", files={"dying.py": DYING}, app=PLAIN,
    expected=["crash-loop"], may=["worker-crashed"])
def program_crash_loop(run):
    run.start(workers=0)
    run.wait_log("exited: shop", times=5, within=60)
    run.sleep(1.5)


DYING_ONCE = DYING.replace("import sys\n", "import os\nimport sys\n").replace(
    "time.sleep(2)\n", "time.sleep(600 if os.path.exists('once') else 2)\nopen('once', 'w')\n")


@scenario(
    "program-crashed-once", "The same program dies once and then works: no loop",
    conf=OWN + "command = /usr/bin/python3 dying.py\nstdout_logfile = {work}/shop.out\n", files={"dying.py": DYING_ONCE},
    app=PLAIN, expected=["worker-crashed"])
def program_crashed_once(run):
    run.start(workers=0)
    run.wait_log("entered RUNNING state", times=2)
    run.sleep(3)


@scenario(
    "gunicorn-killed-from-outside", "Somebody kills gunicorn's arbiter with SIGKILL; supervisord starts it again",
    conf=gunicorn(), files=settings("timeout = 2"), app=PLAIN, expected=["killed-from-outside"],
    may=["master-died", "survivors-hold-port", "boot-failure"])
def gunicorn_killed_from_outside(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    run.sleep(1)
    os.kill(run.kernel().processes[run.workers()[0]].parent, signal.SIGKILL)
    run.wait_workers(4, within=40)
    run.round(2)
    run.sleep(2)


@scenario(
    "control-socket-gone", "The file of supervisord's socket is removed, as a cleaner of /tmp does: supervisorctl cannot reach it",
    conf=gunicorn(), files=settings(), app=PLAIN, expected=["control-socket-unreachable"])
def control_socket_gone(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    (run.work / "supervisor.sock").unlink()
    run.control_said("status")
    run.sleep(1)


@scenario(
    "gunicorn-stop-goes-on", "supervisorctl stop during a request of 50 s, with limits of 60 s: the log ends in the middle of it",
    conf=gunicorn("stopwaitsecs = 90"), files=settings("graceful_timeout = 60", "timeout = 80", workers=1), app=PLAIN, may=["reload-unfinished"])
def gunicorn_stop_goes_on(run):
    run.start(workers=1)
    run.wait_log("entered RUNNING state")
    run.round(1)
    run.in_background("/report?sleep=50")
    run.sleep(0.5)
    run.pool.submit(run.control, "stop", "stop", "shop")
    run.sleep(35)


@scenario(
    "control-socket-answers", "supervisorctl status, while supervisord and its program run: it answers", conf=gunicorn(), files=settings(), app=PLAIN)
def control_socket_answers(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    run.control_said("status")
    run.sleep(1)


@scenario(
    "reloaded-as-a-whole", "supervisorctl reload, meant for one program: supervisord stops and starts all of them",
    conf=gunicorn() + "\n[program:mail]\ncommand = /bin/sleep 600\n", files=settings(), app=PLAIN, expected=["restarted-from-above"])
def reloaded_as_a_whole(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state", times=2)
    run.round(2)
    run.control("stop", "reload")
    run.wait_workers(4)
    run.wait_log("entered RUNNING state", times=4)
    run.round(2)


@scenario(
    "restarted-alone", "supervisorctl restart of the one program: the other one runs on",
    conf=gunicorn() + "\n[program:mail]\ncommand = /bin/sleep 600\n", files=settings(), app=PLAIN)
def restarted_alone(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state", times=2)
    run.round(2)
    run.control("stop", "restart", "shop")
    run.wait_workers(4)
    run.wait_log("entered RUNNING state", times=3)
    run.round(2)


@scenario(
    "program-left-by-itself", "A script starts gunicorn --daemon and ends: supervisord has nothing left to watch",
    conf=OWN + "command = /bin/sh start.sh\nstdout_logfile = {work}/shop.out\n",
    files={**settings('errorlog = "gunicorn.log"'), "start.sh": "gunicorn --config gunicorn.conf.py --daemon\nsleep 3\n"}, app=PLAIN,
    expected=["program-left-by-itself"])
def program_left_by_itself(run):
    run.start(workers=2)
    run.wait_log("exited: shop")
    run.round(2)
    run.sleep(2)


@scenario(
    "gunicorn-stop-blocked-by-hook", "supervisorctl stop, and a hook holds the arbiter: supervisord waits, for stopwaitsecs = 90",
    conf=gunicorn("stopwaitsecs = 90"), files=settings("graceful_timeout = 3", LEAVING_A_REGISTRY), app=PLAIN,
    expected=["reload-unfinished"])
def gunicorn_stop_blocked_by_hook(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    run.sleep(1)
    run.pool.submit(run.control, "stop", "stop", "shop")
    run.sleep(70)


@scenario(
    "gunicorn-stop-hook-answered", "The same, and the registry answers: the stop ends at once",
    conf=gunicorn("stopwaitsecs = 90"), files={**settings("graceful_timeout = 3", LEAVING_A_REGISTRY), "registry": ""}, app=PLAIN)
def gunicorn_stop_hook_answered(run):
    stop(run)
