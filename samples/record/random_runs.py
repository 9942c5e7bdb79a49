#!/usr/bin/env python3
"""Runs real servers in configurations drawn by lot, and holds what logdoctor says against what the kernel saw.

    python3 samples/record/random_runs.py [--server uwsgi] [--runs 5] [--seed 1] [--keep DIR]
    python3 samples/record/random_runs.py --judge DIR          # what was kept, with the logdoctor of today
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

import run as runs  # noqa: E402
from invariants import violations  # noqa: E402
from random_scenarios import DRAWN, scenario_of  # noqa: E402
from random_scenarios.script import RandomRun  # noqa: E402
from record import observers  # noqa: E402
from variants import cut, rotated, wrapped  # noqa: E402
from watch import Unavailable  # noqa: E402

LOGDOCTOR = Path(__file__).resolve().parents[2] / "bin" / "run.js"


def record(scenario, observe, version, folder):
    with RandomRun(scenario, observe) as recording:
        scenario.drive(recording)
        logs, facts = recording.finish(version)
        until = recording.start_time + 3600
        kernel = recording.kernel(until)
        if any(process.inner is not None for process in kernel.processes.values()):
            kernel = kernel.inside()
        recording.save(folder, logs, facts)
        configuration = "\n".join(text for name, text in scenario.files.items() if name.endswith((".ini", ".conf", ".conf.py", ".service")))
        (folder / "run.json").write_text(json.dumps({
            "accidents": recording.accidents, "notes": recording.notes(), "configuration": configuration,
            "signals": [vars(each) for each in kernel.signals], "logs": sorted(logs), "first": recording.servers[0].pid,
            "pieces": scenario.notes[0].removeprefix("application: ").split(", "),
        }, indent=1) + "\n")


def variants(folder, logs):
    """What is judged: the logs as they are, a part of them, the first one in two files, and in an envelope. The folder's name decides how."""
    chance = random.Random(folder.name)
    yield "", logs, False
    yield "cut", cut(logs, chance), True
    times, name = folder / "line-times.json", f"{folder.name.rsplit('-', 1)[0]}.log"
    if name in logs and len(logs) == 1:
        yield "rotated", rotated(logs[name], name, random.Random(f"{folder.name} rotated")), False
    if times.exists() and name in logs and name != "systemd.log" and f"{name}.1" not in logs:
        written, run = json.loads(times.read_text()), json.loads((folder / "run.json").read_text())
        if written and logs[name].count(b"\n") == len(written):
            # Several servers in one file: the transport does not know them apart.
            is_one = sum(setting in run["configuration"] for setting in ("emperor =", "other-", "other_")) == 0
            words, log = wrapped(logs[name], written, run["first"], chance, is_one)
            yield words, {**logs, name: log}, False


def judge(folder, logdoctor):
    logs = {name: (folder / name).read_bytes() for name in json.loads((folder / "run.json").read_text())["logs"]}
    faults = []
    for words, variant, is_cut in variants(folder, logs):
        with tempfile.TemporaryDirectory(prefix="logdoctor-variant-") as place:
            paths = [Path(place, name) for name in variant]
            for path in paths:
                path.write_bytes(variant[path.name])
            faults += [f"{words}: {fault}" if words else fault for fault in judge_logs(folder, paths, is_cut, logdoctor)]
    return faults


def judge_logs(folder, paths, is_cut, logdoctor):
    truth, run = json.loads((folder / "truth.json").read_text()), json.loads((folder / "run.json").read_text())
    run["logs"] = {path.name: path.read_text(errors="replace") for path in paths}
    run["countsRequests"] = truth["server"].startswith("uwsgi")
    run["isCut"] = is_cut
    try:
        said = subprocess.run(["node", logdoctor, "--json", "--no-progress", *paths], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return ["no report within 60 s"]
    if said.returncode not in (0, 1):
        if not any(log.strip() for log in run["logs"].values()):
            return []
        if said.returncode != 3 or not said.stdout:
            return [f"exit code: {said.returncode}: {said.stderr.strip()[:300]}"]
    return violations(truth, json.loads(said.stdout), run)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", choices=[*DRAWN, "both"], default="both", help="both: uwsgi and gunicorn in turn")
    parser.add_argument("--seed", type=int, help="the first seed; drawn and printed when none is given")
    parser.add_argument("--runs", type=int, default=5, help="so many seeds, one after the other (up to 25 s each)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep every recording there; else only those with a fault, in a new folder")
    parser.add_argument("--judge", type=Path, metavar="DIR", help="record nothing: judge the recordings kept there")
    parser.add_argument("--logdoctor", type=Path, default=LOGDOCTOR, metavar="FILE", help="the one to be judged; default: this tree's")
    parser.add_argument("--observe", choices=("auto", "watch", "strace"), default="auto")
    options = parser.parse_args()

    if options.judge:
        faults = 0
        for folder in sorted(path.parent for path in options.judge.glob("**/run.json")):
            faults += told(str(folder.relative_to(options.judge)), judge(folder, options.logdoctor))
        return 1 if faults else 0

    servers = ["uwsgi", "gunicorn"] if options.server == "both" else [options.server]
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    kept = options.keep or Path(tempfile.mkdtemp(prefix="logdoctor-random-"))
    print(f"first seed: {seed}; recordings: {kept}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    faults = 0
    try:
        with observers(options.observe, everything=False) as observe:
            versions = {}
            for at in range(seed, seed + options.runs):
                scenario = scenario_of(servers[at % len(servers)], at)
                version = versions.setdefault(scenario.kind.name, scenario.kind.version())
                folder = kept / f"{scenario.kind.name}-{at}"
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                began = time.monotonic()
                try:
                    record(scenario, observe, version, folder)
                except runs.GaveUp as reason:
                    print(f"{folder.name}: gave up: {reason}", flush=True)
                    continue
                wrong = judge(folder, options.logdoctor)
                faults += told(f"{folder.name} ({time.monotonic() - began:.0f} s)", wrong)
                if not wrong and not options.keep:
                    shutil.rmtree(folder)
    except Unavailable as reason:
        print(f"random_runs: {reason}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        runs.STOPPING.set()
        return 130
    return 1 if faults else 0


def told(name, wrong):
    print(f"{name}: {'agrees' if not wrong else ''}", flush=True)
    for each in wrong:
        print(f"  {each}", flush=True)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
