import json, os, pathlib, sys, time

def note(event, task):
    with open(os.environ.get("LOGDOCTOR_WITNESS", "/tmp/logdoctor-record-795viqjf/witness.jsonl"), "a") as side:
        side.write(json.dumps({"t": time.time(), "event": event, "task": task, "pid": os.getpid()}) + "\n")
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
