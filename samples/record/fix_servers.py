"""The servers on which fixes.py tries fixes: each in a temporary directory, on the loopback, killed at the end."""

import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

APP = """\
import os, threading, time
{before}
VERSION = "1"
def application(environ, start_response):
    if environ["PATH_INFO"] == "/short":
        time.sleep(0.25)
    if environ["PATH_INFO"] == "/slow":
        time.sleep(4)
    if environ["PATH_INFO"] == "/hang":
        time.sleep(600)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [VERSION.encode()]
"""
THREAD = "threading.Thread(target=lambda: [time.sleep(1) for _ in iter(int, 1)]{daemon}).start()"
STOPPED = """\
import uwsgi
stop = threading.Event()
threading.Thread(target=stop.wait).start()
uwsgi.atexit = stop.set
"""
THREADED = APP.format(before=THREAD.format(daemon=""))
DAEMON = APP.format(before=THREAD.format(daemon=", daemon=True"))
ATEXIT = APP.format(before=STOPPED)
PLAIN = APP.format(before="")


def wait_for(condition, within, what):
    deadline = time.time() + within
    while time.time() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise TimeoutError(what)


class Server:
    """One server in a directory of its own."""

    def __init__(self, app, command, files):
        self.home = tempfile.TemporaryDirectory(prefix="fixes-")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.at("app.py").write_text(app)
        for name, text in files.items():
            self.at(name).write_text(text.replace("PORT", str(self.port)).replace("HOME", self.home.name))
        self.out = open(self.at("log"), "wb")
        self.process = subprocess.Popen(command, cwd=self.home.name, stdout=self.out, stderr=self.out, start_new_session=True)

    def at(self, name):
        return Path(self.home.name) / name

    def log(self):
        return self.at("log").read_text(errors="replace")

    def seen(self, text, times=1, within=90):
        wait_for(lambda: len(re.findall(text, self.log())) >= times, within, text)

    def get(self, path="/", timeout=20):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def signal(self, name):
        os.kill(self.process.pid, getattr(signal, f"SIG{name}"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.out.close()
        self.home.cleanup()


def uwsgi(app, *options, **how):
    """Threads of the application run, and one line follows the other whoever writes it."""
    return configured(app, "log-master = true", "enable-threads = true", *options, **how)


def configured(app, *options, workers=2, listen="http-socket", files=None):
    lines = ["[uwsgi]", "plugin = python3", f"{listen} = 127.0.0.1:PORT", "wsgi-file = app.py", "master = true",
             f"processes = {workers}", *options]
    server = Server(app, ["uwsgi", "--ini", "uwsgi.ini"], {"uwsgi.ini": "\n".join(lines) + "\n", **(files or {})})
    server.seen(r"spawned uWSGI worker", workers, 30)
    server.seen(r"WSGI app 0 .* ready", workers if "lazy-apps = true" in options else 1, 30)
    time.sleep(0.5)
    wait_for(lambda: server.get() is not None, 20, "an answer")
    return server


def gunicorn(app, *settings):
    text = "\n".join(["bind = '127.0.0.1:PORT'", "workers = 2", *settings]) + "\n"
    server = Server(app, ["gunicorn", "-c", "gunicorn.conf.py", "app:application"], {"gunicorn.conf.py": text})
    wait_for(lambda: server.get() is not None, 20, "an answer")
    return server
