"""uWSGI and gunicorn behind nginx: its error.log and access.log lie beside the server's log."""

import functools
import os
import signal

import scenario as scenarios
from applications import PLAIN
from servers import GUNICORN, UWSGI, behind_nginx

uwsgi = functools.partial(scenarios.scenario, kind=behind_nginx(UWSGI), app=PLAIN)
gunicorn = functools.partial(scenarios.scenario, kind=behind_nginx(GUNICORN), app=PLAIN)


def proxy(*lines):
    """nginx with one worker of its own, which hands everything on."""
    return {"nginx.conf": "\n".join([
        "daemon off;", "user root;", "worker_processes 1;", "pid nginx.pid;", "error_log error.log;", "events {}", "http {",
        "  access_log access.log;", "  server {", "    listen 127.0.0.1:{port};", "    location / {",
        *(f"      {line}" for line in lines), "    }", "  }", "}", ""])}


TO_UWSGI_SOCKET = ("include /etc/nginx/uwsgi_params;", "uwsgi_pass unix:{work}/shop.sock;")
TO_UWSGI_PORT = ("include /etc/nginx/uwsgi_params;", "uwsgi_pass 127.0.0.1:{port2};")
TO_GUNICORN_SOCKET = ("proxy_pass http://unix:{work}/shop.sock;",)
TO_GUNICORN_PORT = ("proxy_pass http://127.0.0.1:{port2};",)


def ini(*lines, processes=2, socket="{work}/shop.sock"):
    return "\n".join(["[uwsgi]", "plugin = python3", f"socket = {socket}", "wsgi-file = app.py", "master = true",
                      f"processes = {processes}", *lines, ""])


def conf(*lines, workers=2, bind="127.0.0.1:{port2}"):
    return "\n".join(['wsgi_app = "app:application"', f'bind = "{bind}"', f"workers = {workers}", *lines, ""])


def begin(run, workers=2):
    run.start(workers=workers)
    run.start(workers=0, conf="nginx.conf")
    run.sleep(0.5)
    run.round(workers)


def cut(run, uri="/export?sleep=20"):
    """A request that will not be answered; the pid of the worker that has it."""
    request = run.in_background(uri, timeout=40)
    run.sleep(1)
    return request, [n["pid"] for n in run.notes() if n["event"] == "request" and n["uri"] == uri][-1]


# -- uWSGI

@uwsgi(
    "nginx-mercy-cuts-request", "SIGHUP while a request of 20 s runs, mercy 3 s: uWSGI kills its worker, nginx answers 502",
    conf=ini("worker-reload-mercy = 3"), files=proxy(*TO_UWSGI_SOCKET), forced=1, cut=1, expected=["request-blocks-shutdown", "platform-errors"])
def uwsgi_mercy(run):
    begin(run)
    request, _ = cut(run)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    assert not request.result()
    run.sleep(1)
    run.round(2)


@uwsgi(
    "nginx-harakiri", "harakiri = 3, a request of 20 s: nginx answers 502", conf=ini("harakiri = 3", socket="127.0.0.1:{port2}"), files=proxy(*TO_UWSGI_PORT),
    cut=1, expected=["platform-errors"])
def uwsgi_harakiri(run):
    begin(run)
    request, _ = cut(run)
    assert not request.result()
    run.wait_workers(3)
    run.round(2)


@uwsgi(
    "nginx-worker-killed", "a worker with a request is killed with signal 9 by somebody: nginx answers 502", conf=ini(),
    files=proxy(*TO_UWSGI_SOCKET), cut=1, expected=["killed-from-outside", "platform-errors"])
def uwsgi_killed(run):
    begin(run)
    request, pid = cut(run)
    os.kill(pid, signal.SIGKILL)
    assert not request.result()
    run.wait_workers(3)
    run.round(2)


@uwsgi(
    "nginx-read-timeout", "uwsgi_read_timeout 2s, a request of 6 s: nginx answers 504, the worker works on for nobody", conf=ini(),
    files=proxy(*TO_UWSGI_SOCKET, "uwsgi_read_timeout 2s;"), expected=["platform-errors", "clients-gone"])
