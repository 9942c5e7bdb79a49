"""waitress: one process with threads, which says little. Each scenario is a file of arguments, one a line."""

import functools

import scenario as scenarios
from applications import PLAIN
from servers import WAITRESS

waitress = functools.partial(scenarios.scenario, kind=WAITRESS, app=PLAIN)

ARGUMENTS = "\n".join(["--listen=127.0.0.1:{port}", "--threads=2", "app:application", ""])


@waitress("stop-healthy", "SIGINT without anything to do: healthy", conf=ARGUMENTS)
def stop_healthy(run):
    run.start(workers=0)
    run.wait_log("Serving on")
    run.round(2)
    run.sleep(0.5)
    run.signal("stop", "SIGINT")
    run.wait_ended(run.master)


@waitress(
    "stop-cancels-queued", "SIGINT while both threads are busy for 3 s and three requests wait: these are cancelled", conf=ARGUMENTS,
    expected=["request-blocks-shutdown"], may=["no-idle-worker"])
def stop_queued(run):
    run.start(workers=0)
    run.wait_log("Serving on")
    asked = [run.in_background("/?sleep=3") for _ in range(5)]
    run.wait_log("queue depth is 3")
    run.signal("stop", "SIGINT")
    run.wait_ended(run.master)
    [each.result() for each in asked]


@waitress(
    "stop-leaves-threads", "SIGINT while a request of 20 s runs: waitress waits 5 s for it", conf=ARGUMENTS, cut=None,
    may=["request-blocks-shutdown"])
def stop_busy(run):
    run.start(workers=0)
    run.wait_log("Serving on")
    asked = run.in_background("/?sleep=20", timeout=30)
    run.sleep(1)
    run.signal("stop", "SIGINT")
    run.wait_ended(run.master)
    asked.result()
