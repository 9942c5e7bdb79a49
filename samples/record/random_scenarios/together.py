"""Servers that write into one file: of different kinds, or alike and told apart by a prefix; with applications that break and heal."""

import shutil
from dataclasses import replace

from random_scenarios import gunicorn, uwsgi
from random_scenarios.script import Script, in_turn, killing, requesting, signalling, strike
from scenario import Scenario
from servers import GUNICORN, UWSGI

TOGETHER = replace(
    UWSGI, name="together", packages=(*UWSGI.packages, *GUNICORN.packages),
    version=lambda: f"{UWSGI.version()}, {GUNICORN.version()}",
    command=lambda run, file: (UWSGI if file.endswith(".ini") else GUNICORN).command(run, file))
# What people put before each line of a server that shares its file.
PREFIXES = ("log-prefix = NAME", "log-prefix = NAME\nlog-date = true", "log-prefix = [NAME]", "log-date = true", "")


def breaking(name):
    """The next deployment of the application cannot be imported; whoever loads it from then on fails."""
    def act(run):
        path = run.work / name
        run.accident(None, "broken")
        path.write_text('raise RuntimeError("no such shop")\n' + path.read_text())
    return f"break {name}", act


def healing(name):
    def act(run):
        path = run.work / name
        path.write_text(path.read_text().replace('raise RuntimeError("no such shop")\n', ""))
    return f"heal {name}", act


def deploying(chance, name, asking):
    """A broken application, the reload that brings it, and often the next one, which brings it back."""
    steps = [(0, breaking(name)), (0.3, asking)]
    if chance.random() < 0.6:
        steps += [(2.5, healing(name)), (0.3, asking)]
    return in_turn(f"a broken {name} and {asking[0]}{' and back' if len(steps) > 2 else ''}", *steps)


def rotating():
    """What logrotate does with `copytruncate`: a copy is kept, and the servers go on writing into the same file."""
    def act(run):
        shutil.copyfile(run.log_path, run.log_path.with_name(f"{run.log_path.name}.1"))
        run.log_file.truncate(0)
    return "copytruncate", act


def killing_master(which):
    def act(run):
        first = run.servers[which].pid
        if first in run.kernel().alive():
            strike(run, first, "SIGKILL")
    return f"SIGKILL to server {which}", act


def server(chance, kind, name, port, which):
    """One of them: what was drawn, its configuration's name, its text, what can be asked of it."""
    if kind == "gunicorn":
        drawn = gunicorn.Drawn(chance, name, port, which)
        drawn.lines = [line for line in drawn.lines if not line.startswith("errorlog")]
        broken = deploying(chance, f"{name}app.py", signalling("hup", "SIGHUP", which))
        return drawn, f"{name or 'first-'}gunicorn.conf.py", drawn.conf, [*drawn.askings, broken]
    drawn = uwsgi.Drawn(chance, name, port, which).draw()
    drawn.lines = [line for line in drawn.lines if not ("logto" in line or line.startswith(("log-prefix", "log-date", "plugin = logfile")))]
    drawn.lines += [line for line in [chance.choice(PREFIXES).replace("NAME", name.strip("-_") or "first")] if line]
    if not any(line.startswith("need-app") for line in drawn.lines) and chance.random() < 0.4:
        drawn.lines.append("need-app = true")
    broken = deploying(chance, f"{name}app.py", signalling("graceful", "SIGHUP", which))
    return drawn, f"{name or 'first-'}uwsgi.ini", drawn.conf, [*drawn.askings, *drawn.signals, broken]


def draw(chance, seed):
    kinds = chance.choice((("uwsgi", "gunicorn"), ("uwsgi", "gunicorn"), ("uwsgi", "uwsgi"), ("gunicorn", "gunicorn"), ("uwsgi", "uwsgi", "gunicorn")))
    places = zip(kinds, ("", "other_", "third_"), ("port", "port2", "port3"), range(3))
    servers = [server(chance, *place) for place in places]
    drawn = [each for each, *_ in servers]
    askings = [asking for *_, own in servers for asking in own]
    accidents = [killing("SIGKILL", "worker")] * 2 + [killing_master(which) for which in range(len(kinds))]
    accidents += [requesting("/crash", each.port) for each in drawn] + [rotating()]
    script = Script(chance, askings, accidents, max(each.settle for each in drawn), tuple(each.port for each in drawn))

    def drive(run):
        for _, name, _, _ in servers:
            run.start(workers=0, conf=name)
        run.wait_up(sum(each.start_workers for each in drawn))
        script.drive(run)

    everything = {name: text for _, name, text, _ in servers}
    for each in drawn:
        everything |= each.all_files
    pieces = [piece for each in drawn for piece in each.pieces]
    return Scenario(TOGETHER, f"random-{seed}", f"drawn by lot, seed {seed}", drive, everything, [], [],
                    [f"application: {', '.join(pieces) or 'plain'}", *script.words()], "max-requests", {}, "", (), False)
