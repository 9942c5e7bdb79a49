"""gunicorn: each scenario is a gunicorn.conf.py, an application, and a short function that drives the server."""

import functools
import os
import signal

import scenario as scenarios
from applications import (
    BROKEN_AT_IMPORT, CRASHING, HOLDING_THE_GIL, PLAIN, REFRESHING, SLOW_TO_IMPORT, TASKS, TASKS_IN_DAEMON_THREADS, THREAD_AT_IMPORT,
)
from asgi_applications import PLAIN_ASGI, SLOW_AT_STARTUP_ASGI
from task_applications import SCHEDULED
from servers import GUNICORN

scenario = functools.partial(scenarios.scenario, kind=GUNICORN)


def conf(*lines, workers=3):
    return "\n".join(['wsgi_app = "app:application"', 'bind = "127.0.0.1:{port}"', f"workers = {workers}", *lines, ""])


# -- reloads by HUP

def reload(run, workers, within=30):
    """HUP after some quiet; waits until the old generation is gone."""
    run.start(workers=workers)
    run.round(workers)
    run.sleep(2)
    old = run.workers()
    run.signal("hup", "SIGHUP")
    run.wait_workers(2 * workers)
    for pid in old:
        run.wait_ended(pid, within)
    run.sleep(1)
    run.round(workers)


@scenario("hup-healthy", "HUP: every worker leaves at once", conf=conf('accesslog = "-"'), app=PLAIN)
def hup_healthy(run):
    reload(run, workers=3)
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(9)
    run.sleep(2)


@scenario(
    "hup-held-by-thread", "HUP: a non-daemon thread of the application holds every worker until timeout (5 s)",
    conf=conf("timeout = 5"), forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def hup_held(run):
    reload(run, workers=3)


@scenario(
    "hup-daemon-thread", "HUP: the same thread as a daemon thread holds nobody",
    conf=conf("timeout = 5"), app=THREAD_AT_IMPORT.replace('name="poller"', 'name="poller", daemon=True'))
def hup_daemon_thread(run):
    reload(run, workers=3)


@scenario(
    "hup-request-cut", "HUP while a sync worker has a request of 20 s: timeout (4 s) ends it",
    conf=conf("timeout = 4"), forced=1, cut=1, app=PLAIN,
    expected=["worker-timeout"], may=["request-blocks-shutdown"])
def hup_request_outlives_timeout(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(1)
    cut = run.in_background("/export?sleep=20")
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(6)
    assert not cut.result()
    run.sleep(2)
    run.round(3)


@scenario(
    "hup-request-finishes", "HUP while a sync worker has a request of 3 s: it is answered, then the worker leaves",
    conf=conf(), app=PLAIN)
def hup_request_finishes(run):
    run.start(workers=3)
    run.round(3)
    answered = run.in_background("/export?sleep=4")
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(6)
    assert answered.result()
    run.sleep(2)
    run.round(3)


@scenario(
    "gthread-request-cut",
    "HUP while a gthread worker has a request of 30 s: it says it is exiting after graceful_timeout (4 s), timeout ends it",
    conf=conf('worker_class = "gthread"', "threads = 2", "graceful_timeout = 4", "timeout = 6", workers=2), forced=1, cut=1,
    app=PLAIN, expected=["request-blocks-shutdown"],
    notes=["The worker has been asked, waits for its request, and gives up waiting; the thread of its pool keeps it."])
def gthread_request(run):
    run.start(workers=2)
    run.round(4)
    cut = run.in_background("/export?sleep=30", timeout=40)
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(4)
    assert not cut.result()
    run.sleep(2)
    run.round(2)


@scenario(
    "gevent-request-cut", "TERM while a gevent worker has a request of 30 s: it goes without it",
    conf=conf('worker_class = "gevent"', "graceful_timeout = 4", workers=2), forced=1, cut=1, app=PLAIN,
    expected=["request-blocks-shutdown"])
def gevent_request(run):
    run.start(workers=2)
    run.round(2)
    cut = run.in_background("/export?sleep=30", timeout=40)
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)
    assert not cut.result()


@scenario("gevent-hup-healthy", "HUP with gevent workers: healthy", conf=conf('worker_class = "gevent"', workers=2), app=PLAIN)
def gevent_hup(run):
    reload(run, workers=2)


@scenario(
    "uvicorn-worker-hup-healthy", "HUP with uvicorn's worker class: healthy",
    conf=conf('worker_class = "uvicorn.workers.UvicornWorker"', workers=2), app=PLAIN_ASGI)
def uvicorn_worker_hup(run):
    reload(run, workers=2)


@scenario(
    "uvicorn-worker-slow-start", "The same with an application that needs 14 s to start: nobody serves until then",
    conf=conf('worker_class = "uvicorn.workers.UvicornWorker"', workers=2), app=SLOW_AT_STARTUP_ASGI,
    expected=["slow-start-empties-service"])
def uvicorn_worker_slow(run):
    run.start(workers=2)
    run.wait_log("Application startup complete", times=2)
    run.round(2)
    run.sleep(2)
    run.signal("hup", "SIGHUP")
    run.wait_log("Application startup complete", times=4)
    run.sleep(1)
    run.round(2)


@scenario(
    "uvicorn-worker-request-cut",
    "HUP with uvicorn's worker class while a request goes on for 25 s: the worker waits for it",
    conf=conf('worker_class = "uvicorn.workers.UvicornWorker"', "timeout = 5", "graceful_timeout = 3", workers=2),
    forced=None, cut=None, app=PLAIN_ASGI, expected=[], may=["request-blocks-shutdown", "worker-timeout"])
def uvicorn_worker_request(run):
    run.start(workers=2)
    run.round(2)
    cut = run.in_background("/export?sleep=25", timeout=40)
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(4)
    cut.result()
    run.sleep(2)


# -- stops by TERM

def stop(run, workers):
    run.start(workers=workers)
    run.round(workers)
    run.sleep(2)
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)


