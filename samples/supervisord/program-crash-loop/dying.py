import sys
import time

print("working", flush=True)
time.sleep(2)
sys.exit(1)
