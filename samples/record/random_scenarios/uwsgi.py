"""uWSGI drawn by lot: options that nobody has tried together."""

from random_scenarios import application
from random_scenarios.script import (
    Script, killing, killing_master, requesting, signalling, signalling_group, stopping_within, touching, twice,
)
from scenario import Scenario
from servers import UWSGI

CHEAPER_ALGORITHMS = ("spare", "backlog", "busyness", "spare2")
HARMLESS = ("so-keepalive = true", "single-interpreter = true", "memory-report = true", "auto-procname = true", "vacuum = true",
            "thunder-lock = true", "show-config = true", "py-call-uwsgi-fork-hooks = true", "buffer-size = 8192",
            "skip-atexit-teardown = true", "skip-atexit = true", "no-orphans = true", "need-app = true", 
            "ignore-sigpipe = true", "listen = 64", "reuse-port = true", "master-as-root = true", "log-x-forwarded-for = true",
            "python-tracebacker = /nonexistent/tb", "stats = 127.0.0.1:0", "offload-threads = 2", "idle = 3", "cheap = true")
LOGGING = ("log-date = true", "log-date = %%Y-%%m-%%d %%H:%%M:%%S", "log-date = [%%d/%%b %%H:%%M:%%S]", "log-master = true",
           "log-micros = true", "log-prefix = shop", "disable-logging = true", "plugin = logfile\nlogger = file:main.log",
           "log-master = true\nthreaded-logger = true", "log-master = true\nlog-encoder = prefix [shop]\nlog-encoder = nl",
           'log-master = true\nlog-encoder = json {"unix":${unix},"msg":"${msg}"}\nlog-encoder = nl',
           "log-master = true\nlog-encoder = format ${unix} ${msg}\nlog-encoder = nl", "plugin = logfile\nreq-logger = file:requests.log",
           "logformat = %(addr) - [%(ltime)] \"%(method) %(uri)\" %(status) %(msecs) pid=%(pid)", "log-slow = 100",
           "log-maxsize = 3000\nlogto = main.log", "logto = main.log", "logto2 = main.log", "log-prefix = web-1\nlog-date = true",
           'log-master = true\nlog-encoder = json {"t":${unix},"m":"${msg}"}\nlog-encoder = nl', "log-4xx = true\nlog-5xx = true")


# What a mule runs that has a program of its own.
MULE = """\
import time

while True:
    time.sleep(1)
"""


def wsgi(name, *lines):
    return "\n".join(["[uwsgi]", "plugin = python3", f"wsgi-file = {name}app.py", "master = true", *lines, ""])


def fifo(kind, command, name, of):
    def act(run):
        master = of and of(run)
        try:
            run.fifo(kind, command, name)
            run.actions[-1]["master"] = master
        except OSError:  # nobody reads it: the server is gone or on its way
            run.actions.pop()
    return f"{name} {command}", act


def deleting(kind, name, of):
    def act(run):
        run.acted(kind, of(run))
        (run.work / name).unlink(missing_ok=True)
    return f"delete {name}", act