@scenario("stop-healthy", "TERM: every worker leaves at once", conf=conf(), app=PLAIN)
def stop_healthy(run):
    stop(run, workers=3)


@scenario(
    "stop-held-by-thread", "TERM: a thread holds every worker, and graceful_timeout (5 s) kills them without a line",
    conf=conf("graceful_timeout = 5"), forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def stop_held(run):
    stop(run, workers=3)


@scenario(
    "stop-request-cut",
    "TERM while one of 3 workers has a request of 20 s: graceful_timeout (4 s) kills it without a line",
    conf=conf("graceful_timeout = 4"), forced=1, cut=1, app=PLAIN, expected=["request-blocks-shutdown"])
def stop_request(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(1)
    cut = run.in_background("/export?sleep=20")
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)
    assert not cut.result()


@scenario(
    "stop-request-finishes", "TERM while one of 3 workers has a request that still needs 3 s: it is answered",
    conf=conf("graceful_timeout = 10"), app=PLAIN)
def stop_request_finishes(run):
    run.start(workers=3)
    run.round(3)
    answered = run.in_background("/export?sleep=4")
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)
    assert answered.result()


# -- the timeout of a worker

@scenario(
    "worker-timeout-serving", "Two requests outlive timeout (3 s): their workers are aborted",
    conf=conf("timeout = 3", 'accesslog = "-"', workers=2), forced=2, cut=2, app=PLAIN, expected=["worker-timeout"])
def timeout_serving(run):
    run.start(workers=2)
    for so_far in (3, 4):
        run.round(2)
        assert not run.get("/export?sleep=15")
        run.wait_workers(so_far)
    run.round(2)


@scenario(
    "worker-timeout-deaf", "A request holds the interpreter in C code: timeout (3 s) aborts in vain, SIGKILL follows",
    conf=conf("timeout = 3", workers=2), forced=1, cut=1, app=HOLDING_THE_GIL, expected=["worker-timeout"],
    notes=["The SIGKILL is gunicorn's own, a second after its SIGABRT; nobody ran out of memory."])
def timeout_deaf(run):
    run.start(workers=2)
    run.round(2)
    assert not run.get("/report")
    run.wait_workers(3)
    run.sleep(1)
    run.round(2)


@scenario(
    "worker-timeout-booting", "The import of the application takes longer than timeout (3 s): no worker ever serves",
    conf=conf("timeout = 3", workers=2), forced=None, app=SLOW_TO_IMPORT, expected=["worker-timeout"], may=["crash-loop"])
def timeout_booting(run):
    run.start(workers=2)
    run.sleep(15)


# -- recycling by max_requests

@scenario(
    "max-requests-healthy", "max_requests recycles workers; their tasks all end, some after the worker said it exits",
    conf=conf("max_requests = 8", workers=2), app=TASKS, may=["synchronized-recycling"])
