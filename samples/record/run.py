"""One recording: starts real servers, drives them, and collects log and truth."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kernel import Kernel
from servers import PYTHON
from truth import Truth

HERE = Path(__file__).resolve().parent
STOPPING = threading.Event()  # set on Ctrl-C: every wait of every run ends at once


class GaveUp(Exception):
    """A wait reached its deadline, or the recorder is being stopped."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sleep(seconds):
    if STOPPING.wait(seconds):
        raise GaveUp("stopped")


def wait_until(condition, within, what):
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise GaveUp(f"waited {within} s in vain for: {what}")
        sleep(0.05)


class Server:
    """One server, observed. Its first process keeps its pid over reloads."""

    def __init__(self, run, conf):
        self.observer = run.observe(run.directory / f"{conf}.trace")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "TZ": "UTC",
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LOGDOCTOR_WITNESS": str(run.side_file),
        }
        self.started = subprocess.Popen(
            self.observer.wrap(run.scenario.kind.command(run, conf)), cwd=run.work, env=environment,
            stdin=subprocess.DEVNULL, stdout=run.log_file, stderr=run.log_file, start_new_session=True,
        )
        self.group = run.directory.name if run.scenario.kind.journal else None

    def kernel(self, until=float("inf")):
        return self.observer.kernel(self.started.pid, until)

    @property
    def pid(self):
        return next(iter(self.kernel().processes))

    def kill(self):
        """End everything this server ever started, parents first so that nothing is respawned."""
        for _ in range(20):
            alive = self.kernel().alive() or ([self.started.pid] if self.started.poll() is None else [])
            for pid in alive:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                self.started.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            if not self.kernel().alive():
                break
        else:
            self.started.kill()
        if self.group:
            remove_control_groups(self.group)


class Unit:
    """shop.service and the units beside it, run by the init of this machine."""

    def __init__(self, run, _conf):
        self.observer = run.observe(None)
        self.units = [path for path in run.work.iterdir() if path.suffix in (".service", ".target", ".socket")]
        for unit in self.units:
            shutil.copy(unit, "/run/systemd/system")
        systemctl("daemon-reload")
        run.mark_journal()
        self.since = time.time()
        systemctl("start", "--no-block", "shop.service")

    def kernel(self, until=float("inf")):
        return self.observer.kernel(1, until, self.since)

    def kill(self):
        names = [unit.name for unit in self.units]
        systemctl("kill", "--signal=KILL", *names)
        systemctl("stop", *names)
        systemctl("reset-failed")
        for name in names:
            Path("/run/systemd/system", name).unlink()
        systemctl("daemon-reload")


def dmesg(*options):
    return subprocess.run(["dmesg", *options], capture_output=True, text=True, check=True).stdout.splitlines(keepends=True)


def systemctl(*words):
    subprocess.run(["systemctl", *words], timeout=90, check=False, capture_output=True)


def remove_control_groups(name):
    """What is left of a systemd; its last processes may still be on their way out."""
    for folder in (Path(f"/sys/fs/cgroup/{hierarchy}/{name}") for hierarchy in ("systemd", "unified")):
        for _ in range(20):
            for inner, _, _ in os.walk(folder, topdown=False):
                try:
                    os.rmdir(inner)
                except OSError:
                    time.sleep(0.1)
            if not folder.exists():
                break


# uWSGI looks for overdue workers before it looks for dead ones, so it also names one that has just left by itself.
NO_MERCY = re.compile(rb"\(pid: (\d+)\) is taking too much time to die\.\.\.NO MERCY")


