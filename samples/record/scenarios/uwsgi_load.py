"""uWSGI under load: a queue that overflows, workers that are all busy, clients that do not wait."""

from applications import PLAIN, STREAMING, WAITING
from scenario import scenario

from .uwsgi import ini


# -- the listen queue

def stall(run, clients):
    """Every worker waits for the database, and so do the clients."""
    run.start(workers=2)
    run.round(2)
    run.sleep(1)
    run.create("locked")
    waiting = [run.in_background("/order", timeout=90) for _ in range(clients)]
    run.sleep(34)
    (run.work / "locked").unlink()
    assert all(request.result() for request in waiting)
    run.sleep(1.5)
    run.round(2)


@scenario(
    "listen-queue-stall", "Both workers wait for a database for 34 s, and ten clients for them: the queue of 4 is full",
    conf=ini("listen = 4"), app=WAITING, expected=["listen-queue-full"])
def queue_stall(run):
    stall(run, clients=10)


@scenario(
    "listen-queue-long-enough", "The same wait with a queue of 100: nobody is turned away",
    conf=ini("listen = 100"), app=WAITING)
def queue_long(run):
    stall(run, clients=10)


def rush(run, seconds, clients):
    """So many clients at the same time, each with one request after the other."""
    clients = [run.pool.submit(run.steadily, seconds, "/list?sleep=0.1", pause=0) for _ in range(clients)]
    for client in clients:
        client.result()


@scenario(
    "listen-queue-burst", "Twelve clients at once keep both workers at work for 12 s: the queue of 4 is full, and all are answered",
    conf=ini("listen = 4"), app=PLAIN, expected=["listen-queue-full"])
def queue_burst(run):
    run.start(workers=2)
    run.round(2)
    rush(run, 12, 12)
    run.sleep(1.5)


def queue_in_reload(run, ask):
    run.create("reload.txt")
    run.start(workers=3)
    run.round(3)
    run.sleep(1.5)
    ask(run)
    run.sleep(2)
    waiting = [run.in_background("/list", timeout=40) for _ in range(10)]
    run.wait_workers(6, within=60)
    answered = [request.result() for request in waiting]
    run.round(3)
    return all(answered)


@scenario(
    "listen-queue-in-reload", "SIGHUP with lazy-apps, and the application needs 8 s to load: meanwhile the queue of 4 is full",
    conf=ini("lazy-apps = true", "listen = 4", processes=3), app=PLAIN + "\n\ntime.sleep(8)\n", expected=["listen-queue-full"])
def queue_reload(run):
    queue_in_reload(run, lambda run: run.signal("graceful", "SIGHUP"))


@scenario(
    "listen-queue-in-chain-reload", "The same with touch-chain-reload: the other workers take the requests",
    conf=ini("lazy-apps = true", "listen = 4", "touch-chain-reload = reload.txt", processes=3), app=PLAIN + "\n\ntime.sleep(8)\n")
def queue_chain_reload(run):
    assert queue_in_reload(run, lambda run: run.touch("chain", "reload.txt"))
    run.wait_log("chain reloading complete")


# -- the busyness algorithm

BUSYNESS = (
    "plugin = cheaper_busyness", "cheaper-algo = busyness", "cheaper = 1", "cheaper-initial = 1", "cheaper-overload = 2",
    "cheaper-busyness-multiplier = 2", "cheaper-busyness-backlog-alert = 3", "cheaper-busyness-verbose = true",
)


@scenario(
    "busyness-exhausted", "The busyness algorithm has started all 3 workers that it may, and ten clients keep them busy",
    conf=ini(*BUSYNESS, processes=3), app=PLAIN, expected=["no-idle-worker"], recycling="cheaper")
def busyness_exhausted(run):
    run.start(workers=1)
    rush(run, 18, 10)
    run.sleep(1.5)


@scenario(
    "busyness-held", "The same algorithm, and the workers wait for a lock for 15 s: they are all busy, and none answers",
    conf=ini(*BUSYNESS, processes=3), app=WAITING, expected=["no-idle-worker"], recycling="cheaper")
def busyness_held(run):
    run.start(workers=1)
    run.round(1)
    run.create("locked")
    waiting = [run.in_background("/order", timeout=60) for _ in range(8)]
    run.sleep(15)
    (run.work / "locked").unlink()
    assert all(request.result() for request in waiting)
    run.sleep(1.5)


@scenario(
    "busyness-has-room", "The same algorithm with two clients: it starts a worker when it needs one, and has more to start",
    conf=ini(*BUSYNESS, processes=6), app=PLAIN, recycling="cheaper")
def busyness_room(run):
    run.start(workers=1)
    rush(run, 14, 2)
    run.sleep(6)


# -- clients

def impatience(run, patience):
    run.start(workers=2)
    run.round(2)
    for _ in range(12):
        run.get("/report", timeout=patience)
        run.sleep(1.2)
    run.round(2)


@scenario(
    "clients-gone", "Twelve clients wait 0.3 s for an answer that takes 0.8 s to begin, and hang up", conf=ini(), app=STREAMING,
    expected=["clients-gone"])
def clients_gone(run):
    impatience(run, patience=0.3)


@scenario("clients-wait", "The same requests from clients that wait", conf=ini(), app=STREAMING)
def clients_wait(run):
    impatience(run, patience=10)