def max_requests_healthy(run):
    run.start(workers=2)
    for task in range(1, 15):
        run.round(2, "/?sleep=0.1")
        run.get(f"/task?n={task}&seconds=1.2&sleep=0.1")
        run.sleep(0.5)
    run.sleep(2)


@scenario(
    "max-requests-orphans-tasks-daemon", "max_requests recycles workers whose tasks run in daemon threads: they are lost",
    conf=conf("max_requests = 8", workers=2), orphaned=None, app=TASKS_IN_DAEMON_THREADS,
    expected=["respawn-orphans-tasks"], may=["synchronized-recycling"])
def max_requests_orphans_daemon(run):
    run.start(workers=2)
    for task, seconds in enumerate((1, 5, 1, 2, 5, 1, 3, 2, 1, 5, 1, 1), start=1):
        run.round(2, "/?sleep=0.1")
        run.get(f"/task?n={task}&seconds={seconds}&sleep=0.1")
        run.sleep(0.8)
    run.sleep(6)


@scenario(
    "max-requests-orphans-tasks", "max_requests recycles workers whose executor has tasks longer than timeout (4 s)",
    conf=conf("max_requests = 8", "timeout = 4", workers=2), forced=None, orphaned=None, app=TASKS,
    expected=["respawn-orphans-tasks", "recycle-blocked"], may=["app-threads-block-shutdown", "synchronized-recycling"])
def max_requests_orphans(run):
    run.start(workers=2)
    for task, seconds in enumerate((1, 2, 1, 2, 15, 15, 1, 2, 1), start=1):
        run.round(2, "/?sleep=0.1")
        run.get(f"/task?n={task}&seconds={seconds}&sleep=0.1")
        run.sleep(1.1)
    run.sleep(8)


@scenario(
    "synchronized-recycling", "All 4 workers reach max_requests in the same moment, twice",
    conf=conf("max_requests = 6", workers=4), app=PLAIN, expected=["synchronized-recycling"])
def synchronized(run):
    run.start(workers=4)
    for _ in range(13):
        run.round(4, "/list?sleep=0.3")
        run.sleep(0.3)
    run.sleep(2)


@scenario(
    "staggered-recycling", "max_requests with jitter: workers are replaced one after the other",
    conf=conf("max_requests = 6", "max_requests_jitter = 30", workers=4), app=PLAIN, may=["synchronized-recycling"])
def staggered(run):
    run.start(workers=4)
    for _ in range(30):
        run.round(4, "/list?sleep=0.2")
        run.sleep(0.2)
    run.sleep(2)


# -- starts and other ends

@scenario(
    "worker-failed-to-boot", "The application raises at import: gunicorn gives up", conf=conf(workers=2),
    app=BROKEN_AT_IMPORT, expected=["boot-failure"], may=["worker-crashed"])
def failed_to_boot(run):
    run.start(workers=1)
    run.wait_ended(run.master)


@scenario(
    "hup-onto-broken-code", "HUP after a deployment that does not import: the old workers go, then all of gunicorn",
    conf=conf(workers=2), app=PLAIN, files={"next.py": BROKEN_AT_IMPORT}, expected=["reload-lost-app"],
    may=["boot-failure", "worker-crashed"])
