"""Reads cases from standard input, one JSON object a line, and prints what gunicorn makes of each: its settings, or null."""
import contextlib
import io
import json
import os
import sys

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.config import Workers


def settings(case):
    os.environ.clear()
    os.environ.update(case["environment"])
    # Read when the module is imported.
    Workers.default = int(os.environ.get("WEB_CONCURRENCY", 1))
    sys.path[0] = case["directory"]
    sys.modules.pop("more", None)
    sys.argv = ["gunicorn", "-c", os.path.join(case["directory"], "gunicorn.conf.py"), *case["arguments"], "app:app"]
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            cfg = WSGIApplication().cfg
        return {name: cfg.settings[name].get() for name in case["names"]}
    except (SystemExit, Exception):
        return None


for line in sys.stdin:
    print(json.dumps(settings(json.loads(line)), default=str), flush=True)
