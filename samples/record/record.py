#!/usr/bin/env python3
"""Records real application servers doing well and badly: log, configuration, application and truth.

    python3 samples/record/record.py --list
    python3 samples/record/record.py [--out DIR] [--jobs N] [SCENARIO...]
"""

import argparse
import fnmatch
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.dont_write_bytecode = True

import machine  # noqa: E402
import run  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from servers import missing_for_machine  # noqa: E402
from strace import Strace  # noqa: E402
from watch import Unavailable, Watch  # noqa: E402

SAMPLES = Path(__file__).resolve().parent.parent


@contextmanager
def observers(kind, everything):
    """Yields a function that gives the observer of one server, called with a file it may write to."""
    watch = None
    if kind != "strace":
        try:
            watch = Watch(everything)
        except Unavailable as reason:
            if kind == "watch" or Strace.missing():
                raise
            print(f"record: {reason}; observing with strace, which changes the server a little", file=sys.stderr)
    if watch is None:
        yield Strace
        return
    try:
        yield lambda _file: watch
    finally:
        watch.close()


def record(scenario, out, version, observe, attempts, line_times):
    """On a busy machine requests fall otherwise than planned and the trouble is missed; it is then caused anew."""
    while True:
        attempts -= 1
        try:
            with run.Run(scenario, observe, line_times) as recording:
                scenario.drive(recording)
                logs, facts = recording.finish(version)
                check(scenario, facts)
                recording.save(out / scenario.path, logs, facts)
                return facts
        except run.GaveUp as reason:
            if not attempts or run.STOPPING.is_set():
                raise
            print(f"{scenario.path}: once more: {reason}", file=sys.stderr, flush=True)


def check(scenario, facts):
    """A recording that does not show what its scenario is about is not saved."""
    seen = {
        "forced": len(facts["forcedPids"]),
        "orphaned": len(facts["tasks"]["orphaned"]),
        "cut": len(facts["requestsCut"]),
    }
    for what, wanted in scenario.shows.items():
        if seen[what] != wanted and not (wanted is None and seen[what]):
            raise run.GaveUp(f"{seen[what]} {what}, not {'at least one' if wanted is None else wanted}")


def in_short(facts):
    workers = [w for r in facts["reloads"] for w in r["workers"]]
    return (f"{len(facts['reloads'])} reload(s) of {len(workers)} worker(s), {len(facts['recycles'])} recycle(s), "
            f"{len(facts['forcedPids'])} forced, {len(facts['tasks']['orphaned'])} task(s) orphaned, "
            f"{len(facts['requestsCut'])} request(s) cut")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="KIND/NAME or a pattern (gunicorn/*); all of them when none is named")
    parser.add_argument("--list", action="store_true", help="list the scenarios and stop")
    parser.add_argument("--out", type=Path, default=SAMPLES, help="default: samples")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time (most of the time is waiting)")
    parser.add_argument("--attempts", type=int, default=3, help="so often a scenario may miss what it is about")
    parser.add_argument("--observe", choices=("auto", "watch", "strace"), default="auto",
                        help="how to learn of deaths and signals: watch as root, else strace")
    parser.add_argument("--line-times", action="store_true",
                        help="keep when each line of the server's log was written, in line-times.json")
    parser.add_argument("--inside", type=Path, metavar="DIR", help=argparse.SUPPRESS)  # this is the virtual machine
    options = parser.parse_args()
    if options.inside:
        options.out = options.inside
        options.scenarios, options.attempts = machine.wanted()

    if options.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.path:50} {scenario.title}")
        return 0
    unknown = [name for name in options.scenarios if not fnmatch.filter(SCENARIOS, name)]
    if unknown:
        print(f"record: no such scenario: {', '.join(unknown)} (--list shows them)", file=sys.stderr)
        return 2
    chosen = [s for s in SCENARIOS.values() if any(fnmatch.fnmatchcase(s.path, name) for name in options.scenarios or ["*"])]
    away = [] if options.inside else [s for s in chosen if s.kind.machine]
    chosen = [s for s in chosen if s not in away]
    kinds = {scenario.kind for scenario in chosen}
    missing = missing_for_machine() if away else []
    missing += [package for kind in kinds for package in kind.missing_packages()]
    if options.observe == "strace" or (options.observe == "auto" and os.geteuid() != 0):
        missing += Strace.missing()
    if missing:
        print(f"record: not installed: {', '.join(missing)}", file=sys.stderr)
        print(f"  apt-get update && apt-get install --no-install-recommends {' '.join(missing)}", file=sys.stderr)
        return 3

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: everything started is killed
    versions, failed = {kind: kind.version() for kind in kinds}, 0
    with ExitStack() as stack:
        try:
            observe = stack.enter_context(observers(options.observe, everything=options.inside is not None))
        except Unavailable as reason:
            print(f"record: {reason}", file=sys.stderr)
            return 3
        pool = stack.enter_context(ThreadPoolExecutor(options.jobs))
        recordings = {
            pool.submit(record, s, options.out, versions[s.kind], observe, options.attempts, options.line_times): s for s in chosen}
        try:
            for done in as_completed(recordings):
                name = recordings[done].path
                try:
                    print(f"{name}: {in_short(done.result())}", flush=True)
                except Exception as error:
                    failed += 1
                    print(f"{name}: FAILED: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            run.STOPPING.set()
            pool.shutdown(cancel_futures=True)
            return 130
    if away and not machine.record([s.path for s in away], options.out, options.attempts):
        failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