def hup_broken(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.create("app.py", (run.work / "next.py").read_text())
    run.signal("hup", "SIGHUP")
    run.wait_ended(run.master)


@scenario(
    "connection-in-use", "A second gunicorn on the same address tries five times and gives up",
    conf=conf(workers=1), app=PLAIN, files={"second.conf.py": conf(workers=1)}, expected=["boot-failure"])
def connection_in_use(run):
    run.start(workers=1)
    run.round(2)
    run.start(workers=0, conf="second.conf.py")
    run.wait_log("Can't connect to", within=20)
    run.wait_ended(run.servers[1].pid)
    run.round(2)


@scenario(
    "external-kill-9", "Somebody kills a worker with SIGKILL from outside", conf=conf(), app=PLAIN,
    expected=["killed-from-outside"])
def external_kill(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(1)
    os.kill(run.workers()[0], signal.SIGKILL)
    run.wait_workers(4)
    run.sleep(1)
    run.round(3)


@scenario(
    "segfault-worker", "A request crashes its worker with SIGSEGV; the arbiter starts another", conf=conf(workers=2), cut=1,
    app=CRASHING, expected=["worker-crashed"])
def segfault_worker(run):
    run.start(workers=2)
    run.round(2)
    assert not run.get("/crash")
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)


@scenario(
    "crash-loop", "The same request crashes each worker that takes it, six times in a few seconds", conf=conf(workers=1), cut=6,
    app=CRASHING, expected=["crash-loop"], may=["worker-crashed"])
def crash_loop(run):
    run.start(workers=1)
    for died in range(6):
        assert not run.get("/crash")
        run.wait_workers(died + 2)
    run.sleep(1)


LEAVING_A_REGISTRY = """\
import os
import time


def child_exit(server, worker):
    server.log.info("leaving the registry: worker %s", worker.pid)
    while not os.path.exists("registry"):
        time.sleep(3)
        server.log.warning("the registry does not answer: worker %s", worker.pid)
"""


@scenario(
    "stop-blocked-by-hook", "TERM, and the hook child_exit waits in the arbiter for a registry that never answers: no end",
    conf=conf("graceful_timeout = 3", LEAVING_A_REGISTRY, workers=2), app=PLAIN, expected=["reload-unfinished"],
    notes=["The hook runs in the arbiter's handler of SIGCHLD: it neither reaps nor kills any more, and graceful_timeout is not looked at."])
def stop_blocked_by_hook(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.sleep(48)


@scenario(
    "stop-hook-answered", "The same hook, and the registry answers: the stop ends at once",
    conf=conf("graceful_timeout = 3", LEAVING_A_REGISTRY, workers=2), app=PLAIN, files={"registry": ""})
def stop_hook_answered(run):
    stop(run, workers=2)


@scenario(
    "survivors-hold-port", "The arbiter is killed with SIGKILL, a request keeps its worker, and the next start finds the port in use",
    conf=conf(workers=2), app=PLAIN, files={"second.conf.py": conf(workers=2)}, expected=["survivors-hold-port"],
    may=["master-died", "boot-failure"])
def survivors_hold_port(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    long = run.in_background("/report?sleep=12")
    run.sleep(0.5)
    os.kill(run.master, signal.SIGKILL)
    run.sleep(1)
    run.start(workers=0, conf="second.conf.py")
    run.wait_log("Can't connect to", within=20)
    long.result()
    run.sleep(1)


@scenario(
    "usr2-upgrade", "USR2 starts a second arbiter, TERM to the old one leaves the new one alone: healthy",
    conf=conf(workers=2), app=PLAIN)
def usr2_upgrade(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    old = run.master
    run.signal("usr2", "SIGUSR2")
    run.wait_workers(4)
    run.sleep(2)
    run.signal("stop", "SIGTERM")
    run.wait_ended(old)
    run.wait_log("Master has been promoted", within=20)
    run.sleep(1)
    run.round(2)


@scenario(
    "master-killed", "The arbiter is killed with SIGKILL: its workers notice and leave",
    conf=conf("timeout = 6", workers=2), app=PLAIN, expected=["master-died"])
def master_killed(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    master, workers = run.master, run.workers()
    os.kill(master, signal.SIGKILL)
    for pid in workers:
        run.wait_ended(pid, within=20)


# -- threads and the fork

@scenario(
    "preload-thread-lost-on-fork", "preload_app with a thread started at import: it runs in the arbiter alone",
    conf=conf("preload_app = True"), app=REFRESHING, expected=["threads-lost-on-fork"])
def thread_lost(run):
    run.start(workers=4)  # the arbiter loads the application and reports as well
    for _ in range(4):
        run.round(3)
        run.sleep(1.5)


@scenario(
    "thread-in-each-worker", "The same application without preload_app: each worker has the thread",
    conf=conf(), app=REFRESHING)
def thread_kept(run):
    run.start(workers=3)
    for _ in range(4):
        run.round(3)
        run.sleep(1.5)


# -- what only the configuration decides: with loglevel debug gunicorn prints it

@scenario(
    "gthread-undecided",
    "HUP while the only gthread worker has a request of 30 s, graceful_timeout 4, timeout 6: without the configuration nobody can tell",
    conf=conf('worker_class = "gthread"', "threads = 2", "graceful_timeout = 4", "timeout = 6", workers=1), forced=1, cut=1, app=PLAIN,
    expected=["forced-kill-undecided"])
def gthread_undecided(run):
    run.start(workers=1)
    run.round(2)
    cut = run.in_background("/export?sleep=30", timeout=40)
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(2)
    assert not cut.result()
    run.sleep(2)
    run.round(2)


@scenario(
    "gthread-request-finishes", "The same with a request of 3 s: it is answered, then the worker leaves",
    conf=conf('worker_class = "gthread"', "threads = 2", "graceful_timeout = 4", "timeout = 6", workers=1), app=PLAIN)
def gthread_request_finishes(run):
    run.start(workers=1)
    run.round(2)
    answer = run.in_background("/export?sleep=3")
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(2)
    assert answer.result()
    run.sleep(2)
    run.round(2)


@scenario(
    "hup-preload-old-code", "HUP under preload_app: new workers with the code that the arbiter loaded at its start",
    conf=conf('loglevel = "debug"', "preload_app = True", workers=2), app=PLAIN, expected=["old-code-kept"])
def hup_preload(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.signal("hup", "SIGHUP")
    run.wait_workers(4)
    run.sleep(2)
    run.round(2)


@scenario(
    "hup-new-code", "The same without preload_app: each worker loads the code anew", conf=conf('loglevel = "debug"', workers=2), app=PLAIN)
def hup_new_code(run):
    hup_preload(run)


@scenario(
    "hup-graceful-timeout-in-vain", "HUP while a sync worker has a request of 20 s: graceful_timeout (2 s) does nothing, timeout (8 s) ends it",
    conf=conf('loglevel = "debug"', "graceful_timeout = 2", "timeout = 8", workers=2), forced=1, cut=1, app=PLAIN,
    expected=["mercy-ineffective"], may=["request-blocks-shutdown", "worker-timeout"])
def hup_graceful_timeout(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    cut = run.in_background("/export?sleep=20", timeout=40)
    run.sleep(0.5)
    run.signal("hup", "SIGHUP")
    run.wait_workers(4)
    assert not cut.result()
    run.sleep(2)
    run.round(2)


@scenario(
    "stop-graceful-timeout-governs", "TERM during the same request: here graceful_timeout (2 s) ends it",
    conf=conf('loglevel = "debug"', "graceful_timeout = 2", "timeout = 8", workers=2), forced=1, cut=1, app=PLAIN,
    expected=["request-blocks-shutdown"])
def stop_graceful_timeout(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    cut = run.in_background("/export?sleep=20", timeout=40)
    run.sleep(0.5)
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)
    assert not cut.result()


# -- signals that go astray

@scenario(
    "hup-hits-workers", "SIGHUP to the whole process group, as pkill does: workers die of it in the midst of a request",
    conf=conf('accesslog = "-"', workers=2), app=PLAIN, cut=None, expected=["signal-hit-workers"], recycling="external-signal")
def hup_hits_workers(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    cut = run.in_background("/export?sleep=5")
    run.sleep(0.5)
    run.acted("hup")
    os.killpg(run.master, signal.SIGHUP)
    assert not cut.result()
    run.wait_workers(4)
    run.sleep(2)
    run.round(2)


@scenario(
    "usr2-finds-no-configuration", "USR2 after the configuration has been moved away: no new arbiter starts, the old one serves on",
    conf=conf('accesslog = "-"', workers=2), app=PLAIN, expected=["upgrade-stuck"])
def usr2_finds_no_configuration(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    (run.work / "gunicorn.conf.py").rename(run.work / "moved.py")
    run.signal("usr2", "SIGUSR2")
    run.steadily(14, pause=1)
    (run.work / "moved.py").rename(run.work / "gunicorn.conf.py")


# -- A scheduler in the worker

@scenario(
    "apscheduler-job-killed", "a worker is killed with signal 9 in the middle of a job of its APScheduler; the next worker's jobs end",
    conf=conf(workers=1), app=SCHEDULED, orphaned=1, expected=["killed-from-outside", "respawn-orphans-tasks"])
def apscheduler_killed(run):
    run.start(workers=1)
    run.wait_log("Running job")
    run.sleep(2)
    os.kill(run.workers()[-1], signal.SIGKILL)
    run.wait_workers(2)
    run.wait_log("executed successfully", within=40)
    run.sleep(0.5)


@scenario(
    "apscheduler-healthy", "the jobs of an APScheduler end: healthy", conf=conf(workers=1), app=SCHEDULED)
def apscheduler_healthy(run):
    run.start(workers=1)
    run.wait_log("executed successfully", times=2, within=40)
    run.sleep(0.5)
