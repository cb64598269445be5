"""FoxNN 1.0's data as text."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import numpy as np

import foxnn
from fuzz.mutations import damaged

ERRORS = (foxnn.FileFormatError,)
NAMES_FILE = True
MEMORY = 4.0  # two characters can be a number of eight bytes
OVERHEAD = 1 << 20
TOKENS = ()


def corpus() -> list[bytes]:
    """Digits and 17 of them, in lines and in one."""
    files = [b"3 2 1\n0 0 1\n0 1 0\n1 0 0\n", b"1\r\n1\r\n1\r\n-2.5\r\n1e-3\r\n"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.txt")
        data = foxnn.train_data()
        data.add_data(np.linspace(-1, 1, 24).reshape(6, 4), np.eye(6, 2))
        data.save(path)
        return [*files, path.read_bytes()]


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Text has no checksum to get past."""
    return damaged(random, corpus)


def use(path: Path) -> None:
    """Read it, and look at a row."""
    data = foxnn.train_data(path)
    row = data.get(data.size() - 1)
    assert np.isfinite([*row.input, *row.out]).all()
