"""What is done to a server that was drawn: traffic, requests to reload or stop, and accidents, in any order."""

import os
import signal
import time

import run as runs

LONGEST = 14  # seconds from the first request to the end of the recording


class Script:
    """Draws its steps before anything runs, so that a seed always asks for the same."""

    def __init__(self, chance, askings, accidents, settle, ports=("port",), jobs=()):
        """
        `askings` and `accidents` are lists of (words, function of a run); `settle` is how long a deadline of the server takes.
        `jobs` are further paths that begin a task (a spooler's).
        """
        self.settle, self.ports, self.paths = settle, ports, ("/task", *jobs)
        self.traffic = chance.random() < 0.6
        self.steps = [self.draw_step(chance, askings, accidents) for _ in range(chance.choice((1, 2, 2, 3, 3, 4)))]
        self.last_wait = settle + 2.5 if chance.random() < 0.85 else chance.choice((0.2, 1, 2))

    def draw_step(self, chance, askings, accidents):
        before = []
        if chance.random() < 0.5:
            sleep = chance.choice((0.6, 1.5, 3, 5, 9))
            before = [(f"request of {sleep} s", lambda run, s=sleep, p=chance.choice(self.ports): run.in_background(f"/export?sleep={s}", timeout=15, port=p))
                      for _ in range(chance.choice((1, 1, 2, 5)))]
        if chance.random() < 0.2:
            number, seconds = str(chance.randrange(1000)), chance.choice((0.5, 2, 6))
            path, port = chance.choice(self.paths), chance.choice(self.ports)
            before.append((f"{path} {number} of {seconds} s", lambda run, n=number, s=seconds, at=path, p=port:
                           run.in_background(f"{at}?n={n}&seconds={s}", timeout=15, port=p)))
        what = chance.choice(accidents) if accidents and chance.random() < 0.25 else chance.choice(askings)
        pause, wait = chance.choice((0, 0.3, 1)), chance.choice((0.2, 0.7, 1.5, 3, self.settle + 2))
        return [*before, (f"{pause} s later", lambda run, s=pause: run.sleep(s)), what, (f"then {wait} s", lambda run, s=wait: run.sleep(s))]

    def words(self):
        return [", ".join(words for words, _ in step) for step in self.steps] + [f"{self.last_wait} s to the end"]

    def drive(self, run):
        deadline = time.monotonic() + LONGEST
        for step in self.steps:
            if self.traffic:
                for _ in range(3):
                    for port in self.ports:
                        run.in_background("/list?sleep=0.1", timeout=6, port=port)
                    run.sleep(0.15)
            for _, act in step:
                if time.monotonic() > deadline or not run.kernel().alive():
                    break
                act(run)
        if self.traffic and run.kernel().alive():
            for port in self.ports:
                run.in_background("/list", timeout=3, port=port)
        until = min(deadline, time.monotonic() + self.last_wait)
        while time.monotonic() < until and run.kernel().alive():
            run.sleep(0.1)
        run.sleep(0.3)  # for the last lines


def signalling(kind, name, which=0):
    """A signal to the master of a server, while it lives."""
    def act(run):
        master = run.chief(which)
        if master in run.kernel().alive():
            run.acted(kind, master)
            try:
                os.kill(master, getattr(signal, name))
            except ProcessLookupError:
                run.actions.pop()
    return f"{name} ({kind})", act


def in_turn(words, *acts):
    """Several actions, one so many seconds after the other: the later ones while the server still deals with the first."""
    def act(run):
        for pause, (_, each) in acts:
            run.sleep(pause)
            each(run)
    return words, act


