"""A file system that never answers, as a network file system whose server is gone.

FUSE with nobody who replies: whoever looks a name up in it waits in the kernel (state D), and SIGKILL does not end him.
Needs root.
"""

import ctypes
import os
import struct
import threading
from contextlib import contextmanager

LIBC = ctypes.CDLL(None, use_errno=True)
NOSUID_NODEV, FORCE_DETACH = 2 | 4, 1 | 2
INIT, VERSION = 26, (7, 31)  # include/uapi/linux/fuse.h


@contextmanager
def stuck_mount(folder):
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if LIBC.mount(b"stuck", os.fsencode(folder), b"fuse", NOSUID_NODEV, options.encode()):
        raise OSError(ctypes.get_errno(), f"cannot mount FUSE on {folder}")
    threading.Thread(target=greet, args=(device,), daemon=True).start()
    try:
        yield
    finally:
        LIBC.umount2(os.fsencode(folder), FORCE_DETACH)  # whoever waits gets an error, or dies at last
        os.close(device)


def greet(device):
    """Reads every request, and answers the kernel's first alone: without that it asks for nothing."""
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:  # unmounted
            return
        _, operation, unique = struct.unpack_from("<IIQ", request)
        if operation == INIT:
            answer = struct.pack("<II", *VERSION) + bytes(56)
            os.write(device, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)
