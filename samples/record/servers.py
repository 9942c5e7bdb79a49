"""The kinds of server that can be recorded: how each is started, and what its recordings are called."""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

# Debian's own, for which Debian packages the servers, or that of a virtual environment with later versions.
PYTHON = os.environ.get("LOGDOCTOR_RECORD_PYTHON", "/usr/bin/python3")


@dataclass(frozen=True)
class Kind:
    name: str            # also the folder under samples/
    configuration: str   # the file that a run starts with unless it names another
    packages: tuple
    probe: tuple         # a command that works where the packages are installed
    version: Callable
    command: Callable    # run, configuration -> the command line
    counts_mercy: bool = False  # a SIGKILL counts as the end of patience only after the mercy (uWSGI)
    aborts_with: int | None = None  # the exit code of a process that ends itself because its time is over
    supervises: bool = False  # it runs whole servers, which write logs of their own into the run's folder
    journal: bool = False  # systemd: it is contained in namespaces, and its log is what journalctl says of the unit
    machine: bool = False  # systemd as the init of a whole virtual machine, in which the recorder runs too

    @property
    def log(self):
        return f"{self.name}.log"

    def missing_packages(self):
        if shutil.which(self.probe[0]) is None:
            return list(self.packages)
        said = subprocess.run(self.probe, capture_output=True, text=True)
        failed = said.returncode or "unable to load plugin" in said.stderr + said.stdout
        return list(self.packages) if failed else []


