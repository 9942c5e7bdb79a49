"""uWSGI: each scenario is an ini, an application, and a short function that drives the server."""

import os
import signal
import time

from applications import (
    CRASHING, GROWING, PLAIN, RAISING, REFRESHING, SPOOLING, STUCK_AT_IMPORT, TASKS, TASKS_IN_DAEMON_THREADS,
    THREAD_AT_IMPORT, THREAD_BY_REQUEST,
)
from scenario import scenario

def ini(*lines, processes=2):
    return "\n".join([
        "[uwsgi]", "plugin = python3", "http-socket = 127.0.0.1:{port}", "wsgi-file = app.py",
        "master = true", f"processes = {processes}", *lines, "",
    ])


# -- reloads by SIGHUP

@scenario(
    "healthy-reload", "SIGHUP with uWSGI's own threads and short requests in flight: nothing is wrong",
    conf=ini("enable-threads = true", "threads = 2", processes=3), app=PLAIN, may=["reloaded-twice"])
def healthy_reload(run):
    run.start(workers=3)
    for _ in range(3):
        run.round(4, "/list?sleep=0.05")
    in_flight = [run.in_background("/report?sleep=0.6") for _ in range(3)]
    run.sleep(0.2)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(6)
    assert all(request.result() for request in in_flight)
    run.round(4, "/list?sleep=0.05")
    run.sleep(1.5)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(9)
    run.round(4, "/list?sleep=0.05")


@scenario(
    "idle-workers-held-by-thread-prefork",
    "SIGHUP: a non-daemon thread started at import holds every idle worker until mercy (3 s) is over",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3), forced=3, app=THREAD_AT_IMPORT,
    expected=["app-threads-block-shutdown"],
    notes=["Prefork: the thread runs in the master only; the workers wait for their copy of its record."])
