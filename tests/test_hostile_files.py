"""Promise: what a file costs to read is bounded by its size, whatever it says of itself; what has no end is refused.

Fuzzing (tests/fuzz) finds the small mistakes; these are files that were made to cost much. Each is read by a process of
its own, which may compute for a few seconds and must not grow by more than so many times the file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from peak_memory import PEAK_MEMORY, needs_proc

import foxnn
from foxnn.io.native import to_bytes

#: Seconds that the reading may compute for: ten times what it takes, and a tenth of what it would take to do it badly.
SECONDS = 6
#: Bytes that it may take beside those that go with the size of the file: buffers, and messages.
OVERHEAD = 6 << 20

_READ = f"""{PEAK_MEMORY}
import os, resource, sys, time
os.environ["OMP_NUM_THREADS"] = "1"
import numpy, foxnn, foxnn.datasets, foxnn.io.native, foxnn.foxnn_1_0.text_files
from foxnn.datasets import load_csv, read_idx

def weights(path):
    return foxnn.load(path, only_scale=True)

read, path = eval(sys.argv[1]), sys.argv[2]
try:
    read(sys.argv[3])  # a small one, to import and to allocate what any file needs
except ValueError:
    pass
limit = int(time.process_time()) + {SECONDS}
resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
before = memory()
try:
    read(path)
    outcome = "loaded"
except ValueError as error:
    outcome = f"{{type(error).__name__}}: {{error}}"
print(memory() - before, outcome)
"""


def read(function: str, path: Path, small: bytes = b"1") -> tuple[int, str]:
    """By how many bytes a process grows that reads a file, and what comes of it."""
    other = path.with_name(f"small-{path.name}")
    other.write_bytes(small)
    run = subprocess.run([sys.executable, "-c", _READ, function, path, other], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr or f"took more than {SECONDS} seconds: signal {-run.returncode}"
    grown, _, outcome = run.stdout.partition(" ")
    return int(grown), outcome


# ---- files ----------------------------------------------------------------------------------------------------


def text_settings() -> bytes:
    """The beginning of FoxNN 1.0's text of a network, up to the number of layers."""
    from foxnn.foxnn_1_0.settings import Settings
    from foxnn.foxnn_1_0.settings_text import settings_lines

    return b"".join(settings_lines(Settings()))