def printed(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def module_version(name):
    return f"{name} " + printed(PYTHON, "-c", f"from importlib.metadata import version; print(version('{name}'))")


def arguments(run, name):
    """A file with one argument a line, as argparse's fromfile_prefix_chars would read it."""
    return [each for each in (run.work / name).read_text().split("\n") if each]


def asgi(name, *packages, needs=""):
    """`needs` is a version: where an older one is installed, the packages count as missing."""
    probe = f"import {name}, importlib.metadata as m; v = m.version('{name}')"
    if needs:
        probe += f"; assert tuple(map(int, v.split('.')[:2])) >= {tuple(map(int, needs.split('.')))}, v"
    return Kind(
        name, f"{name}.args", packages, (PYTHON, "-c", probe),
        version=lambda: module_version(name),
        command=lambda run, file: [PYTHON, "-m", name, *arguments(run, file)])


UWSGI = Kind(
    "uwsgi", "uwsgi.ini", ("uwsgi-core", "uwsgi-plugin-python3"), ("uwsgi", "--plugin", "python3", "--version"),
    version=lambda: "uwsgi " + printed("uwsgi", "--version"),
    command=lambda run, file: ["uwsgi", "--ini", file],
    counts_mercy=True)


def uwsgi_built(name):
    """Another version or another Python than Debian's: built from source, on the PATH under this name, with Python built in."""
    return replace(
        UWSGI, packages=(f"{name} (built from source: no Debian package)",), probe=(name, "--version"),
        version=lambda: "uwsgi " + printed(name, "--version"), command=lambda run, file: [name, "--ini", file])


GUNICORN = Kind(
    "gunicorn", "gunicorn.conf.py", ("gunicorn", "python3-gevent", "python3-uvicorn"),
    (PYTHON, "-c", "import gunicorn, gevent, uvicorn"),
    version=lambda: module_version("gunicorn"),
    command=lambda run, file: ["gunicorn", "-c", file])



def behind_nginx(kind):
    """The server is started by its own configuration, and nginx by nginx.conf; `error.log` and `access.log` are nginx's."""
    return replace(
        kind, packages=(*kind.packages, "nginx-light"), probe=("sh", "-c", "nginx -v && " + shlex.join(kind.probe)),
        version=lambda: kind.version() + ", " + nginx_version(),
        command=lambda run, file: (
            ["nginx", "-p", str(run.work), "-c", file, "-e", "error.log"] if file == "nginx.conf" else kind.command(run, file)))


def nginx_version():
    return subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.split(": ")[1].strip().replace("/", " ")



def gunicorn_built(name):
    """Another version than Debian's, on the PATH under this name."""
    return replace(
        GUNICORN, packages=(f"{name} (no Debian package)",), probe=(name, "--version"),
        version=lambda: "gunicorn " + printed(name, "--version").split("version ")[1].rstrip(")"),
        command=lambda run, file: [name, "-c", file, "app:application"])


UVICORN = asgi("uvicorn", "python3-uvicorn", needs="0.30")
HYPERCORN = asgi("hypercorn", "python3-hypercorn")
DAPHNE = asgi("daphne", "python3-daphne")
WAITRESS = asgi("waitress", "python3-waitress")

SUPERVISORD = Kind(
    "supervisord", "supervisord.conf", ("supervisor", "uwsgi-core", "uwsgi-plugin-python3", "gunicorn"),
    ("sh", "-c", "supervisord --version && gunicorn --version && uwsgi --plugin python3 --version"),
    version=lambda: "supervisord " + printed("supervisord", "--version"),
    command=lambda run, file: ["supervisord", "--nodaemon", "--configuration", file],
    counts_mercy=True, supervises=True)

SYSTEMD = Kind(
    "systemd", "shop.service", ("systemd", "util-linux", "uwsgi-core", "uwsgi-plugin-python3", "gunicorn"),
    ("sh", "-c", "test -x /lib/systemd/systemd && test -d /sys/fs/cgroup/systemd && unshare --version && gunicorn --version "
     "&& uwsgi --plugin python3 --version"),
    version=lambda: printed("systemctl", "--version").split("\n")[0],
    command=lambda run, _file: [str(Path(__file__).resolve().parent / "systemd" / "boot.sh"), str(run.directory)],
    counts_mercy=True, supervises=True, journal=True)

MACHINE = replace(
    SYSTEMD, machine=True, probe=("sh", "-c", "systemctl --version && gunicorn --version && uwsgi --plugin python3 --version"))
# uWSGI in a container of its own, whose pids are not those that the kernel names.
CONTAINED = replace(UWSGI, machine=True)
MACHINE_PACKAGES = {"qemu-system-x86_64": "qemu-system-x86", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"}


def missing_for_machine():
    return [package for program, package in MACHINE_PACKAGES.items() if shutil.which(program) is None]

# It gives its processes another user, who must reach the application and the witness's file.
APACHE = Kind(
    "apache", "httpd.conf", ("apache2-bin", "libapache2-mod-wsgi-py3"), ("sh", "-c", "apache2 -v && test -e /usr/lib/apache2/modules/mod_wsgi.so"),
    version=lambda: "apache " + printed("apache2", "-v").split("Apache/")[1].split()[0] + ", mod_wsgi " + printed(
        "dpkg-query", "-W", "-f", "${Version}", "libapache2-mod-wsgi-py3").split("-")[0],
    command=lambda run, file: ["sh", "-c", f"chmod a+rx .. . && chmod a+w . {run.side_file} && exec apache2 -d {run.work} -f {run.work / file} -DFOREGROUND"],
    aborts_with=255)

CELERY = Kind(
    "celery", "celery.args", ("python3-celery",), (PYTHON, "-c", "import celery"),
    version=lambda: module_version("celery"),
    command=lambda run, file: [PYTHON, "-m", "celery", "-A", "app", "worker", "-l", "INFO", *arguments(run, file)])

# Debian 13 has it.
CELERY_5_5 = replace(CELERY, probe=(PYTHON, "-c", "import celery; v = celery.__version__; assert tuple(map(int, v.split('.')[:2])) >= (5, 5), v"))

# Redis runs beside it, as a child: its log is nobody's concern here.
RQ = Kind(
    "rq", "rq.args", ("python3-rq", "redis-server"), ("sh", "-c", "redis-server --version && rq --version"),
    version=lambda: module_version("rq"),
    command=lambda run, file: ["sh", "-c", f"redis-server --port {run.ports['port2']} --save '' > redis.out 2>&1 & sleep 1; "
                               f"exec rq worker --url redis://127.0.0.1:{run.ports['port2']} " + " ".join(arguments(run, file))])

# Its queue is a table of SQLite, made before it starts.
DJANGO_Q = Kind(
    "django-q", "settings.py", ("python3-django-q",), (PYTHON, "-c", "import django_q"),
    version=lambda: module_version("django-q"),
    command=lambda _run, file: ["sh", "-c", f"export DJANGO_SETTINGS_MODULE={Path(file).stem}; {PYTHON} -m django migrate > migrate.out 2>&1; "
                                f"exec {PYTHON} -m django qcluster"])
