"""Puts what the kernel, the application and the driver saw together into truth.json."""

from datetime import datetime, timezone

from kernel import KERNEL

ASKING = {"SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT", "SIGWINCH", "SIGUSR1"}
CRASHING = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"}
ENDING = {"SIGABRT", "SIGKILL"}
RELOADING = ASKING - {"SIGWINCH", "SIGUSR1"}


def iso(t):
    if t is None:
        return None
    return datetime.fromtimestamp(t, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Truth:
    def __init__(self, scenario, kernel, notes, actions, start, end, version):
        self.scenario, self.kernel, self.notes, self.actions = scenario, kernel, notes, actions
        self.start, self.end, self.version = start, end, version
        self.named = {n["pid"]: n for n in notes if n["event"] == "process"}
        self.leaving = {n["pid"]: n["t"] for n in notes if n["event"] == "leaving"}
        self.workers = sorted(
            (p for p in kernel.processes.values() if self.role(p) == "worker"),
            key=lambda p: (p.started, p.pid),
        )

    # -- one process

    def role(self, process):
        if self.scenario.kind.supervises and process.parent is None:
            return "supervisor"
        children = [p for p in self.kernel.processes.values() if p.parent == process.pid]
        named = any(child.pid in self.named for child in children)
        if process.pid in self.named and not (named and self.number(process) is None):
            return self.named[process.pid]["role"]
        if named:
            return "master"
        if any(self.role(child) == "master" for child in children):
            return "emperor"
        parent = self.kernel.processes.get(process.parent)
        if self.scenario.kind.supervises and parent and parent.parent is None:
            return "program"
        return "gateway" if process.parent is not None else "server"

    def number(self, process):
        return self.named.get(process.pid, {}).get("worker")

    def asked(self, process):
        """The first signal by which another process of the server asked this one to end."""
        for signal in self.kernel.signals:
            if signal.target == process.pid and signal.name in ASKING:
                return signal
        return None

    def kill_by_master(self, process):
        """The SIGKILL that ended it, if another process of the server sent it; one that came too late is none."""
        if process.signal != "SIGKILL" or self.killed_by(process) != "master":
            return None
        return next(
            (s for s in self.kernel.signals if s.target == process.pid and s.name == "SIGKILL"), None)

    def killed_by(self, process):
        if process.signal is None:
            return None
        senders = [s.sender for s in self.kernel.signals if s.target == process.pid and s.name == process.signal]
        if senders:
            # Nobody survives SIGKILL: of several, the first did it.
            decisive = senders[0] if process.signal == "SIGKILL" else senders[-1]
            if decisive == KERNEL:
                return "kernel"
            sender = self.kernel.processes[decisive]
            return self.scenario.kind.name if self.role(sender) == "supervisor" else "master"
        return None if process.signal in CRASHING else "outside"

    def counts_mercy(self, process):
        """Where several kinds of server run together, only workers of uWSGI have a number."""
        is_other = self.named.get(process.pid, {}).get("role") == "worker" and self.number(process) is None
        return self.scenario.kind.counts_mercy and not is_other

    def forced(self, process):
        """Killed by the master because its patience was over. uWSGI's is counted from when it asked the worker or that
        began to leave; other servers send SIGABRT or SIGKILL for nothing else."""
        if not self.counts_mercy(process):
            if process.exit_code is not None and process.exit_code == self.scenario.kind.aborts_with:
                return True
            return process.ended is not None and any(
                s.target == process.pid and s.name in ENDING and s.t <= process.ended for s in self.kernel.signals)
        kill, signal = self.kill_by_master(process), self.asked(process)
        began = signal.t if signal else self.leaving.get(process.pid)
        return kill is not None and began is not None and kill.t - began >= self.scenario.mercy - 0.5

    def harakiri(self, process):
        """Killed by the master although mercy was not over, or had never begun."""
        return self.counts_mercy(process) and self.kill_by_master(process) is not None and not self.forced(process)

    def successor(self, process):
        if self.number(process) is None:
            return None
        later = [
            p for p in self.workers
            if p.parent == process.parent and self.number(p) == self.number(process)
            and p.started > process.started
        ]
        return later[0].pid if later else None

    # -- groups

    def action_for(self, worker):
        """The reload or stop that made the master ask this worker to end, if there was one."""
        signal = self.asked(worker)
        if signal is None or signal.name not in RELOADING:
            return None
        before = [a for a in self.actions if a["at"] <= signal.t and a["master"] in (None, worker.parent)]
        return before[-1] if before else None

    def reloads(self):
        return [
            {
                "kind": action["kind"],
                "askedAt": iso(action["at"]),
                "workers": [self.reloaded(w) for w in self.workers if self.action_for(w) is action],
            }
            for action in self.actions
        ]

    def reloaded(self, worker):
        signal = self.asked(worker)
        return {
            "worker": self.number(worker),
            "oldPid": worker.pid,
            "newPid": self.successor(worker),
            "askedAt": iso(signal.t),
            "endedAt": iso(worker.ended),
            "signal": worker.signal,
            "exitCode": worker.exit_code,
            "forced": self.forced(worker),
        }

    def recycles(self):
        found = []
        for worker in self.workers:
            signal = self.asked(worker)
            asked = signal.t if signal else self.leaving.get(worker.pid)
            if self.action_for(worker) or (worker.ended is None and asked is None):
                continue
            found.append({
                "worker": self.number(worker),
                "pid": worker.pid,
                "newPid": self.successor(worker),
                "askedAt": iso(asked),
                "endedAt": iso(worker.ended),
                "signal": worker.signal,
                "exitCode": worker.exit_code,
                "forced": self.forced(worker),
                "cause": self.cause(worker, asked),
            })
        return sorted(found, key=lambda recycle: recycle["askedAt"] or recycle["endedAt"])

    def cause(self, worker, asked):
        if self.killed_by(worker) in ("outside", "kernel"):
            return {"outside": "external-kill", "kernel": "out-of-memory"}[self.killed_by(worker)]
        if self.harakiri(worker) and self.scenario.recycling != "rss":
            return "harakiri"
        if asked is None and self.forced(worker):
            return "timeout"
        parent = self.kernel.processes.get(worker.parent)
        if parent and parent.ended and (worker.ended is None or parent.ended < worker.ended):
            return "master-gone"
        if asked is None and worker.exit_code:
            return "crash"
        return self.scenario.recycling

    def tasks(self):
        started, ended = {}, set()
        for note in self.notes:
            if note["event"] == "task started":
                started[(note["task"], note["pid"])] = note["t"]
            elif note["event"] == "task ended":
                ended.add((note["task"], note["pid"]))
        orphaned, retried, running = [], [], []
        for (task, pid), t in started.items():
            process = self.kernel.processes.get(pid)
            if (task, pid) in ended:
                continue
            if any(task == other and later > t for (other, _), later in started.items()):
                retried.append({"id": task, "pid": pid, "startedAt": iso(t)})
            elif process and process.ended:
                orphaned.append({"id": task, "pid": pid, "startedAt": iso(t), "processEndedAt": iso(process.ended)})
            else:
                running.append({"id": task, "pid": pid, "startedAt": iso(t)})
        return {"started": len(started), "finished": len(ended), "orphaned": orphaned, "retried": retried,
                "runningAtEnd": running}

    def requests_cut(self):
        open_requests = {}
        for note in self.notes:
            if note["event"] == "request":
                open_requests[(note["pid"], note["thread"])] = note
            elif note["event"] == "answered":
                open_requests.pop((note["pid"], note["thread"]), None)
        return [
            {"pid": n["pid"], "uri": n["uri"], "startedAt": iso(n["t"])}
            for n in open_requests.values()
            if n["pid"] in self.kernel.processes and self.kernel.processes[n["pid"]].ended
        ]

    def processes(self):
        return [
            {
                "pid": p.pid,
                "parent": p.parent,
                "role": self.role(p),
                "worker": self.number(p),
                "startedAt": iso(p.started),
                "endedAt": iso(p.ended),
                "signal": p.signal,
                "exitCode": p.exit_code,
                "killedBy": self.killed_by(p),
            }
            for p in sorted(self.kernel.processes.values(), key=lambda p: (p.started, p.pid))
        ]

    def as_dict(self):
        return {
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "server": self.version,
            "zone": "UTC",
            "recorded": {"start": iso(self.start), "end": iso(self.end)},
            "reloads": self.reloads(),
            "recycles": self.recycles(),
            "forcedPids": sorted(p.pid for p in self.kernel.processes.values()
                                 if self.role(p) in ("worker", "mule") and self.forced(p)),
            "harakiriPids": sorted(w.pid for w in self.workers if self.harakiri(w)),
            "processes": self.processes(),
            "tasks": self.tasks(),
            "requestsCut": self.requests_cut(),
            "expected": self.scenario.expected,
            "mustNotFire": self.scenario.must_not_fire,
            "notes": self.scenario.notes,
            **({"orphansUntold": True} if self.scenario.untold else {}),
        }
