"""What the processor can do: the rate of NumPy's float32 matrix product, measured beside everything else."""

from __future__ import annotations

import numpy as np

from timing import Contender, repeated

N = 1024


def contender() -> Contender:
    a, b = np.random.default_rng(0).random((2, N, N), dtype=np.float32)
    return Contender(repeated(lambda out: np.matmul(a, b, out=out), np.empty_like(a)))


def gflops(times: list[float]) -> float:
    """The best rate that any round saw."""
    return 2 * N**3 / min(times) / 1e9