def held_prefork(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(4)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(6)
    run.round(3)


@scenario(
    "reload-mercy-does-not-govern",
    "SIGHUP, a thread holds the workers, reload-mercy = 3 is set and worker-reload-mercy is not: they are waited for 61 s",
    conf=ini("enable-threads = true", "reload-mercy = 3", "show-config = true"), forced=2, app=THREAD_AT_IMPORT,
    expected=["app-threads-block-shutdown", "mercy-ineffective"], may=["mercy-too-long"])
def reload_mercy_does_not_govern(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(2)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4, within=90)
    run.round(2)


@scenario(
    "worker-reload-mercy-governs", "The same with worker-reload-mercy = 3: they are waited for 4 s",
    conf=ini("enable-threads = true", "reload-mercy = 3", "worker-reload-mercy = 3", "show-config = true"), forced=2,
    app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def worker_reload_mercy_governs(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(2)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    run.round(2)


@scenario(
    "idle-workers-held-by-thread-lazy-apps",
    "SIGHUP with lazy-apps: a non-daemon thread in each worker holds it until mercy (3 s) is over",
    conf=ini("enable-threads = true", "lazy-apps = true", "worker-reload-mercy = 3", processes=3),
    forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def held_lazy(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(4)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(6)
    run.round(3)


def long_request_at_reload(run, seconds):
    """Steady short traffic to three workers, one long request in flight when SIGHUP comes."""
    run.start(workers=3)
    for _ in range(4):
        run.round(3, "/list?sleep=0.1")
        run.sleep(0.3)
    long_request = run.in_background(f"/export?sleep={seconds}")
    for _ in range(4):
        run.round(2, "/list?sleep=0.1")
        run.sleep(0.3)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(6)
    for _ in range(3):
        run.round(3, "/list?sleep=0.1")
    return long_request.result()


@scenario(
    "request-outlives-mercy", "SIGHUP while one request needs longer than mercy (3 s): it is cut, without a line",
    conf=ini("worker-reload-mercy = 3", processes=3), forced=1, cut=1, app=PLAIN,
    expected=["forced-kill-undecided"], may=["request-blocks-shutdown"],
    notes=["The request that was cut has no line. What the log does show: two of three workers left at once, so it "
           "was not something that holds every worker; the killed one had answered until shortly before and then "
           "had no line for two seconds although traffic went on."])
def request_outlives_mercy(run):
    assert not long_request_at_reload(run, 12)


@scenario(
    "request-outlives-mercy-harakiri-verbose",
    "The same, but harakiri comes before mercy is over and names the request",
    conf=ini("worker-reload-mercy = 8", "harakiri = 4", "harakiri-verbose = true", processes=3), cut=1, app=PLAIN,
    expected=[], may=["request-blocks-shutdown"],
    notes=["Harakiri, not mercy, ends the worker during the reload; its lines name GET /export."])
def request_outlives_mercy_harakiri(run):
    assert not long_request_at_reload(run, 14)


@scenario(
    "long-request-finishes-within-mercy", "SIGHUP while one request needs 3 of the 6 seconds of mercy: it is answered",
    conf=ini("worker-reload-mercy = 6", processes=3), app=PLAIN)
def long_request_finishes(run):
    assert long_request_at_reload(run, 4)


# -- chain and workers reloads

CHAIN = ("enable-threads = true", "touch-chain-reload = reload.txt", "worker-reload-mercy = 3")


def chain_reload(run, workers):
    run.create("reload.txt")
    run.start(workers=workers)
    run.round(workers)
    run.sleep(1.5)
    run.touch("chain", "reload.txt")
    run.wait_log("chain reloading complete", within=40)
    run.round(workers)


@scenario(
    "chain-reload-slow", "touch-chain-reload with lazy-apps: a thread holds each of 3 workers until mercy, in turn",
    conf=ini("lazy-apps = true", *CHAIN, processes=3), forced=3, app=THREAD_AT_IMPORT,
    expected=["chain-reload-slow", "app-threads-block-shutdown"])
def chain_reload_slow(run):
    chain_reload(run, workers=3)


@scenario(
    "chain-reload-healthy", "touch-chain-reload with lazy-apps: each worker leaves at once and loads the new code",
    conf=ini("lazy-apps = true", *CHAIN, processes=3), app=PLAIN)
def chain_reload_healthy(run):
    chain_reload(run, workers=3)


@scenario(
    "chain-reload-old-code", "touch-chain-reload without lazy-apps: quick, and the old code goes on running",
    conf=ini(*CHAIN, processes=3), app=PLAIN, expected=["old-code-kept"])
def chain_reload_old_code(run):
    chain_reload(run, workers=3)


@scenario(
    "workers-reload", "Workers reload over the master fifo (w) with lazy-apps: nothing is wrong",
    conf=ini("lazy-apps = true", "master-fifo = master.fifo", processes=3), app=PLAIN)
def workers_reload(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(1)
    run.fifo("workers", "w")
    run.wait_workers(6)
    run.round(3)


# -- recycling by max-requests

RECYCLE = ("enable-threads = true", "min-worker-lifetime = 1", "worker-reload-mercy = 3")


def ahead(run, requests):
    """Let one of two workers serve alone for a while, so that the two do not recycle together."""
    busy = run.in_background("/export?sleep=2")
    run.sleep(0.1)
    for _ in range(requests):
        run.get("/list?sleep=0.1")
    busy.result()


@scenario(
    "max-requests-orphans-tasks",
    "max-requests recycles workers whose executor has tasks longer than mercy (3 s): these are lost",
    conf=ini("max-requests = 8", *RECYCLE), forced=2, orphaned=2, app=TASKS,
    expected=["recycle-blocked", "respawn-orphans-tasks"],
    may=["recycled-too-often", "mercy-too-short", "app-threads-block-shutdown", "synchronized-recycling"])
def max_requests_orphans_tasks(run):
    run.start(workers=2)
    ahead(run, 4)
    for task, seconds in enumerate((1, 2, 1, 2, 12, 1, 1, 2, 1, 12, 1, 1, 2, 1), start=1):
        run.round(2, "/?sleep=0.1")
        run.get(f"/task?n={task}&seconds={seconds}&sleep=0.1")
        run.sleep(1.1)
    run.sleep(4)


@scenario(
    "max-requests-orphans-tasks-daemon",
    "max-requests recycles workers whose tasks run in daemon threads: they leave at once and the tasks are lost",
    conf=ini("max-requests = 8", *RECYCLE),
    orphaned=None, app=TASKS_IN_DAEMON_THREADS,
    expected=["respawn-orphans-tasks"], may=["recycled-too-often"])
def max_requests_orphans_tasks_daemon(run):
    run.start(workers=2)
    ahead(run, 4)
    for task, seconds in enumerate((1, 5, 1, 2, 5, 1, 3, 2, 1, 5, 1, 1), start=1):
        run.round(2, "/?sleep=0.1")
        run.get(f"/task?n={task}&seconds={seconds}&sleep=0.1")
        run.sleep(0.8)
    run.sleep(6)


@scenario(
    "max-requests-healthy", "max-requests recycles workers; their tasks all end, some after the worker said Seeya",
    conf=ini("max-requests = 8", *RECYCLE), app=TASKS, may=["recycled-too-often", "synchronized-recycling"])
def max_requests_healthy(run):
    run.start(workers=2)
    ahead(run, 4)
    for task in range(1, 15):
        run.round(2, "/?sleep=0.1")
        run.get(f"/task?n={task}&seconds=1.2&sleep=0.1")
        run.sleep(0.5)
    run.sleep(2)


@scenario(
    "no-mercy-after-clean-exit",
    "max-requests: the worker's task ends just before mercy (3 s) is over; NO MERCY names a process that has left",
    conf=ini("max-requests = 3", *RECYCLE, processes=1), app=TASKS, may=["recycle-blocked", "mercy-too-short"],
    notes=["The master looks once a second, for overdue workers before dead ones. Nobody was killed: exit code 0."])
def no_mercy_after_clean_exit(run):
    run.start(workers=1)
    for task in range(1, 6):
        run.round(2, "/?sleep=0.1")
        run.sleep(1 - time.time() % 1)  # mercy is counted in whole seconds of the clock
        run.get(f"/task?n={task}&seconds=3.75")
        run.wait_workers(task + 1)
        if "NO MERCY" in run.log():
            break
    run.wait_log("NO MERCY", within=1)
    run.round(2, "/?sleep=0.1")


@scenario(
    "recycle-blocked", "max-requests with a thread that holds the exit: every recycled worker waits for NO MERCY",
    conf=ini("max-requests = 10", *RECYCLE), forced=4, app=THREAD_AT_IMPORT, expected=["recycle-blocked"],
    may=["recycled-too-often", "app-threads-block-shutdown", "synchronized-recycling"])
def recycle_blocked(run):
    run.start(workers=2)
    ahead(run, 5)
    for _ in range(22):
        run.round(2, "/list?sleep=0.1")
        run.sleep(0.6)


@scenario(
    "lifetime-never-came-back", "max-worker-lifetime: one of 3 workers is held by a thread, never ends, and is lost",
    conf=ini("enable-threads = true", "min-worker-lifetime = 1", "max-worker-lifetime = 6",
            "max-worker-lifetime-delta = 2", processes=3),
    app=THREAD_BY_REQUEST,
    expected=["worker-never-came-back"], may=["recycled-too-often", "recycle-blocked"], recycling="max-lifetime",
    notes=["No mercy is armed for max-worker-lifetime: nothing ever kills the worker that does not leave."])
def lifetime_never_came_back(run):
    run.start(workers=3)
    run.get("/watch")
    run.steadily(30, "/list", pause=0.5)


@scenario(
    "lifetime-healthy", "max-worker-lifetime: every worker leaves at once and comes back",
    conf=ini("enable-threads = true", "min-worker-lifetime = 1", "max-worker-lifetime = 5",
            "max-worker-lifetime-delta = 2", processes=3),
    app=PLAIN, recycling="max-lifetime", may=["recycled-too-often"])
def lifetime_healthy(run):
    run.start(workers=3)
    run.steadily(22, "/list", pause=0.5)


@scenario(
    "synchronized-recycling", "All 4 workers reach max-requests in the same moment; they leave at once",
    conf=ini("max-requests = 6", *RECYCLE, processes=4), app=PLAIN,
    expected=["synchronized-recycling"], may=["recycled-too-often"])
def synchronized_recycling(run):
    run.start(workers=4)
    for _ in range(14):
        run.round(4, "/list?sleep=0.2")
        run.sleep(0.4)
    run.sleep(1.5)


@scenario(
    "synchronized-recycling-blocked",
    "All 4 workers reach max-requests together and a thread holds them all: nobody serves until mercy is over",
    conf=ini("max-requests = 6", *RECYCLE, processes=4), forced=8, app=THREAD_AT_IMPORT,
    expected=["synchronized-recycling", "recycle-blocked"], may=["recycled-too-often", "app-threads-block-shutdown"])
def synchronized_recycling_blocked(run):
    run.start(workers=4)
    for _ in range(14):
        run.round(4, "/list?sleep=0.2")
        run.sleep(0.4)
    run.sleep(5)


@scenario(
    "staggered-recycling", "4 workers reach max-requests one after the other",
    conf=ini("max-requests = 12", *RECYCLE, processes=4), app=PLAIN, may=["recycled-too-often"])
def staggered_recycling(run):
    run.start(workers=4)
    for free in (3, 2, 1):
        run.in_background(f"/export?sleep={free * 1.5}")
        run.sleep(0.1)
        for _ in range(3):
            run.round(free, "/list?sleep=0.2")
    run.sleep(1.5)
    for _ in range(24):
        run.round(4, "/list?sleep=0.2")
        run.sleep(0.4)
    run.sleep(1.5)


# -- stops

@scenario(
    "stop-hangs", "SIGINT: a thread holds every worker until mercy (3 s) is over",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3), forced=3, app=THREAD_AT_IMPORT,
    expected=["app-threads-block-shutdown"])
def stop_hangs(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(3)
    run.signal("stop", "SIGINT")
    run.wait_ended(run.master)


@scenario(
    "stop-healthy", "SIGINT: every worker leaves at once",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3), app=PLAIN)
def stop_healthy(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(1)
    run.signal("stop", "SIGINT")
    run.wait_ended(run.master)


# -- how long mercy should be

@scenario(
    "mercy-too-long", "SIGHUP with mercy 12 s: one of 4 workers is held by a thread, three leave at once and wait",
    conf=ini("enable-threads = true", "worker-reload-mercy = 12", processes=4), forced=1, app=THREAD_BY_REQUEST,
    expected=["mercy-too-long", "forced-kill-undecided"], may=["app-threads-block-shutdown"],
    notes=["The thread was started by GET /watch, in one worker only. From the log alone it could as well be a "
           "request that began after the last line of that worker."])
def mercy_too_long(run):
    run.start(workers=4)
    run.get("/watch")
    for _ in range(4):
        run.round(4, "/list?sleep=0.1")
        run.sleep(0.5)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(8)
    run.round(4, "/list?sleep=0.1")


@scenario(
    "mercy-too-short", "SIGHUP with mercy 2 s while requests of 5 s are the rule: those in flight are cut",
    conf=ini("worker-reload-mercy = 2", processes=3), forced=3, cut=3, app=PLAIN,
    expected=["mercy-too-short"], may=["forced-kill-undecided", "request-blocks-shutdown"],
    notes=["Each worker had begun a request of 5 s about a second before it was asked to leave."])
def mercy_too_short(run):
    run.start(workers=3)
    for _ in range(3):
        run.round(3, "/report?sleep=5")
    cut = [run.in_background("/report?sleep=5") for _ in range(3)]
    run.sleep(1)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(6)
    assert not any(request.result() for request in cut)
    run.round(3, "/report?sleep=5")


@scenario(
    "second-reload-during-reload", "A second SIGHUP while the first still waits for mercy: it leaves no trace",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3), forced=3, app=THREAD_AT_IMPORT,
    expected=["app-threads-block-shutdown"])
def second_reload(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(3)
    run.signal("graceful", "SIGHUP")
    run.sleep(1.5)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(6)
    run.round(3)
    run.sleep(5)


@scenario(
    "reload-cut-by-end-of-log", "The log ends while a SIGHUP still waits for mercy (8 s)",
    conf=ini("enable-threads = true", "worker-reload-mercy = 8", processes=3), app=THREAD_AT_IMPORT,
    may=["reload-unfinished"],
    notes=["The log simply ends first: at most an information, never a hang."])
def reload_cut(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(2)
    run.signal("graceful", "SIGHUP")
    run.sleep(3)


@scenario(
    "chain-reload-stuck", "touch-chain-reload with lazy-apps: the new worker 1 never gets through its import",
    conf=ini("lazy-apps = true", *CHAIN, processes=3), app=STUCK_AT_IMPORT,
    expected=["reload-unfinished"], may=["chain-reload-slow"])
def chain_reload_stuck(run):
    run.create("reload.txt")
    run.start(workers=3)
    run.round(3)
    run.sleep(1.5)
    run.create("migrating")
    run.touch("chain", "reload.txt")
    run.steadily(20, "/list", pause=0.7)


# -- other ways to ask

@scenario(
    "touch-reload-py-autoreload", "touch-reload, then py-autoreload sees that app.py changed: both are healthy",
    conf=ini("enable-threads = true", "touch-reload = reload.txt", "py-autoreload = 1"), app=PLAIN, may=["reloaded-twice"])
def touch_reload(run):
    run.create("reload.txt")
    run.start(workers=2)
    run.round(2)
    run.sleep(1.5)
    run.touch("graceful", "reload.txt")
    run.wait_workers(4)
    run.round(2)
    run.sleep(2)
    run.touch("graceful", "app.py")
    run.wait_workers(6)
    run.round(2)
    run.sleep(2)


@scenario(
    "brutal-reload", "SIGTERM without die-on-term: a brutal reload, which waits for mercy (3 s) all the same",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3), forced=3, app=THREAD_AT_IMPORT,
    expected=["app-threads-block-shutdown"])
def brutal_reload(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(3)
    run.signal("brutal", "SIGTERM")
    run.wait_workers(6)
    run.round(3)


@scenario(
    "two-instances-one-file", "Two uWSGI write into one file; the first is reloaded and its workers are held",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3), forced=3, app=THREAD_AT_IMPORT,
    files={
        "second.ini": ini("worker-reload-mercy = 3", processes=3)
        .replace("{port}", "{port2}").replace("app.py", "second.py"),
        "second.py": PLAIN,
    },
    expected=["app-threads-block-shutdown"],
    notes=["Every worker number exists twice; only pids tell the two apart. The second one serves all the time."])
def two_instances(run):
    run.start(workers=3)
    run.start(workers=3, conf="second.ini")
    run.round(3)
    run.steadily(4, "/other", port="port2")
    run.signal("graceful", "SIGHUP")
    run.steadily(5, "/other", port="port2")
    run.wait_workers(9)
    run.round(3)


@scenario(
    "emperor-two-vassals", "An emperor with two vassals in one log; one is touched and its workers are held",
    conf="[uwsgi]\nemperor = {work}/vassals\n", forced=2, app=THREAD_AT_IMPORT,
    files={
        "vassals/held.ini": ini("chdir = {work}", "enable-threads = true", "worker-reload-mercy = 3"),
        "vassals/sound.ini": ini("chdir = {work}", "worker-reload-mercy = 3")
        .replace("{port}", "{port2}").replace("app.py", "sound.py"),
        "sound.py": PLAIN,
    },
    expected=["app-threads-block-shutdown"])
def emperor(run):
    run.start(workers=4)
    run.round(2)
    run.steadily(4, "/other", port="port2")
    run.touch("graceful", "vassals/held.ini")
    run.steadily(5, "/other", port="port2")
    run.wait_workers(6)
    run.round(2)
    run.touch("graceful", "vassals/sound.ini")
    run.wait_workers(8)
    run.round(2, port="port2")


@scenario(
    "emperor-stop", "SIGTERM to an emperor with three vassals in one log: a thread holds the workers of two until mercy (3 s) is over",
    conf="[uwsgi]\nemperor = {work}/vassals\n", forced=4, app=THREAD_AT_IMPORT,
    files={
        "vassals/held.ini": ini("chdir = {work}", "enable-threads = true", "worker-reload-mercy = 3"),
        "vassals/sound.ini": ini("chdir = {work}", "worker-reload-mercy = 3")
        .replace("{port}", "{port2}").replace("app.py", "sound.py"),
        "vassals/other.ini": ini("chdir = {work}", "enable-threads = true", "worker-reload-mercy = 3").replace("{port}", "0"),
        "sound.py": PLAIN,
    },
    expected=["app-threads-block-shutdown"])
def emperor_stop(run):
    run.start(workers=6)
    run.round(2)
    run.steadily(3, "/other", port="port2")
    run.signal("stop", "SIGTERM")
    run.wait_ended(run.master)


@scenario(
    "mules-and-spooler", "SIGHUP with a mule and a spooler: the spooled task is cut and starts again",
    conf=ini("mule = true", "spooler = spool", "worker-reload-mercy = 4"), app=SPOOLING,
    notes=["Task 2 is no orphan: the spooler keeps its file and runs it again after the reload."], expected=["spooler-task-cut"])
def mules_and_spooler(run):
    (run.work / "spool").mkdir()
    run.start(workers=2)
    run.get("/task?n=1&seconds=1")
    run.sleep(2.5)
    run.get("/task?n=2&seconds=4")
    run.sleep(1.5)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    run.round(2)
    run.sleep(8)


# -- other shapes of the log

@scenario(
    "log-date", "The same hang with log-date = %Y-%m-%d %H:%M:%S",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", "log-date = %%Y-%%m-%%d %%H:%%M:%%S", processes=3),
    forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def log_date(run):
    held_prefork(run)


@scenario(
    "log-micros-and-memory-report", "Request lines with host, memory and microseconds; two healthy reloads",
    conf=ini("log-micros = true", "memory-report = true", "vhost = true", processes=2), app=PLAIN, may=["reloaded-twice"])
def log_micros(run):
    run.start(workers=2)
    for workers_so_far in (4, 6):
        for host in ("shop.example", "api.example"):
            run.round(2, "/list?sleep=0.05", host=host)
        run.sleep(1)
        run.signal("graceful", "SIGHUP")
        run.wait_workers(workers_so_far)
    run.round(2, "/list?sleep=0.05", host="shop.example")


@scenario(
    "log-prefix-word", "The same hang with log-prefix = shop: a word in front of uWSGI's own lines, and no time",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", "log-prefix = shop", processes=3),
    forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def log_prefix_word(run):
    held_prefork(run)


@scenario(
    "log-encoder-json-without-nl", "The same hang with a JSON log-encoder and no nl behind it: records without line ends",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", "log-master = true",
             'log-encoder = json {"unix":${unix},"msg":"${msg}"}', processes=3),
    forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def log_encoder_json_without_nl(run):
    held_prefork(run)


@scenario(
    "log-encoder-format-without-nl", "The same hang with a format log-encoder and no nl behind it: one long line",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", "log-master = true",
             "log-encoder = format ${unix} ${msg}", processes=3),
    forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def log_encoder_format_without_nl(run):
    held_prefork(run)


# -- deaths that nobody asked for

@scenario(
    "harakiri", "Two requests outlive harakiri (2 s): their workers are killed",
    conf=ini("harakiri = 2"), cut=2, app=PLAIN)
def harakiri(run):
    run.start(workers=2)
    for _ in range(2):
        run.round(2)
        long_request = run.in_background("/export?sleep=8")
        run.steadily(4, "/list")
        assert not long_request.result()
    run.sleep(1.5)
    run.round(2)


@scenario(
    "segfault-worker", "A request crashes its worker with SIGSEGV; it is respawned at once",
    conf=ini("worker-reload-mercy = 3"), cut=1, app=CRASHING, expected=["worker-crashed"])
def segfault_worker(run):
    run.start(workers=2)
    run.round(2)
    assert not run.get("/crash")
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)


@scenario(
    "exception-ends-its-worker", "reload-on-exception: a request raises, and its worker goes with it",
    conf=ini("reload-on-exception = true"), app=RAISING, expected=["worker-crashed"])
def exception_ends_worker(run):
    run.start(workers=2)
    run.round(2)
    run.get("/raise")
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)


@scenario(
    "exception-ends-its-request", "The same without the option: the request ends with its exception, and the worker stays",
    conf=ini(), app=RAISING)
def exception_ends_request(run):
    run.start(workers=2)
    run.round(2)
    run.get("/raise")
    run.round(2)
    run.sleep(1)


@scenario(
    "external-kill-9", "Somebody kills a worker with SIGKILL from outside; it is respawned at once",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN, expected=["killed-from-outside"])
def external_kill(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    os.kill(run.pid_of(1), signal.SIGKILL)
    run.wait_workers(3)
    run.round(2)


@scenario(
    "cheaper", "cheaper: workers come with the load and go without it",
    conf=ini("cheaper = 1", "cheaper-initial = 1", "cheaper-step = 1", processes=4), app=PLAIN, recycling="cheaper")
def cheaper(run):
    run.start(workers=1)
    for _ in range(2):
        for _ in range(12):
            run.round(4, "/list?sleep=0.4")
        run.steadily(12, "/", pause=1.5)


@scenario(
    "reload-on-rss", "reload-on-rss: workers leave after each request once they are too big; nothing holds them",
    conf=ini("reload-on-rss = 1", "min-worker-lifetime = 2"), app=PLAIN, recycling="rss",
    may=["recycled-too-often", "synchronized-recycling"],
    notes=["Looks the same as max-requests: this version does not write the reason."])
def reload_on_rss(run):
    run.start(workers=2)
    run.steadily(12, "/list", pause=0.7)


@scenario(
    "worker-hup-from-outside", "Somebody sends SIGHUP to one worker: it leaves and comes back",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN, recycling="external-signal")
def worker_hup(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    os.kill(run.pid_of(1), signal.SIGHUP)
    run.wait_workers(3)
    run.round(2)


# -- twins: near misses of the above

@scenario(
    "daemon-thread-at-import", "SIGHUP: the thread started at import is a daemon thread, so nothing is held",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3),
    app=THREAD_AT_IMPORT.replace('name="poller"', 'name="poller", daemon=True'))
def daemon_thread(run):
    held_prefork(run)


@scenario(
    "skip-atexit-teardown", "SIGHUP: the thread is there, but skip-atexit-teardown lets the workers leave",
    conf=ini("enable-threads = true", "skip-atexit-teardown = true", "worker-reload-mercy = 3", processes=3),
    app=THREAD_AT_IMPORT)
def skip_atexit_teardown(run):
    held_prefork(run)


@scenario(
    "workers-reload-old-code", "Workers reload over the master fifo (w) without lazy-apps: the old code stays",
    conf=ini("master-fifo = master.fifo", processes=3), app=PLAIN, expected=["old-code-kept"])
def workers_reload_old_code(run):
    workers_reload(run)


@scenario(
    "workers-reload-held", "Workers reload over the master fifo (w): a thread holds every worker until mercy (3 s)",
    conf=ini("lazy-apps = true", "enable-threads = true", "master-fifo = master.fifo", "worker-reload-mercy = 3",
            processes=3),
    forced=3, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def workers_reload_held(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(3)
    run.fifo("workers", "w")
    run.wait_workers(6)
    run.round(3)


@scenario(
    "stop-graceful-fifo-held", "Graceful stop over the master fifo (q): a thread holds every worker until mercy (3 s)",
    conf=ini("enable-threads = true", "master-fifo = master.fifo", "worker-reload-mercy = 3"),
    forced=2, app=THREAD_AT_IMPORT, expected=["app-threads-block-shutdown"])
def stop_graceful_fifo(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(3)
    run.fifo("stop", "q")
    run.wait_ended(run.master)


@scenario(
    "disable-logging-held", "The same hang without request lines: nothing shows that the workers were idle",
    conf=ini("disable-logging = true", "enable-threads = true", "worker-reload-mercy = 3", processes=3),
    forced=3, app=THREAD_AT_IMPORT, may=["app-threads-block-shutdown", "forced-kill-undecided"],
    notes=["All three were held, which speaks for a thread; requests cannot be ruled out."])
def disable_logging(run):
    held_prefork(run)


@scenario(
    "one-core-busy", "threads = 2: one of two cores of a worker has a long request at SIGHUP; its worker is killed",
    conf=ini("enable-threads = true", "threads = 2", "worker-reload-mercy = 3"), forced=1, cut=1, app=PLAIN,
    expected=["forced-kill-undecided"], may=["request-blocks-shutdown"])
def one_core_busy(run):
    run.start(workers=2)
    for _ in range(3):
        run.round(4, "/list?sleep=0.1")
    cut = run.in_background("/export?sleep=9")
    for _ in range(6):
        run.round(3, "/list?sleep=0.1")
        run.sleep(0.2)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    assert not cut.result()
    run.round(4, "/list?sleep=0.1")


@scenario(
    "output-without-newline", "The application prints dots without a newline: messages of the server are glued to them",
    conf=ini("enable-threads = true", "worker-reload-mercy = 3", processes=3),
    forced=3, app=THREAD_AT_IMPORT.replace(
        "        time.sleep(2)", '        print("....", end="", flush=True)\n        time.sleep(0.5)'),
    expected=["app-threads-block-shutdown"])
def output_without_newline(run):
    held_prefork(run)


@scenario(
    "http-router", "SIGHUP with the http router in front: it is replaced, the workers leave at once",
    conf=ini("plugin = http", processes=3).replace("http-socket =", "http ="), app=PLAIN, may=["router-cuts-clients"])
def http_router(run):
    run.start(workers=3)
    run.round(6, "/list?sleep=0.1")
    run.sleep(1)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(6)
    run.round(6, "/list?sleep=0.1")


# -- threads and the fork

@scenario(
    "thread-lost-on-fork", "Prefork with a thread started at import: it runs in the master alone, the workers get stale",
    conf=ini("enable-threads = true", processes=3), app=REFRESHING, expected=["threads-lost-on-fork"])
def thread_lost(run):
    run.start(workers=3)
    for _ in range(4):
        run.round(3)
        run.sleep(1.5)


@scenario(
    "thread-in-each-worker", "The same application with lazy-apps: each worker has the thread",
    conf=ini("enable-threads = true", "lazy-apps = true", processes=3), app=REFRESHING)
def thread_kept(run):
    thread_lost(run)


# -- the master and what runs beside the workers

@scenario(
    "master-killed", "Somebody kills the master with SIGKILL: its workers notice and leave",
    conf=ini("worker-reload-mercy = 3", processes=3), app=PLAIN, expected=["master-died"], recycling="external-kill")
def master_killed(run):
    run.start(workers=3)
    run.round(3)
    run.sleep(1)
    os.kill(run.master, signal.SIGKILL)
    run.sleep(3)


@scenario(
    "stop-became-reload", "SIGTERM, meant as a stop: uWSGI reloads; 3 s later the master is killed, and a new one started",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN, expected=["stop-became-reload"], may=["master-died"], recycling="external-kill")
def stop_became_reload(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.signal("brutal", "SIGTERM")
    run.wait_workers(4)
    run.sleep(3)
    os.kill(run.master, signal.SIGKILL)
    run.sleep(3)
    run.start(workers=2)
    run.round(2)
    run.sleep(1)


def paused(run, *, resumed):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    os.kill(run.master, signal.SIGTSTP)
    run.sleep(3)
    waiting = [run.in_background("/list", timeout=90) for _ in range(2)]
    if resumed:
        os.kill(run.master, signal.SIGTSTP)
        assert all(request.result() for request in waiting)
        run.round(2)
    run.sleep(2)


@scenario(
    "paused", "SIGTSTP to the master: the instance is paused, and nobody resumes it",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN, may=["instance-paused"])
def paused_for_good(run):
    paused(run, resumed=False)


@scenario(
    "paused-and-resumed", "SIGTSTP to the master, and once more: the instance pauses and goes on",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN)
def paused_and_resumed(run):
    paused(run, resumed=True)


@scenario(
    "evil-reload", "evil-reload-on-rss: a worker that has grown is killed at once, in the middle of a request",
    conf=ini("evil-reload-on-rss = 60", "enable-threads = true"), cut=1, app=GROWING, expected=["evil-reload-kills"],
    recycling="rss")
def evil_reload(run):
    run.start(workers=2)
    run.round(2, "/list?sleep=0.1")
    assert not run.get("/grow?sleep=8")
    run.wait_workers(3)
    run.round(2, "/list?sleep=0.1")


def daemon_at_reload(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    run.round(2)


@scenario(
    "daemon-does-not-stop", "An attached daemon ignores SIGTERM: the reload waits for it before it tells the workers",
    conf=ini("attach-daemon = exec sh {work}/daemon.sh"), app=PLAIN, expected=["daemon-blocks-reload"],
    files={"daemon.sh": "trap '' TERM\nwhile true; do sleep 1; done\n"})
def daemon_stays(run):
    daemon_at_reload(run)


@scenario(
    "daemon-stops", "An attached daemon leaves when it is told: the reload goes on at once",
    conf=ini("attach-daemon = exec sh {work}/daemon.sh"), app=PLAIN,
    files={"daemon.sh": "trap 'exit 0' TERM\nwhile true; do sleep 0.2; done\n"})
def daemon_leaves(run):
    daemon_at_reload(run)


@scenario(
    "vassal-keeps-dying", "An emperor with a vassal whose application does not load and that gives up each time",
    conf="[uwsgi]\nemperor = {work}/vassals\n", app="raise RuntimeError('no database')\n",
    files={
        "vassals/broken.ini": ini("chdir = {work}", "need-app = true"),
        "vassals/sound.ini": ini("chdir = {work}").replace("{port}", "{port2}").replace("app.py", "sound.py"),
        "sound.py": PLAIN,
    },
    expected=["boot-failure"], may=["vassal-keeps-dying", "crash-loop"])
def vassal_dies(run):
    run.start(workers=2)
    run.steadily(20, "/other", port="port2", pause=1)


# -- the price of a start

@scenario(
    "recycled-too-often", "max-requests = 5: no worker lives for more than a few seconds",
    conf=ini("max-requests = 5", "min-worker-lifetime = 1"), app=PLAIN,
    expected=["recycled-too-often"], may=["synchronized-recycling"])
def recycled_often(run):
    run.start(workers=2)
    for _ in range(20):
        run.round(2, "/list?sleep=0.1")
        run.sleep(0.6)


@scenario(
    "slow-start", "SIGHUP, and the application needs 12 s to load: meanwhile nobody serves",
    conf=ini("worker-reload-mercy = 3"), app=PLAIN + "\n\ntime.sleep(12)\n", expected=["slow-start-empties-service"])
def slow_start(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    run.round(2)


@scenario(
    "slow-start-chain-reload", "touch-chain-reload of the same application with lazy-apps: one of two serves all the time",
    conf=ini("lazy-apps = true", *CHAIN), app=PLAIN + "\n\ntime.sleep(12)\n")
def slow_start_chain(run):
    run.create("reload.txt")
    run.start(workers=2)
    run.wait_log("WSGI app 0", times=2)
    run.round(2)
    run.sleep(1)
    run.touch("chain", "reload.txt")
    run.steadily(24, "/list", pause=1)
    run.wait_log("chain reloading complete", within=40)
    run.round(2)


@scenario(
    "touch-file-in-place", "The same deploy touches the file in place: one reload",
    conf=ini("touch-reload = reload.txt"), app=PLAIN, files={"reload.txt": ""})
def touch_file_in_place(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1.5)
    run.touch("graceful", "reload.txt")
    run.wait_workers(4)
    run.sleep(3)
    run.round(2)


@scenario(
    "touch-file-replaced", "The file of touch-reload is deleted and made anew: two reloads in place of one",
    conf=ini("touch-reload = reload.txt"), app=PLAIN, expected=["reloaded-twice"], files={"reload.txt": ""})
def touch_file_replaced(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1.5)
    run.acted("graceful")
    (run.work / "reload.txt").unlink()
    run.wait_workers(4)
    run.sleep(1.5)
    run.acted("graceful")
    run.create("reload.txt")
    run.wait_workers(6)
    run.round(2)


@scenario(
    "worker-stuck-at-import", "lazy-apps: a worker is replaced while the import blocks; the others serve on for it",
    conf=ini("lazy-apps = true", "max-requests = 400", processes=3), app=STUCK_AT_IMPORT,
    expected=["worker-never-served"], recycling="external-signal")
def worker_stuck(run):
    run.start(workers=3)
    run.round(3)
    run.create("migrating")
    os.kill(run.pid_of(2), signal.SIGHUP)
    run.sleep(1)
    for _ in range(64):
        run.round(4, "/list?sleep=0.2")
        run.sleep(0.6)
