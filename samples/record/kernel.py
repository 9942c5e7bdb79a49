"""Reads a trace written by strace: which process began and ended when and how, who signalled whom."""

import re
from dataclasses import dataclass, field

STRACE = [
    "strace", "-f", "-q", "-ttt", "--seccomp-bpf",
    "-e", "trace=kill,tgkill,fork,vfork,clone,clone3,execve",
    "-e", "signal=all",
]

LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
BIRTH = re.compile(r"^(?:fork|vfork|clone|clone3)\((.*)\) += (\d+)$")
KILL = re.compile(r"^(?:kill\((\d+)|tgkill\((\d+), \d+), (SIG\w+)\) += 0")
EXITED = re.compile(r"^\+\+\+ exited with (\d+) \+\+\+")
KILLED = re.compile(r"^\+\+\+ killed by (SIG\w+)")
EXEC = re.compile(r"^execve\(.*\) += 0$")
RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
UNFINISHED = " <unfinished ...>"


@dataclass
class Process:
    pid: int
    parent: int | None
    started: float
    ended: float | None = None
    exit_code: int | None = None
    signal: str | None = None
    execs: int = 0


@dataclass
class Signal:
    t: float
    sender: int
    target: int
    name: str


@dataclass
class Kernel:
    processes: dict = field(default_factory=dict)
    signals: list = field(default_factory=list)

    def alive(self):
        return [process.pid for process in self.processes.values() if process.ended is None]

    def merge(self, other):
        self.processes.update(other.processes)
        self.signals = sorted(self.signals + other.signals, key=lambda signal: signal.t)


def whole_calls(text):
    """Yields (task, time, text), with calls that strace split in two put together again."""
    begun = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        task, t, what = int(match[1]), float(match[2]), match[3]
        resumed = RESUMED.match(what)
        if what.endswith(UNFINISHED):
            begun[task] = (t, what[: -len(UNFINISHED)])
            continue
        if resumed and task in begun:
            t, first_half = begun.pop(task)
            what = first_half + resumed[1]
        yield task, t, what


def read_trace(text, until=float("inf")):
    """What the kernel reported up to a moment. Threads are folded into the process they belong to."""
    calls = sorted((call for call in whole_calls(text) if call[1] <= until), key=lambda call: call[1])
    kernel, process_of = Kernel(), {}

    # Births first: a child's own lines may stand before the line that says it was born.
    for task, t, what in calls:
        birth = BIRTH.match(what)
        if not kernel.processes:
            kernel.processes[task] = Process(task, None, t)
            process_of[task] = task
        if birth:
            child, parent = int(birth[2]), process_of.get(task, task)
            if "CLONE_THREAD" in birth[1]:
                process_of[child] = parent
            else:
                process_of[child] = child
                kernel.processes[child] = Process(child, parent, t)

    for task, t, what in calls:
        process = kernel.processes.get(task)
        kill = KILL.match(what)
        if kill:
            sender, target = process_of.get(task, task), int(kill[1] or kill[2])
            if sender != target:
                kernel.signals.append(Signal(t, sender, target, kill[3]))
        elif process is None:
            continue
        elif exited := EXITED.match(what):
            process.ended, process.exit_code = t, int(exited[1])
        elif killed := KILLED.match(what):
            process.ended, process.signal = t, killed[1]
        elif EXEC.match(what):
            process.execs += 1
    return kernel
