"""What runs beside the workers of uWSGI: mules, spoolers, the router, the emperor."""

from applications import PLAIN, SPOOLING
from scenario import scenario

from .uwsgi import ini

# -- mules

MULE = '''\
import threading
import time

import witness  # writes down what happens, beside the log


def loop():
    while True:
        time.sleep(1)


threading.Thread(target=loop, name="poller").start()
while True:
    time.sleep(0.5)
'''


def mule_at_reload(run):
    run.start(workers=2)
    run.round(2)
    run.sleep(2)
    run.signal("graceful", "SIGHUP")
    run.wait_workers(4)
    run.round(2)


MULES = ("enable-threads = true", "mule = mule.py", "mule-reload-mercy = 5", "worker-reload-mercy = 5")


@scenario(
    "mule-held-by-thread", "SIGHUP: the workers leave at once, a thread of the mule holds it until its mercy (5 s) is over",
    conf=ini(*MULES), forced=1, app=PLAIN, files={"mule.py": MULE}, expected=["mule-blocks-reload"])
def mule_held(run):
    mule_at_reload(run)


@scenario(
    "mule-leaves", "The same with a daemon thread: the mule leaves at once, too",
    conf=ini(*MULES), app=PLAIN, files={"mule.py": MULE.replace('name="poller"', 'name="poller", daemon=True')})
def mule_leaves(run):
    mule_at_reload(run)


# -- spoolers

def spooled(run, ask, before):
    (run.work / "spool").mkdir()
    run.create("reload.txt")
    run.start(workers=2)
    run.get("/task?n=1&seconds=1")
    run.sleep(2.5)
    run.get("/task?n=2&seconds=4")
    run.sleep(before)
    ask(run)
    run.wait_workers(4)
    run.round(2)
    run.sleep(8)


@scenario(
    "spooler-idle-at-reload", "SIGHUP when the spooler has done its tasks",
    conf=ini("spooler = spool", "worker-reload-mercy = 4"), app=SPOOLING)
def spooler_idle(run):
    spooled(run, lambda run: run.signal("graceful", "SIGHUP"), before=6)


@scenario(
    "spooler-in-chain-reload", "touch-chain-reload with lazy-apps in the middle of a task of the spooler: it is left in peace",
    conf=ini("spooler = spool", "lazy-apps = true", "touch-chain-reload = reload.txt", "worker-reload-mercy = 4"), app=SPOOLING)
def spooler_chain(run):
    spooled(run, lambda run: run.touch("chain", "reload.txt"), before=1.5)
    run.wait_log("chain reloading complete")


# -- the router

def router(run, ask):
    run.create("reload.txt")
    run.start(workers=3)
    run.round(6, "/list?sleep=0.1")
    run.sleep(1)
    waiting = run.in_background("/report?sleep=4")
    run.sleep(0.5)
    ask(run)
    run.wait_workers(6)
    run.round(6, "/list?sleep=0.1")
    return waiting.result()


ROUTER = ("plugin = http", "lazy-apps = true", "touch-chain-reload = reload.txt")


def with_router(*lines, **options):
    return ini(*lines, **options).replace("http-socket =", "http =")


@scenario(
    "http-router-cuts-client", "SIGHUP while a client waits for an answer of 4 s behind the http router: the client is cut off",
    conf=with_router(*ROUTER, processes=3), app=PLAIN, expected=["router-cuts-clients"],
    notes=["The worker finishes the request, and nobody gets its answer."])
def router_cuts(run):
    assert not router(run, lambda run: run.signal("graceful", "SIGHUP"))


@scenario(
    "http-router-chain-reload", "The same with touch-chain-reload: router and client stay",
    conf=with_router(*ROUTER, processes=3), app=PLAIN)
def router_stays(run):
    assert router(run, lambda run: run.touch("chain", "reload.txt"))
    run.wait_log("chain reloading complete")


# -- vassals

@scenario(
    "vassal-cannot-start", "An emperor with a vassal whose folder is not there: it ends each time before it serves anything",
    conf="[uwsgi]\nemperor = {work}/vassals\n", app=PLAIN,
    files={
        "vassals/broken.ini": ini("chdir = {work}/never-deployed"),
        "vassals/sound.ini": ini("chdir = {work}").replace("{port}", "{port2}"),
    },
    expected=["vassal-keeps-dying"])
def vassal_cannot_start(run):
    run.start(workers=2)
    run.steadily(20, "/other", port="port2", pause=1)


@scenario(
    "vassal-removed", "An emperor with two vassals, of which one is removed, and put back later",
    conf="[uwsgi]\nemperor = {work}/vassals\n", app=PLAIN,
    files={
        "vassals/shop.ini": ini("chdir = {work}"),
        "vassals/sound.ini": ini("chdir = {work}").replace("{port}", "{port2}"),
    })
def vassal_removed(run):
    run.start(workers=4)
    run.round(2)
    run.steadily(3, "/other", port="port2")
    vassal = run.work / "vassals" / "shop.ini"
    text = vassal.read_text()
    run.acted("stop")
    vassal.unlink()
    run.steadily(4, "/other", port="port2")
    vassal.write_text(text)
    run.wait_workers(6)
    run.round(2)
    run.steadily(2, "/other", port="port2")
