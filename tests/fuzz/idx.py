"""Arrays in IDX, compressed or not."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import numpy as np

import foxnn
from foxnn.datasets.idx import idx_header, read_idx
from fuzz.mutations import damaged

ERRORS = (foxnn.FileFormatError,)
NAMES_FILE = True
MEMORY = 1032.0  # what DEFLATE can unpack a byte to; `use` asks for less of files that are not compressed
OVERHEAD = 1 << 20
TOKENS = ()

_PLAIN_OVERHEAD = 1 << 16


def corpus() -> list[bytes]:
    """Each type, from no dimension to four; compressed ones too."""
    arrays = [np.arange(24, dtype=">u1").reshape(4, 3, 2), np.arange(5, dtype=">i1"), np.zeros((2, 0, 3), ">i2"),
              np.arange(6, dtype=">i4").reshape(2, 3), np.array(1.5, ">f4"), np.ones((1, 2, 3, 4), ">f8")]  # fmt: skip
    plain = [idx_header(array) + array.tobytes() for array in arrays]
    return [*plain, *(gzip.compress(data, mtime=0) for data in plain)]


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Damage to the file; or to what is compressed, with a right checksum after it."""
    if random.random() < 0.6:
        return damaged(random, corpus)
    plain = damaged(random, corpus[: len(corpus) // 2])
    return gzip.compress(plain, 1, mtime=0) + (b"" if random.random() < 0.9 else random.randbytes(3))


def use(path: Path) -> None:
    """Read it."""
    array = read_idx(path, max_bytes=1 << 20)
    assert array.dtype.isnative
    assert array.nbytes <= 1 << 20
