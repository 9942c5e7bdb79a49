"""gunicorn drawn by lot."""

from random_scenarios import application
from random_scenarios.script import (
    Script, killing, killing_master, requesting, signalling, signalling_group, touching, twice,
)
from scenario import Scenario
from servers import GUNICORN


ASGI_WORKER = "uvicorn.workers.UvicornWorker"


def draw(chance, seed):
    workers = chance.choice((1, 1, 2, 2, 3, 4))
    kind = chance.choice(("sync", "sync", "gthread", "gthread", "gevent", ASGI_WORKER))
    graceful, timeout = chance.choice((1, 2, 3, 5)), chance.choice((2, 3, 4, 6))
    lines = ['wsgi_app = "app:application"', 'bind = "127.0.0.1:{port}"', f"workers = {workers}", f'worker_class = "{kind}"',
             f"graceful_timeout = {graceful}", f"timeout = {timeout}"]
    if kind == "gthread":
        lines.append(f"threads = {chance.choice((2, 4))}")
    for probability, line in (
            (0.25, "preload_app = True"), (0.4, 'accesslog = "-"'), (0.3, 'loglevel = "debug"'), (0.1, 'loglevel = "warning"'),
            (0.25, f"max_requests = {chance.choice((3, 5))}\nmax_requests_jitter = {chance.choice((0, 0, 3))}"), (0.1, "reload = True"), (0.2, 'errorlog = "main.log"'),
            (0.2, "capture_output = True"), (0.1, "keepalive = 5"), (0.1, "reuse_port = True"), (0.1, 'pidfile = "gunicorn.pid"')):
        if chance.random() < probability:
            lines.append(line)
    pieces, app = application.draw(chance, application.ASGI if kind == ASGI_WORKER else application.HEAD)
    askings = [signalling("hup", "SIGHUP")] * 4 + [signalling("stop", name) for name in ("SIGTERM", "SIGTERM", "SIGINT", "SIGQUIT")]
    askings += [signalling("usr2", "SIGUSR2")] * 2 + [signalling("winch", "SIGWINCH"), signalling("more", "SIGTTIN"),
                                                    signalling("fewer", "SIGTTOU"), signalling("reopen", "SIGUSR1")]
    askings += [twice("stop", *chance.choice((("SIGTERM", "SIGTERM"), ("SIGTERM", "SIGQUIT"), ("SIGTERM", "SIGINT"), ("SIGINT", "SIGINT"))), 0.7)]
    askings += [signalling_group("stop", chance.choice(("SIGTERM", "SIGINT", "SIGQUIT")))]
    if "reload = True" in lines:
        askings += [touching(None, "app.py")] * 3
    accidents = [killing("SIGKILL", "worker")] * 2 + [killing("SIGTERM", "worker"), killing("SIGABRT", "worker"), killing_master(),
                                                      requesting("/crash"), requesting("/watch")]
    script = Script(chance, askings, accidents, max(graceful, timeout))

    def drive(run):
        run.start(workers=0)
        run.wait_up(workers)
        script.drive(run)

    return Scenario(GUNICORN, f"random-{seed}", f"drawn by lot, seed {seed}", drive,
                    {"gunicorn.conf.py": "\n".join([*lines, ""]), "app.py": app}, [], [],
                    [f"application: {', '.join(pieces) or 'plain'}", *script.words()], "max-requests", {}, "", (), False)
