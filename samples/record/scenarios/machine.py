"""What needs a machine with a kernel of its own: want of memory, and systemd as the init. Each scenario is shop.service and what it reads."""

import functools
import os
import signal

import scenario as scenarios
from applications import PLAIN, TAKING_MEMORY
from servers import CONTAINED, MACHINE

from .supervisord import ini, settings

scenario = functools.partial(scenarios.scenario, kind=MACHINE)
KERNEL_TOO = ("_TRANSPORT=kernel", "+", "_PID=1", "+", "_SYSTEMD_UNIT=shop.service")


def unit(command, *lines, above=()):
    return "\n".join([
        "[Unit]", "Description=Shop", *above, "", "[Service]", f"ExecStart={command}", "WorkingDirectory={work}",
        "Environment=TMPDIR={work} PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={recorder} LOGDOCTOR_WITNESS={witness}", *lines, ""])


uwsgi = functools.partial(unit, "/usr/bin/uwsgi --ini uwsgi.ini")
gunicorn = functools.partial(unit, "/usr/bin/gunicorn -c gunicorn.conf.py")


# -- want of memory

def take(run, megabytes):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.get(f"/?take={megabytes}")


@scenario(
    "memory-uwsgi-worker", "A worker of uWSGI takes more than MemoryMax=, OOMPolicy=continue: the kernel kills it, the master replaces it",
    conf=uwsgi("KillMode=mixed", "MemoryMax=150M", "MemorySwapMax=0", "OOMPolicy=continue"), files=ini("die-on-term = true"),
    app=TAKING_MEMORY, cut=1, expected=["memory-kill"], journal=KERNEL_TOO)
def memory_uwsgi_worker(run):
    take(run, 400)
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)


@scenario(
    "memory-uwsgi-worker-within-limits", "The same worker takes what MemoryMax= allows: nobody is killed",
    conf=uwsgi("KillMode=mixed", "MemoryMax=300M", "MemorySwapMax=0", "OOMPolicy=continue"), files=ini("die-on-term = true"),
    app=TAKING_MEMORY, journal=KERNEL_TOO)
def memory_uwsgi_worker_within_limits(run):
    take(run, 100)
    run.round(2)
    run.systemctl("stop", "stop", "shop.service")
    run.sleep(1)


@scenario(
    "memory-uwsgi-unit-stopped", "The same under OOMPolicy=stop, the default: systemd stops the whole unit for one worker, and restarts it",
    conf=uwsgi("KillMode=mixed", "MemoryMax=150M", "MemorySwapMax=0", "Restart=on-failure", "RestartSec=1"),
    files=ini("die-on-term = true"), app=TAKING_MEMORY, cut=1, expected=["memory-kill"], journal=KERNEL_TOO, output="with-unit")
def memory_uwsgi_unit_stopped(run):
    take(run, 400)
    run.wait_workers(4)
    run.round(2)
    run.sleep(1)


@scenario(
    "memory-uwsgi-unit-killed", "The same under OOMPolicy=kill: the kernel kills every process of the unit at once",
    conf=uwsgi("KillMode=mixed", "MemoryMax=150M", "MemorySwapMax=0", "OOMPolicy=kill", "Restart=on-failure", "RestartSec=1"),
    files=ini("die-on-term = true"), app=TAKING_MEMORY, cut=1, expected=["memory-kill"], journal=KERNEL_TOO, output="short-iso-precise")
def memory_uwsgi_unit_killed(run):
    take(run, 400)
    run.wait_workers(4)
    run.round(2)
    run.sleep(1)


@scenario(
    "memory-gunicorn-worker", "A worker of gunicorn takes more than MemoryMax=; its own log, that of the unit, and dmesg -T",
    conf=gunicorn("KillMode=mixed", "MemoryMax=150M", "MemorySwapMax=0", "OOMPolicy=continue"),
    files=settings('errorlog = "gunicorn.log"'), app=TAKING_MEMORY, cut=1, expected=["memory-kill"])
def memory_gunicorn_worker(run):
    take(run, 400)
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)
    run.keep_dmesg("-T")


@scenario(
    "memory-gunicorn-machine", "A worker of gunicorn takes the memory of the whole machine: no limit of a unit is reached",
    conf=gunicorn("KillMode=mixed", "OOMPolicy=continue"), files=settings("timeout = 60"), app=TAKING_MEMORY, cut=1,
    expected=["memory-kill"], journal=KERNEL_TOO, output="short-iso")
