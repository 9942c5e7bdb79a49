#!/usr/bin/env python3
"""Tries fixes on real servers: the same trouble before and after each. Prints the table of docs/fixes.md.

    python3 samples/record/fixes.py > docs/fixes.md

Servers listen on the loopback only, in temporary directories, with a deadline for every wait; all are killed at the end.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import fixes_service
from fix_servers import APP, ATEXIT, DAEMON, PLAIN, THREADED, Server, gunicorn, uwsgi, wait_for


def reload(server):
    """Seconds from SIGHUP to the whole new generation, and how many had to be killed."""
    spawned = len(re.findall("spawned uWSGI worker", server.log()))
    began = time.time()
    server.signal("HUP")
    server.seen("spawned uWSGI worker", spawned + 2)
    took = time.time() - began
    killed = len(set(re.findall(r"worker (\d+) \(pid: \d+\) is taking too much time", server.log())))
    return f"{took:.0f} s, {killed} of 2 killed"


def reloading(app, *options):
    def trial():
        with uwsgi(app, *options) as server:
            return reload(server)
    return trial


def cutting(*options):
    def trial():
        with uwsgi(PLAIN, *options) as server:
            answers = []
            client = threading.Thread(target=lambda: answers.append(server.get("/slow")))
            client.start()
            time.sleep(1)
            took = reload(server)
            client.join()
            return f"{took}; the request of 4 s {'was answered' if answers[0] else 'was cut'}"
    return trial


def chain(*options):
    def trial():
        with uwsgi(PLAIN, "master-fifo = fifo", *options) as server:
            server.at("app.py").write_text(PLAIN.replace('"1"', '"2"'))
            server.at("fifo").open("w").write("c")
            server.seen("chain reloading complete", within=30)
            return "old code" if server.get() == "1" else "new code"
    return trial


def hup(*settings):
    def trial():
        with gunicorn(PLAIN, *settings) as server:
            server.at("app.py").write_text(PLAIN.replace('"1"', '"2"'))
            server.signal("HUP")
            server.seen("Worker exiting", 2, 40)
            wait_for(lambda: server.get() is not None, 10, "an answer")
            time.sleep(1)
            return "old code" if server.get() == "1" else "new code"
    return trial


def hanging(*options):
    def trial():
        with uwsgi(PLAIN, *options) as server:
            threading.Thread(target=server.get, args=("/hang", 60), daemon=True).start()
            time.sleep(1)
            struck = "HARAKIRI" in options[0].upper()
            if not struck:
                return reload(server)
            server.seen("HARAKIRI ON WORKER", within=20)
            server.seen("Respawned uWSGI worker", within=20)
            return f"the request was ended by harakiri; {reload(server)}"
    return trial


def stopping(*options):
    def trial():
        with uwsgi(PLAIN, *options) as server:
            server.signal("TERM")
            try:
                server.process.wait(6)
                return "stopped"
            except subprocess.TimeoutExpired:
                return "reloaded and went on" if "binary reloading" in server.log() else "still there"
    return trial


def supervised(*settings, app=THREADED, mercy=8, term="--die-on-term"):
    def trial():
        program = "\n".join(settings)
        conf = f"""[supervisord]
