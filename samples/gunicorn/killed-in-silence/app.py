import time
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log


@witness.watch
def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    time.sleep(float(query.get("sleep", ["0"])[0]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\n"]
