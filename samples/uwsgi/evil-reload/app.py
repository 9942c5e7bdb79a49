import time
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log


@witness.watch
def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    if environ["PATH_INFO"] == "/grow":
        environ["grown"] = bytearray(120_000_000)
    time.sleep(float(query.get("sleep", ["0"])[0]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\n"]
