import json, os, pathlib, sys, time

def note(event, task):
    with open(os.environ.get("LOGDOCTOR_WITNESS", "/tmp/logdoctor-record-q6nxew0h/witness.jsonl"), "a") as side:
        side.write(json.dumps({"t": time.time(), "event": event, "task": task, "pid": os.getpid()}) + "\n")
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
