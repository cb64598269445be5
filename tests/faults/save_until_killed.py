"""Have processes killed while they save two networks by turns, and look at the file each time.

    python save_until_killed.py FILE TIMES [named]

Prints how many kills there were, at least TIMES, and how many left what, as JSON. With "named", as on a system that has
no files without a name: then the temporary files show that kills came in the middle of writing.
"""

import collections
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import foxnn

is_named = "named" in sys.argv
if is_named and hasattr(os, "O_TMPFILE"):
    del os.O_TMPFILE
path, times = Path(sys.argv[1]), int(sys.argv[2])
networks = [foxnn.neural_network([100, 60, 10], seed=seed) for seed in (0, 1)]
whole = {}
for name, network in zip(("first", "second"), networks, strict=True):
    started = time.perf_counter()
    network.save(path)
    seconds = time.perf_counter() - started
    whole[path.read_bytes()] = name

found: collections.Counter[str] = collections.Counter()
kills = 0
# Until all has happened that can happen, however busy the machine is.
wanted = {"first", "second"} | ({"killed while writing"} if is_named else set())
while kills < times or (not wanted <= found.keys() and kills < 30 * times):
    kills += 1
    random.shuffle(networks)
    saving = os.fork()  # it has foxnn imported already, and so gets going at once
    if saving == 0:
        while True:
            for network in networks:
                network.save(path)
    time.sleep(random.uniform(0, 3 * seconds))
    os.kill(saving, signal.SIGKILL)
    os.waitpid(saving, 0)
    data = path.read_bytes()
    found[whole.get(data, f"{len(data)} bytes of something else")] += 1
    foxnn.load(path)
    for left in path.parent.glob(".foxnn-*.tmp"):
        found["killed while writing" if left.read_bytes() not in whole else "killed before the rename"] += 1
        left.unlink()
print(
    json.dumps(
        {"kills": kills, "found": found, "left": [other.name for other in path.parent.iterdir() if other != path]}
    )
)
