"""Trials of fixes.py around deploys, load, and what runs beside the workers of uWSGI."""

import os
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from fix_servers import APP, PLAIN, THREAD, Server, configured, gunicorn, uwsgi, wait_for
from stuck_mount import stuck_mount

BROKEN = "import nowhere\n"


def outcome(answer):
    return {"1": "the old code answers", "2": "the new code answers", None: "nobody answers"}.get(answer, f"answers: {answer}")


def deployed(*options, check=None, ask=lambda server: server.signal("HUP")):
    """uWSGI: what a deploy of code that does not load leaves behind. `check` has to succeed before the reload."""
    def trial():
        with uwsgi(PLAIN, "master-fifo = fifo", *options) as server:
            server.at("app.py").write_text(BROKEN)
            if check is None or subprocess.run(check, cwd=server.home.name, capture_output=True).returncode == 0:
                ask(server)
            time.sleep(8)
            return outcome(server.get(timeout=2))
    return trial


def chain(server):
    server.at("fifo").open("w").write("c")


def touch(server):
    os.utime(server.at("chain"))


def checked_hup(*check):
    """gunicorn: the same."""
    def trial():
        with gunicorn(PLAIN) as server:
            time.sleep(2)  # until both workers have loaded it
            server.at("app.py").write_text(BROKEN)
            if not check or subprocess.run(check, cwd=server.home.name, capture_output=True).returncode == 0:
                server.signal("HUP")
            time.sleep(4)
            return outcome(server.get(timeout=2))
    return trial


def with_mule(thread, *options, ask=lambda server: server.signal("HUP")):
    """uWSGI: seconds of a reload with a mule that a thread holds."""
    def trial():
        mule = f"import threading, time\n{THREAD.format(daemon=thread)}\nwhile True: time.sleep(0.5)\n"
        with uwsgi(PLAIN, "mule = mule.py", "worker-reload-mercy = 5", "master-fifo = fifo", *options, files={"mule.py": mule}) as server:
            time.sleep(1)
            began = time.time()
            ask(server)
            server.seen("chain reloading complete|spawned uWSGI worker 2 .*(?s:.)*spawned uWSGI worker 2", within=80)
            killed = "mule 1" in server.log() and "taking too much time" in server.log()
            return f"{time.time() - began:.0f} s, the mule was {'killed' if killed else 'not killed'}"
    return trial


def with_daemon(*options):
    """uWSGI: what becomes of an attached daemon that needs 5 s to stop."""
    def trial():
        script = """trap 'trap "" TERM; sleep 5; echo daemon done; exit' TERM\nwhile true; do sleep 0.2; done\n"""
        with uwsgi(PLAIN, "attach-daemon = exec sh daemon.sh", *options, files={"daemon.sh": script}) as server:
            time.sleep(1)
            server.signal("HUP")
            server.seen("spawned uWSGI worker 2 .*(?s:.)*spawned uWSGI worker 2", within=30)
            return "the daemon stopped in order" if "daemon done" in server.log() else "the daemon was killed"
    return trial


def crowd(server, clients, path="/short", timeout=30):
    with ThreadPoolExecutor(clients) as pool:
        began = time.time()
        answers = list(pool.map(lambda _: server.get(path, timeout), range(clients)))
        return sum(answer is not None for answer in answers), time.time() - began


def crowded(*options, workers=2):
    """uWSGI: forty clients at once, of whom each waits for 20 s at most."""
    def trial():
        with uwsgi(PLAIN, *options, workers=workers) as server:
            answered, took = crowd(server, 40, timeout=20)
            time.sleep(1.5)
            full = len(re.findall("listen queue of socket .* full", server.log()))
            return f"{answered} of 40 answered, the last after {took:.1f} s; the queue was full {full} time(s)"
    return trial


def stuck(*options):
    """uWSGI: both workers are in a request that never ends. Whether a later one is answered."""
    def trial():
        with uwsgi(PLAIN, *options) as server:
            for _ in range(2):
                threading.Thread(target=server.get, args=("/hang", 40), daemon=True).start()
            time.sleep(1)
            began = time.time()
            answer = server.get(timeout=20)
            return f"the next request was answered after {time.time() - began:.0f} s" if answer else "the next request was not answered in 20 s"
    return trial


