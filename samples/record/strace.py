"""Learns from strace what the kernel did. Only where watch.py cannot run: it changes the server a little.

A traced process has its sleep cut short by every signal, also by those it ignores. So a master under
strace sees at once that a worker ended, where it would else look up to a second later.
"""

import re
import shutil

from kernel import Kernel, Process, Signal

COMMAND = [
    "strace", "-f", "-q", "-ttt", "--seccomp-bpf",
    "-e", "trace=kill,tgkill,fork,vfork,clone,clone3",
    "-e", "signal=all",
]

LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
BIRTH = re.compile(r"^(?:fork|vfork|clone|clone3)\((.*)\) += (\d+)$")
KILL = re.compile(r"^(?:kill\((\d+)|tgkill\((\d+), \d+), (SIG\w+)\) += 0")
EXITED = re.compile(r"^\+\+\+ exited with (\d+) \+\+\+")
KILLED = re.compile(r"^\+\+\+ killed by (SIG\w+)")
RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
UNFINISHED = " <unfinished ...>"


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
    return kernel


class Strace:
    """One server under strace."""

    def __init__(self, trace_file):
        self.trace_file = trace_file
        self.trace_file.touch()

    @staticmethod
    def missing():
        return [] if shutil.which("strace") else ["strace"]

    def wrap(self, command):
        return [*COMMAND, "-o", str(self.trace_file), *command]

    def kernel(self, started, until):
        """The first process of the trace is the server; the one that was started is strace itself."""
        return read_trace(self.trace_file.read_text(errors="replace"), until)
