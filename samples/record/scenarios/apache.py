"""Apache with mod_wsgi in daemon mode: each scenario is an httpd.conf, an application, and a short function that drives the server."""

import functools
import os
import signal

import scenario as scenarios
from applications import CRASHING, HOLDING_THE_GIL, PLAIN, THREAD_AT_IMPORT
from servers import APACHE

scenario = functools.partial(scenarios.scenario, kind=APACHE)


def conf(*options, processes=2, threads=1):
    """Apache with the daemon processes of one application; what mod_wsgi says of them, it says at level info."""
    modules = {"mpm_event": "mpm_event", "authz_core": "authz_core", "wsgi": "wsgi"}
    return "\n".join([
        "ServerName shop.example", "Listen 127.0.0.1:{port}", "PidFile apache.pid", "User www-data", "Group www-data",
        *(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{file}.so" for name, file in modules.items()),
        "ErrorLog /dev/stderr", "LogLevel info", "WSGISocketPrefix wsgi",
        " ".join([f"WSGIDaemonProcess shop processes={processes} threads={threads}", *options]),
        "WSGIScriptAlias / {work}/app.py process-group=shop application-group=%{GLOBAL}",
        "<Directory {work}>", "  Require all granted", "</Directory>", ""])


def begin(run, workers=2):
    run.start(workers=workers)
    run.wait_log("configured -- resuming normal operations")
    run.round(workers)


def cut(run, uri="/export?sleep=30"):
    """A request that will not be answered; the pid of the process that has it."""
    request = run.in_background(uri, timeout=40)
    run.sleep(1)
    return request, [n["pid"] for n in run.notes() if n["event"] == "request" and n["uri"] == uri][-1]


@scenario(
    "graceful-healthy", "SIGUSR1 twice under requests: healthy",
    conf=conf(), app=PLAIN)
def graceful_healthy(run):
    begin(run)
    run.signal("graceful", "SIGUSR1")
    run.sleep(1)  # a request in that moment may find the socket of the last generation gone
    run.steadily(4)
    run.signal("graceful", "SIGUSR1")
    run.wait_workers(6)
    run.sleep(4)
    run.round(2)


@scenario(
    "graceful-request", "SIGUSR1 while a request of 30 s runs",
    conf=conf(), app=PLAIN, cut=1, forced=1, expected=["request-blocks-shutdown", "platform-errors"])
def graceful_request(run):
    begin(run)
    request, _ = cut(run)
    run.signal("graceful", "SIGUSR1")
    assert not request.result()
    run.wait_workers(4)
    run.sleep(4)
    run.round(2)


@scenario(
    "graceful-thread", "SIGUSR1, a non-daemon thread in each process",
    conf=conf(), app=THREAD_AT_IMPORT, forced=None, expected=["app-threads-block-shutdown"])
def graceful_thread(run):
    begin(run)
    run.signal("graceful", "SIGUSR1")
    run.wait_workers(4)
    run.sleep(8)
    run.round(2)


@scenario(
    "stop-healthy", "SIGTERM: healthy",
    conf=conf(), app=PLAIN)
def stop_healthy(run):
    begin(run)
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)


@scenario(
    "max-requests-healthy", "maximum-requests=3: processes are replaced: healthy",
    conf=conf("maximum-requests=3"), app=PLAIN)
def recycled(run):
    begin(run)
    run.round(8)
    run.sleep(3)
    run.round(2)
    run.sleep(2)


@scenario(
    "max-requests-thread", "maximum-requests=3, a non-daemon thread in each process",
    conf=conf("maximum-requests=3"), app=THREAD_AT_IMPORT, forced=None, expected=["app-threads-block-shutdown"])
def recycled_thread(run):
    begin(run)
    run.round(8)
    run.sleep(9)
    run.round(2)
    run.sleep(2)


@scenario(
    "shutdown-timeout", "maximum-requests=2, threads=2: a request of 30 s runs beside: shutdown-timeout=2 ends it",
    conf=conf("maximum-requests=3", "shutdown-timeout=2", processes=1, threads=2), app=PLAIN, cut=1, forced=1, expected=["request-blocks-shutdown", "platform-errors"])
def shutdown_timeout(run):
    begin(run, workers=1)
    request, _ = cut(run)
    for _ in range(4):
        run.get()
    assert not request.result()
    run.wait_workers(2)
    run.sleep(1)
    run.round(2)


@scenario(
    "deadlock-timeout", "deadlock-timeout=3: a request holds the interpreter's lock",
    conf=conf("deadlock-timeout=3", "shutdown-timeout=2"), app=HOLDING_THE_GIL, cut=1, forced=1, expected=["worker-timeout", "platform-errors"])
def deadlock(run):
    begin(run)
    request = run.in_background("/report", timeout=40)
    assert not request.result()
    run.wait_workers(3)
    run.sleep(1)
    run.round(2)


@scenario(
    "request-timeout", "request-timeout=3: a request of 30 s",
    conf=conf("request-timeout=3", "shutdown-timeout=2"), app=PLAIN, cut=1, forced=1, expected=["worker-timeout", "platform-errors"])
def request_timeout(run):
    begin(run)
    request, _ = cut(run)
    assert not request.result()
    run.wait_workers(3)
    run.sleep(1)
    run.round(2)


@scenario(
    "killed", "a process with a request is killed with signal 9 by somebody",
    conf=conf(), app=PLAIN, cut=1, expected=["killed-from-outside", "platform-errors"])
def killed(run):
    begin(run)
    request, pid = cut(run)
    os.kill(pid, signal.SIGKILL)
    assert not request.result()
    run.wait_workers(3)
    run.round(2)


@scenario(
    "crash", "a segmentation fault in a request",
    conf=conf(), app=CRASHING, cut=1, expected=["worker-crashed", "platform-errors"])
def crash(run):
    begin(run)
    assert not run.get("/crash")
    run.wait_workers(3)
    run.round(2)


@scenario(
    "touched", "the script is touched: its processes are replaced: healthy",
    conf=conf(), app=PLAIN)
def touched(run):
    begin(run)
    run.touch("graceful", "app.py")
    run.sleep(1)
    run.round(6)
    run.sleep(3)
    run.round(2)
