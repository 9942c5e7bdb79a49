"""Task queues: Celery, RQ and Django Q. Their workers run tasks, and no request ever comes."""

import functools
import os
import signal

import scenario as scenarios
from servers import CELERY, CELERY_5_5, DJANGO_Q, RQ
from task_applications import CELERY_LATE_TASKS, CELERY_SOFT_TASKS, CELERY_TASKS, DJANGO_Q_TASKS, RQ_TASKS

# Celery has no last word: its log ends in the stop.
ENDS_IN_THE_STOP = "reload-unfinished"

celery = functools.partial(scenarios.scenario, kind=CELERY, app=CELERY_TASKS, may=[ENDS_IN_THE_STOP])
rq = functools.partial(scenarios.scenario, kind=RQ, app=RQ_TASKS)
django_q = functools.partial(scenarios.scenario, kind=DJANGO_Q, app=DJANGO_Q_TASKS)


def lines(*arguments):
    return "\n".join([*arguments, ""])


TWO = ("-c", "2")


def stop(run, name, within=30):
    run.signal("stop", name)
    run.wait_ended(run.master, within)


def busy(run):
    """The newest process that began a task and has not ended it."""
    began = [n["pid"] for n in run.notes() if n["event"] == "task started"]
    return began[-1]


# -- Celery

