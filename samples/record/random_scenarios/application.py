"""An application put together of pieces, each of which can hold a worker, lose work or spoil the log."""

HEAD = '''\
import atexit
import ctypes
import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log

logging.basicConfig(
    stream=sys.stderr, level=logging.INFO,
    format="%(asctime)s %(module)s %(process)d %(thread)d %(message)s")
log = logging.getLogger("app")
pool = None


def loop():
    while True:
        time.sleep(1)


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
    path = environ["PATH_INFO"]
    if path == "/crash":
        ctypes.string_at(0)
    if path == "/watch":
        threading.Thread(target=loop, name="watcher").start()
    if path == "/raise":
        raise ValueError("a request of the wrong shape")
    if path == "/grow":
        environ["grown"] = bytearray(120_000_000)
    if path == "/task":
        pool = pool or ThreadPoolExecutor(2)
        pool.submit(task, query["n"][0], float(query["seconds"][0]))
    time.sleep(float(query.get("sleep", ["0"])[0]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\\n"]
'''

# For uvicorn's workers: the WSGI application in a thread, as frameworks run it, or nothing but its sleep in the event loop.
ASGI = HEAD.replace("""\
@witness.watch
def application(environ, start_response):
""", """\
@witness.watch_asgi
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
""").replace('environ["QUERY_STRING"]', 'scope["query_string"].decode()').replace(
    'environ["PATH_INFO"]', 'scope["path"]').replace('environ["grown"]', 'scope["grown"]').replace(
    "    time.sleep(float(query", "    await asyncio.sleep(float(query").replace("import atexit\n", "import asyncio\nimport atexit\n")
ASGI = ASGI[:ASGI.index("    start_response(")] + """\
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok\\n"})
"""

# For uWSGI's spooler: a request leaves a job there.
SPOOLING = '''

import uwsgi


def spool(job):
    task(job[b"n"].decode(), float(job[b"seconds"]))
    return uwsgi.SPOOL_OK


uwsgi.spooler = spool
answer = application


def application(environ, start_response):
    if environ["PATH_INFO"] == "/spool":
        query = parse_qs(environ["QUERY_STRING"])
        uwsgi.spool({b"n": query["n"][0].encode(), b"seconds": query["seconds"][0].encode()})
    return answer(environ, start_response)
'''

PIECES = {
    "thread": '\n\nthreading.Thread(target=loop, name="poller").start()\n',
    "daemon-thread": '\n\nthreading.Thread(target=loop, name="poller", daemon=True).start()\n',
    "atexit-sleeps": "\n\natexit.register(time.sleep, {seconds})\n",
    "idle-executor": "\n\nidle = ThreadPoolExecutor(1)\nidle.submit(int)\n",
    "speaking-thread": '''

def refresh():
    while True:
        time.sleep(0.7)
        log.info("refreshed")


threading.Thread(target=refresh, name="refresher", daemon=True).start()
''',
    "dots": '''

def dots():
    while True:
        print("....", end="", flush=True)
        time.sleep(0.4)


threading.Thread(target=dots, name="dots", daemon=True).start()
''',
    "slow-import": "\n\ntime.sleep({seconds})\n",
}


def draw(chance, head=HEAD):
    """Names of pieces and the text of an application that has them."""
    pieces = []
    if chance.random() < 0.65:
        pieces.append(chance.choice(sorted(PIECES)))
        if chance.random() < 0.15:
            pieces.append(chance.choice(sorted(set(PIECES) - set(pieces))))
    seconds = chance.choice((1, 2, 6))
    return pieces, head + "".join(PIECES[piece].replace("{seconds}", str(seconds)) for piece in pieces)
