#!/usr/bin/env python3
"""Records real uWSGI servers doing well and badly: log, configuration, application and truth.

    python3 samples/record/record.py --list
    python3 samples/record/record.py [--out DIR] [--jobs N] [SCENARIO...]
"""

import argparse
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import run
from scenarios import SCENARIOS

SAMPLES = Path(__file__).resolve().parent.parent
NEEDED = {"uwsgi": "uwsgi-core", "strace": "strace"}
PYTHON_PLUGIN = "uwsgi-plugin-python3"


def missing_packages():
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    plugin = None
    if not missing:
        plugin = subprocess.run(["uwsgi", "--plugin", "python3", "--version"], capture_output=True, text=True)
    if plugin is None or plugin.returncode or "unable to load plugin" in plugin.stderr + plugin.stdout:
        missing.append(PYTHON_PLUGIN)
    return missing


def server_version():
    said = subprocess.run(["uwsgi", "--version"], capture_output=True, text=True, check=True)
    return "uwsgi " + said.stdout.strip()


def record(scenario, out, version, untraced=False):
    with run.Run(scenario, untraced) as recording:
        scenario.drive(recording)
        return recording.save(out / scenario.name, version)


def in_short(facts):
    workers = [w for r in facts["reloads"] for w in r["workers"]]
    return (f"{len(facts['reloads'])} reload(s) of {len(workers)} worker(s), {len(facts['recycles'])} recycle(s), "
            f"{len(facts['forcedPids'])} forced, {len(facts['tasks']['orphaned'])} task(s) orphaned, "
            f"{len(facts['requestsCut'])} request(s) cut")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all of them when none is named")
    parser.add_argument("--list", action="store_true", help="list the scenarios and stop")
    parser.add_argument("--out", type=Path, default=SAMPLES / "uwsgi", help="default: samples/uwsgi")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time (most of the time is waiting)")
    parser.add_argument("--untraced", action="store_true", help="without strace, to compare; no deaths in the truth")
    options = parser.parse_args()

    if options.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:42} {scenario.title}")
        return 0
    unknown = [name for name in options.scenarios if name not in SCENARIOS]
    if unknown:
        print(f"record: no such scenario: {', '.join(unknown)} (--list shows them)", file=sys.stderr)
        return 2
    missing = missing_packages()
    if missing:
        print(f"record: not installed: {', '.join(missing)}", file=sys.stderr)
        print(f"  apt-get update && apt-get install --no-install-recommends {' '.join(missing)}", file=sys.stderr)
        return 3

    version, failed = server_version(), 0
    chosen = [SCENARIOS[name] for name in options.scenarios] or list(SCENARIOS.values())
    with ThreadPoolExecutor(options.jobs) as pool:
        recordings = {pool.submit(record, s, options.out, version, options.untraced): s for s in chosen}
        try:
            for done in as_completed(recordings):
                name = recordings[done].name
                try:
                    print(f"{name}: {in_short(done.result())}", flush=True)
                except Exception as error:
                    failed += 1
                    print(f"{name}: FAILED: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            run.STOPPING.set()
            pool.shutdown(cancel_futures=True)
            return 130
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
