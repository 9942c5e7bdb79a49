"""supervisord and systemd drawn by lot, with a drawn uWSGI or gunicorn inside."""

from dataclasses import replace

from random_scenarios import gunicorn, uwsgi
from random_scenarios.script import Script, in_turn, killing, killing_master, requesting, signalling
from scenario import Scenario
from scenarios import supervisord as programs
from scenarios import systemd as units
from servers import SUPERVISORD, SYSTEMD


def inner(chance):
    """The server inside: its kind, the drawn one, its files."""
    if chance.random() < 0.5:
        drawn = uwsgi.Drawn(chance, which=None).draw()
        return "uwsgi", drawn, {"uwsgi.ini": drawn.conf, **drawn.all_files}
    drawn = gunicorn.Drawn(chance)
    return "gunicorn", drawn, {"gunicorn.conf.py": drawn.conf, **drawn.all_files}


def scenario(kind, seed, script, drawn, files, output="", journal=()):
    def drive(run):
        run.start(workers=0)
        run.wait_up(drawn.start_workers)
        script.drive(run)

    return Scenario(kind, f"random-{seed}", f"drawn by lot, seed {seed}", drive, files, [], [],
                    [f"application: {', '.join(drawn.pieces) or 'plain'}", *script.words()], getattr(drawn, "recycling", "max-requests"),
                    {}, output, journal, False)


def controlling(kind, *words):
    return f"supervisorctl {' '.join(words)}", lambda run: run.control(kind, *words)


def supervised(chance, seed):
    name, drawn, files = inner(chance)
    lines = [f"stopwaitsecs = {chance.choice((1, 2, 3, 5, 8))}"]
    for probability, line in ((0.3, f"stopsignal = {chance.choice(('INT', 'QUIT', 'TERM', 'HUP'))}"), (0.2, "killasgroup = true"),
                              (0.15, "stopasgroup = true"), (0.2, "autorestart = true"), (0.2, "startsecs = 3")):
        if chance.random() < probability:
            lines.append(line)
    again = in_turn("supervisorctl stop, then start", (0, controlling("stop", "stop", "shop")), (0.5, controlling("start", "start", "shop")))
    askings = [controlling("stop", "stop", "shop"), controlling("stop", "restart", "shop"), controlling("stop", "restart", "shop"), again,
               controlling("graceful" if name == "uwsgi" else "hup", "signal", "HUP", "shop"),
               signalling("graceful" if name == "uwsgi" else "hup", "SIGHUP"),
               ("SIGTERM to supervisord", lambda run: run.signal("stop", "SIGTERM"))]
    if name == "uwsgi":
        askings += drawn.askings[:6]
    script = Script(chance, askings, [killing("SIGKILL", "worker"), killing_master(), requesting("/crash")], drawn.settle)
    conf = getattr(programs, name)(*lines)
    kind = SUPERVISORD if name == "uwsgi" else replace(SUPERVISORD, counts_mercy=False)
    return scenario(kind, seed, script, drawn, {"supervisord.conf": conf, **files})


def as_a_unit(chance, seed):
    name, drawn, files = inner(chance)
    lines = [f"TimeoutStopSec={chance.choice((1, 2, 3, 5))}", f"KillMode={chance.choice(('mixed', 'control-group', 'process'))}",
             f"Restart={chance.choice(('no', 'no', 'always', 'on-failure'))}", "ExecReload=/bin/kill -HUP $MAINPID"]
    for probability, line in ((0.3, f"KillSignal={chance.choice(('SIGINT', 'SIGQUIT'))}"), (0.15, "FinalKillSignal=SIGABRT")):
        if chance.random() < probability:
            lines.append(line)

    def asking(kind, *words):
        return f"systemctl {' '.join(words)}", lambda run: run.systemctl(kind, *words)

    askings = [asking("stop", "stop", "shop.service"), asking("stop", "restart", "shop.service"), asking("stop", "restart", "shop.service"),
               asking("graceful" if name == "uwsgi" else "hup", "reload", "shop.service")]
    script = Script(chance, askings, [requesting("/crash")], drawn.settle)
    kind = SYSTEMD if name == "uwsgi" else replace(SYSTEMD, counts_mercy=False)
    output = chance.choice(("short-precise", "short-iso", "short", "json"))
    return scenario(kind, seed, script, drawn, {"shop.service": getattr(units, name)(*lines), **files}, output, ("--unit", "shop.service"))
