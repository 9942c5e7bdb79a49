"""Sends recorded logs through real transports: record.py FOLDER..., tools on the PATH (see README.md).

A folder holds `plain.log` and `line-times.json`, when each line was written (`samples/record/record.py --line-times`). What
each transport makes of the lines is written beside them. Transports that take a time with a line are given the line's own;
those that look at the clock see one that is turned back (libfaketime) and get the lines at the pace of the run.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

BOOT = '6ae1b3f4d2c14d9f8a5b7c6d5e4f3a2b'
MODES = [
    'short', 'short-precise', 'short-iso', 'short-iso-precise', 'short-full', 'with-unit', 'short-monotonic', 'short-delta',
    'short-unix', 'verbose', 'export', 'json', 'json-pretty', 'json-sse', 'json-seq', 'cat',
]
FEW_FIELDS = 'MESSAGE,_HOSTNAME,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,_PID'
TEMPLATES = {
    'rsyslog-traditional': 'RSYSLOG_TraditionalFileFormat',
    'rsyslog-file-format': 'RSYSLOG_FileFormat',
    'rsyslog-protocol': 'RSYSLOG_SyslogProtocol23Format',
}


def entry(text, at):
    return (
        f'__REALTIME_TIMESTAMP={at * 1000}\n__MONOTONIC_TIMESTAMP={at * 1000 % 10_000_000_000}\n_BOOT_ID={BOOT}\n'
        f'_MACHINE_ID={"0" * 31}1\n_HOSTNAME=vm\n_SYSTEMD_UNIT=app.service\nSYSLOG_IDENTIFIER=app\n_PID=205\nPRIORITY=6\n'
        f'_TRANSPORT=stdout\nMESSAGE={text}\n\n'
    )


def journal(lines, work, folder):
    """The journal keeps no empty lines."""
    file = work / 'sample.journal'
    export = ''.join(entry(text, at) for text, at in lines if text.strip())
    remote = os.environ.get('JOURNAL_REMOTE', '/lib/systemd/systemd-journal-remote')
    subprocess.run([remote, '-o', str(file), '-'], input=export.encode(), check=True)
    for mode in MODES:
        fields = [f'--output-fields={FEW_FIELDS}'] if mode in ('verbose', 'export') or mode.startswith('json') else []
        command = ['journalctl', '--file', str(file), '--utc', '--no-pager', '-o', mode, *fields]
        (folder / f'journalctl-{mode}.log').write_bytes(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def at_the_pace_of_the_run(command, lines, **options):
    """Runs a program on a clock that is turned back to the run's, and writes each line when its time has come."""
    first = lines[0][1]
    start = datetime.fromtimestamp(first // 1000, timezone.utc).strftime('%Y-%m-%d %H:%M:%S')
    running = subprocess.Popen(['faketime', '-f', f'@{start}', *command], stdin=subprocess.PIPE, env={**os.environ, 'TZ': 'UTC'}, **options)
    began = time.monotonic()
    for text, at in lines:
        time.sleep(max(0, began + at / 1000 - first // 1000 - time.monotonic()))
        running.stdin.write(f'{text}\n'.encode())
        running.stdin.flush()
    running.stdin.close()
    return running


def stamped(command, lines, name, work, folder):
    target = work / name
    target.mkdir()
    at_the_pace_of_the_run([*command, str(target)], lines, stderr=subprocess.DEVNULL).wait()
    (folder / f'{name}.log').write_bytes((target / 'current').read_bytes())


def multilog(lines, work, folder):
    stamped(['multilog', 't'], lines, 'multilog-t', work, folder)
    tai = (folder / 'multilog-t.log').read_bytes()
    local = subprocess.run(['tai64nlocal'], input=tai, stdout=subprocess.PIPE, env={**os.environ, 'TZ': 'UTC'}, check=True)
    (folder / 'tai64nlocal.log').write_bytes(local.stdout)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def rsyslogd(work, port, names):
    modules = os.environ.get('RSYSLOG_MODULES', '/usr/lib/x86_64-linux-gnu/rsyslog')
    actions = '\n'.join(f'action(type="omfile" file="{work}/{name}" template="{TEMPLATES[name]}")' for name in names)
    config = work / f'{port}.conf'
    config.write_text(f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")\n{actions}\n')
    command = ['rsyslogd', '-n', '-f', str(config), '-i', str(work / f'{port}.pid'), '-M', modules]
    daemon = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            return daemon
        except OSError:
            time.sleep(0.1)
    raise SystemExit('rsyslogd does not listen')


def rsyslog(lines, work, folder):
    """The syslog protocol over TCP on the loopback interface, written in three templates: two of them then lack the tag's colon."""
    port = free_port()
    daemon = rsyslogd(work, port, TEMPLATES)
    with socket.create_connection(('127.0.0.1', port)) as connection:
        for text, at in lines:
            stamp = datetime.fromtimestamp(at / 1000, timezone.utc).isoformat(timespec='milliseconds')
            connection.sendall(f'<30>1 {stamp} vm app 205 - - {text}\n'.encode())
    time.sleep(1)
    daemon.terminate()
    daemon.wait()
    for name in TEMPLATES:
        (folder / f'{name}.log').write_bytes((work / name).read_bytes())


def logger(lines, work, folder):
    """util-linux's logger, one line at a time, to rsyslogd."""
    port, name = free_port(), 'rsyslog-traditional'
    own = work / 'logger'
    own.mkdir()
    daemon = rsyslogd(own, port, [name])
    command = ['logger', '--server', '127.0.0.1', '--port', str(port), '--tcp', '--rfc3164', '--tag', 'app', '--id=205']
    at_the_pace_of_the_run(command, lines).wait()
    time.sleep(1)
    daemon.terminate()
    daemon.wait()
    (folder / 'logger.log').write_bytes((own / name).read_bytes())


def record(folder):
    texts = (folder / 'plain.log').read_text().splitlines()
    lines = list(zip(texts, json.loads((folder / 'line-times.json').read_text()), strict=True))
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as pool:
        work = pathlib.Path(name)
        jobs = [
            pool.submit(journal, lines, work, folder),
            pool.submit(stamped, ['svlogd', '-tt'], lines, 'svlogd-tt', work, folder),
            pool.submit(stamped, ['svlogd', '-ttt'], lines, 'svlogd-ttt', work, folder),
            pool.submit(multilog, lines, work, folder),
            pool.submit(rsyslog, lines, work, folder),
            pool.submit(logger, lines, work, folder),
        ]
        for job in jobs:
            job.result()


with ThreadPoolExecutor() as folders:
    for done in folders.map(lambda folder: record(pathlib.Path(folder).resolve()), sys.argv[1:]):
        pass
