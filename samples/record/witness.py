"""Imported by a recorded application: writes down, beside the log, what the application knows.

Every line of the side file is one JSON object with a time and a pid. It holds which worker number a
process has, when it began to leave, and when each request and each background task began and ended.
Nothing here prints, so the server's log stays as it would be without it.
"""

import functools
import json
import os
import threading
import time

import uwsgi

SIDE_FILE = os.environ["LOGDOCTOR_WITNESS"]


def note(event, **facts):
    facts.update(event=event, t=time.time(), pid=os.getpid())
    side_file = os.open(SIDE_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(side_file, (json.dumps(facts) + "\n").encode())
    os.close(side_file)


def identify():
    """Say what this process is. Under prefork it runs after the fork, under lazy-apps at import."""
    if uwsgi.mule_id():
        note("process", role="mule", worker=None)
    elif uwsgi.i_am_the_spooler():
        note("process", role="spooler", worker=None)
    elif uwsgi.worker_id():
        note("process", role="worker", worker=uwsgi.worker_id())


def watch(application):
    """Decorate a WSGI application: each request is noted when it begins and when it returns."""

    @functools.wraps(application)
    def watched(environ, start_response):
        note("request", uri=environ["REQUEST_URI"], thread=threading.get_ident())
        try:
            return application(environ, start_response)
        finally:
            note("answered", thread=threading.get_ident())

    return watched


def task_started(task):
    note("task started", task=task)


def task_ended(task):
    note("task ended", task=task)


uwsgi.post_fork_hook = identify
uwsgi.atexit = functools.partial(note, "leaving")
identify()
