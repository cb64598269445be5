"""Save over an old file again and again, with each call that the operating system answers failing once.

    LD_PRELOAD=faults.so python save_with_faults.py faults.so FOLDER FILE [named]

With "named", as on a system that has no files without a name.

Prints what became of each attempt, as JSON lines.
"""

import ctypes
import errno
import json
import os
import sys
from pathlib import Path

import foxnn

if "named" in sys.argv and hasattr(os, "O_TMPFILE"):
    del os.O_TMPFILE
library, folder, name = ctypes.CDLL(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
FAILURES = {
    "open": ["ENOSPC", "EIO", "EMFILE", "EINTR"],
    "write": ["ENOSPC", "EIO", "EDQUOT", "EINTR", "short"],
    "chmod": ["EIO", "EPERM"],
    "fsync": ["EIO", "ENOSPC", "EINTR"],
    "close": ["EIO", "ENOSPC", "EINTR"],
    "link": ["EIO", "ENOSPC", "EPERM", "EXDEV"],
    "rename": ["EIO", "ENOSPC", "EINTR"],
}

sizes = [100, 60, 10] if name.endswith(".safetensors") else [30, 20, 10]  # some pages in any case
networks = [foxnn.neural_network(sizes, seed=seed) for seed in (0, 1)]
whole = []
path = folder / name
for network in networks:
    network.save(path)
    whole.append(path.read_bytes())

for function, failures in FAILURES.items():
    for failure in failures:
        n = 0
        missed = False
        while not missed:
            n += 1
            networks[0].save(path)
            library.arm(
                os.fsencode(folder), function.encode(), n, -1 if failure == "short" else getattr(errno, failure)
            )
            error = message = None
            try:
                networks[1].save(path)
            except OSError as caught:
                error, message = errno.errorcode[caught.errno], str(caught)
            finally:
                missed = bool(library.disarm())
            found = path.read_bytes()
            print(
                json.dumps(
                    {
                        "what": f"{function} number {n}: {failure}",
                        "missed": missed,
                        "error": error,
                        "message": message,
                        "file": {whole[0]: "old", whole[1]: "new"}.get(found, f"{len(found)} bytes of something else"),
                        "left": sorted(set(os.listdir(folder)) - {name}),
                    }
                )
            )
