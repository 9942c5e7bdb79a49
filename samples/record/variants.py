"""The same log as others would hand it over: cut at both ends, rotated, or with what a transport puts around each line."""

import json
from datetime import datetime, timezone


def cut(logs, chance):
    """Somebody pastes what he takes for the interesting part: of each log so many lines, from anywhere to anywhere."""
    parts = {}
    for name, log in logs.items():
        lines = log.splitlines(keepends=True)
        first = chance.randrange(len(lines) // 2 + 1) if chance.random() < 0.8 else 0
        # Several logs of one server are cut at their beginnings only: they end together.
        last = chance.randrange((first + len(lines)) // 2, len(lines) + 1) if len(logs) == 1 and chance.random() < 0.6 else len(lines)
        parts[name] = b"".join(lines[first:last])
    return parts


def rotated(log, name, chance):
    """logrotate came by while it was written."""
    lines = log.splitlines(keepends=True)
    at = chance.randrange(len(lines) + 1)
    return {f"{name}.1": b"".join(lines[:at]), name: b"".join(lines[at:])}


def stamped(time, form):
    return datetime.fromtimestamp(time / 1000, timezone.utc).strftime(form)


def wrapped(log, times, pid, chance, names_writer):
    """Each line in the same envelope, with the time at which it was written; `times` are milliseconds, `pid` is the writer's."""
    envelope = chance.choice(ENVELOPES if names_writer else [each for each in ENVELOPES if each not in NAMING])
    lines = log.decode(errors="replace").split("\n")
    return envelope.__name__, "".join(envelope(line, time, pid) + "\n" for line, time in zip(lines, times)).encode()


def journal_short(line, time, pid):
    return f"{stamped(time, '%b %d %H:%M:%S')} shop-1 shop[{pid}]: {line}"


def journal_precise(line, time, pid):
    return f"{stamped(time, '%b %d %H:%M:%S.%f')} shop-1 shop[{pid}]: {line}"


def docker_json(line, time, _pid):
    return json.dumps({"log": f"{line}\n", "stream": "stderr", "time": stamped(time, "%Y-%m-%dT%H:%M:%S.%f000Z")}, ensure_ascii=False)


def docker_compose(line, _time, _pid):
    return f"shop-1  | {line}"


def kubectl_timestamps(line, time, _pid):
    return f"{stamped(time, '%Y-%m-%dT%H:%M:%S.%f000Z')} {line}"


def syslog(line, time, pid):
    return f"<30>{stamped(time, '%b %d %H:%M:%S')} shop-1 shop[{pid}]: {line}"


def syslog_5424(line, time, pid):
    return f"<30>1 {stamped(time, '%Y-%m-%dT%H:%M:%S.%fZ')} shop-1 shop {pid} - - {line}"


ENVELOPES = (journal_short, journal_precise, docker_json, docker_compose, kubectl_timestamps, syslog, syslog_5424)
NAMING = (journal_short, journal_precise, syslog, syslog_5424)