nodaemon = true
logfile = HOME/supervisord.log
pidfile = HOME/supervisord.pid
[program:web]
command = uwsgi --plugin python3 --http-socket 127.0.0.1:PORT --wsgi-file app.py --master --processes 2 --enable-threads --worker-reload-mercy {mercy} {term}
stdout_logfile = HOME/web.log
redirect_stderr = true
{program}
"""
        with Server(app, ["supervisord", "-c", "supervisord.conf"], {"supervisord.conf": conf}) as server:
            wait_for(lambda: server.get() is not None, 20, "an answer")
            began = time.time()
            server.signal("TERM")
            server.process.wait(60)
            took = time.time() - began
            left = subprocess.run(["pgrep", "-f", f"127.0.0.1:{server.port}"], capture_output=True, text=True).stdout.split()
            for pid in left:
                os.kill(int(pid), signal.SIGKILL)
            killed = "with SIGKILL" in server.at("supervisord.log").read_text()
            return f"{took:.0f} s, {'SIGKILL' if killed else 'no SIGKILL'}, {len(left)} process(es) left behind"
    return trial


def starting(*options, on_command_line=()):
    def trial():
        lines = "\n".join(["[uwsgi]", "plugin = python3", "http-socket = 127.0.0.1:PORT", "wsgi-file = app.py", "master = true", *options])
        command = ["uwsgi", *on_command_line, "--ini", "uwsgi.ini"]
        with Server(PLAIN, command, {"uwsgi.ini": lines + "\n"}) as server:
            try:
                server.process.wait(4)
                return "does not start"
            except subprocess.TimeoutExpired:
                return "starts"
    return trial


def stopped(app, *settings):
    """gunicorn: seconds from SIGTERM to its end."""
    def trial():
        with gunicorn(app, *settings) as server:
            began = time.time()
            server.signal("TERM")
            server.process.wait(60)
            return f"{time.time() - began:.0f} s"
    return trial


def signalled(send):
    """gunicorn: what becomes of a request of 4 s when SIGHUP is sent."""
    def trial():
        with gunicorn(PLAIN) as server:
            answers = []
            client = threading.Thread(target=lambda: answers.append(server.get("/slow")))
            client.start()
            time.sleep(1)
            send(server)
            client.join()
            return "the request of 4 s was " + ("answered" if answers[0] else "cut")
    return trial


def booting(*settings):
    """gunicorn: an application that takes 6 s to load."""
    def trial():
        files = {"gunicorn.conf.py": "\n".join(["bind = '127.0.0.1:PORT'", "workers = 2", *settings]) + "\n"}
        with Server(SLOW_IMPORT, ["gunicorn", "-c", "gunicorn.conf.py", "app:application"], files) as server:
            try:
                wait_for(lambda: server.get(timeout=1) is not None, 20, "an answer")
                return "serves"
            except TimeoutError:
                return "never serves"
    return trial


def losing(*settings):
    """Celery: what becomes of a task whose process is killed."""
    def trial():
        files = {"more.py": "\n".join(settings) + "\n"}
        command = ["/usr/bin/python3", "-m", "celery", "-A", "app", "worker", "-c", "1", "-l", "INFO"]
        with Server(TASK, command, files) as server:
            server.seen(r" ready\.", within=30)
            subprocess.run(["/usr/bin/python3", "-c", "import app; app.work.delay()"], cwd=server.home.name, check=True)
            server.seen(r"received", within=20)
            time.sleep(1)
            child = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
            for pid in child:
                os.kill(int(pid), signal.SIGKILL)
            try:
                server.seen(r"succeeded", within=15)
                return "the task was given out again and done"
            except TimeoutError:
                return "the task was lost"
    return trial


def recycled(app, *options):
    """uWSGI: how long the place of a worker stays empty that has served its max-requests."""
    def trial():
        with uwsgi(app, "max-requests = 5", "min-worker-lifetime = 1", *options, workers=1) as server:
            time.sleep(2)
            threading.Thread(target=lambda: [server.get(timeout=2) for _ in range(6)], daemon=True).start()
            server.seen("Seeya!", within=10)
            began = time.time()
            server.seen("Respawned uWSGI worker", within=40)
            killed = "taking too much time" in server.log()
            return f"{time.time() - began:.0f} s without the worker, {'killed' if killed else 'not killed'}"
    return trial


def outlived(app, *options):
    """uWSGI: whether a worker whose max-worker-lifetime is over is replaced."""
    def trial():
        with uwsgi(app, "max-worker-lifetime = 3", "min-worker-lifetime = 1", *options, workers=1) as server:
            server.seen("lifetime reached", within=20)
            try:
                server.seen("Respawned uWSGI worker", within=25)
                return "replaced"
            except TimeoutError:
                return "not replaced within 25 s"
    return trial


def chained(app, *options):
    """uWSGI: seconds of a chain reload of two workers."""
    def trial():
        with uwsgi(app, "lazy-apps = true", "master-fifo = fifo", *options) as server:
            began = time.time()
            server.at("fifo").open("w").write("c")
            server.seen("chain reloading complete", within=60)
            return f"{time.time() - began:.0f} s"
    return trial


def importing(*options):
    """uWSGI: what becomes of it when the application cannot be imported."""
    def trial():
        lines = "\n".join(["[uwsgi]", "plugin = python3", "http-socket = 127.0.0.1:PORT", "wsgi-file = app.py", "master = true", *options])
        with Server("import nowhere", ["uwsgi", "--ini", "uwsgi.ini"], {"uwsgi.ini": lines + "\n"}) as server:
            try:
                return f"gives up with status {server.process.wait(5)}"
            except subprocess.TimeoutExpired:
                return f"runs on and answers: {server.get()}"
    return trial


def looping(*settings):
    """supervisord: what becomes of a program that lives 2 s, again and again."""
    def trial():
        program = "\n".join(settings)
        conf = f"""[supervisord]