class Drawn:
    """
    The lines of one instance and what can be done to it. `name` stands in front of its files, where several instances share a folder;
    `which` is the server of the run that it is, None for one inside another.
    """

    def __init__(self, chance, name="", port="port", which=0):
        self.name, self.port, self.chance = name, port, chance
        self.of = (lambda run: run.chief(which)) if which is not None else (lambda run: run.master_of(f"{name}app.py"))
        self.which = which or 0
        self.lines, self.askings, self.accidents, self.recycling = [], [], [], "max-requests"
        self.jobs, self.settle = (), 1
        self.pieces, self.app = application.draw(chance)
        self.files = {}

    def draw(self):
        self.draw_workers()
        self.draw_patience()
        self.draw_company()
        self.draw_asking()
        self.draw_logging()
        return self

    def maybe(self, probability, *lines):
        if self.chance.random() < probability:
            self.lines += lines
            return True
        return False

    def draw_workers(self):
        chance = self.chance
        self.processes = chance.choice((1, 1, 2, 2, 3, 3, 4, 6))
        self.lines.append(f"processes = {self.processes}")
        self.maybe(0.35, chance.choice(("lazy-apps = true", "lazy-apps = true", "lazy = true")))
        engine = chance.random()
        if engine < 0.08:
            self.lines += ["plugin = gevent_python311", "gevent = 10"]
            self.maybe(0.4, "gevent-monkey-patch = true")
        elif engine < 0.14:
            self.lines += ["plugin = greenlet_python311,asyncio_python311", "asyncio = 10", "greenlet = true"]
        elif engine < 0.4:
            self.lines += [f"threads = {chance.choice((2, 4))}"]
        elif engine < 0.85:
            self.lines += ["enable-threads = true"]
        if self.processes > 2 and self.maybe(0.2, "cheaper = 1", "cheaper-initial = 1", "cheaper-step = 1"):
            algorithm = chance.choice(CHEAPER_ALGORITHMS)
            if algorithm == "busyness":
                self.lines += ["plugin = cheaper_busyness", "cheaper-overload = 1", "cheaper-busyness-multiplier = 2", "cheaper-busyness-min = 10"]
            self.lines.append(f"cheaper-algo = {algorithm}")
            self.recycling = "cheaper"
        self.start_workers = 1 if self.recycling == "cheaper" else self.processes

    def draw_patience(self):
        chance = self.chance
        mercy = chance.choice((1, 2, 2, 3, 4, 6, 8))
        if not self.maybe(0.05, "exit-on-reload = true"):
            self.lines.append(f"worker-reload-mercy = {mercy}")
        self.settle = mercy + 1
        self.maybe(0.15, f"reload-mercy = {chance.choice((1, 2, 4))}")
        if self.maybe(0.2, f"harakiri = {chance.choice((1, 2, 3))}"):
            self.maybe(0.4, "harakiri-verbose = true")
        if self.maybe(0.15, f"max-requests = {chance.choice((3, 5, 8))}"):
            self.lines.append("min-worker-lifetime = 1")
        elif self.maybe(0.08, f"max-worker-lifetime = {chance.choice((3, 5))}", "min-worker-lifetime = 1"):
            self.recycling = "max-lifetime"
        elif self.maybe(0.06, "reload-on-rss = 1", "min-worker-lifetime = 2"):
            self.recycling = "rss"
        elif self.maybe(0.06, "evil-reload-on-rss = 60"):
            self.recycling = "rss"
            self.accidents.append(requesting("/grow?sleep=4"))

    def draw_company(self):
        chance = self.chance
        if self.maybe(0.2, *[chance.choice(("mule = true", f"mule = {{work}}/{self.name}mule.py"))] * chance.choice((1, 2))):
            self.files[f"{self.name}mule.py"] = MULE
            self.maybe(0.7, f"mule-reload-mercy = {chance.choice((1, 2, 4))}")
            if self.maybe(0.5, f"touch-mules-reload = {self.name}mules.txt"):
                self.files[f"{self.name}mules.txt"] = ""
                self.askings.append(touching(None, f"{self.name}mules.txt"))
            self.accidents.append(killing("SIGKILL", "mule"))
        if self.maybe(0.15, f"spooler = {self.name}spool"):
            self.files[f"{self.name}spool/.keep"] = ""
            self.app, self.jobs = self.app + application.SPOOLING, ("/spool", "/spool")
            self.maybe(0.4, "spooler-processes = 2")
            if self.maybe(0.5, f"touch-spoolers-reload = {self.name}spoolers.txt"):
                self.files[f"{self.name}spoolers.txt"] = ""
                self.askings.append(touching(None, f"{self.name}spoolers.txt"))
        if self.maybe(0.15, chance.choice(("attach-daemon = exec sh {work}/NAMEdaemon.sh", "attach-daemon2 = cmd=exec sh {work}/NAMEdaemon.sh,stopsignal=15,reloadsignal=15"))
                      .replace("NAME", self.name)):
            self.files[f"{self.name}daemon.sh"] = chance.choice((
                "trap '' TERM\nwhile true; do sleep 1; done\n", "trap 'exit 0' TERM\nwhile true; do sleep 0.2; done\n", "exit 1\n"))
            self.settle += 3

    def draw_asking(self):
        chance, which = self.chance, self.which
        dies = self.maybe(0.3, "die-on-term = true")
        term, quit = ("stop", "brutal") if dies else ("brutal", "stop")
        self.signals = [signalling("graceful", "SIGHUP", which)] * 3 + [
            signalling(term, "SIGTERM", which), signalling("stop", "SIGINT", which), signalling(quit, "SIGQUIT", which)]
        self.alone = [
            twice("stop", *chance.choice((("SIGINT", "SIGINT"), ("SIGQUIT", "SIGINT"), ("SIGINT", "SIGTERM"))), 0.7),
            twice("graceful", "SIGHUP", "SIGHUP", 0.7), signalling_group(*chance.choice(((term, "SIGTERM"), ("stop", "SIGINT"), (quit, "SIGQUIT")))),
            stopping_within("SIGTERM" if dies else "SIGINT", chance.choice((1, 2, 5)), chance.random() < 0.6)]
        if self.maybe(0.5, f"master-fifo = {self.name}master.fifo"):
            self.askings += [fifo(kind, command, f"{self.name}master.fifo", self.of) for kind, command in (
                ("graceful", "r"), ("brutal", "R"), ("chain", "c"), ("workers", "w"), ("stop", "q"), ("stop", "Q"), ("pause", "p"),
                ("fewer", "-"), ("more", "+"), ("reopen", "l"))]
        is_lazy = any(line.startswith("lazy") for line in self.lines)
        for kind, option in (("graceful", "touch-reload"), ("chain", "touch-chain-reload"), ("workers", "touch-workers-reload")):
            if self.maybe(0.4 if is_lazy and kind == "chain" else 0.25, f"{option} = {self.name}{kind}.txt"):
                self.files[f"{self.name}{kind}.txt"] = ""
                self.askings += [touching(kind, f"{self.name}{kind}.txt", self.of)] * 2
        if self.maybe(0.1, "py-autoreload = 1"):
            self.askings.append(touching("graceful", f"{self.name}app.py", self.of))
        if self.maybe(0.1, "reload-on-exception = true"):
            self.accidents += [requesting("/raise", self.port)] * 3
        self.accidents += [killing("SIGKILL", "worker")] * 2 + [
            killing("SIGHUP", "worker"), killing("SIGTERM", "worker"), killing_master(), requesting("/crash", self.port), requesting("/watch", self.port)]

    def draw_logging(self):
        for _ in range(2):
            self.maybe(0.4, self.chance.choice(LOGGING))
        self.lines += self.chance.sample(HARMLESS, self.chance.choice((0, 0, 1, 1, 2, 3)))
        self.lines.append(f"plugin = http\nhttp = 127.0.0.1:{{{self.port}}}" if self.chance.random() < 0.15
                          else f"http-socket = 127.0.0.1:{{{self.port}}}")

    @property
    def conf(self):
        return wsgi(self.name, *self.lines)

    @property
    def all_files(self):
        return {f"{self.name}app.py": self.app, **self.files}


