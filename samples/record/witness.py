"""Imported by a recorded application: writes down, beside the log, what the application knows.

Every line of the side file is one JSON object with a time and a pid. It holds which worker number a
process has, when it began to leave, and when each request and each background task began and ended.
Nothing here prints, so the server's log stays as it would be without it.
"""

import asyncio
import functools
import json
import os
import threading
import time

try:
    import uwsgi
except ImportError:  # any other server
    uwsgi = None

SIDE_FILE = os.environ["LOGDOCTOR_WITNESS"]


def note(event, **facts):
    facts.update(event=event, t=time.time(), pid=os.getpid())
    side_file = os.open(SIDE_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(side_file, (json.dumps(facts) + "\n").encode())
    os.close(side_file)


def identify():
    """Say what this process is. Under prefork it runs after the fork, under lazy-apps at import."""
    if uwsgi is None:
        note("process", role="worker", worker=None)
    elif uwsgi.mule_id():
        note("process", role="mule", worker=None)
    elif uwsgi.i_am_the_spooler():
        note("process", role="spooler", worker=None)
    elif uwsgi.worker_id():
        note("process", role="worker", worker=uwsgi.worker_id(), app=uwsgi.opt.get("wsgi-file", b"").decode())


def watch(application):
    """Decorate a WSGI application: each request is noted when it begins and when it returns; not when it is cut short."""

    @functools.wraps(application)
    def watched(environ, start_response):
        note("request", uri=environ.get("REQUEST_URI") or environ["RAW_URI"], thread=threading.get_ident())
        try:
            answer = application(environ, start_response)
        except Exception:
            note("answered", thread=threading.get_ident())
            raise
        note("answered", thread=threading.get_ident())
        return answer

    return watched


def watch_asgi(application):
    """The same for an ASGI application; a request is told from others by its task."""

    @functools.wraps(application)
    async def watched(scope, receive, send):
        if scope["type"] == "lifespan":
            return await application(scope, receive, send)
        task = id(asyncio.current_task())
        note("request", uri=scope["path"], thread=task)
        try:
            await application(scope, receive, send)
        except Exception:
            note("answered", thread=task)
            raise
        note("answered", thread=task)

    return watched


def task_started(task):
    note("task started", task=task)


def task_ended(task):
    note("task ended", task=task)


if uwsgi is None:
    os.register_at_fork(after_in_child=identify)
else:
    uwsgi.post_fork_hook = identify
    uwsgi.atexit = functools.partial(note, "leaving")
identify()