def memory_gunicorn_machine(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.get("/?take=2000", timeout=60)
    run.wait_workers(3, within=40)
    run.round(2)
    run.sleep(1)


HOG = """\
import os
import time

taken = []
while not os.path.exists("enough"):
    taken.append(b"x" * 4_000_000)
    time.sleep(0.02)
time.sleep(600)
"""


@scenario(
    "memory-uwsgi-another-grew", "Another program, which the kernel may not kill, takes the memory of the machine: a worker of uWSGI goes",
    conf=uwsgi("KillMode=mixed", "OOMPolicy=continue"), app=TAKING_MEMORY, expected=["memory-kill"], journal=KERNEL_TOO, output="short-full",
    files={**ini("die-on-term = true"), "hog.py": HOG,
           "hog.service": unit("/usr/bin/python3 hog.py", "OOMScoreAdjust=-999").replace("Description=Shop", "Description=Report")})
def memory_uwsgi_another_grew(run):
    run.start(workers=2)
    run.round(2, "/?sleep=0.5&take=100")
    run.sleep(1)
    run.systemctl(None, "start", "hog.service")
    run.wait_workers(3, within=60)
    run.create("enough")
    run.round(2)
    run.sleep(1)


@scenario(
    "memory-another-unit", "The kernel kills another unit at its own limit, a worker of uWSGI is killed by hand: the two have nothing to do with each other",
    conf=uwsgi("KillMode=mixed", "MemoryMax=150M", "OOMPolicy=continue"), app=TAKING_MEMORY, expected=["killed-from-outside"],
    may=["memory-kill"], journal=("_TRANSPORT=kernel", "+", "_PID=1", "+", "_SYSTEMD_UNIT=shop.service", "+", "_SYSTEMD_UNIT=hog.service"),
    files={**ini("die-on-term = true"), "hog.py": HOG,
           "hog.service": unit("/usr/bin/python3 hog.py", "MemoryMax=60M", "MemorySwapMax=0").replace("Description=Shop", "Description=Report")})
def memory_another_unit(run):
    run.start(workers=2)
    run.round(2)
    run.systemctl(None, "start", "hog.service")
    run.wait_log("Failed with result 'oom-kill'", within=40)
    run.sleep(8)
    os.kill(run.workers()[0], signal.SIGKILL)
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)


@scenario(
    "memory-in-a-container", "A worker in a container reaches the limit of that: its own log has other pids than dmesg -T of the host",
    kind=CONTAINED, conf=ini("die-on-term = true", "log-date = true")["uwsgi.ini"], app=TAKING_MEMORY, cut=1, expected=["memory-kill"],
    files={"shop.service": unit(
        "/usr/bin/unshare --pid --fork --kill-child --mount-proc /usr/bin/uwsgi --ini uwsgi.ini",
        "MemoryMax=150M", "MemorySwapMax=0", "OOMPolicy=continue", "Environment=TZ=UTC", "StandardOutput=append:{log}", "StandardError=append:{log}")})
def memory_in_a_container(run):
    take(run, 400)
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)
    run.keep_dmesg("-T")


# -- signal 9 from elsewhere

@scenario(
    "uwsgi-worker-killed-by-hand", "Somebody kills a worker of uWSGI with SIGKILL; the lines of the kernel are there, and none is about it",
    conf=uwsgi("KillMode=mixed"), files=ini("die-on-term = true"), app=PLAIN, expected=["killed-from-outside"], journal=KERNEL_TOO)