nodaemon = true
logfile = HOME/supervisord.log
pidfile = HOME/supervisord.pid
[program:web]
command = sh -c "sleep 2; exit 1"
{program}
"""
        with Server("", ["supervisord", "-c", "supervisord.conf"], {"supervisord.conf": conf}) as server:
            log = server.at("supervisord.log")
            try:
                wait_for(lambda: log.exists() and "gave up" in log.read_text(), 30, "gave up")
                return "given up (FATAL) within 30 s"
            except TimeoutError:
                return f"started {log.read_text().count('spawned')} times in 30 s, never given up"
    return trial


def stopped_at_work(*settings):
    """gunicorn: what becomes of a request of 4 s at a stop."""
    def trial():
        with gunicorn(PLAIN, *settings) as server:
            answers = []
            client = threading.Thread(target=lambda: answers.append(server.get("/slow")))
            client.start()
            time.sleep(1)
            server.signal("TERM")
            client.join()
            return "the request of 4 s was " + ("answered" if answers[0] else "cut")
    return trial


def timed(*settings):
    """gunicorn: what becomes of a request of 4 s that is longer than timeout."""
    def trial():
        with gunicorn(PLAIN, *settings) as server:
            return "the request of 4 s was " + ("answered" if server.get("/slow") else "cut")
    return trial


def jittered(*settings):
    """gunicorn: how far apart its workers leave after max_requests."""
    def trial():
        with gunicorn(PLAIN, "max_requests = 40", *settings) as server:
            left = []
            for n in range(400):
                server.get()
                time.sleep(0.05)
                left += [n] * (server.log().count("Autorestarting worker") - len(left))
                if len(left) >= 2:
                    return f"the second worker {left[1] - left[0]} request(s) after the first"
            return "no two recyclings seen"
    return trial


def threaded_tasks(*options):
    """uWSGI: how long a task of 1 s in a thread takes where the next request comes 5 s later."""
    def trial():
        with uwsgi(TASKS, *options, workers=1) as server:
            server.get("/task")
            for _ in range(50):
                if "task ended" in server.log():
                    break
                time.sleep(0.1)
            else:
                server.get()
                server.seen("task ended", within=10)
            return re.search(r"task ended after \d+ s", server.log()).group()
    return trial


def silent(ask, *options):
    """uWSGI: the longest that a request takes at a reload, with an application that loads for 4 s."""
    def trial():
        with uwsgi(SLOWER_IMPORT, "lazy-apps = true", "master-fifo = fifo", *options) as server:
            wait_for(lambda: len(re.findall("WSGI app 0 .* ready", server.log())) >= 2, 20, "both workers")
            ask(server)
            longest, until = 0, time.time() + 14
            while time.time() < until:
                began = time.time()
                server.get()
                longest = max(longest, time.time() - began)
                time.sleep(0.1)
            return f"a request waits for at most {longest:.0f} s"
    return trial


def queued(timeout):
    """Django Q: what becomes of a task of 5 s."""
    def trial():
        settings = f"""SECRET_KEY = "x"
INSTALLED_APPS = ["django_q"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "queue.sqlite3"}}}}
Q_CLUSTER = {{"workers": 1, "timeout": {timeout}, "retry": 60, "orm": "default", "poll": 0.2}}
"""
        command = "export DJANGO_SETTINGS_MODULE=settings; /usr/bin/python3 -m django migrate > migrated; exec /usr/bin/python3 -m django qcluster"
        give = "import django; django.setup(); from django_q.tasks import async_task; async_task('time.sleep', 5)"
        with Server("", ["sh", "-c", command], {"settings.py": settings}) as server:
            server.seen(" running", within=40)
            environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings"}
            subprocess.run(["/usr/bin/python3", "-c", give], cwd=server.home.name, env=environment, check=True, capture_output=True)
            server.seen("Processed|after timeout", within=30)
            return "the task was " + ("cut" if "after timeout" in server.log() else "done")
    return trial


SLOWER_IMPORT = APP.format(before="time.sleep(4)")
TASKS = """\
import threading, time
def work():
    began = time.time()
    time.sleep(1)
    print(f"task ended after {time.time() - began:.0f} s", flush=True)
