"""What is done to a server that was drawn: traffic, requests to reload or stop, and accidents, in any order."""

import os
import signal
import time

import run as runs

LONGEST = 14  # seconds from the first request to the end of the recording


class Script:
    """Draws its steps before anything runs, so that a seed always asks for the same."""

    def __init__(self, chance, askings, accidents, settle):
        """`askings` and `accidents` are lists of (words, function of a run); `settle` is how long a deadline of the server takes."""
        self.settle = settle
        self.traffic = chance.random() < 0.6
        self.steps = [self.draw_step(chance, askings, accidents) for _ in range(chance.choice((1, 2, 2, 3, 3, 4)))]
        self.last_wait = settle + 2.5 if chance.random() < 0.85 else chance.choice((0.2, 1, 2))

    def draw_step(self, chance, askings, accidents):
        before = []
        if chance.random() < 0.5:
            sleep = chance.choice((0.6, 1.5, 3, 5, 9))
            before = [(f"request of {sleep} s", lambda run, s=sleep: run.in_background(f"/export?sleep={s}", timeout=15))
                      for _ in range(chance.choice((1, 1, 2, 5)))]
        if chance.random() < 0.2:
            number, seconds = str(chance.randrange(1000)), chance.choice((0.5, 2, 6))
            before.append((f"task {number} of {seconds} s",
                           lambda run, n=number, s=seconds: run.in_background(f"/task?n={n}&seconds={s}", timeout=15)))
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
                    run.in_background("/list?sleep=0.1", timeout=6)
                    run.sleep(0.15)
            for _, act in step:
                if time.monotonic() > deadline or not run.kernel().alive():
                    break
                act(run)
        if self.traffic and run.kernel().alive():
            run.in_background("/list", timeout=3)
        until = min(deadline, time.monotonic() + self.last_wait)
        while time.monotonic() < until and run.kernel().alive():
            run.sleep(0.1)
        run.sleep(0.3)  # for the last lines


def signalling(kind, name):
    """A signal to the first process of the server, while it lives."""
    def act(run):
        if run.master in run.kernel().alive():
            try:
                run.signal(kind, name)
            except ProcessLookupError:
                run.actions.pop()
    return f"{name} ({kind})", act


def twice(kind, first, second, pause):
    """Two signals to the first process: the second while the server still deals with the other."""
    acts = [signalling(kind, name)[1] for name in (first, second)]

    def act(run):
        acts[0](run)
        run.sleep(pause)
        acts[1](run)
    return f"{first} and {pause} s later {second} ({kind})", act


def signalling_group(kind, name):
    """A signal to every process of the server, as the terminal's Ctrl-C and some supervisors send it."""
    def act(run):
        alive = run.kernel().alive()
        if run.master not in alive:
            return
        run.acted(kind)
        for pid in alive:
            run.accident(pid, name)
        os.killpg(os.getpgid(run.master), getattr(signal, name))
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
                  if note["event"] == "process" and note["role"] == role and note["pid"] in alive - {run.master}]
        if chosen:
            strike(run, chosen[-1], name)
    return f"{name} to a {role}", act


def killing_master():
    def act(run):
        if run.master in run.kernel().alive():
            strike(run, run.master, "SIGKILL")
    return "SIGKILL to the master", act


def touching(kind, name):
    def act(run):
        if kind is None:
            path = run.work / name
            os.utime(path, (path.stat().st_mtime + 2,) * 2)
        else:
            run.touch(kind, name)
    return f"touch {name}", act


def requesting(path):
    def act(run):
        run.accident(None, path)
        run.in_background(path, timeout=6)
    return f"GET {path}", act


class RandomRun(runs.Run):
    """Keeps what was done from outside, for the invariants."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.accidents = []

    def logs(self):
        """With the parts that the server itself has rotated away."""
        return [self.log_path, *sorted(self.work.glob("*.log*"))]

    def wait_up(self, workers):
        """Until so many workers have shown up, or the server has ended: some configurations never start."""
        until = time.monotonic() + 6
        while time.monotonic() < until and len(self.workers()) < workers and self.kernel().alive():
            self.sleep(0.1)
        self.sleep(0.3)

    def accident(self, pid, what):
        self.accidents.append({"pid": pid, "what": what, "at": time.time()})