def uwsgi_read_timeout(run):
    begin(run)
    assert not run.get("/export?sleep=6")
    run.sleep(6)
    run.round(2)


@uwsgi(
    "nginx-queue-full", "one worker, listen = 3: of many requests nginx cannot hand on all", conf=ini("listen = 3", processes=1),
    files=proxy(*TO_UWSGI_SOCKET), expected=["platform-errors"])
def uwsgi_queue(run):
    begin(run, workers=1)
    answers = run.round(12, "/?sleep=1.5")
    assert any(answers) and not all(answers)
    run.sleep(2)
    run.get()


@uwsgi(
    "nginx-socket-removed", "SIGINT with vacuum, and started again 6 s later: the socket is gone meanwhile", conf=ini("vacuum = true"),
    files={**proxy(*TO_UWSGI_SOCKET), "again.ini": ini("vacuum = true")}, expected=["platform-errors"])
def uwsgi_socket(run):
    begin(run)
    run.signal("stop", "SIGINT")
    run.wait_ended(run.master)
    assert not any([run.get() for _ in range(3)])
    run.sleep(5)
    run.start(workers=2, conf="again.ini")
    run.round(2)


@uwsgi(
    "nginx-chain-reload-healthy", "a chain reload under steady requests: none is lost", conf=ini("lazy-apps = true", "touch-chain-reload = chain"),
    files={**proxy(*TO_UWSGI_SOCKET), "chain": ""})
def uwsgi_healthy(run):
    begin(run)
    run.touch("chain", "chain")
    run.steadily(8)
    run.wait_workers(4)
    run.sleep(1)


# -- gunicorn

@gunicorn(
    "nginx-worker-timeout", "timeout = 3, a request of 20 s: nginx answers 502", conf=conf("timeout = 3"), files=proxy(*TO_GUNICORN_PORT),
    forced=1, cut=1, expected=["worker-timeout", "platform-errors"])
def gunicorn_timeout(run):
    begin(run)
    request, _ = cut(run)
    assert not request.result()
    run.wait_workers(3)
    run.round(2)


@gunicorn(
    "nginx-stop-cuts-request", "TERM while a request of 20 s runs, graceful_timeout = 3: nginx answers 502, then the port is closed",
    conf=conf("graceful_timeout = 3"), files=proxy(*TO_GUNICORN_PORT), forced=1, cut=1, expected=["request-blocks-shutdown", "platform-errors"])
def gunicorn_stop(run):
    begin(run)
    request, _ = cut(run)
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)
    assert not request.result()
    assert not any([run.get() for _ in range(3)])
    run.sleep(1)


@gunicorn(
    "nginx-worker-killed", "a worker with a request is killed with signal 9 by somebody: nginx answers 502", conf=conf(bind="unix:{work}/shop.sock"),
    files=proxy(*TO_GUNICORN_SOCKET), cut=1, expected=["killed-from-outside", "platform-errors"])
def gunicorn_killed(run):
    begin(run)
    request, pid = cut(run)
    os.kill(pid, signal.SIGKILL)
    assert not request.result()
    run.wait_workers(3)
    run.round(2)


@gunicorn(
    "nginx-queue-full", "one worker, backlog = 2: of many requests nginx cannot hand on all",
    conf=conf("backlog = 2", workers=1, bind="unix:{work}/shop.sock"), files=proxy(*TO_GUNICORN_SOCKET), expected=["platform-errors"])
def gunicorn_queue(run):
    begin(run, workers=1)
    answers = run.round(12, "/?sleep=1.5")
    assert any(answers) and not all(answers)
    run.sleep(2)
    run.get()


@gunicorn(
    "nginx-hup-healthy", "HUP under steady requests, and one of 3 s: none is lost", conf=conf("keepalive = 0"), files=proxy(*TO_GUNICORN_PORT))
def gunicorn_healthy(run):
    begin(run)
    request, _ = cut(run, "/export?sleep=3")
    run.signal("hup", "SIGHUP")
    run.steadily(5)
    assert request.result()
    run.wait_workers(4)
    run.sleep(1)
