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
    return [b"queued\n"]
