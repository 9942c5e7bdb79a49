import threading
import time

import witness  # writes down what happens, beside the log


def loop():
    while True:
        time.sleep(1)


threading.Thread(target=loop, name="poller", daemon=True).start()
while True:
    time.sleep(0.5)
