"""A virtual machine with a kernel of its own, for what no namespace can show: want of memory, and systemd as its init.

The machine boots once, records its scenarios one after the other with the recorder that is here, and turns itself off.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
IMAGE = Path(os.environ.get("LOGDOCTOR_RECORD_MACHINE", "/var/tmp/logdoctor-record-machine"))
BOOT, EACH = 120, 60  # seconds: it is emulated, and a scenario may be tried again
WANTED = "wanted.json"


def record(names, out, attempts):
    """Whether each of these scenarios was recorded; they are saved below `out`."""
    if not (IMAGE / "disk.img").exists():
        subprocess.run([HERE / "machine" / "build.sh", IMAGE], check=True)
    with tempfile.TemporaryDirectory(prefix="logdoctor-record-") as folder:
        given, taken, made = Path(folder, "given.tar"), Path(folder, "taken.tar"), Path(folder, "made")
        (Path(folder) / WANTED).write_text(json.dumps({"scenarios": names, "attempts": attempts}))
        with tarfile.open(given, "w") as tar:
            tar.add(HERE, ".", filter=lambda entry: None if "__pycache__" in entry.name else entry)
            tar.add(Path(folder) / WANTED, WANTED)
        with open(taken, "wb") as disk:
            disk.truncate(64 << 20)
        try:
            subprocess.run(command(given, taken), check=True, timeout=BOOT + EACH * len(names))
            with tarfile.open(taken) as tar:
                tar.extractall(made, filter="data")
        except (subprocess.TimeoutExpired, tarfile.TarError) as error:
            print(f"record: the machine gave no result: {error}", file=sys.stderr)
        recorded = [name for name in names if (made / name / "truth.json").exists()]
        for name in recorded:
            shutil.copytree(made / name, out / name, dirs_exist_ok=True)
    return recorded == names


def wanted():
    """Inside the machine: which scenarios, and how often each may be tried."""
    said = json.loads((HERE / WANTED).read_text())
    return said["scenarios"], said["attempts"]


def command(given, taken):
    """Emulated: that is quick enough, and needs no right to the machine's own virtualization. It has no network."""
    return [
        "nice", "-n", "10", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1G", "-nodefaults",
        "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", IMAGE / "vmlinuz", "-initrd", IMAGE / "initrd",
        "-append", "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=no systemd.unit=recorder.service loglevel=1",
        "-drive", f"file={IMAGE / 'disk.img'},format=raw,if=virtio,snapshot=on",
        "-drive", f"file={given},format=raw,if=virtio,readonly=on", "-drive", f"file={taken},format=raw,if=virtio",
    ]
