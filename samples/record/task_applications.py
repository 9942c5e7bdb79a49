"""Applications of task queues. A task tells the witness when it begins and ends; `python3 app.py SECONDS...` gives tasks out."""

NOTE = """\
import json, os, pathlib, sys, time

def note(event, task):
    with open(os.environ.get("LOGDOCTOR_WITNESS", "{witness}"), "a") as side:
        side.write(json.dumps({"t": time.time(), "event": event, "task": task, "pid": os.getpid()}) + "\\n")
"""

CELERY_TASKS = NOTE + """\
from celery import Celery

queue = str(pathlib.Path(__file__).parent / "queue")
pathlib.Path(queue).mkdir(exist_ok=True)
app = Celery("app")
app.conf.update(broker_url="filesystem://", task_ignore_result=True, worker_hijack_root_logger=True,
                broker_transport_options={"data_folder_in": queue, "data_folder_out": queue})

@app.task(bind=True)
def work(self, seconds):
    note("task started", self.request.id)
    time.sleep(seconds)
    note("task ended", self.request.id)

if __name__ == "__main__":
    for seconds in sys.argv[1:]:
        work.delay(float(seconds))
"""

RQ_TASKS = NOTE + """\
from redis import Redis
from rq import Queue, get_current_job

def work(seconds):
    note("task started", get_current_job().id)
    time.sleep(seconds)
    note("task ended", get_current_job().id)

if __name__ == "__main__":
    import app
    for seconds in sys.argv[1:]:
        Queue("default", connection=Redis(port={port2})).enqueue(app.work, float(seconds))
"""

# A task's name is told to the task itself: nothing else ties what it does to the lines of the log.
DJANGO_Q_TASKS = NOTE + """\
def work(seconds, name):
    note("task started", name)
    time.sleep(seconds)
    note("task ended", name)

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    import django
    django.setup()
    from django_q.humanhash import uuid
    from django_q.tasks import async_task
    for seconds in sys.argv[1:]:
        name, _ = uuid()
        async_task("app.work", float(seconds), name, task_name=name)
"""

# A task that is cut is given out again.
CELERY_LATE_TASKS = CELERY_TASKS.replace(
    "task_ignore_result=True,", "task_ignore_result=True, task_acks_late=True, task_reject_on_worker_lost=True,")

# Since 5.5: a cold shutdown waits so long first.
CELERY_SOFT_TASKS = CELERY_TASKS.replace("task_ignore_result=True,", "task_ignore_result=True, worker_soft_shutdown_timeout=4,")

# A scheduler in each worker of a web server, as its own documentation has it. A job tells the witness when it begins and ends.
SCHEDULED = """\
import logging, os, sys, time

import witness
from apscheduler.schedulers.background import BackgroundScheduler

logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s [%(process)d] %(levelname)s %(name)s: %(message)s")
name = f"report-{os.getpid()}"  # the witness has to know it apart


def report():
    witness.task_started(name)
    time.sleep(6)
    witness.task_ended(name)


scheduler = BackgroundScheduler(timezone="UTC")
scheduler.add_job(report, "interval", seconds=8, name=name)
scheduler.start()


@witness.watch
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\\n"]
"""
