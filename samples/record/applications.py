"""The applications that the scenarios run, as texts: each becomes the app.py of its recording."""

PLAIN = '''\
import time
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log


@witness.watch
def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    time.sleep(float(query.get("sleep", ["0"])[0]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\\n"]
'''

THREAD_AT_IMPORT = PLAIN + '''

import threading


def loop():
    while True:
        time.sleep(2)


threading.Thread(target=loop, name="poller").start()
'''

THREAD_BY_REQUEST = PLAIN.replace('''\
    start_response(''', '''\
    if environ["PATH_INFO"] == "/watch":
        threading.Thread(target=loop, name="watcher").start()
    start_response(''').replace("import time\n", "import threading\nimport time\n") + '''

def loop():
    while True:
        time.sleep(1)
'''

TASKS = '''\
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log

logging.basicConfig(
    stream=sys.stderr, level=logging.INFO,
    format="%(asctime)s %(module)s %(process)d %(thread)d %(message)s")
log = logging.getLogger("app")
pool = None


def task(number, seconds):
    witness.task_started(number)
    log.info("start task %s", number)
    time.sleep(seconds)
    log.info("end task %s", number)
    witness.task_ended(number)


@witness.watch
def application(environ, start_response):
    global pool
    query = parse_qs(environ["QUERY_STRING"])
    if environ["PATH_INFO"] == "/task":
        pool = pool or ThreadPoolExecutor(4)
        pool.submit(task, query["n"][0], float(query["seconds"][0]))
    time.sleep(float(query.get("sleep", ["0"])[0]))
    start_response("202 Accepted", [("Content-Type", "text/plain")])
    return [b"queued\\n"]
'''


TASKS_IN_DAEMON_THREADS = (
    TASKS.replace("from concurrent.futures import ThreadPoolExecutor\n", "")
    .replace("import sys\n", "import sys\nimport threading\n")
    .replace("pool = None\n", "")
    .replace("    global pool\n", "")
    .replace("        pool = pool or ThreadPoolExecutor(4)\n", "")
    .replace('pool.submit(task, query["n"][0], float(query["seconds"][0]))',
             'threading.Thread(\n            target=task, args=(query["n"][0], float(query["seconds"][0])), '
             'daemon=True).start()')
)

STUCK_AT_IMPORT = PLAIN + '''

import os

while os.path.exists("migrating"):
    time.sleep(0.2)
'''

CRASHING = PLAIN.replace('''\
    start_response(''', '''\
    if environ["PATH_INFO"] == "/crash":
        ctypes.string_at(0)
    start_response(''').replace("import time\n", "import ctypes\nimport time\n")

CRASHING_AT_IMPORT = PLAIN.replace("import time\n", "import ctypes\nimport os\nimport time\n") + '''

if os.path.exists("corrupt"):
    if open("corrupt").read() == "once":
        os.remove("corrupt")
    ctypes.string_at(0)
'''

RAISING = PLAIN.replace('''\
    start_response(''', '''\
    if environ["PATH_INFO"] == "/raise":
        raise ValueError("a request of the wrong shape")
    start_response(''')

GROWING = PLAIN.replace('''\
    time.sleep(''', '''\
    if environ["PATH_INFO"] == "/grow":
        environ["grown"] = bytearray(120_000_000)
    time.sleep(''')

# Takes memory and keeps it, ten megabytes at a time: an allocation in one piece could fail without that anybody is killed.
TAKING_MEMORY = PLAIN.replace('''\
    time.sleep(''', '''\
    for _ in range(int(query.get("take", ["0"])[0]) // 10):
        taken.append(b"x" * 10_000_000)
    time.sleep(''').replace('''\
@witness.watch
''', '''\
taken = []


@witness.watch
''').replace("# writes down what happens, beside the log\n\n\n", "# writes down what happens, beside the log\n\n")

SPOOLING = '''\
import logging
import sys
import time
from urllib.parse import parse_qs

import uwsgi

import witness  # writes down what happens, beside the log

logging.basicConfig(
    stream=sys.stderr, level=logging.INFO,
    format="%(asctime)s %(module)s %(process)d %(thread)d %(message)s")
log = logging.getLogger("app")


def spool(job):
    number = job[b"n"].decode()
    witness.task_started(number)
    log.info("start task %s", number)
    time.sleep(float(job[b"seconds"]))
    log.info("end task %s", number)
    witness.task_ended(number)
    return uwsgi.SPOOL_OK


uwsgi.spooler = spool


@witness.watch
def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    if environ["PATH_INFO"] == "/task":
        uwsgi.spool({b"n": query["n"][0].encode(), b"seconds": query["seconds"][0].encode()})
    time.sleep(float(query.get("sleep", ["0"])[0]))
    start_response("202 Accepted", [("Content-Type", "text/plain")])
    return [b"queued\\n"]
'''

# A configuration client: a daemon thread, started at import, keeps a copy of the settings fresh.
REFRESHING = '''\
import logging
import sys
import threading
import time
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log

logging.basicConfig(
    stream=sys.stderr, level=logging.INFO,
    format="%(asctime)s %(levelname)s %(name)s [%(process)d %(threadName)s] %(message)s")
settings = {"version": 0}


def refresh():
    while True:
        time.sleep(1.5)
        settings["version"] += 1
        logging.getLogger("settings").info("refreshed to version %d", settings["version"])


threading.Thread(target=refresh, name="refresher", daemon=True).start()


@witness.watch
def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    time.sleep(float(query.get("sleep", ["0"])[0]))
    logging.getLogger("views").info("answered with settings of version %d", settings["version"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\\n"]
'''

HOLDING_THE_GIL = PLAIN.replace('''\
    start_response(''', '''\
    if environ["PATH_INFO"] == "/report":
        max(itertools.repeat(0, 10**11))  # one call into C: no signal handler runs until it returns
    start_response(''').replace("import time\n", "import itertools\nimport time\n")

SLOW_TO_IMPORT = PLAIN + '''

time.sleep(60)
'''

BROKEN_AT_IMPORT = PLAIN + '''

import module_that_was_never_installed
'''

# Each request waits for a lock that somebody else holds.
WAITING = PLAIN.replace('''\
    start_response(''', '''\
    while os.path.exists("locked"):
        time.sleep(0.2)
    start_response(''').replace("import time\n", "import os\nimport time\n")

LOOKING_INTO_STORAGE = PLAIN.replace('''\
    start_response(''', '''\
    if environ["PATH_INFO"] == "/picture":
        os.path.getsize("storage/picture.png")
    start_response(''').replace("import time\n", "import os\nimport time\n")

# An answer in several pieces: whoever has hung up by then cannot be given the later ones.
STREAMING = PLAIN.replace('''\
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\\n"]
''', '''\
    return answer(environ["PATH_INFO"] == "/report", start_response)


def answer(is_report, start_response):
    if is_report:
        time.sleep(0.8)
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(3):
        yield b"ok\\n" * 10_000
        time.sleep(0.05)
''')
