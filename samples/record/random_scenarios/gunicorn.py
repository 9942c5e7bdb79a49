"""gunicorn drawn by lot."""

import os
import signal

from random_scenarios import application
from random_scenarios.script import (
    Script, in_turn, killing, killing_master, requesting, signalling, signalling_group, stopping_within, touching, twice,
)
from scenario import Scenario
from servers import GUNICORN


ASGI_WORKER = "uvicorn.workers.UvicornWorker"


class Drawn:
    """The settings of one gunicorn and what can be done to it; `which` is the server of the run that it is."""

    def __init__(self, chance, name="", port="port", which=0):
        self.name, self.port, self.which, self.jobs = name, port, which, ()
        self.workers = self.start_workers = chance.choice((1, 1, 2, 2, 3, 4))
        kind = chance.choice(("sync", "sync", "gthread", "gthread", "gevent", ASGI_WORKER))
        graceful, timeout = chance.choice((1, 2, 3, 5)), chance.choice((2, 3, 4, 6))
        self.settle = max(graceful, timeout)
        self.lines = [
            f'wsgi_app = "{name}app:application"', f'bind = "127.0.0.1:{{{port}}}"', f"workers = {self.workers}", f'worker_class = "{kind}"',
            f"graceful_timeout = {graceful}", f"timeout = {timeout}"]
        if kind == "gthread":
            self.lines.append(f"threads = {chance.choice((2, 4))}")
        for probability, line in (
                (0.25, "preload_app = True"), (0.4, 'accesslog = "-"'), (0.3, 'loglevel = "debug"'), (0.1, 'loglevel = "warning"'),
                (0.25, f"max_requests = {chance.choice((3, 5))}\nmax_requests_jitter = {chance.choice((0, 0, 3))}"), (0.1, "reload = True"),
                (0.2, f'errorlog = "{name}main.log"'), (0.2, "capture_output = True"), (0.1, "keepalive = 5"), (0.1, "reuse_port = True"),
                (0.1, f'pidfile = "{name}gunicorn.pid"'), (0.1, f'proc_name = "shop{name}"')):
            if chance.random() < probability:
                self.lines.append(line)
        self.pieces, self.app = application.draw(chance, application.ASGI if kind == ASGI_WORKER else application.HEAD)
        self.draw_asking(chance)

    def draw_asking(self, chance):
        which = self.which
        self.askings = [signalling("hup", "SIGHUP", which)] * 4
        self.askings += [signalling("stop", name, which) for name in ("SIGTERM", "SIGTERM", "SIGINT", "SIGQUIT")]
        self.askings += [signalling("more", "SIGTTIN", which), signalling("fewer", "SIGTTOU", which), signalling("reopen", "SIGUSR1", which)]
        self.alone = [signalling("usr2", "SIGUSR2")] * 2 + [
            signalling("winch", "SIGWINCH"),
            twice("stop", *chance.choice((("SIGTERM", "SIGTERM"), ("SIGTERM", "SIGQUIT"), ("SIGTERM", "SIGINT"), ("SIGINT", "SIGINT"))), 0.7),
            signalling_group("stop", chance.choice(("SIGTERM", "SIGINT", "SIGQUIT"))),
            stopping_within("SIGTERM", chance.choice((1, 2, 5)), chance.random() < 0.6),
            twice(("hup", "more"), "SIGHUP", "SIGTTIN", 0.3), twice(("hup", "fewer"), "SIGHUP", "SIGTTOU", 0.3),
            twice(("more", "hup"), "SIGTTIN", "SIGHUP", 0.1), upgrading(chance), upgrading(chance)]
        if "reload = True" in self.lines:
            self.askings += [touching(None, f"{self.name}app.py")] * 3
        self.accidents = [killing("SIGKILL", "worker")] * 2 + [
            killing("SIGTERM", "worker"), killing("SIGABRT", "worker"), killing_master(), requesting("/crash", self.port), requesting("/watch", self.port)]

    @property
    def conf(self):
        return "\n".join([*self.lines, ""])

    @property
    def all_files(self):
        return {f"{self.name}app.py": self.app}


def upgrading(chance):
    """USR2; the old workers away by WINCH; then the old arbiter goes, or takes its workers back and the new one goes."""
    pause, goes_back = chance.choice((1, 2)), chance.random() < 0.3
    arbiters = []

    def begin(run):
        arbiters[:] = [run.chief()]
        signalling("usr2", "SIGUSR2")[1](run)

    def to(kind, name, is_old):
        def act(run):
            old = arbiters[0]
            workers = {pid for pid in run.workers() if pid in run.kernel().alive()}
            new = [process.pid for process in run.kernel().processes.values()
                   if process.parent == old and process.ended is None and process.pid not in workers]
            pid = old if is_old else (new[-1] if new else None)
            if pid in run.kernel().alive():
                run.acted(kind, pid)
                os.kill(pid, getattr(signal, name))
        return name, act

    last = [("hup", "SIGHUP", True), ("stop", "SIGQUIT", False)] if goes_back else [("stop", chance.choice(("SIGQUIT", "SIGTERM")), True)]
    return in_turn(f"upgrade, {'back again' if goes_back else 'to its end'}", (0, ("", begin)), (pause, to("winch", "SIGWINCH", True)),
                   *[(pause, to(*each)) for each in last])


def scenario(chance, seed, drawn, askings, accidents, files, also=()):
    script = Script(chance, askings, accidents, max(each.settle for each in drawn), tuple(each.port for each in drawn))

    def drive(run):
        run.start(workers=0)
        for name in also:
            run.start(workers=0, conf=name)
        run.wait_up(sum(each.workers for each in drawn))
        script.drive(run)

    pieces = [piece for each in drawn for piece in each.pieces]
    everything = dict(files)
    for each in drawn:
        everything |= each.all_files
    return Scenario(GUNICORN, f"random-{seed}", f"drawn by lot, seed {seed}", drive, everything, [], [],
                    [f"application: {', '.join(pieces) or 'plain'}", *script.words()], "max-requests", {}, "", (), False)


def draw(chance, seed):
    if chance.random() < 0.12:
        first, second = (Drawn(chance, name, port, which) for name, port, which in (("", "port", 0), ("other_", "port2", 1)))
        return scenario(chance, seed, [first, second], first.askings + second.askings, [killing("SIGKILL", "worker"), killing_master()],
                        {"gunicorn.conf.py": first.conf, "other.conf.py": second.conf}, ("other.conf.py",))
    drawn = Drawn(chance)
    if chance.random() < 0.12:  # WINCH means something only there
        drawn.lines += ["daemon = True", 'errorlog = "main.log"']
        drawn.alone += [upgrading(chance)] * 6
    return scenario(chance, seed, [drawn], drawn.askings + drawn.alone, drawn.accidents, {"gunicorn.conf.py": drawn.conf})
