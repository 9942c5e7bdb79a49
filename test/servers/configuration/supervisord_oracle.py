"""Reads cases from standard input, one JSON object a line, and prints what supervisord makes of each: its programs, or null."""
import json
import os
import signal
import sys

from supervisor.options import ServerOptions

NAMES = ["command", "stopwaitsecs", "stopasgroup", "killasgroup", "startsecs", "startretries"]


def programs(case):
    os.environ.clear()
    os.environ.update(case["environment"])
    path = os.path.join(case["directory"], "supervisord.conf")
    options = ServerOptions()
    options.configfile = path
    options.here = case["directory"]
    try:
        groups = options.read_config(path).process_group_configs
    except ValueError:
        return None
    found = {}
    for process in (process for group in groups for process in group.process_configs):
        # Of several of one program the first.
        name = process.name.split("-")[0]
        if name not in found:
            found[name] = {
                **{each: getattr(process, each) for each in NAMES},
                "stopsignal": signal.Signals(process.stopsignal).name[3:],
                "environment": process.environment,
            }
    return found


for line in sys.stdin:
    print(json.dumps(programs(json.loads(line))), flush=True)