def scenario(chance, seed, conf, drawn, askings, accidents, files=(), also=()):
    """`also` are the names of further configurations, each started as a server of its own, into the same log."""
    ports = tuple(each.port for each in drawn)
    jobs = tuple(path for path in drawn[0].jobs if len(drawn) == 1)
    script = Script(chance, askings, accidents, max(each.settle for each in drawn), ports, jobs)

    def drive(run):
        run.start(workers=0)
        for name in also:
            run.start(workers=0, conf=name)
        run.wait_up(sum(each.start_workers for each in drawn))
        script.drive(run)

    pieces = [piece for each in drawn for piece in each.pieces]
    everything = {"uwsgi.ini": conf, **dict(files)}
    for each in drawn:
        everything |= each.all_files
    return Scenario(UWSGI, f"random-{seed}", f"drawn by lot, seed {seed}", drive, everything, [], [],
                    [f"application: {', '.join(pieces) or 'plain'}", *script.words()], drawn[0].recycling, {}, "", (), False)


def draw(chance, seed):
    form = chance.random()
    if form < 0.15:
        return emperor(chance, seed)
    if form < 0.27:
        return beside_another(chance, seed)
    drawn = Drawn(chance).draw()
    drawn.maybe(0.05, "daemonize2 = {work}/daemonized.log")
    return scenario(chance, seed, drawn.conf, [drawn], drawn.askings + drawn.signals + drawn.alone, drawn.accidents)


def beside_another(chance, seed):
    """Two servers that somebody lets write into one file."""
    first, second = (Drawn(chance, name, port, which).draw() for name, port, which in (("", "port", 0), ("other-", "port2", 1)))
    return scenario(chance, seed, first.conf, [first, second],
                    [asking for each in (first, second) for asking in each.askings + each.signals],
                    [killing("SIGKILL", "worker"), killing_master()], {"other.ini": second.conf}, ("other.ini",))


def emperor(chance, seed):
    """Two to four vassals, and one that comes later."""
    names = ("first", "second", "third", "fourth")[:chance.choice((2, 2, 3, 4))]
    drawn = [Drawn(chance, f"{name}-", port, None).draw() for name, port in zip(names, ("port", "port2", "port3", "port4"))]
    files = {f"vassals/{name}.ini": each.conf.replace("[uwsgi]\n", "[uwsgi]\nchdir = {work}\n") for name, each in zip(names, drawn)}
    askings = [asking for each in drawn for asking in each.askings]
    for name in names:
        of = drawn[names.index(name)].of
        askings += [touching("graceful", f"vassals/{name}.ini", of)] * 2 + [deleting("stop", f"vassals/{name}.ini", of)]
    askings += [signalling("stop", "SIGTERM"), signalling("stop", "SIGINT"), signalling("graceful", "SIGHUP")]
    lines = [line for line in ("emperor-required-heartbeat = 5", "log-date = true", "emperor-throttle = 500", "emperor-max-throttle = 2000", "log-master = true")
             if chance.random() < 0.12]
    return scenario(chance, seed, "\n".join(["[uwsgi]", "emperor = {work}/vassals", *lines, ""]), drawn, askings,
                    [killing("SIGKILL", "worker"), killing("SIGKILL", "worker"), killing_master(), requesting("/crash")], files)
