"""What a scenario is, and the list of all of them."""

import re
from dataclasses import dataclass, field
from typing import Callable

from servers import UWSGI, Kind

# Rules that a recording can demand or forbid.
RULES = [
    "app-threads-block-shutdown", "request-blocks-shutdown", "forced-kill-undecided", "recycle-blocked",
    "mercy-too-long", "mercy-too-short", "chain-reload-slow", "reload-unfinished", "respawn-orphans-tasks",
    "worker-never-came-back", "synchronized-recycling", "old-code-kept", "worker-timeout", "threads-lost-on-fork",
    "boot-failure", "reload-lost-app", "crash-loop", "worker-crashed", "killed-from-outside", "master-died",
    "outer-timeout-too-short", "stop-became-reload", "survivors-hold-port", "mercy-ineffective", "control-socket-unreachable",
    "daemon-blocks-reload", "evil-reload-kills", "instance-paused", "recycled-too-often", "reloaded-twice",
    "slow-start-empties-service", "spooler-task-cut", "vassal-keeps-dying", "worker-never-served", "memory-kill",
    "watchdog-kill", "stop-left-processes", "unit-reload-failed", "restarted-from-above", "signal-hit-workers",
    "upgrade-stuck", "program-left-by-itself", "platform-errors", "listen-queue-full", "no-idle-worker", "clients-gone",
    "kill-without-effect", "mule-blocks-reload", "router-cuts-clients", "known-upstream-trouble", "workers-end-silently",
]
SCENARIOS = {}


@dataclass
class Scenario:
    kind: Kind
    name: str
    title: str
    drive: Callable
    files: dict
    expected: list
    may: list          # neither demanded nor forbidden: the log allows the claim but does not press it
    notes: list
    recycling: str     # why a worker of this scenario leaves when nobody asks it to
    shows: dict        # how many forced, orphaned, cut the truth must have; None: at least one
    output: str        # systemd: the form in which journalctl gives the log
    journal: tuple     # systemd: what journalctl is asked for
    untold: bool       # the log cannot tell which tasks were cut
    must_not_fire: list = field(init=False)

    @property
    def path(self):
        """Where the recording lies below samples/; also what the scenario is called by."""
        return f"{self.kind.name}/{self.name}"

    @property
    def mercy(self):
        said = re.findall(r"^worker-reload-mercy = (\d+)$", "\n".join(self.files.values()), re.MULTILINE)
        return min((int(seconds) for seconds in said), default=60)

    def __post_init__(self):
        assert set(self.expected) | set(self.may) <= set(RULES), self.name
        self.must_not_fire = [rule for rule in RULES if rule not in self.expected + self.may]


def scenario(name, title, *, kind=UWSGI, conf, app, expected=(), may=(), notes=(), recycling="max-requests", files=None,
             forced=0, orphaned=0, cut=0, output="short-precise", journal=("--unit", "shop.service"), untold=False):
    """Registers the function below it. {port} and {port2} in a file become free ports, {work} its folder."""

    def register(drive):
        everything = {kind.configuration: conf, "app.py": app, **(files or {})}
        made = Scenario(
            kind, name, title, drive, everything, list(expected), list(may), list(notes), recycling,
            {"forced": forced, "orphaned": orphaned, "cut": cut}, output, journal, untold)
        SCENARIOS[made.path] = made
        return drive

    return register
