"""Learns from the kernel itself, without touching the server, what its processes did. Needs root.

Births and deaths come from the process connector (netlink), signals and their senders from the
tracepoint signal_generate, in a tracing instance of our own that follows the servers' processes only.
"""

import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from kernel import KERNEL, Kernel, Process, Signal

NETLINK_CONNECTOR, CN_IDX_PROC = 11, 1
PROC_EVENT_FORK, PROC_EVENT_EXIT = 0x00000001, 0x80000000
EVENT_AT = 16 + 20  # after the netlink header and the connector header
SIGNAL = re.compile(r"-(\d+) +\[\d+\].* ([\d.]+): signal_generate: sig=(\d+) .* code=(-?\d+) .* pid=(\d+) grp=")
SI_KERNEL = 128  # the code of a signal that the kernel itself sends, as for want of memory
NAMES = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 6: "SIGABRT", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV",
         12: "SIGUSR2", 15: "SIGTERM", 28: "SIGWINCH"}


class Unavailable(Exception):
    """This kernel, or this user, cannot watch."""


def inner_pid(pid):
    """What a process in a pid namespace of its own takes for its pid; None where it is in none."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # gone already
        return None
    numbers = re.search(r"^NSpid:\s*(.*)$", status, re.MULTILINE)
    own = numbers[1].split() if numbers else []
    return int(own[-1]) if len(own) > 1 else None


class Connector:
    """A thread that keeps every birth and death among the descendants of a process."""

    def __init__(self, ancestor):
        self.events, self.ours, self.lost = [], {ancestor}, False
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((0, CN_IDX_PROC))
        listen = struct.pack("=IIIIHHI", CN_IDX_PROC, 1, 0, 0, 4, 0, 1)
        self.socket.send(struct.pack("=IHHII", 16 + len(listen), 3, 0, 0, 0) + listen)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                message = self.socket.recv(4096)
            except OSError:  # the buffer overflowed
                self.lost = True
                continue
            what, _cpu, nanoseconds = struct.unpack_from("=IIQ", message, EVENT_AT)
            a, b, c, d = struct.unpack_from("=iiii", message, EVENT_AT + 16)
            if what == PROC_EVENT_FORK and b in self.ours:  # a, b the parent's thread and process; c, d the child's
                self.ours.add(d)
                self.events.append(("birth", nanoseconds / 1e9, b, c, d, inner_pid(d) if c == d else None))
            elif what == PROC_EVENT_EXIT and b in self.ours:  # a, b thread and process, c the status as for wait()
                self.events.append(("death", nanoseconds / 1e9, a, b, c))


class Tracing:
    """A tracing instance of our own; it holds the signals that the servers' processes sent, or everybody."""

    def __init__(self, everybody):
        self.mounted = Path(tempfile.mkdtemp(prefix="logdoctor-tracefs-"))
        mount = subprocess.run(["mount", "-t", "tracefs", "nodev", self.mounted], capture_output=True, text=True)
        if mount.returncode:
            self.mounted.rmdir()
            raise Unavailable(f"cannot mount tracefs: {mount.stderr.strip()}")
        self.instance = self.mounted / "instances" / f"logdoctor-{os.getpid()}"
        self.instance.mkdir()
        (self.instance / "trace_clock").write_text("mono")
        (self.instance / "options" / "event-fork").write_text("1")
        self.followed = self.instance / "set_event_pid"
        if not everybody:
            self.followed.write_text(str(os.getpid()))
        (self.instance / "events" / "signal" / "signal_generate" / "enable").write_text("1")

    def close(self):
        self.instance.rmdir()
        subprocess.run(["umount", self.mounted], check=False, capture_output=True)
        self.mounted.rmdir()


class Watch:
    """One for all recordings of a run of the recorder. `everything`: also what systemd starts, as the machine's init."""

    def __init__(self, everything=False):
        if os.geteuid() != 0:
            raise Unavailable("watching the kernel needs root")
        try:
            self.connector = Connector(1 if everything else os.getpid())
        except OSError as error:
            raise Unavailable(f"no process connector: {error}") from None
        self.tracing = Tracing(everything)

    def close(self):
        self.tracing.close()

    def wrap(self, command):
        """The server enters itself among the followed processes, then becomes uWSGI."""
        return ["sh", "-c", f'echo $$ >> {self.tracing.followed} && exec "$@"', "sh", *command]

    def kernel(self, started, until, since=0.0):
        """What became of a process and of those that it started later than `since`."""
        if self.connector.lost:
            raise RuntimeError("the process connector lost events: run fewer jobs")
        to_wall_clock = time.time() - time.monotonic()
        kernel, process_of = Kernel(), {started: started}
        if since:  # it was there before we were
            kernel.processes[started] = Process(started, None, since)
        for what, at, *facts in list(self.connector.events):
            t = at + to_wall_clock
            if t > until:
                break
            if t < since:
                continue
            if what == "birth":
                parent, thread, child, inner = facts
                if child == started and thread == child:
                    kernel.processes[child] = Process(child, None, t, inner=inner)
                elif parent in kernel.processes:
                    process_of[thread] = child
                    if thread == child:
                        kernel.processes[child] = Process(child, parent, t, inner=inner)
            else:
                thread, pid, status = facts
                process = kernel.processes.get(pid)
                if process and thread == pid and process.ended is None:
                    process.ended = t
                    if os.WIFSIGNALED(status):
                        process.signal = NAMES.get(os.WTERMSIG(status), f"signal {os.WTERMSIG(status)}")
                    else:
                        process.exit_code = os.WEXITSTATUS(status)
        for match in SIGNAL.finditer((self.tracing.instance / "trace").read_text()):
            sender, t, name = process_of.get(int(match[1])), float(match[2]) + to_wall_clock, NAMES.get(int(match[3]))
            target = process_of.get(int(match[5]), int(match[5]))
            if name == "SIGKILL" and int(match[4]) == SI_KERNEL and target in kernel.processes and since <= t <= until:
                kernel.signals.append(Signal(t, KERNEL, target, name))
            elif sender and name and sender != target and since <= t <= until:
                kernel.signals.append(Signal(t, sender, target, name))
        return kernel
