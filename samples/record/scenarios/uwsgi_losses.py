"""uWSGI whose application, workers or address are lost."""

import os
import signal

from applications import BROKEN_AT_IMPORT, CRASHING_AT_IMPORT, LOOKING_INTO_STORAGE, PLAIN
from scenario import scenario
from stuck_mount import stuck_mount

from .uwsgi import CHAIN, ini


# -- a deploy of code that does not load

def deploy(run, code, ask, workers=2):
    run.create("reload.txt")
    run.start(workers=workers)
    run.round(workers)
    run.sleep(1.5)
    run.create("app.py", code)
    ask(run)
    run.steadily(8, "/list")


def by_signal(run):
    run.signal("graceful", "SIGHUP")


def by_chain(run):
    run.touch("chain", "reload.txt")


@scenario(
    "reload-onto-broken-code", "SIGHUP onto code that does not load: the workers come back without an application",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN, expected=["reload-lost-app"])
def reload_broken(run):
    deploy(run, BROKEN_AT_IMPORT, by_signal)


@scenario(
    "reload-onto-broken-code-need-app", "The same with need-app: the server gives up",
    conf=ini("worker-reload-mercy = 3", "need-app = true"), app=PLAIN, expected=["reload-lost-app"])
def reload_broken_need_app(run):
    deploy(run, BROKEN_AT_IMPORT, by_signal)


@scenario(
    "reload-onto-new-code", "SIGHUP onto code that loads",
    conf=ini("worker-reload-mercy = 3", "need-app = true"), app=PLAIN)
def reload_sound(run):
    deploy(run, PLAIN.replace("ok", "new"), by_signal)


@scenario(
    "chain-reload-onto-broken-code", "touch-chain-reload with lazy-apps onto code that does not load, without need-app",
    conf=ini("lazy-apps = true", *CHAIN, processes=3), app=PLAIN, expected=["reload-lost-app"])
def chain_broken(run):
    deploy(run, BROKEN_AT_IMPORT, by_chain, workers=3)


@scenario(
    "chain-reload-onto-broken-code-need-app", "The same with need-app: the first worker fails again and again, the others keep the old code",
    conf=ini("lazy-apps = true", "need-app = true", *CHAIN, processes=3), app=PLAIN, expected=["reload-lost-app"])
def chain_broken_need_app(run):
    deploy(run, BROKEN_AT_IMPORT, by_chain, workers=3)


# -- crashes

@scenario(
    "crash-loop", "lazy-apps: an import crashes with SIGSEGV, so each worker dies as soon as it is started",
    conf=ini("lazy-apps = true"), app=CRASHING_AT_IMPORT, expected=["crash-loop"])
def crash_loop(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.create("corrupt")
    os.kill(run.pid_of(1), signal.SIGHUP)
    run.steadily(12, "/list")


@scenario(
    "crash-at-import-once", "The same, and what made the import crash is gone at the next try",
    conf=ini("lazy-apps = true"), app=CRASHING_AT_IMPORT, expected=["worker-crashed"])
def crash_once(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.create("corrupt", "once")
    os.kill(run.pid_of(1), signal.SIGHUP)
    run.steadily(8, "/list")


# -- the master killed

def start_again(run, after):
    """Both workers are busy when the master is killed."""
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    for _ in range(2):
        run.in_background("/export?sleep=12")
    run.sleep(0.5)
    os.kill(run.master, signal.SIGKILL)
    run.sleep(after)
    run.start(workers=0)
    run.sleep(3)
    run.wait_log("my master disconnected", times=2)
    run.sleep(1)


@scenario(
    "survivors-hold-port", "The master is killed while its workers are busy: they keep the address, and the next start fails",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN, expected=["survivors-hold-port"], may=["master-died", "boot-failure"],
    recycling="external-kill")
def survivors(run):
    start_again(run, after=2)


@scenario(
    "survivors-gone", "The same, and the next start comes when they have done their work and left",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN, expected=["master-died"], recycling="external-kill")
def survivors_gone(run):
    start_again(run, after=16)


# -- a worker that waits in the kernel

@scenario(
    "kill-without-effect", "SIGHUP while a worker waits for storage that does not answer: SIGKILL cannot end it",
    conf=ini("worker-reload-mercy = 3"), forced=1, cut=1, app=LOOKING_INTO_STORAGE, expected=["kill-without-effect"],
    notes=["The worker was in state D. The storage answered at last, with an error, and then the worker was gone."])
def unkillable(run):
    (run.work / "storage").mkdir()
    with stuck_mount(run.work / "storage"):
        run.start(workers=2)
        run.round(2)
        run.in_background("/picture")
        run.steadily(3, "/list")
        run.signal("graceful", "SIGHUP")
        run.sleep(14)
    run.wait_workers(4)
    run.round(2)


@scenario(
    "killed-with-effect", "The same while a worker waits for a request that takes long: SIGKILL ends it at once",
    conf=ini("worker-reload-mercy = 3"), forced=1, cut=1, app=PLAIN, expected=["forced-kill-undecided"],
    may=["request-blocks-shutdown"])
def killable(run):
    run.start(workers=2)
    run.round(2)
    run.in_background("/picture?sleep=15")
    run.steadily(3, "/list")
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    run.round(2)
