"""ASGI applications of the scenarios, as texts like those of applications.py."""

PLAIN_ASGI = '''\
import asyncio
from urllib.parse import parse_qs

import witness  # writes down what happens, beside the log


@witness.watch_asgi
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    query = parse_qs(scope["query_string"].decode())
    await asyncio.sleep(float(query.get("sleep", ["0"])[0]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok\\n"})
'''

# Answers at once and goes on working, as frameworks do with what they call background tasks.
BACKGROUND_ASGI = PLAIN_ASGI.replace('''\
    await asyncio.sleep(float(query.get("sleep", ["0"])[0]))
''', '') + '''\
    await asyncio.sleep(float(query.get("sleep", ["0"])[0]))
'''

# Sends a little each second, as a stream of events does.
STREAMING_ASGI = PLAIN_ASGI.replace('''\
    await asyncio.sleep(float(query.get("sleep", ["0"])[0]))
    await send({"type": "http.response.start"''', '''\
    await send({"type": "http.response.start"''').replace('''\
    await send({"type": "http.response.body", "body": b"ok\\n"})
''', '''\
    for _ in range(int(query.get("sleep", ["0"])[0])):
        await send({"type": "http.response.body", "body": b"data: tick\\n\\n", "more_body": True})
        await asyncio.sleep(1)
    await send({"type": "http.response.body", "body": b"ok\\n"})
''')

# Does not end when its client has gone, and not at once when it is cancelled either.
STUBBORN_ASGI = PLAIN_ASGI.replace('''\
    await asyncio.sleep(float(query.get("sleep", ["0"])[0]))
''', '''\
    await asyncio.shield(asyncio.sleep(float(query.get("sleep", ["0"])[0])))
''')

FAILING_AT_STARTUP_ASGI = PLAIN_ASGI.replace('''\
            message = await receive()
''', '''\
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.failed", "message": "no database"})
                return
''')

SLOW_AT_STARTUP_ASGI = PLAIN_ASGI.replace('''\
            message = await receive()
''', '''\
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.sleep(14)
''')
