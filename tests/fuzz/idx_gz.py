"""Arrays in IDX, compressed."""

from __future__ import annotations

import gzip
from random import Random

from fuzz import idx
from fuzz.idx import ERRORS, NAMES_FILE, TOKENS, use
from fuzz.mutations import damaged

__all__ = ["ERRORS", "MEMORY", "NAMES_FILE", "OVERHEAD", "TOKENS", "corpus", "damage", "use"]

MEMORY = 1032.0  # what DEFLATE can unpack a byte to
OVERHEAD = 1 << 20


def corpus() -> list[bytes]:
    """As the others, compressed, and then as they are."""
    plain = idx.corpus()[:-1]
    return [*(gzip.compress(data, mtime=0) for data in plain), *plain]


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Damage to the file; or to what is compressed, with a right checksum after it."""
    if random.random() < 0.6:
        return damaged(random, corpus, TOKENS)
    plain = damaged(random, corpus[len(corpus) // 2 :])
    return gzip.compress(plain, 1, mtime=0) + (b"" if random.random() < 0.9 else random.randbytes(3))