def header_only(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


def described(name: str, value: str) -> bytes:
    """A network's file with a text of JSON for one part of its description, under a checksum that is right."""
    whole = to_bytes(foxnn.neural_network([2, 1]))
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    description = json.loads(header["__metadata__"]["foxnn"]) | {"sha256": "0" * 64}
    description.pop(name, None)
    header["__metadata__"]["foxnn"] = json.dumps(description)[:-1] + f', "{name}": {value}}}'
    blank = header_only(json.dumps(header).encode()) + whole[8 + length :]
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


def idx(*shape: int, values: bytes = b"") -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + values


def columns(n: int, rows: int = 1) -> bytes:
    return b",".join(b"c%d" % i for i in range(n)) + b"\n" + (b",".join([b"1"] * n) + b"\n") * rows


#: By name: who reads it, the file, bytes that a byte of it may take, and what comes of it.
_BOMBS: dict[str, tuple[str, Callable[[], bytes], float, str]] = {
    # FoxNN 1.0's text
    "data.txt of 10^18 numbers": (
        "foxnn.train_data",
        lambda: b"1000000000 500000000 500000000\n0 0",
        4,
        "too short to",
    ),
    "data.txt of one value": ("foxnn.train_data", lambda: b"1 1 1\n" + b"1" * 3_000_000, 4, "more than 4096 charac"),
    "data.txt of nothing": ("foxnn.train_data", lambda: b" \n" * 2_000_000, 4, "line 2000000: the file ends"),
    "data.txt, wrong at its end": ("foxnn.train_data", lambda: b"500000 1 1\n" + b"1 " * 999_999 + b"x", 8, "got 'x'"),
    "net.txt of 10^12 layers": ("weights", lambda: b"1000000000000 1000000000 2 1 1", 4, "too short to hold"),
    "net.txt of many layers": ("weights", lambda: b"20000\n" + b"1 2 1 1\n" * 20_000, 300, "loaded"),
    "net.txt of many units": ("weights", lambda: b"1 200000\n" + b"2 1 1\n" * 200_000, 20, "loaded"),
    "net.txt with many parameters": ("foxnn.load", lambda: text_settings() + b"1 elu 99999999999 1", 4, "at most 1"),
    "net.txt with an endless name": (
        "foxnn.load",
        lambda: b"1 100 0 " + b'"' + b"\\" * 3_000_000,
        4,
        "FileFormatError",
    ),
    "net.txt with an endless number": ("foxnn.load", lambda: b"9" * 3_000_000, 4, "FileFormatError"),
    # CSV
    "one.csv of one line": ("load_csv", lambda: b"a" * 4_000_000, 8, "field larger than field limit"),
    "wide.csv": ("load_csv", lambda: columns(60_000), 400, "loaded"),
    "wider.csv of names alone": ("load_csv", lambda: columns(300_000, 0), 200, "no rows"),
    "quote.csv, never closed": ("load_csv", lambda: b'a,b\n"' + b"x\n" * 2_000_000, 8, "field larger than field limit"),
    "empty.csv of empty lines": ("load_csv", lambda: b"a\n" + b"\n" * 2_000_000, 8, "no rows"),
    "long.csv": ("load_csv", lambda: b"a\n" + b"1\n" * 300_000, 40, "loaded"),
    "texts.csv": ("load_csv", lambda: b"a,b\n" + b"".join(b"%x,1\n" % i for i in range(100_000)), 40, "distinct texts"),
    "zeros.csv": ("load_csv", lambda: bytes(4_000_000), 8, "not CSV"),
    # IDX
    "lengths.idx": ("read_idx", lambda: idx(*[2**32 - 1] * 60), 4, "there can be no more than"),
    "bomb.gz": ("read_idx", lambda: gzip.compress(idx(50_000_000, values=bytes(50_000_000))), 1100, "loaded"),
    "more.gz": ("read_idx", lambda: gzip.compress(idx(9, values=bytes(50_000_000))), 4, "left over"),
    "members.gz": ("read_idx", lambda: gzip.compress(idx(9)) + gzip.compress(b"") * 40_000, 4, "cut short"),
    "padded.gz": ("read_idx", lambda: gzip.compress(idx(1, values=b"1")) + bytes(5_000_000), 4, "loaded"),
    "named.gz": ("read_idx", lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * 4_000_000, 4, "FileFormatError"),
    # foxnn's own files
    "deep.safetensors": ("foxnn.load", lambda: header_only(b'{"a":' * 500_000), 8, "damaged"),
    "lists.safetensors": ("foxnn.load", lambda: header_only(b'{"a":[' + b"[]," * 500_000 + b"[]]}"), 60, "damaged"),
    "digits.safetensors": ("foxnn.load", lambda: header_only(b'{"a":1e' + b"9" * 3_000_000 + b"}"), 8, "damaged"),
    "shape.safetensors": (
        "foxnn.load",
        lambda: header_only(
            b'{"a":{"dtype":"F32","shape":[' + b",".join([b"9" * 18] * 150_000) + b'],"data_offsets":[0,0]}}'
        ),
        60,
        "damaged",
    ),
    "twice.safetensors": (
        "foxnn.load",
        lambda: header_only(b"{" + b",".join(b'"%d":1' % (i - (i == 80_000)) for i in range(80_001)) + b"}"),
        80,
        "is there twice",
    ),
    "blanks.safetensors": ("foxnn.load", lambda: header_only(b" " * 5_000_000), 4, "damaged"),
    "longer.safetensors": ("foxnn.load", lambda: (10**8 + 1).to_bytes(8, "little") + b"{" * 5_000_000, 4, "cut short"),
    "history.safetensors": ("foxnn.load", lambda: described("history", "[" + "{}," * 300_000 + "{}]"), 20, "loaded"),
    "names.safetensors": (
        "foxnn.load",
        lambda: described("history", "[" + ",".join(f'{{"k{i}": 1}}' for i in range(3_000)) + "]"),
        60,
        "",
    ),
    "sizes.safetensors": ("foxnn.load", lambda: described("sizes", "[" + "1," * 200_000 + "1]"), 200, "belongs"),
    "activation.safetensors": (
        "foxnn.load",
        lambda: described("activations", '[{"name": "' + "relu" * 300_000 + '"}]'),
        20,
        "unknown name",
    ),
    "nested.safetensors": (
        "foxnn.load",
        lambda: described("metadata", '{"a":' * 200_000 + "1" + "}" * 200_000),
        20,
        "FileFormatError",
    ),
}


@needs_proc
@pytest.mark.parametrize("name", _BOMBS)
def test_what_a_file_costs_is_bounded_by_its_size(name: str, tmp_path: Path) -> None:
    function, make, factor, expected = _BOMBS[name]
    path = tmp_path / name.partition(" ")[0].rstrip(",")
    path.write_bytes(make())
    size = path.stat().st_size
    assert size < 8e6, size
    grown, outcome = read(function, path, to_bytes(foxnn.neural_network([2, 1])) if "safetensors" in name else b"1")
    assert expected in outcome, outcome[:1000]
    assert len(outcome) < 2000
    assert grown < factor * size + OVERHEAD, f"{grown:,} bytes for {size:,}"


# ---- what has no end ------------------------------------------------------------------------------------------

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")


@needs_pipes
@pytest.mark.parametrize("function", ["foxnn.load", "weights", "foxnn.train_data", "load_csv", "read_idx"])
def test_devices_are_refused(function: str, tmp_path: Path) -> None:
    path = tmp_path / "zero"
    path.symlink_to("/dev/zero")
    assert read(function, path)[1].startswith(f"FileFormatError: {path}: a device; it takes a regular file")


@needs_pipes
@pytest.mark.parametrize("function", ["foxnn.load", "weights", "foxnn.train_data", "read_idx"])
def test_pipes_are_refused_without_waiting_for_a_writer(function: str, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read(function, path)[1].startswith(f"FileFormatError: {path}: a pipe; it takes a regular file")


@needs_pipes
def test_tables_come_through_pipes(tmp_path: Path) -> None:
    """As shells make them: they end when the command does."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=["a,b\n1,2\n3,4\n"])
    writer.start()
    assert foxnn.datasets.load_csv(path).X.tolist() == [[1, 2], [3, 4]]
    writer.join()