class LineTimes(threading.Thread):
    """Notes when each line of a log was written, to a few milliseconds: what the log itself does not tell."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.times, self.ended = path, [], threading.Event()
        self.start()

    def run(self):
        with open(self.path, "rb") as log:
            while True:
                is_last = self.ended.wait(0.002)
                self.times += [round(time.time() * 1000)] * log.read().count(b"\n")
                if is_last:
                    return

    def until_now(self):
        self.ended.set()
        self.join()
        return self.times


class Run:
    def __init__(self, scenario, observe, line_times=False):
        self.scenario, self.observe = scenario, observe
        self.wants_line_times = line_times
        self.servers, self.actions = [], []
        self.kills = []  # what systemd was only asked to send is not its own doing
        self.pool = ThreadPoolExecutor(16)

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="logdoctor-record-"))
        self.work = self.directory / "app"
        self.work.mkdir()
        self.side_file = self.directory / "witness.jsonl"
        self.side_file.touch()
        self.log_path = self.directory / self.scenario.kind.log
        self.log_file = open(self.directory / "console" if self.scenario.kind.journal else self.log_path, "ab")
        self.ports = {name: free_port() for name in ("port", "port2", "port3", "port4")}
        for name, text in self.scenario.files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            for placeholder, value in {**self.ports, "work": self.work, "log": self.log_path, "recorder": HERE, "witness": self.side_file}.items():
                text = text.replace("{%s}" % placeholder, str(value))
            path.write_text(text)
        self.start_time = time.time()
        self.line_times = LineTimes(self.log_path) if self.wants_line_times else None
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.log_file.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # -- what is going on

    def notes(self):
        notes = []
        for line in self.side_file.read_text().splitlines():
            try:
                notes.append(json.loads(line))
            except ValueError:  # the last line, being written
                break
        return notes

    def log(self):
        return "".join(path.read_text(errors="replace") for path in self.logs())

    def kernel(self, until=float("inf")):
        together = Kernel()
        for server in self.servers:
            together.merge(server.kernel(until))
        return together

    def pid_of(self, worker):
        """The newest process with this worker number."""
        return [n["pid"] for n in self.notes() if n["event"] == "process" and n["worker"] == worker][-1]

    def workers(self):
        """The pids of all workers that have shown up, in the order of their coming."""
        return [n["pid"] for n in self.notes() if n["event"] == "process" and n["role"] == "worker"]

    @property
    def master(self):
        return self.servers[0].pid

    # -- waiting; every wait has a deadline

    sleep = staticmethod(sleep)

    def wait_log(self, text, times=1, within=30):
        wait_until(lambda: self.log().count(text) >= times, within, f"{times} x {text!r} in the log")

    def wait_workers(self, total, within=20):
        """Wait until so many worker processes, counted from the start, have shown up."""
        wait_until(lambda: len(self.workers()) >= total, within, f"{total} workers")
        sleep(0.3)

    def wait_ended(self, pid, within=30):
        wait_until(lambda: pid not in self.kernel().alive(), within, f"the end of {pid}")

    # -- driving

    def start(self, workers, conf=None):
        before = len(self.workers())
        begin = Unit if self.scenario.kind.machine else Server
        self.servers.append(begin(self, conf or self.scenario.kind.configuration))
        if workers:
            self.wait_workers(before + workers)
        return self.servers[-1]

    def get(self, uri="/", port="port", timeout=20, host=None):
        """One request. True when it was answered, False when it was cut or refused."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=timeout)
        try:
            connection.request("GET", uri, headers={"Host": host} if host else {})
            answer = connection.getresponse()
            answer.read()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def in_background(self, uri, **options):
        return self.pool.submit(self.get, uri, **options)

    def round(self, count, uri="/?sleep=0.2", **options):
        """So many requests at the same time: with one thread a worker, each goes to another worker."""
        return [f.result() for f in [self.in_background(uri, **options) for _ in range(count)]]

    def tasks(self, *seconds):
        """Gives out tasks of so many seconds, by the application itself."""
        subprocess.run([PYTHON, "app.py", *seconds], cwd=self.work, timeout=30, check=True, stdout=subprocess.DEVNULL)

    def wait_task(self, within=20):
        wait_until(lambda: any(n["event"] == "task started" for n in self.notes()), within, "a task that begins")

    def steadily(self, seconds, uri="/", pause=0.25, port="port"):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.get(uri, port=port)
            sleep(pause)

    # -- asking for a reload or a stop; each is noted for the truth

    def acted(self, kind, master=None):
        """`master` is the one that was asked, where only its workers can be meant."""
        self.actions.append({"kind": kind, "at": time.time(), "master": master})

    def signal(self, kind, name, server=None):
        self.acted(kind)
        os.kill(server.pid if server else self.master, getattr(signal, name))

    def create(self, name, text=""):
        (self.work / name).write_text(text)

    def touch(self, kind, name):
        """Touch a file the server watches; it looks once a second, at whole seconds."""
        self.acted(kind)
        path = self.work / name
        stamp = int(max(time.time(), path.stat().st_mtime + 1))
        os.utime(path, (stamp, stamp))

    def fifo(self, kind, command, name="master.fifo"):
        self.acted(kind)
        pipe = os.open(self.work / name, os.O_WRONLY | os.O_NONBLOCK)
        os.write(pipe, command.encode())
        os.close(pipe)

    def control(self, kind, *words):
        """Ask supervisord through supervisorctl, and wait for its answer."""
        self.acted(kind)
        subprocess.run(["supervisorctl", "--configuration", "supervisord.conf", *words], cwd=self.work, timeout=60,
                       check=False, stdout=subprocess.DEVNULL)

    def control_said(self, *words):
        """The answer of supervisorctl counts as a log."""
        said = subprocess.run(["supervisorctl", "--configuration", "supervisord.conf", *words], cwd=self.work, timeout=60,
                              check=False, capture_output=True, text=True)
        (self.work / "supervisorctl.log").write_text(said.stdout + said.stderr)

    def systemctl(self, kind, *words):
        """Ask the systemd that runs the unit, and wait for its answer. `kind` None: it is neither a reload nor a stop of the server."""
        if kind is not None:
            self.acted(kind)
        elif words[0] == "kill":
            self.kills.append(time.time())
        if self.scenario.kind.machine:
            return systemctl(*words)
        inside = next(process.pid for process in self.kernel().processes.values() if process.inner == 1)
        subprocess.run(["nsenter", "--target", str(inside), "--mount", "--pid", "systemctl", *words], timeout=60, check=False)

    # -- the result

    def mark_journal(self):
        """What the machine has logged until now belongs to nobody here."""
        subprocess.run(["journalctl", "--sync"], check=True)
        said = subprocess.run(["journalctl", "--lines=0", "--show-cursor"], capture_output=True, text=True, check=True)
        self.cursor = said.stdout.split("-- cursor: ")[1].strip()
        self.ring = len(dmesg())

    def read_journal(self):
        machine = self.scenario.kind.machine
        if machine:
            subprocess.run(["journalctl", "--sync"], check=True)
        where = ["--after-cursor", self.cursor] if machine else ["--directory", self.directory / "journal"]
        said = subprocess.run(
            ["journalctl", *where, *self.scenario.journal, "--utc", "--no-pager", "--output", self.scenario.output],
            capture_output=True, check=False)
        self.log_path.write_bytes(said.stdout)

    def keep_dmesg(self, *options):
        """What the kernel has said since the start, as a log of its own."""
        (self.work / "kernel.log").write_text("".join(dmesg(*options)[self.ring:]))

    def logs(self):
        """The server's own log, and those of the servers that it runs."""
        if self.scenario.kind.journal:
            self.read_journal()
        return [self.log_path, *sorted(self.work.glob("*.log"))]

    def finish(self, version):
        """The logs as they stand and the truth up to this moment."""
        end, logs = time.time(), {path.name: path.read_bytes() for path in self.logs()}
        notes = [n for n in self.notes() if n["t"] <= end]
        kernel = self.kernel(until=end)
        kernel.signals = [signal for signal in kernel.signals if not any(at <= signal.t <= at + 1 for at in self.kills)]
        if any(process.inner is not None for process in kernel.processes.values()):
            kernel = kernel.inside()
        truth = Truth(self.scenario, kernel, notes, self.actions, self.start_time, end, version)
        facts = truth.as_dict()
        if self.scenario.kind.counts_mercy:
            named = {int(pid) for log in logs.values() for pid in NO_MERCY.findall(log)}
            facts["namedAfterTheirEnd"] = sorted(named - set(facts["forcedPids"]))
        if self.line_times:
            facts["lineTimes"] = self.line_times.until_now()[:logs[self.log_path.name].count(b"\n")]
        return logs, facts

    def save(self, folder, logs, facts):
        for name in self.scenario.files:
            target, source = folder / name, self.work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.exists():
                shutil.copyfile(source, target)
        for name, log in logs.items():
            (folder / name).write_bytes(log)
        times = facts.pop("lineTimes", None)
        if times is not None:
            (folder / "line-times.json").write_text(json.dumps(times) + "\n")
        (folder / "truth.json").write_text(json.dumps(facts, indent=2) + "\n")
