"""Runs a command for as long as standard input stays open, so that whoever started it cannot leave it behind.

The operating system closes the pipe when the starter ends, however it ends.

usage: python tether.py COMMAND [ARGUMENT]...
"""

import os
import subprocess
import sys
import threading

child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)


def watch():
    while os.read(0, 1):
        pass
    child.kill()


threading.Thread(target=watch, daemon=True).start()
try:
    sys.exit(child.wait())
except KeyboardInterrupt:
    sys.exit(130)
finally:
    child.kill()