def application(environ, start_response):
    if environ["PATH_INFO"] == "/task":
        threading.Thread(target=work, daemon=True).start()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"1"]
"""
SLOW_IMPORT = APP.format(before="time.sleep(6)")
TASK = """\
import pathlib, time
from celery import Celery
here = str(pathlib.Path(__file__).parent / "queue")
pathlib.Path(here).mkdir(exist_ok=True)
app = Celery("app")
app.config_from_object("more")
app.conf.update(broker_url="filesystem://", task_ignore_result=True,
                broker_transport_options={"data_folder_in": here, "data_folder_out": here})
@app.task
def work():
    time.sleep(4)
"""

HELD = "an idle worker held by a thread of the application, application loaded before the fork, worker-reload-mercy = 10"
LAZY = "the same with lazy-apps = true"
MERCY = "worker-reload-mercy = 10"

# trouble, fix, label, before, after
TRIALS = [
    (HELD, "daemon=True for the thread", "needs code", reloading(THREADED, MERCY), reloading(DAEMON, MERCY)),
    (HELD, "skip-atexit-teardown = true", "safe", reloading(THREADED, MERCY), reloading(THREADED, MERCY, "skip-atexit-teardown = true")),
    (HELD, "py-call-uwsgi-fork-hooks = true", "safe", reloading(THREADED, MERCY), reloading(THREADED, MERCY, "py-call-uwsgi-fork-hooks = true")),
    (HELD, "worker-reload-mercy = 2", "may cut requests", reloading(THREADED, MERCY), reloading(THREADED, "worker-reload-mercy = 2")),
    (HELD, "lazy-apps = true (no fix of it)", "", reloading(THREADED, MERCY), reloading(THREADED, MERCY, "lazy-apps = true")),
    (LAZY, "daemon=True for the thread", "needs code", reloading(THREADED, MERCY, "lazy-apps = true"), reloading(DAEMON, MERCY, "lazy-apps = true")),
    (LAZY, "stop the thread in uwsgi.atexit", "needs code", reloading(THREADED, MERCY, "lazy-apps = true"), reloading(ATEXIT, MERCY, "lazy-apps = true")),
    (LAZY, "skip-atexit-teardown = true", "safe", reloading(THREADED, MERCY, "lazy-apps = true"), reloading(THREADED, MERCY, "lazy-apps = true", "skip-atexit-teardown = true")),
    (LAZY, "py-call-uwsgi-fork-hooks = true (no fix of it)", "", reloading(THREADED, MERCY, "lazy-apps = true"), reloading(THREADED, MERCY, "lazy-apps = true", "py-call-uwsgi-fork-hooks = true")),
    ("the same, reload-mercy = 2 in place of worker-reload-mercy", "worker-reload-mercy = 2", "may cut requests", reloading(THREADED, "reload-mercy = 2"), reloading(THREADED, "worker-reload-mercy = 2")),
    ("a request of 4 s at a reload, worker-reload-mercy = 1", "worker-reload-mercy = 10", "safe", cutting("worker-reload-mercy = 1"), cutting("worker-reload-mercy = 10")),
    ("a request that never ends, at a reload, worker-reload-mercy = 10", "harakiri = 3", "may cut requests", hanging(MERCY), hanging("harakiri = 3", MERCY)),
    ("a chain reload after the code was changed", "lazy-apps = true", "safe", chain(), chain("lazy-apps = true")),
    ("SIGTERM, meant as a stop", "die-on-term = true", "safe", stopping(), stopping("die-on-term = true")),
    ("supervisord stops uWSGI, workers held for a mercy of 8 s, stopwaitsecs = 3", "stopwaitsecs = 15", "safe", supervised("stopwaitsecs = 3"), supervised("stopwaitsecs = 15")),
    ("supervisord stops uWSGI, workers held for a mercy of 8 s, stopwaitsecs = 3", "stopasgroup = false, killasgroup = true", "may cut requests", supervised("stopwaitsecs = 3"), supervised("stopwaitsecs = 3", "killasgroup = true")),
    ("gunicorn: HUP under preload_app after the code was changed", "preload_app = False", "safe", hup("preload_app = True"), hup("preload_app = False")),
    ("gunicorn is stopped, workers held by a thread, graceful_timeout = 12", "graceful_timeout = 3", "may cut requests", stopped(THREADED, "graceful_timeout = 12"), stopped(THREADED, "graceful_timeout = 3")),
    ("gunicorn is stopped, workers held by a thread, graceful_timeout = 12", "daemon=True for the thread", "needs code", stopped(THREADED, "graceful_timeout = 12"), stopped(DAEMON, "graceful_timeout = 12")),
    ("gunicorn: SIGHUP to the whole process group", "SIGHUP to the arbiter alone", "safe", signalled(lambda server: os.killpg(server.process.pid, signal.SIGHUP)), signalled(lambda server: server.signal("HUP"))),
    ("gunicorn: an application that loads for 6 s, timeout = 3", "timeout = 30", "safe", booting("timeout = 3"), booting("timeout = 30")),
    ("gunicorn: an application that loads for 6 s, timeout = 3", "preload_app = True", "needs code", booting("timeout = 3"), booting("timeout = 3", "preload_app = True")),
    ("Celery: the process that runs a task is killed", "task_acks_late = True, task_reject_on_worker_lost = True", "needs code", losing(), losing("task_acks_late = True", "task_reject_on_worker_lost = True")),
    ("a worker of uWSGI that leaves after max-requests, held by a thread, worker-reload-mercy = 10", "skip-atexit-teardown = true", "safe", recycled(THREADED, MERCY), recycled(THREADED, MERCY, "skip-atexit-teardown = true")),
    ("a worker of uWSGI that leaves after max-requests, held by a thread, worker-reload-mercy = 10", "py-call-uwsgi-fork-hooks = true", "safe", recycled(THREADED, MERCY), recycled(THREADED, MERCY, "py-call-uwsgi-fork-hooks = true")),
    ("a worker of uWSGI that leaves after max-requests, held by a thread, worker-reload-mercy = 10", "worker-reload-mercy = 2", "may cut requests", recycled(THREADED, MERCY), recycled(THREADED, "worker-reload-mercy = 2")),
    ("a worker of uWSGI that leaves after max-requests, held by a thread, worker-reload-mercy = 10", "daemon=True for the thread", "needs code", recycled(THREADED, MERCY), recycled(DAEMON, MERCY)),
    ("a worker of uWSGI whose max-worker-lifetime is over, held by a thread", "skip-atexit-teardown = true", "safe", outlived(THREADED), outlived(THREADED, "skip-atexit-teardown = true")),
    ("a worker of uWSGI whose max-worker-lifetime is over, held by a thread", "daemon=True for the thread", "needs code", outlived(THREADED), outlived(DAEMON)),
    ("a chain reload of two workers held by a thread, worker-reload-mercy = 10", "worker-reload-mercy = 2", "may cut requests", chained(THREADED, MERCY), chained(THREADED, "worker-reload-mercy = 2")),
    ("a chain reload of two workers held by a thread, worker-reload-mercy = 10", "daemon=True for the thread", "needs code", chained(THREADED, MERCY), chained(DAEMON, MERCY)),
    ("uWSGI: an application that cannot be imported", "need-app = true", "safe", importing(), importing("need-app = true")),
    ("supervisord: a program that lives 2 s, again and again", "startsecs = 5", "safe", looping(), looping("startsecs = 5")),
    ("gunicorn is stopped in the middle of a request of 4 s, graceful_timeout = 1", "graceful_timeout = 10", "safe", stopped_at_work("graceful_timeout = 1"), stopped_at_work("graceful_timeout = 10")),
    ("uWSGI before 2.0.29 with max-requests-delta in its file", "(ignored without a word)", "", starting(), starting("max-requests-delta = 100")),
    ("the same with strict = true", "(refused)", "", starting("strict = true"), starting("strict = true", "max-requests-delta = 100")),
    ("the same on the command line", "(refused)", "", starting(), starting(on_command_line=("--max-requests-delta", "100"))),
    ("supervisord stops uWSGI, no die-on-term, stopwaitsecs = 6", "stopsignal = INT", "safe", supervised("stopwaitsecs = 6", app=PLAIN, term=""), supervised("stopwaitsecs = 6", "stopsignal = INT", app=PLAIN, term="")),
    ("gunicorn: a request of 4 s, timeout = 2", "timeout = 10", "safe", timed("timeout = 2"), timed("timeout = 10")),
    ("gunicorn: a request of 4 s, timeout = 2", "worker_class = gthread, threads = 4", "needs code", timed("timeout = 2"), timed("timeout = 2", "worker_class = 'gthread'", "threads = 4")),
    ("gunicorn: workers leave after max_requests = 40", "max_requests_jitter = 60", "safe", jittered(), jittered("max_requests_jitter = 60")),
    ("uWSGI: a task of 1 s in a thread, the next request 5 s later", "enable-threads = true", "safe", threaded_tasks("enable-threads = false"), threaded_tasks()),
    ("uWSGI: a reload with lazy-apps of an application that loads for 4 s", "a chain reload", "safe", silent(lambda server: server.signal("HUP")), silent(lambda server: server.at("fifo").open("w").write("c"))),
    ("Django Q: a task of 5 s, timeout = 2", "timeout = 20", "safe", queued(2), queued(20)),
    *fixes_service.TRIALS,
]


# test/fixes.test.ts holds it against what the rules offer.
NOT_TRIED = """\
Fixes that logdoctor offers and that are not in this table were not tried. Of uWSGI: `harakiri-graceful-timeout`, `cron-harakiri`,
`max-requests-delta` and `max-worker-lifetime-delta` in a version that has them, `memory-report`, `master`, `safe-pidfile`. Of Apache: `MaxRequestWorkers`, `shutdown-timeout`. Of
Puma: `worker_timeout`, `worker_boot_timeout`, `worker_shutdown_timeout`, `preload_app!`, `config.ram`. Of unicorn-worker-killer: `memory_limit_min, memory_limit_max`. Of php-fpm: `pm.max_children`, `request_terminate_timeout`. Of nginx: `uwsgi_read_timeout`. Of
gunicorn: `max_requests`, `worker_tmp_dir`. Of uvicorn and daphne: `timeout_graceful_shutdown`, `--timeout-worker-healthcheck`,
`--application-close-timeout`. Of Celery: `task_time_limit`. Of Django Q: `max_attempts`. Of supervisord: `minfds`, `file`, `serverurl`, `chown`. Of systemd:
`TimeoutStopSec`, `TimeoutStartSec`, `KillSignal`, `KillMode`, `ExecReload`, `Type`, `OOMPolicy`, `WatchdogSec`. Of Kubernetes: `timeoutSeconds`,
`failureThreshold`, `terminationGracePeriodSeconds`. Of the machine: `TZ`, `OBJC_DISABLE_INITIALIZE_FORK_SAFETY`. Of docker compose: `stop_grace_period`. Of Fly.io: `kill_timeout`. And what is no
setting: other versions, other deployments, and changes of an application beyond its thread."""


def attempt(trial):
    try:
        return trial()
    except Exception as error:  # one that fails is shown and stops no other
        return f"FAILED: {type(error).__name__}: {error}"


def versions():
    found = []
    for command, name in ((["uwsgi", "--version"], "uWSGI"), (["gunicorn", "--version"], "gunicorn"), (["supervisord", "--version"], "supervisord")):
        text = subprocess.run(command, capture_output=True, text=True).stdout
        found.append(f"{name} {re.search('[0-9][0-9.]+[0-9]', text).group()}")
    return ", ".join(found)


def main():
    with ThreadPoolExecutor(6) as pool:
        results = [(pool.submit(attempt, before), pool.submit(attempt, after)) for *_, before, after in TRIALS]
        rows = [(*row[:3], before.result(), after.result()) for row, (before, after) in zip(TRIALS, results)]
    print("# Fixes, tried on real servers\n")
    print(f"`samples/record/fixes.py` caused each trouble, applied the fix and caused it again: {versions()}, Python "
          f"{sys.version.split()[0]}. Times are from the signal to the end, with two workers.\n")
    print(f"{NOT_TRIED}\n")
    print("| trouble | fix | label | before | after |\n|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    return any("FAILED" in cell for row in rows for cell in row)


if __name__ == "__main__":
    sys.exit(main())
