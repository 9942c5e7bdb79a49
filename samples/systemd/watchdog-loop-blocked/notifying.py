import os
import socket
import sys
import time


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(text.encode(), os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


notify("READY=1")
print("ready", flush=True)
while True:
    notify("WATCHDOG=1")
    time.sleep(0.5)
    if os.path.exists("export"):
        os.remove("export")
        print("exporting", flush=True)
        time.sleep(60)