def master_killed(*options):
    """uWSGI: whether the next start gets the address of a master that was killed while its workers were busy."""
    def trial():
        with uwsgi(PLAIN, *options) as server:
            for _ in range(2):
                threading.Thread(target=server.get, args=("/slow",), daemon=True).start()
            time.sleep(1)
            server.signal("KILL")
            time.sleep(1)
            again = subprocess.Popen(["uwsgi", "--ini", "uwsgi.ini"], cwd=server.home.name, stdout=server.out, stderr=server.out,
                                     start_new_session=True)
            try:
                again.wait(2)
                return "the next start finds the address in use"
            except subprocess.TimeoutExpired:
                return "the next start gets the address"
            finally:
                try:
                    os.killpg(again.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                again.wait()
    return trial


def grown(*options):
    """uWSGI: what becomes of a request in which the worker grows above the limit."""
    def trial():
        with uwsgi(GROWING, *options) as server:
            answer = server.get("/grow")
            time.sleep(3)
            replaced = "Respawned uWSGI worker" in server.log()
            return f"the request was {'answered' if answer else 'cut'}, the worker {'replaced' if replaced else 'kept'}"
    return trial


def raised(*options):
    """uWSGI: what becomes of the worker whose request raises."""
    def trial():
        with uwsgi(RAISING, *options) as server:
            server.get("/raise")
            time.sleep(2)
            return "the worker was replaced" if "Respawned uWSGI worker" in server.log() else "the worker stayed"
    return trial


def crashed(*options):
    """uWSGI: what the log tells of a crash in native code."""
    def trial():
        with uwsgi(CRASHING, *options) as server:
            server.get("/crash")
            server.seen("died")
            found = re.search(r'File "app\.py", line \d+ in \w+', server.log())
            return found.group() if found else "no line of Python"
    return trial


def traced(*options):
    """uWSGI: whether a worker that hangs in a request can be asked for its stack."""
    def trial():
        with uwsgi(PLAIN, *options, workers=1) as server:
            threading.Thread(target=server.get, args=("/hang", 20), daemon=True).start()
            time.sleep(1)
            said = subprocess.run(["uwsgi", "--connect-and-read", str(server.at("tb1"))], capture_output=True, text=True, timeout=5, check=False)
            found = re.search(r"filename = \S*app\.py lineno = \d+", said.stdout + said.stderr)
            return "it shows the line in app.py" if found else "nobody answers there"
    return trial


def dated(*options):
    """uWSGI: how many of its own lines about a reload have a time."""
    def trial():
        with configured(PLAIN, "worker-reload-mercy = 3", *options) as server:
            before = len(server.log().splitlines())
            server.signal("HUP")
            server.seen("spawned uWSGI worker 2 .*(?s:.)*spawned uWSGI worker 2", within=20)
            own = [line for line in server.log().splitlines()[before:] if "[pid: " not in line]
            return f"{sum(bool(re.match(DATE, line)) for line in own)} of {len(own)} lines have a time"
    return trial


def printed(*options):
    """uWSGI: whether a line that the application prints has a time."""
    def trial():
        with configured(PRINTING, "log-date = true", *options) as server:
            server.get()
            server.seen("hello")
            line = next(line for line in server.log().splitlines() if "hello" in line)
            return "it has a time" if re.match(r".*\d\d:\d\d:\d\d.* hello", line) else "it has none"
    return trial


def left(*options):
    """uWSGI: the lines about five answers that nobody waited for."""
    def trial():
        with uwsgi(STREAMING, *options) as server:
            before = len(server.log().splitlines())
            for _ in range(5):
                server.get("/report", timeout=0.3)
                time.sleep(1.2)
            lines = [line for line in server.log().splitlines()[before:] if re.search("SIGPIPE|Broken pipe|write error|Connection reset", line)]
            return f"{len(lines)} line(s) about it"
    return trial


def routed(listen, *options, ask):
    """uWSGI: what becomes of a client that waits for an answer of 4 s during a reload."""
    def trial():
        with uwsgi(PLAIN, "plugin = http", "lazy-apps = true", "touch-chain-reload = chain", "worker-reload-mercy = 10", *options, listen=listen,
                   files={"chain": ""}) as server:
            answers = []
            client = threading.Thread(target=lambda: answers.append(server.get("/slow")))
            client.start()
            time.sleep(1)
            ask(server)
            client.join()
            return "the client was " + ("answered" if answers[0] else "cut off")
    return trial


def spent(limit):
    """uWSGI: workers that are replaced within 200 requests."""
    def trial():
        with uwsgi(PLAIN, f"max-requests = {limit}", "min-worker-lifetime = 1") as server:
            for _ in range(200):
                server.get()
                time.sleep(0.05)
            time.sleep(2)
            return f"{server.log().count('Respawned uWSGI worker')} workers replaced within 200 requests"
    return trial


def waiting_line(listen, allowed=None):
    """uWSGI: whether it starts with so long a queue. `allowed` is net.core.somaxconn in a network of its own."""
    def trial():
        ini = f"[uwsgi]\nplugin = python3\nhttp-socket = 127.0.0.1:PORT\nwsgi-file = app.py\nmaster = true\nlisten = {listen}\n"
        command = ["uwsgi", "--ini", "uwsgi.ini"]
        if allowed is not None:
            command = ["unshare", "--net", "sh", "-c", f"ip link set lo up; echo {allowed} > /proc/sys/net/core/somaxconn; exec uwsgi --ini uwsgi.ini"]
        with Server(PLAIN, command, {"uwsgi.ini": ini}) as server:
            try:
                server.process.wait(4)
                return "does not start"
            except subprocess.TimeoutExpired:
                return "starts" if "spawned uWSGI worker 1" in server.log() else "hangs"
    return trial


def unkillable(*, answers):
    """uWSGI: a reload while a worker waits for a file system that never answers; it is taken away, or not."""
    def trial():
        with uwsgi(STORED, "worker-reload-mercy = 3", workers=1) as server:
            server.at("storage").mkdir()
            with stuck_mount(server.at("storage")):
                threading.Thread(target=server.get, args=("/storage", 30), daemon=True).start()
                time.sleep(1)
                server.signal("HUP")
                server.seen("NO MERCY", within=10)
                if not answers:
                    time.sleep(8)
                    kills = server.log().count("NO MERCY")
                    return f"killed {kills} times within 8 s and still there"
            server.seen("spawned uWSGI worker 1 .*(?s:.)*spawned uWSGI worker 1", within=10)
            return "gone at once, and the reload went on"
    return trial


def finds(*settings):
    """supervisord: whether a program comes up."""
    def trial():
        program = "\n".join(settings)
        conf = f"[supervisord]\nnodaemon = true\nlogfile = HOME/supervisord.log\npidfile = HOME/supervisord.pid\n[program:web]\n{program}\n"
        with Server("", ["supervisord", "-c", "supervisord.conf"], {"supervisord.conf": conf}) as server:
            log = server.at("supervisord.log")
            wait_for(lambda: log.exists() and re.search("gave up|entered RUNNING|can't find command", log.read_text()), 30, "an outcome")
            return "runs" if "entered RUNNING" in log.read_text() else "does not come up"
    return trial


DATE = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} - "
GROWING = APP.format(before="KEPT = []").replace('    if environ["PATH_INFO"] == "/slow":', '''\
    if environ["PATH_INFO"] == "/grow":
        KEPT.append(b"x" * 120_000_000)
        time.sleep(5)
    if environ["PATH_INFO"] == "/slow":''')
