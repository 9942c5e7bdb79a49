import os
import time

taken = []
while not os.path.exists("enough"):
    taken.append(b"x" * 4_000_000)
    time.sleep(0.02)
time.sleep(600)