@celery("tasks-healthy", "tasks, then TERM when all are done: healthy", conf=lines(*TWO))
def celery_healthy(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("1", "2", "1")
    run.sleep(6)
    stop(run, "SIGTERM")


@celery("warm-shutdown", "TERM while a task of 6 s runs: the worker waits for it", conf=lines(*TWO))
def celery_warm(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("6")
    run.wait_task()
    run.sleep(1)
    stop(run, "SIGTERM")


@celery(
    "cold-shutdown", "QUIT while a task of 30 s runs: it is cut", conf=lines(*TWO), orphaned=1, untold=True,
    may=["respawn-orphans-tasks", ENDS_IN_THE_STOP], notes=["Celery says what it gives back, and not which task it cuts."])
def celery_cold(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("30")
    run.wait_task()
    run.sleep(1)
    stop(run, "SIGQUIT")


@celery(
    "worker-killed", "the process that runs a task is killed with signal 9; the next task is done", conf=lines(*TWO), orphaned=1,
    expected=["respawn-orphans-tasks", "killed-from-outside"])
def celery_killed(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("30")
    run.wait_task()
    run.sleep(1)
    os.kill(busy(run), signal.SIGKILL)
    run.wait_log("WorkerLostError")
    run.tasks("1")
    run.sleep(4)
    stop(run, "SIGTERM")


@celery("max-tasks-per-child", "each process is replaced after two tasks: healthy", conf=lines(*TWO, "--max-tasks-per-child", "2"))
def celery_recycled(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    for _ in range(4):
        run.tasks("1", "1")
        run.sleep(2)
    stop(run, "SIGTERM")


@celery(
    "quit-after-term", "TERM while a task of 8 s runs, then QUIT: 5.2 waits for the task all the same", conf=lines(*TWO))
def celery_quit_after_term(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("8")
    run.wait_task()
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.sleep(2)
    os.kill(run.master, signal.SIGQUIT)
    run.wait_ended(run.master, within=60)


@celery(
    "soft-shutdown", "5.5, worker_soft_shutdown_timeout = 4: QUIT while tasks of 2 s and 30 s run: one ends in time, one is cut",
    conf=lines(*TWO), kind=CELERY_5_5, app=CELERY_SOFT_TASKS, orphaned=1, expected=["respawn-orphans-tasks"])
def celery_soft(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("30", "3")
    run.wait_task()
    run.sleep(1)
    stop(run, "SIGQUIT")


@celery("term-twice", "TERM twice while a task of 8 s runs: the second one changes nothing", conf=lines(*TWO))
def celery_term_twice(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("8")
    run.wait_task()
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.sleep(2)
    os.kill(run.master, signal.SIGTERM)
    run.wait_ended(run.master)


@celery(
    "acks-late-killed", "the process that runs a task with acks_late is killed with signal 9: another one runs it again", conf=lines(*TWO),
    app=CELERY_LATE_TASKS, expected=["killed-from-outside"], may=["respawn-orphans-tasks", ENDS_IN_THE_STOP])
def celery_late(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("8")
    run.wait_task()
    run.sleep(1)
    os.kill(busy(run), signal.SIGKILL)
    run.wait_log("succeeded in", within=60)
    stop(run, "SIGTERM")


@celery(
    "acks-late-cold-shutdown", "QUIT while a task with acks_late runs, and started again: it runs once more", conf=lines(*TWO),
    app=CELERY_LATE_TASKS, files={"again.args": lines(*TWO)}, may=["respawn-orphans-tasks", ENDS_IN_THE_STOP])
def celery_late_cold(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("8")
    run.wait_task()
    run.sleep(1)
    stop(run, "SIGQUIT")
    run.start(workers=0, conf="again.args")
    run.wait_log("succeeded in", within=60)


@celery(
    "killed-and-started-again", "the whole worker is killed with signal 9 in the middle of a task, and started again in the same log", conf=lines(*TWO),
    files={"again.args": lines(*TWO)}, orphaned=1, untold=True, expected=["respawn-orphans-tasks"], may=["killed-from-outside", ENDS_IN_THE_STOP])
def celery_killed_whole(run):
    first = run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("30")
    run.wait_task()
    run.sleep(1)
    os.kill(run.master, signal.SIGKILL)
    run.sleep(1)
    first.kill()
    run.start(workers=0, conf="again.args")
    run.wait_log(" ready.", times=2)
    run.tasks("1")
    run.sleep(4)


@celery(
    "max-tasks-per-child-waiting", "one process, replaced after each task while others wait: healthy",
    conf=lines("-c", "1", "--max-tasks-per-child", "1"))
def celery_recycled_waiting(run):
    run.start(workers=0)
    run.wait_log(" ready.")
    run.tasks("1", "1", "1", "1")
    run.wait_log("succeeded in", times=4, within=40)
    stop(run, "SIGTERM")


# -- RQ

@rq("tasks-healthy", "tasks, then TERM when all are done: healthy", conf=lines())
def rq_healthy(run):
    run.start(workers=0)
    run.wait_log("Listening on")
    run.tasks("1", "1")
    run.sleep(5)
    stop(run, "SIGTERM")


@rq("warm-shutdown", "TERM while a task of 6 s runs: the worker waits for it", conf=lines())
def rq_warm(run):
    run.start(workers=0)
    run.wait_log("Listening on")
    run.tasks("6")
    run.wait_task()
    run.sleep(1)
    stop(run, "SIGTERM")


@rq("cold-shutdown", "TERM twice while a task of 30 s runs: it is cut", conf=lines(), orphaned=1, expected=["respawn-orphans-tasks"])
def rq_cold(run):
    run.start(workers=0)
    run.wait_log("Listening on")
    run.tasks("30")
    run.wait_task()
    run.sleep(1)
    run.signal("stop", "SIGTERM")
    run.sleep(1.5)
    stop(run, "SIGTERM")


@rq(
    "work-horse-killed", "the work-horse is killed with signal 9; the worker goes on with the next task", conf=lines(), orphaned=1,
    expected=["respawn-orphans-tasks"], may=["killed-from-outside"])
def rq_killed(run):
    run.start(workers=0)
    run.wait_log("Listening on")
    run.tasks("30")
    run.wait_task()
    run.sleep(1)
    os.kill(busy(run), signal.SIGKILL)
    run.wait_log("terminated unexpectedly")
    run.tasks("1")
    run.sleep(4)
    stop(run, "SIGTERM")


@rq(
    "worker-killed-and-started-again", "the worker itself is killed with signal 9 in the middle of a task, and started again in the same log",
    conf=lines(), files={"again.args": lines()}, orphaned=1, untold=True, expected=["respawn-orphans-tasks"], may=["killed-from-outside"],
    notes=["Nothing tells of the end: the next start of a worker of the same name or queue is all there is."])
def rq_restarted(run):
    first = run.start(workers=0)
    run.wait_log("Listening on")
    run.tasks("30")
    run.wait_task()
    run.sleep(1)
    horse = busy(run)
    os.kill(run.master, signal.SIGKILL)
    os.kill(horse, signal.SIGKILL)
    run.wait_ended(horse)
    first.kill()
    run.start(workers=0, conf="again.args")
    run.wait_log("Listening on", times=2)
    run.tasks("1")
    run.sleep(4)


# -- Django Q

CLUSTER = """\
SECRET_KEY = "sample"
INSTALLED_APPS = ["django_q"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "queue.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
TIME_ZONE = "UTC"
USE_TZ = True
Q_CLUSTER = {"name": "shop", "workers": 2, "timeout": %d, "retry": %d, "orm": "default", "poll": 0.2}
"""


def cluster(timeout=60, retry=300):
    return CLUSTER % (timeout, retry)


@django_q("tasks-healthy", "tasks, then TERM when all are done: healthy", conf=cluster())
def django_q_healthy(run):
    run.start(workers=0)
    run.wait_log(" running.")
    run.tasks("1", "2", "1")
    run.sleep(5)
    stop(run, "SIGTERM")


@django_q("warm-shutdown", "TERM while a task of 6 s runs: the cluster waits for it", conf=cluster())
def django_q_warm(run):
    run.start(workers=0)
    run.wait_log(" running.")
    run.tasks("6")
    run.wait_task()
    run.sleep(1)
    stop(run, "SIGTERM")


@django_q(
    "worker-killed", "the process that runs a task is killed with signal 9; the next task is done", conf=cluster(), orphaned=1,
    expected=["respawn-orphans-tasks"], may=["killed-from-outside"])
def django_q_killed(run):
    run.start(workers=0)
    run.wait_log(" running.")
    run.tasks("30")
    run.wait_task()
    run.sleep(1)
    os.kill(busy(run), signal.SIGKILL)
    run.wait_log("reincarnated worker")
    run.tasks("1")
    run.sleep(4)
    stop(run, "SIGTERM")


@django_q(
    "time-limit", "a task of 30 s, timeout = 3: its process is replaced", conf=cluster(timeout=3), orphaned=1,
    expected=["respawn-orphans-tasks"])
def django_q_limited(run):
    run.start(workers=0)
    run.wait_log(" running.")
    run.tasks("30")
    run.wait_log("after timeout", within=20)
    run.sleep(1)
    stop(run, "SIGTERM")


@django_q(
    "time-limit-given-out-again", "the same with retry = 5: the task is given out again, and cut again", conf=cluster(timeout=3, retry=5),
    orphaned=1, expected=["respawn-orphans-tasks"])
def django_q_again(run):
    run.start(workers=0)
    run.wait_log(" running.")
    run.tasks("30")
    run.wait_log("after timeout", times=2, within=30)
    run.sleep(1)
    stop(run, "SIGTERM")
