"""Promise: too little memory to save, copy or read a network is a MemoryError, and nothing else happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import foxnn
from foxnn.io.native import to_bytes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's RLIMIT_AS and /proc")

#: Does it again and again, with more memory each time, until there is enough; the network has 4 MB.
PROGRAM = """\
import json, os, pickle, resource, sys
import numpy as np, foxnn

what, folder = sys.argv[1:]
path, other = os.path.join(folder, "net.safetensors"), os.path.join(folder, "other.safetensors")
nn = foxnn.neural_network([500, 1000, 500], seed=0)
nn.train_on_batch(np.zeros((1, 500)), np.zeros((1, 500)))
nn.save(path, optimizer=True)
pickled = pickle.dumps(nn)
do = {
    "save": lambda: nn.save(other, optimizer=True),
    "load": lambda: foxnn.load(path),
    "copy": lambda: nn.copy(),
    "pickle": lambda: pickle.dumps(nn),
    "unpickle": lambda: pickle.loads(pickled),
}[what]
do()  # which brings in the modules
before = {name: os.stat(os.path.join(folder, name)).st_ino for name in os.listdir(folder)}


def size():
    return next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize"))


refused = 0
for more in range(0, 128 << 20, 2 << 20):
    resource.setrlimit(resource.RLIMIT_AS, (size() + more, -1))
    try:
        result = do()
    except MemoryError:
        refused += 1
        result = None
    else:
        break
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    after = {name: os.stat(os.path.join(folder, name)).st_ino for name in os.listdir(folder)}
    assert after == before, (after, before)
nn.train_on_batch(np.zeros((1, 500)), np.zeros((1, 500)))  # it is as usable as it was
print(json.dumps([refused, more]))
"""


@pytest.mark.out_of_memory
@pytest.mark.parametrize("what", ["save", "load", "copy", "pickle", "unpickle"])
def test_no_memory_is_a_memory_error(what: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, what, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        env={"MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip  (what is freed is gone)
    assert run.returncode == 0, run.stderr[-2000:]
    assert json.loads(run.stdout)[0] >= 1  # there was a time when it had too little


def test_files_are_those_of_the_library_of_safetensors() -> None:
    """Bytes, order and padding: theirs of the same arrays are ours."""
    from safetensors.numpy import load, save

    for dtype in ("float32", "float64"):
        nn = foxnn.neural_network([3, 5, foxnn.BatchNorm(), 2], dtype=dtype, seed=0)
        nn.metadata = {"å": 'Å "\\ \ud800 \n\x7f'}
        nn.fit(np.eye(3), np.eye(3)[:, :2], epochs=2)
        data = to_bytes(nn, optimizer=True)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        assert save(load(data), metadata=header["__metadata__"]) == data
