"""ASGI servers on their own: uvicorn, hypercorn, daphne. Each scenario is a file of arguments, one a line."""

import functools
import os
import signal

import scenario as scenarios
from applications import BROKEN_AT_IMPORT
from asgi_applications import BACKGROUND_ASGI, FAILING_AT_STARTUP_ASGI, PLAIN_ASGI, STREAMING_ASGI, STUBBORN_ASGI
from servers import DAPHNE, HYPERCORN, UVICORN

uvicorn = functools.partial(scenarios.scenario, kind=UVICORN)
hypercorn = functools.partial(scenarios.scenario, kind=HYPERCORN)
daphne = functools.partial(scenarios.scenario, kind=DAPHNE)


def lines(*arguments):
    return "\n".join([*arguments, ""])


def stop(run, within=30):
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master, within)


# -- uvicorn

ONE = ("app:application", "--port", "{port}")


@uvicorn("stop-healthy", "TERM to a single process: healthy", conf=lines(*ONE), app=PLAIN_ASGI)
def uvicorn_stop(run):
    run.start(workers=1)
    run.round(3)
    run.sleep(1)
    stop(run)


def start_in_vain(run):
    run.start(workers=0)
    run.wait_ended(run.master, within=20)


uvicorn("import-fails", "The application cannot be imported", conf=lines(*ONE), app=BROKEN_AT_IMPORT, expected=["boot-failure"])(start_in_vain)
uvicorn(
    "startup-fails", "The application raises at its start (lifespan)", conf=lines(*ONE), app=FAILING_AT_STARTUP_ASGI,
    expected=["boot-failure"])(start_in_vain)


@uvicorn("address-in-use", "A second server is started on the address of the first", conf=lines(*ONE), app=PLAIN_ASGI, expected=["boot-failure"])
def uvicorn_address(run):
    run.start(workers=1)
    run.round(2)
    second = run.start(workers=0)
    run.wait_ended(second.pid)
    run.round(2)


@uvicorn(
    "stop-waits-for-connections", "TERM while a client listens to a stream: uvicorn waits for it, and the log ends",
    conf=lines(*ONE), app=STREAMING_ASGI, expected=["request-blocks-shutdown"],
    notes=["There is no deadline by default. The log ends after 8 s of waiting."])
def uvicorn_waits(run):
    run.start(workers=1)
    run.in_background("/events?sleep=60", timeout=70)
    run.sleep(2)
    run.signal("stop", "SIGTERM")
    run.sleep(8)


@uvicorn(
    "stop-waits-for-background-tasks", "TERM while work goes on behind an answer: uvicorn waits for it, and the log ends",
    conf=lines(*ONE), app=BACKGROUND_ASGI, expected=["request-blocks-shutdown"])
def uvicorn_waits_for_tasks(run):
    run.start(workers=1)
    run.get("/mail?sleep=60")
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.sleep(6)


@uvicorn(
    "stop-cancels-requests", "TERM with timeout-graceful-shutdown = 3 while a request of 20 s runs: it is cancelled",
    conf=lines(*ONE, "--timeout-graceful-shutdown", "3"), cut=None, app=PLAIN_ASGI, expected=["request-blocks-shutdown"])
def uvicorn_cancels(run):
    run.start(workers=1)
    cut = run.in_background("/export?sleep=20", timeout=30)
    run.sleep(1)
    stop(run)
    assert not cut.result()


@uvicorn(
    "workers-healthy", "Two workers, HUP, then TERM: healthy", conf=lines(*ONE, "--workers", "2"), app=PLAIN_ASGI)
def uvicorn_workers(run):
    run.start(workers=2)
    run.round(4)
    run.sleep(1)
    run.signal("chain", "SIGHUP")
    run.wait_workers(4)
    run.sleep(4)
    run.round(4)
    stop(run)


@uvicorn(
    "workers-child-died", "One of two workers is killed from outside: the parent says that it died, and replaces it",
    conf=lines(*ONE, "--workers", "2"), app=PLAIN_ASGI, may=["worker-crashed", "killed-from-outside"])
def uvicorn_child_died(run):
    run.start(workers=2)
    run.round(4)
    run.sleep(1)
    os.kill(run.workers()[0], signal.SIGKILL)
    run.wait_workers(3)
    run.sleep(1)
    stop(run)


@uvicorn(
    "workers-reload-stuck", "HUP with two workers while a client listens to a stream: the restart stops at that worker",
    conf=lines(*ONE, "--workers", "2"), app=STREAMING_ASGI, expected=["request-blocks-shutdown"], may=["reload-unfinished"])
def uvicorn_reload_stuck(run):
    run.start(workers=2)
    for _ in range(6):
        run.in_background("/events?sleep=60", timeout=70)
    run.sleep(2)
    run.signal("chain", "SIGHUP")
    run.sleep(10)


# -- hypercorn

@hypercorn(
    "stop-healthy", "TERM with two workers: healthy", conf=lines("app:application", "-b", "127.0.0.1:{port}", "-w", "2"),
    app=PLAIN_ASGI)
def hypercorn_stop(run):
    run.start(workers=2)
    run.round(3)
    run.sleep(1)
    stop(run)


@hypercorn(
    "stop-cuts-requests", "TERM while a request of 20 s runs: graceful-timeout (3 s) cuts it, and no line tells",
    conf=lines("app:application", "-b", "127.0.0.1:{port}", "-w", "2"), cut=None, app=PLAIN_ASGI)
def hypercorn_cuts(run):
    run.start(workers=2)
    cut = run.in_background("/export?sleep=20", timeout=30)
    run.sleep(1)
    stop(run)
    assert not cut.result()


# -- daphne

DAPHNE_ARGUMENTS = ("-b", "127.0.0.1", "-p", "{port}", "app:application")


@daphne("stop-healthy", "TERM without anything to do: healthy", conf=lines(*DAPHNE_ARGUMENTS), app=PLAIN_ASGI)
def daphne_stop(run):
    run.start(workers=1)
    run.round(3)
    run.sleep(1)
    stop(run)


@daphne(
    "stop-kills-requests", "TERM while two requests run: daphne kills them at once and says how many",
    conf=lines(*DAPHNE_ARGUMENTS), cut=None, app=PLAIN_ASGI, expected=["request-blocks-shutdown"])
def daphne_kills(run):
    run.start(workers=1)
    run.round(2)
    cut = [run.in_background("/export?sleep=20", timeout=30) for _ in range(2)]
    run.sleep(2)
    stop(run)
    assert not any(request.result() for request in cut)


@daphne(
    "took-too-long", "The client goes away and the application goes on for longer than application-close-timeout (2 s)",
    conf=lines("--application-close-timeout", "2", *DAPHNE_ARGUMENTS), app=STUBBORN_ASGI,
    expected=["request-blocks-shutdown"])
def daphne_took_too_long(run):
    run.start(workers=1)
    run.round(2)
    run.get("/export?sleep=15", timeout=1)
    run.wait_log("took too long to shut down", within=20)
    run.sleep(1)
