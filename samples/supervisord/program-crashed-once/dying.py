import sys
import time

print("working", flush=True)
time.sleep(2 if not __import__('os').path.exists('once') else 600)
open('once', 'w')
sys.exit(1)
