"""uWSGI drawn by lot: options that nobody has tried together."""

from random_scenarios import application
from random_scenarios.script import (
    Script, killing, killing_master, requesting, signalling, signalling_group, touching, twice,
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
           "log-maxsize = 3000\nlogto = main.log", "logto = main.log")


def wsgi(*lines):
    return "\n".join(["[uwsgi]", "plugin = python3", "wsgi-file = app.py", "master = true", *lines, ""])


def fifo(kind, command):
    def act(run):
        try:
            run.fifo(kind, command)
        except OSError:  # nobody reads it: the server is gone or on its way
            run.actions.pop()
    return f"fifo {command}", act


def deleting(kind, name):
    def act(run):
        if kind:
            run.acted(kind)
        (run.work / name).unlink(missing_ok=True)
    return f"delete {name}", act


class Drawn:
    """The lines of one instance and what can be done to it."""

    def __init__(self, chance):
        self.lines, self.askings, self.accidents, self.recycling = [], [], [], "max-requests"
        self.files, self.chance, self.settle = {}, chance, 1
        self.pieces, self.app = application.draw(chance)

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
        elif engine < 0.14:
            self.lines += ["plugin = greenlet_python311,asyncio_python311", "asyncio = 10", "greenlet = true"]
        elif engine < 0.4:
            self.lines += [f"threads = {chance.choice((2, 4))}"]
        elif engine < 0.85:
            self.lines += ["enable-threads = true"]
        if self.processes > 2 and self.maybe(0.15, "cheaper = 1", "cheaper-initial = 1", "cheaper-step = 1"):
            algorithm = chance.choice(CHEAPER_ALGORITHMS)
            if algorithm == "busyness":
                self.lines += ["plugin = cheaper_busyness", "cheaper-overload = 1", "cheaper-busyness-multiplier = 2"]
            self.lines.append(f"cheaper-algo = {algorithm}")
            self.recycling = "cheaper"
        self.start_workers = 1 if self.recycling == "cheaper" else self.processes

    def draw_patience(self):
        chance = self.chance
        mercy = chance.choice((1, 2, 2, 3, 4))
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
        if self.maybe(0.15, *["mule = true"] * chance.choice((1, 2))):
            self.lines.append("mule-reload-mercy = 2")
            if self.maybe(0.5, "touch-mules-reload = mules.txt"):
                self.files["mules.txt"] = ""
                self.askings.append(touching(None, "mules.txt"))
            self.accidents.append(killing("SIGKILL", "mule"))
        if self.maybe(0.12, "spooler = spool"):
            self.files["spool/.keep"] = ""
            if self.maybe(0.5, "touch-spoolers-reload = spoolers.txt"):
                self.files["spoolers.txt"] = ""
                self.askings.append(touching(None, "spoolers.txt"))
        if self.maybe(0.15, chance.choice(("attach-daemon = exec sh {work}/daemon.sh", "attach-daemon2 = cmd=exec sh {work}/daemon.sh,stopsignal=15,reloadsignal=15"))):
            self.files["daemon.sh"] = chance.choice((
                "trap '' TERM\nwhile true; do sleep 1; done\n", "trap 'exit 0' TERM\nwhile true; do sleep 0.2; done\n", "exit 1\n"))
            self.settle += 3

    def draw_asking(self):
        chance = self.chance
        dies = self.maybe(0.3, "die-on-term = true")
        self.askings += [signalling("graceful", "SIGHUP")] * 3
        self.askings += [signalling("stop" if dies else "brutal", "SIGTERM"), signalling("stop", "SIGINT"),
                         signalling("brutal" if dies else "stop", "SIGQUIT")]
        self.askings += [
            twice("stop", *chance.choice((("SIGINT", "SIGINT"), ("SIGQUIT", "SIGINT"), ("SIGINT", "SIGTERM"))), 0.7),
            twice("graceful", "SIGHUP", "SIGHUP", 0.7), signalling_group("stop", chance.choice(("SIGTERM", "SIGINT", "SIGQUIT")))]
        if self.maybe(0.5, "master-fifo = master.fifo"):
            self.askings += [fifo("graceful", "r"), fifo("brutal", "R"), fifo("chain", "c"), fifo("workers", "w"), fifo("stop", "q"),
                             fifo("stop", "Q"), fifo("pause", "p"), fifo("fewer", "-"), fifo("more", "+")]
        for kind, option in (("graceful", "touch-reload"), ("chain", "touch-chain-reload"), ("workers", "touch-workers-reload")):
            if self.maybe(0.25, f"{option} = {kind}.txt"):
                self.files[f"{kind}.txt"] = ""
                self.askings += [touching(kind, f"{kind}.txt")] * 2
        if self.maybe(0.1, "py-autoreload = 1"):
            self.askings.append(touching("graceful", "app.py"))
        if self.maybe(0.1, "reload-on-exception = true"):
            self.accidents += [requesting("/raise")] * 3
        self.accidents += [killing("SIGKILL", "worker")] * 2 + [
            killing("SIGHUP", "worker"), killing("SIGTERM", "worker"), killing_master(), requesting("/crash"), requesting("/watch")]

    def draw_logging(self):
        for _ in range(2):
            self.maybe(0.4, self.chance.choice(LOGGING))
        self.lines += self.chance.sample(HARMLESS, self.chance.choice((0, 0, 1, 1, 2, 3)))
        self.lines.append("plugin = http\nhttp = 127.0.0.1:{port}" if self.chance.random() < 0.15 else "http-socket = 127.0.0.1:{port}")

    def scenario(self, conf, files, seed, askings, accidents):
        script = Script(self.chance, askings, accidents, self.settle)

        def drive(run):
            run.start(workers=0)
            run.wait_up(self.start_workers)
            script.drive(run)

        return Scenario(UWSGI, f"random-{seed}", f"drawn by lot, seed {seed}", drive,
                        {"uwsgi.ini": conf, "app.py": self.app, **files}, [], [],
                        [f"application: {', '.join(self.pieces) or 'plain'}", *script.words()], self.recycling, {}, "", (), False)


def draw(chance, seed):
    drawn = Drawn(chance)
    drawn.draw_workers()
    drawn.draw_patience()
    drawn.draw_company()
    drawn.draw_asking()
    drawn.draw_logging()
    if chance.random() < 0.1:
        return emperor(drawn, chance, seed)
    return drawn.scenario(wsgi(*drawn.lines), drawn.files, seed, drawn.askings, drawn.accidents)


def emperor(drawn, chance, seed):
    """The instance that was drawn, as a vassal beside a second one."""
    second = Drawn(chance)
    second.draw_workers()
    second.draw_patience()
    files = {
        **drawn.files, "vassals/first.ini": wsgi("chdir = {work}", *drawn.lines),
        "vassals/second.ini": wsgi("chdir = {work}", *second.lines, "http-socket = 127.0.0.1:{port2}").replace("app.py", "second.py"),
        "second.py": second.app,
    }
    askings = [touching("graceful", "vassals/first.ini"), touching("graceful", "vassals/second.ini"), deleting("stop", "vassals/first.ini"),
               signalling("stop", "SIGTERM"), signalling("graceful", "SIGHUP")]
    drawn.start_workers += second.start_workers
    drawn.pieces += second.pieces
    drawn.settle = max(drawn.settle, second.settle)
    return drawn.scenario("[uwsgi]\nemperor = {work}/vassals\n", files, seed, askings,
                          [killing("SIGKILL", "worker"), killing_master()])
