"""What the kernel knows of a server: which process began and ended when and how, who signalled whom."""

from dataclasses import dataclass, field, replace


@dataclass
class Process:
    pid: int
    parent: int | None
    started: float
    ended: float | None = None
    exit_code: int | None = None
    signal: str | None = None
    inner: int | None = None  # its pid in a namespace of its own


KERNEL = 0  # the sender of a signal that no process sent


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

    def inside(self):
        """The same with the pids that processes of a namespace know of each other; without those outside of it."""
        inner = {process.pid: process.inner for process in self.processes.values() if process.inner is not None}
        return Kernel(
            {own: replace(self.processes[pid], pid=own, parent=inner.get(self.processes[pid].parent))
             for pid, own in inner.items()},
            [replace(signal, sender=inner[signal.sender], target=inner[signal.target])
             for signal in self.signals if signal.sender in inner and signal.target in inner])