def uwsgi_worker_killed_by_hand(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    os.kill(run.workers()[0], signal.SIGKILL)
    run.wait_workers(3)
    run.round(2)
    run.sleep(1)


@scenario(
    "gunicorn-killed-through-systemctl", "systemctl kill -s KILL: the whole unit dies at once; Restart=always",
    conf=gunicorn("KillMode=mixed", "Restart=always", "RestartSec=1"), files=settings(), app=PLAIN, expected=["killed-from-outside"],
    may=["master-died"])
def gunicorn_killed_through_systemctl(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.systemctl(None, "kill", "--signal=KILL", "shop.service")
    run.wait_workers(4)
    run.round(2)
    run.sleep(1)


# -- the watchdog

@scenario(
    "watchdog-never-served", "gunicorn says READY=1 and never WATCHDOG=1: with WatchdogSec=4 systemd ends it again and again, while it serves",
    conf=gunicorn("Type=notify", "NotifyAccess=main", "KillMode=mixed", "WatchdogSec=4", "Restart=on-failure", "RestartSec=1"),
    files=settings(), app=PLAIN, expected=["watchdog-kill"], may=["crash-loop"])
def watchdog_never_served(run):
    run.start(workers=2)
    run.steadily(4)
    run.wait_workers(4, within=40)
    run.steadily(4)
    run.wait_workers(6, within=40)


@scenario(
    "watchdog-not-set", "The same without WatchdogSec: it runs on, and is stopped in good order",
    conf=gunicorn("Type=notify", "NotifyAccess=main", "KillMode=mixed", "Restart=on-failure", "RestartSec=1"), files=settings(), app=PLAIN)
def watchdog_not_set(run):
    run.start(workers=2)
    run.steadily(6)
    run.systemctl("stop", "stop", "shop.service")
    run.sleep(1)


NOTIFYING = """\
import os
import socket
import sys
import time


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(text.encode(), os.environ["NOTIFY_SOCKET"].replace("@", "\\0", 1))


notify("READY=1")
print("ready", flush=True)
while True:
    notify("WATCHDOG=1")
    time.sleep(0.5)
    if os.path.exists("export"):
        os.remove("export")
        print("exporting", flush=True)
        time.sleep(60)
"""


@scenario(
    "watchdog-loop-blocked", "A program that says WATCHDOG=1 twice a second is blocked by one long call; WatchdogSec=3, Restart=on-failure",
    conf=unit("/usr/bin/python3 notifying.py", "Type=notify", "WatchdogSec=3", "Restart=on-failure", "RestartSec=1"),
    files={"notifying.py": NOTIFYING}, app=PLAIN, expected=["watchdog-kill"], may=["worker-crashed"], output="json")
def watchdog_loop_blocked(run):
    run.start(workers=0)
    run.sleep(8)
    run.create("export")
    run.wait_log('"ready"', times=2, within=40)
    run.sleep(5)


@scenario(
    "watchdog-served", "The same program without the long call: the watchdog has no reason",
    conf=unit("/usr/bin/python3 notifying.py", "Type=notify", "WatchdogSec=3", "Restart=on-failure", "RestartSec=1"),
    files={"notifying.py": NOTIFYING}, app=PLAIN, output="json")
def watchdog_served(run):
    run.start(workers=0)
    run.sleep(10)
    run.systemctl("stop", "stop", "shop.service")
    run.sleep(1)


# -- what a stop leaves behind

HELPED = PLAIN + """

import subprocess
import sys

CODE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", CODE])
"""


def stop(run, *words):
    run.start(workers=2)
    run.round(2)
    run.sleep(2)
    run.systemctl("stop", *(words or ("stop", "shop.service")))
    run.sleep(2)


@scenario(
    "gunicorn-helper-ignores-the-stop", "Each worker has started a helper that ignores SIGTERM: the stop takes TimeoutStopSec (4 s), then they are killed",
    conf=gunicorn("TimeoutStopSec=4"), files=settings(), app=HELPED, expected=["stop-left-processes"])
def helper_ignores_the_stop(run):
    stop(run)


@scenario(
    "gunicorn-helper-cut", "The same with KillMode=mixed: they are killed as soon as the arbiter has gone",
    conf=gunicorn("TimeoutStopSec=4", "KillMode=mixed"), files=settings(), app=HELPED, expected=["stop-left-processes"])
def helper_cut(run):
    stop(run)


@scenario(
    "gunicorn-helper-left", "The same with KillMode=process and a restart: they run on beside the next start",
    conf=gunicorn("TimeoutStopSec=4", "KillMode=process"), files=settings(), app=HELPED, expected=["stop-left-processes"])
def helper_left(run):
    stop(run, "restart", "shop.service")
    run.wait_workers(4)
    run.round(2)


@scenario(
    "gunicorn-helper-obeys", "The same helper, which ends at SIGTERM: nothing is left",
    conf=gunicorn("TimeoutStopSec=4"), files=settings(), app=HELPED.replace("signal.SIG_IGN", "signal.SIG_DFL"))
def helper_obeys(run):
    stop(run)


# -- reloads

@scenario(
    "gunicorn-unit-reload-healthy", "systemctl reload, ExecReload sends HUP to the arbiter",
    conf=gunicorn("ExecReload=/bin/kill -HUP $MAINPID", "KillMode=mixed"), files=settings(), app=PLAIN)
def unit_reload_healthy(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.systemctl("hup", "reload", "shop.service")
    run.wait_workers(4)
    run.round(2)
    run.sleep(2)


@scenario(
    "gunicorn-unit-reload-finds-nobody", "systemctl reload, ExecReload reads a pid file that an earlier server left: kill finds nobody",
    conf=gunicorn("ExecReload=/bin/sh -c 'kill -HUP $(cat gunicorn.pid)'", "KillMode=mixed"), app=PLAIN,
    files={**settings(), "gunicorn.pid": "4194000\n"}, expected=["unit-reload-failed"])
def unit_reload_finds_nobody(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.systemctl("hup", "reload", "shop.service")
    run.round(2)
    run.sleep(2)


@scenario(
    "gunicorn-unit-reload-waits", "systemctl reload, ExecReload waits for something that never comes; TimeoutStartSec=4",
    conf=gunicorn("ExecReload=/bin/sh -c 'kill -HUP $MAINPID; until test -e reloaded; do sleep 0.2; done'", "TimeoutStartSec=4", "KillMode=mixed"),
    files=settings(), app=PLAIN, expected=["unit-reload-failed"])
def unit_reload_waits(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.systemctl("hup", "reload", "shop.service")
    run.wait_workers(4)
    run.round(2)
    run.sleep(2)


@scenario(
    "gunicorn-unit-reload-never-ready", "Type=notify-reload and a gunicorn that does not say RELOADING=1: the reload fails after TimeoutStartSec=4",
    conf=gunicorn("Type=notify-reload", "NotifyAccess=main", "TimeoutStartSec=4", "KillMode=mixed"), files=settings(), app=PLAIN,
    expected=["unit-reload-failed"])
def unit_reload_never_ready(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.systemctl("hup", "reload", "shop.service")
    run.wait_workers(4)
    run.round(2)
    run.sleep(2)


# -- stops whose reason stands above

DATABASE = unit("/bin/sleep infinity").replace("Description=Shop", "Description=Database")
ABOVE = ("_PID=1", "+", "_SYSTEMD_UNIT=shop.service", "+", "_SYSTEMD_UNIT=database.service")


@scenario(
    "gunicorn-restarted-with-its-database", "The unit Requires= another, and that is restarted: systemd stops and starts both",
    conf=gunicorn("KillMode=mixed", above=("Requires=database.service", "After=database.service")), app=PLAIN,
    files={**settings(), "database.service": DATABASE}, expected=["restarted-from-above"], journal=ABOVE)
def restarted_with_its_database(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(2)
    run.systemctl("stop", "restart", "database.service")
    run.wait_workers(4)
    run.round(2)
    run.sleep(1)


@scenario(
    "gunicorn-stays-while-its-database-restarts", "The same with Wants= in place of Requires=: it serves on",
    conf=gunicorn("KillMode=mixed", above=("Wants=database.service", "After=database.service")), app=PLAIN,
    files={**settings(), "database.service": DATABASE}, journal=ABOVE)
def stays_while_its_database_restarts(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(2)
    run.systemctl(None, "restart", "database.service")
    run.round(2)
    run.sleep(2)


UPGRADE = """\
#!/bin/sh
# What the scripts of a Debian package do when it is upgraded (dh_installsystemd).
set -e
systemctl --system daemon-reload
deb-systemd-invoke restart shop.service
"""


@scenario(
    "gunicorn-restarted-by-an-upgrade", "The nightly upgrade (apt-daily-upgrade.service) restarts the unit as packages do",
    conf=gunicorn("KillMode=mixed"), app=PLAIN, expected=["restarted-from-above"], journal=("_PID=1", "+", "_SYSTEMD_UNIT=shop.service"),
    files={**settings(), "upgrade.sh": UPGRADE,
           "apt-daily-upgrade.service": unit("/bin/sh upgrade.sh", "Type=oneshot").replace("Description=Shop", "Description=Daily apt upgrade and clean activities")})
def restarted_by_an_upgrade(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(2)
    run.systemctl("stop", "start", "apt-daily-upgrade.service")
    run.wait_workers(4)
    run.round(2)
    run.sleep(1)


# -- one inside the other

OWN = """\
[supervisord]
nodaemon = true
user = root
logfile = /dev/null
logfile_maxbytes = 0
pidfile = {work}/supervisord.pid

[program:shop]
command = /usr/bin/gunicorn -c gunicorn.conf.py
stdout_logfile = {work}/gunicorn.log
redirect_stderr = true
"""
supervised = functools.partial(unit, "/usr/bin/supervisord --nodaemon --configuration supervisord.conf")


@scenario(
    "supervisord-killed-too-early", "systemd runs supervisord, that gunicorn, a request of 20 s: TimeoutStopSec (4 s) is shorter than stopwaitsecs (15 s)",
    conf=supervised("KillMode=mixed", "TimeoutStopSec=4"), files={**settings("timeout = 60"), "supervisord.conf": OWN + "stopwaitsecs = 15\n"},
    app=PLAIN, cut=1, expected=["outer-timeout-too-short"])
def supervisord_killed_too_early(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    run.in_background("/report?sleep=20")
    run.sleep(0.5)
    run.systemctl("stop", "stop", "shop.service")
    run.sleep(1)


@scenario(
    "supervisord-waits-long-enough", "The same with TimeoutStopSec=30 and a request of 3 s: it is answered, all three stop in good order",
    conf=supervised("KillMode=mixed", "TimeoutStopSec=30"), files={**settings("timeout = 60"), "supervisord.conf": OWN + "stopwaitsecs = 15\n"},
    app=PLAIN)
def supervisord_waits_long_enough(run):
    run.start(workers=2)
    run.wait_log("entered RUNNING state")
    run.round(2)
    answer = run.in_background("/report?sleep=3")
    run.sleep(0.5)
    run.systemctl("stop", "stop", "shop.service")
    assert answer.result()
    run.sleep(1)
