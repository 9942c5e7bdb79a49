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
    return [b"queued\n"]
