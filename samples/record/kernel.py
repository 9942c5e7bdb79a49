"""What the kernel knows of a server: which process began and ended when and how, who signalled whom."""

from dataclasses import dataclass, field


@dataclass
class Process:
    pid: int
    parent: int | None
    started: float
    ended: float | None = None
    exit_code: int | None = None
    signal: str | None = None


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
