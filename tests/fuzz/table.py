"""Tables in CSV."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

from foxnn.datasets import load_csv
from fuzz.mutations import damaged

ERRORS = (ValueError,)
NAMES_FILE = False  # "line 3" says enough where a name of a column does not exist
MEMORY = 128.0  # twice the file and the arrays: a cell of few texts is as many numbers as there are of these
OVERHEAD = 1 << 20
TOKENS = (b"a", b"b", b"NA", b"?", b";", b"\t", b'"', b'""', b"\r", b"\xef\xbb\xbf", b"\x85", b"\xe2\x80\xa8")


def corpus() -> list[bytes]:
    """Numbers, texts, quotes, and the separators there are."""
    return [
        b"a,b,y\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n",
        b"a;b;y\r\n1.5;red;yes\r\n-2e3;blue;no\r\n",
        b'\xef\xbb\xbfa\t"b ""c"""\ty\n1\t"x\ny"\t0.5\n2\tz\t1.5\n',
        b"0,1,y\n1,2,3\n",
    ]


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Text has no checksum to get past."""
    return damaged(random, corpus, TOKENS)


def use(path: Path) -> None:
    """Load it, with the target if there is one."""
    try:
        table = load_csv(path, target="y")
    except ValueError as error:
        if not str(error).startswith("target has 'y'"):
            raise
        table = load_csv(path)
    assert np.isfinite(table.X).all()
    assert table.X.shape[1] == len(table.feature_names)
    assert table.y is None or len(table.y) == len(table.X)