RAISING = APP.format(before="").replace("time.sleep(4)", "time.sleep(4)\n    if environ['PATH_INFO'] == '/raise':\n        raise ValueError('wrong')")
CRASHING = APP.format(before="import ctypes").replace("time.sleep(4)", "time.sleep(4)\n    if environ['PATH_INFO'] == '/crash':\n        ctypes.string_at(0)")
STORED = APP.format(before="").replace("time.sleep(4)", "time.sleep(4)\n    if environ['PATH_INFO'] == '/storage':\n        os.path.getsize('storage/x')")
PRINTING = APP.format(before="").replace("    start_response", "    print('hello', flush=True)\n    start_response")
STREAMING = """\
import time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/report":
        time.sleep(0.8)
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(3):
        yield b"ok" * 10000
        time.sleep(0.05)
"""

BY_HAND = ("/usr/bin/python3", "-c", "import app")
REAL = "uWSGI: SIGHUP onto code that does not load"
CHAIN = "uWSGI: a chain reload with lazy-apps onto code that does not load"
MULE = "uWSGI: a reload with a mule that a thread holds"
CROWD = "uWSGI: forty requests of 0.25 s at once, two workers"
ROUTER = "uWSGI: SIGHUP while a client waits for an answer of 4 s behind the http router"

TRIALS = [
    (REAL, "python -c \"import app\" before it", "safe", deployed(), deployed(check=BY_HAND)),
    (REAL, "need-app = true", "safe", deployed(), deployed("need-app = true")),
    (REAL, "a chain reload with lazy-apps in place of it (no fix of it)", "", deployed(), deployed("lazy-apps = true", ask=chain)),
    (CHAIN, "need-app = true (no fix of it)", "", deployed("lazy-apps = true", ask=chain), deployed("lazy-apps = true", "need-app = true", ask=chain)),
    (CHAIN, "python -c \"import app\" before it", "safe", deployed("lazy-apps = true", ask=chain), deployed("lazy-apps = true", ask=chain, check=BY_HAND)),
    ("gunicorn: HUP onto code that does not load", "gunicorn --check-config before it", "safe", checked_hup(), checked_hup("gunicorn", "--check-config", "-c", "gunicorn.conf.py", "app:application")),
    (MULE, "mule-reload-mercy = 3", "may cut requests", with_mule(""), with_mule("", "mule-reload-mercy = 3")),
    (MULE, "daemon=True for the thread", "needs code", with_mule(""), with_mule(", daemon=True")),
    (MULE, "a chain reload with lazy-apps", "safe", with_mule(""), with_mule("", "lazy-apps = true", ask=chain)),
    ("uWSGI: a reload with an attached daemon that needs 5 s to stop, reload-mercy = 2", "reload-mercy = 10", "safe", with_daemon("reload-mercy = 2"), with_daemon("reload-mercy = 10")),
    (f"{CROWD}, listen = 8", "listen = 100", "safe", crowded("listen = 8"), crowded("listen = 100")),
    (CROWD, "processes = 8", "safe", crowded(), crowded(workers=8)),
    ("uWSGI: all workers are in a request that never ends", "harakiri = 3", "may cut requests", stuck(), stuck("harakiri = 3")),
    ("uWSGI: the master is killed while its workers are busy", "no-orphans = true", "may cut requests", master_killed(), master_killed("no-orphans = true")),
    ("uWSGI: a worker grows in a request, evil-reload-on-rss = 60", "reload-on-rss = 60", "safe", grown("evil-reload-on-rss = 60"), grown("reload-on-rss = 60", "min-worker-lifetime = 1")),
    ("uWSGI: a request raises, reload-on-exception = true", "reload-on-exception = false", "safe", raised("reload-on-exception = true"), raised("reload-on-exception = false")),
    ("uWSGI: a request crashes in native code", "env = PYTHONFAULTHANDLER=1", "safe", crashed(), crashed("env = PYTHONFAULTHANDLER=1")),
    ("uWSGI: a worker hangs in a request", "py-tracebacker = HOME/tb", "safe", traced(), traced("py-tracebacker = HOME/tb")),
    ("uWSGI: the lines of a reload", "log-date = true", "safe", dated(), dated("log-date = true")),
    ("uWSGI: a line that the application prints, log-date = true", "log-master = true (no fix of it alone)", "", printed(), printed("log-master = true")),
    ("uWSGI: a line that the application prints, log-date = true", "log-master = true and a log-encoder with the time", "safe", printed(), printed("log-master = true", "log-encoder = format ${strftime:%%H:%%M:%%S} ${msgnl}")),
    ("uWSGI: five clients hang up", "ignore-sigpipe = true, ignore-write-errors = true, disable-write-exception = true", "safe", left(), left("ignore-sigpipe = true", "ignore-write-errors = true", "disable-write-exception = true")),
    (ROUTER, "touch-chain-reload = chain, with lazy-apps", "safe", routed("http", ask=lambda server: server.signal("HUP")), routed("http", ask=touch)),
    (ROUTER, "http-socket = 127.0.0.1:8000 in place of http", "safe", routed("http", ask=lambda server: server.signal("HUP")), routed("http-socket", ask=lambda server: server.signal("HUP"))),
    ("uWSGI: workers leave after max-requests = 20", "max-requests = 2000", "safe", spent(20), spent(2000)),
    ("uWSGI: listen = 8192, net.core.somaxconn = 4096", "net.core.somaxconn = 8192", "safe", waiting_line(8192, 4096), waiting_line(8192, 8192)),
    ("uWSGI: listen = 8192, net.core.somaxconn = 4096", "listen = 4096", "safe", waiting_line(8192, 4096), waiting_line(4096, 4096)),
    ("uWSGI: a reload while a worker waits for a file system that never answers", "umount -f", "safe", unkillable(answers=False), unkillable(answers=True)),
    ("supervisord: a program that is not found", "command = its full path", "safe", finds("command = not-there-at-all 60"), finds("command = /usr/bin/sleep 60")),
]
