import os
import sys
import time

print("working", flush=True)
time.sleep(600 if os.path.exists('once') else 2)
open('once', 'w')
sys.exit(1)
