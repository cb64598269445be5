"""Reads models and compares outputs."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np

from differential import Case, library

#: What may be between two ways to compute the same, of the largest output.
_TOLERANCES = {"float32": 2e-4, "float64": 1e-9}
_REPORT = 1000


class Finding(AssertionError):
    """A model that was read wrongly, and how to see it again."""


def run(
    name: str, models: int, seed: int = 0, first: int = 0, seconds: float = np.inf,
    report: Callable[[str], None] | None = None,
) -> Counter[str]:  # fmt: skip
    """Read models number `first` to `first + models`, or as many as there is time for; Finding after a wrong one.

    Returns
    -------
    Counter
        How many were read, and how many refused.
    """
    make, counts, started = library(name).case, Counter(read=0, refused=0), time.monotonic()
    for number in range(first, first + models):
        if time.monotonic() - started > seconds:
            break
        random = np.random.default_rng([seed, number])
        case = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                case = make(random)
                counts[_outcome(case, random)] += 1
        except Exception as error:
            what = "" if case is None else f", {case.description}"
            raise Finding(f"{name}: model {number} of seed {seed}{what}: {error!r}") from error
        if report is not None and (number + 1) % _REPORT == 0:
            report(
                f"{name}: {number + 1 - first:,} of {models:,} in {time.monotonic() - started:.0f} s, {dict(counts)}"
            )
    return counts


def _outcome(case: Case, random: np.random.Generator) -> str:
    try:
        network = case.read()
    except ValueError:
        if not case.odd:
            raise
        return "refused"
    X = random.normal(0.5, 1.5, size=(7, case.n_in)).astype(case.dtype)
    expected = np.asarray(case.run(X), np.float64).reshape(len(X), -1)
    outputs = network.predict(X)
    assert outputs.shape == expected.shape, f"shapes {outputs.shape}, {expected.shape}"
    off = np.abs(outputs - expected).max() / max(1.0, np.abs(expected).max())
    assert off <= max(case.tolerance, _TOLERANCES[case.dtype]), f"outputs are off by {off:.3g} of the largest"
    return "read"
