import json, os, pathlib, sys, time

def note(event, task):
    with open(os.environ.get("LOGDOCTOR_WITNESS", "/tmp/logdoctor-record-eltx4759/witness.jsonl"), "a") as side:
        side.write(json.dumps({"t": time.time(), "event": event, "task": task, "pid": os.getpid()}) + "\n")
from redis import Redis
from rq import Queue, get_current_job

def work(seconds):
    note("task started", get_current_job().id)
    time.sleep(seconds)
    note("task ended", get_current_job().id)

if __name__ == "__main__":
    import app
    for seconds in sys.argv[1:]:
        Queue("default", connection=Redis(port=38097)).enqueue(app.work, float(seconds))
