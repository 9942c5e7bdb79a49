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
    return [b"ok\n"]
