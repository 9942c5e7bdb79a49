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
    return [b"ok\n"]
