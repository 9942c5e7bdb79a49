"""Sends a recorded uWSGI log through real transports: record.py LOG, tools on the PATH (see README.md).

Every line is sent with a time of its own, a tenth of a second after the line before, so that the files do not
depend on how fast this runs. What stamps lines itself (svlogd, multilog, rsyslog) uses the time of the run.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
BEGIN_USEC = 1_795_249_200_000_000
BOOT = '6ae1b3f4d2c14d9f8a5b7c6d5e4f3a2b'
MODES = [
    'short', 'short-precise', 'short-iso', 'short-iso-precise', 'short-full', 'with-unit', 'short-monotonic', 'short-delta',
    'short-unix', 'verbose', 'export', 'json', 'json-pretty', 'json-sse', 'json-seq', 'cat',
]
FEW_FIELDS = 'MESSAGE,_HOSTNAME,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,_PID'


def entry(text, index):
    at = BEGIN_USEC + index * 100_000
    return (
        f'__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={2_121_000_000 + index * 100_000}\n_BOOT_ID={BOOT}\n'
        f'_MACHINE_ID={"0" * 31}1\n_HOSTNAME=vm\n_SYSTEMD_UNIT=uwsgi.service\nSYSLOG_IDENTIFIER=uwsgi\n_PID=205\nPRIORITY=6\n'
        f'_TRANSPORT=stdout\nMESSAGE={text}\n\n'
    )


def journal(lines, folder):
    file = folder / 'sample.journal'
    export = ''.join(entry(text, index) for index, text in enumerate(lines) if text.strip())
    remote = os.environ.get('JOURNAL_REMOTE', '/lib/systemd/systemd-journal-remote')
    subprocess.run([remote, '-o', str(file), '-'], input=export.encode(), check=True)
    for mode in MODES:
        fields = [f'--output-fields={FEW_FIELDS}'] if mode in ('verbose', 'export') or mode.startswith('json') else []
        command = ['journalctl', '--file', str(file), '--utc', '--no-pager', '-o', mode, *fields]
        (HERE / f'journalctl-{mode}.log').write_bytes(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def stamped(command, log, name, folder):
    target = folder / name
    target.mkdir()
    subprocess.run([*command, str(target)], input=log, stderr=subprocess.DEVNULL, check=True)
    (HERE / f'{name}.log').write_bytes((target / 'current').read_bytes())


def rsyslog(lines, folder):
    """RFC 3164 over TCP on the loopback interface, written in three templates."""
    modules = os.environ.get('RSYSLOG_MODULES', '/usr/lib/x86_64-linux-gnu/rsyslog')
    files = {'traditional': 'RSYSLOG_TraditionalFileFormat', 'file-format': 'RSYSLOG_FileFormat', 'protocol': 'RSYSLOG_SyslogProtocol23Format'}
    actions = '\n'.join(f'action(type="omfile" file="{folder}/{name}" template="{template}")' for name, template in files.items())
    config = folder / 'rsyslog.conf'
    config.write_text(f'module(load="imtcp")\ninput(type="imtcp" port="10514" address="127.0.0.1")\n{actions}\n')
    daemon = subprocess.Popen(['rsyslogd', '-n', '-f', str(config), '-i', str(folder / 'pid'), '-M', modules], stderr=subprocess.DEVNULL)
    import socket
    import time
    for _ in range(50):
        try:
            connection = socket.create_connection(('127.0.0.1', 10514))
            break
        except OSError:
            time.sleep(0.1)
    day = ' 21'
    for index, text in enumerate(lines):
        second, tenth = divmod(index, 10)
        connection.sendall(f'<30>Nov{day} 08:{20 + second // 60:02}:{second % 60:02} vm uwsgi[205]: {text}\n'.encode())
    connection.close()
    time.sleep(1)
    daemon.terminate()
    daemon.wait()
    for name in files:
        (HERE / f'rsyslog-{name}.log').write_bytes((folder / name).read_bytes())


def main():
    log = pathlib.Path(sys.argv[1]).read_bytes()
    lines = log.decode().splitlines()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        journal(lines, folder)
        stamped(['svlogd', '-tt'], log, 'svlogd-tt', folder)
        stamped(['svlogd', '-ttt'], log, 'svlogd-ttt', folder)
        stamped(['multilog', 't'], log, 'multilog-t', folder)
        tai = (HERE / 'multilog-t.log').read_bytes()
        local = subprocess.run(['tai64nlocal'], input=tai, stdout=subprocess.PIPE, env={**os.environ, 'TZ': 'UTC'}, check=True)
        (HERE / 'tai64nlocal.log').write_bytes(local.stdout)
        rsyslog(lines, folder)


main()
