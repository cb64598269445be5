"""Arrays in IDX."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

import foxnn
from foxnn.datasets.idx import idx_header, read_idx
from fuzz.mutations import damaged

ERRORS = (foxnn.FileFormatError,)
NAMES_FILE = True
MEMORY = 1.0  # the array, which is what the file holds
OVERHEAD = 1 << 18
TOKENS = (b"\x1f\x8b",)


def corpus() -> list[bytes]:
    """Each type, from no dimension to four."""
    arrays = [np.arange(24, dtype=">u1").reshape(4, 3, 2), np.arange(5, dtype=">i1"), np.zeros((2, 0, 3), ">i2"),
              np.arange(6, dtype=">i4").reshape(2, 3), np.array(1.5, ">f4"), np.ones((1, 2, 3, 4), ">f8"),
              np.ones(2**18, ">i2")]  # fmt: skip
    return [idx_header(array) + array.tobytes() for array in arrays]


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """No checksum to get past."""
    return damaged(random, corpus, TOKENS)


def use(path: Path) -> None:
    """Read it."""
    array = read_idx(path, max_bytes=1 << 20)
    assert array.dtype.isnative
    assert array.nbytes <= 1 << 20
