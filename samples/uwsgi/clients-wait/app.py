import time
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log


@witness.watch
def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    time.sleep(float(query.get("sleep", ["0"])[0]))
    return answer(environ["PATH_INFO"] == "/report", start_response)


def answer(is_report, start_response):
    if is_report:
        time.sleep(0.8)
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(3):
        yield b"ok\n" * 10_000
        time.sleep(0.05)