def twice(kinds, first, second, pause):
    """Two signals to the master."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds, kinds)
    return in_turn(f"{first} and {pause} s later {second} ({', '.join(kinds)})",
                   (0, signalling(kinds[0], first)), (pause, signalling(kinds[1], second)))


def stopping_within(name, seconds, all_of_it):
    """What `docker stop` and its like do: a signal, and SIGKILL for whoever is left. No line of any log tells of it."""
    def act(run):
        signalling("stop", name)[1](run)
        master, until = run.chief(), time.monotonic() + seconds
        while master in run.kernel().alive() and time.monotonic() < until:
            run.sleep(0.1)
        if master not in run.kernel().alive():
            return
        for pid in run.kernel().alive() if all_of_it else [master]:
            strike(run, pid, "SIGKILL")
    return f"{name}, {seconds} s later SIGKILL to {'all' if all_of_it else 'the master'}", act


def signalling_group(kind, name):
    """A signal to every process of the server, as the terminal's Ctrl-C and some supervisors send it."""
    def act(run):
        alive, master = run.kernel().alive(), run.chief()
        if master not in alive:
            return
        run.acted(kind)
        for pid in alive:
            run.accident(pid, name)
        os.killpg(os.getpgid(master), getattr(signal, name))
    return f"{name} to the group ({kind})", act


def strike(run, pid, name):
    run.accident(pid, name)
    try:
        os.kill(pid, getattr(signal, name))
    except ProcessLookupError:  # it has just left by itself
        run.accidents.pop()


def killing(name, role):
    """A signal from outside to one process that is not the server's first."""
    def act(run):
        alive = set(run.kernel().alive())
        chosen = [note["pid"] for note in run.notes()
                  if note["event"] == "process" and note["role"] == role and note["pid"] in alive - {run.chief()}]
        if chosen:
            strike(run, chosen[-1], name)
    return f"{name} to a {role}", act


def killing_master():
    def act(run):
        master = run.chief()
        if master in run.kernel().alive():
            strike(run, master, "SIGKILL")
    return "SIGKILL to the master", act


def touching(kind, name, of=None):
    """`of` finds the master that looks at the file; None: whoever it concerns."""
    def act(run):
        path = run.work / name
        if not path.exists():  # deleted before
            return
        if kind is None:
            os.utime(path, (path.stat().st_mtime + 2,) * 2)
        else:
            master = of and of(run)
            run.touch(kind, name)
            run.actions[-1]["master"] = master
    return f"touch {name}", act


def requesting(path, port="port"):
    def act(run):
        run.accident(None, path)
        run.in_background(path, timeout=6, port=port)
    return f"GET {path}", act


class RandomRun(runs.Run):
    """Keeps what was done from outside, for the invariants."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.wants_line_times = not self.scenario.kind.journal
        self.accidents = []

    def logs(self):
        """With the parts that the server itself has rotated away."""
        if self.scenario.kind.journal:
            self.read_journal()
        return [self.log_path, *sorted(self.directory.glob(f"{self.log_path.name}.*")), *sorted(self.work.glob("*.log*")), *sorted(self.work.glob("vassals/*.log*"))]

    def chief(self, which=0):
        """The master of the server that was started as number so-and-so; of one that is inside another, or in the background, the newest."""
        first = self.servers[which].pid
        kernel = self.kernel()
        if not self.scenario.kind.supervises and (len(self.servers) > 1 or first in kernel.alive()):
            return first
        workers = [pid for pid in self.workers() if pid in kernel.alive()]
        return kernel.processes[workers[-1]].parent if workers else first

    def master_of(self, app):
        """The one among several whose workers run this application; None while there is none."""
        kernel = self.kernel()
        workers = [n["pid"] for n in self.notes() if n["event"] == "process" and n.get("app") == app and n["pid"] in kernel.alive()]
        return kernel.processes[workers[-1]].parent if workers else None

    def wait_up(self, workers):
        """Until so many workers have shown up, or the server has ended: some configurations never start."""
        until = time.monotonic() + 6
        while time.monotonic() < until and len(self.workers()) < workers and self.kernel().alive():
            self.sleep(0.1)
        self.sleep(0.3)

    def accident(self, pid, what):
        self.accidents.append({"pid": pid, "what": what, "at": time.time()})
