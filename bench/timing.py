"""Timing by turns: every contender runs for a moment in every round, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass
class Contender:
    """`run(n)` does a piece of work n times, where n is a multiple of `multiple`."""

    run: Callable[[int], object]
    multiple: int = 1


@dataclass
class Pace:
    """How long to measure."""

    seconds: float = 20.0  # for all rounds together
    turn: float = 0.1  # seconds a contender works in a round
    pause: float = 0.12  # seconds before a turn: NumPy's OpenBLAS keeps a core busy for that long after its work
    least_rounds: int = 5

    def alone(self) -> Pace:
        """The same for foxnn against itself: it keeps no core busy after its work, and the shorter the turns, the more
        alike the noise that those compared meet."""
        return replace(self, turn=min(self.turn, 0.03), pause=min(self.pause, 0.002))


def repeated(function: Callable[..., object], *arguments: Any) -> Callable[[int], object]:
    """A contender's `run` out of a function that does the work once."""

    def run(n: int) -> None:
        for _ in range(n):
            function(*arguments)

    return run


def interleave(contenders: dict[str, Contender], pace: Pace) -> dict[str, list[float]]:
    """Seconds that a piece of each contender's work took, in each round."""
    counts = {name: _count(contender, pace.turn) for name, contender in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order, shuffle = list(contenders), random.Random(0).shuffle
    gc.collect()
    gc.disable()
    try:
        end, rounds = time.perf_counter() + pace.seconds, 0
        while rounds < pace.least_rounds or time.perf_counter() < end:
            shuffle(order)
            for name in order:
                time.sleep(pace.pause)
                times[name].append(_turn(contenders[name], counts[name]))
            rounds += 1
    finally:
        gc.enable()
    return times


def _count(contender: Contender, turn: float) -> int:
    """How often a contender's work fits into a turn."""
    n = contender.multiple
    contender.run(n)  # compiles, starts threads, fills caches
    while True:
        started = time.perf_counter()
        contender.run(n)
        took = time.perf_counter() - started
        if took > turn / 4:
            return max(1, round(turn / took * n / contender.multiple)) * contender.multiple
        n *= 4


def _turn(contender: Contender, n: int) -> float:
    multiple = contender.multiple
    if multiple == 1 or multiple < n:  # else a turn is long enough without a warm-up
        contender.run(max(multiple, n // 8 // multiple * multiple))
    started = time.perf_counter()
    contender.run(n)
    return (time.perf_counter() - started) / n


def quartiles(values: Any) -> list[float]:
    return [float(q) for q in np.percentile(values, [25, 50, 75])]


def ratios(times: dict[str, list[float]], name: str, base: str) -> list[float]:
    """Quartiles of the ratio, taken round by round, of a contender's time to another's."""
    return quartiles(np.divide(times[name], times[base]))


def median(values: Any) -> float:
    return float(np.median(values))
