"""The rates of a training's steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from foxnn._options import real
from foxnn.schedules import Pace, Schedule, get
from foxnn.schedules.base import Array

#: For how many steps rates are computed at a time.
_BLOCK = 4096


class Rates:
    """The rates of a training's steps, whatever `optimizer.learning_rate` is or becomes meanwhile.

    Parameters
    ----------
    pace : Pace
    dtype : dtype
        Of the network, which has to hold the largest rates, and the first: later ones may become nothing in it.
    """

    def __init__(self, pace: Pace, dtype: npt.DTypeLike) -> None:
        self._pace, self._dtype = pace, dtype
        self._given: Any = None
        self._schedule: Schedule | None = None
        self._first, self._block = 0, np.empty(0)

    @property
    def is_scheduled(self) -> bool:
        """Whether the last rates came from a schedule."""
        return self._schedule is not None

    def of(self, learning_rate: Any, step: int, n: int, ahead: int = 1) -> float | Array:
        """The rate of the n steps from this one on, or an array of the rates of the first of them.

        `ahead`: how many steps of this epoch there will be for sure, for which rates may be computed at once.
        """
        self._take(learning_rate)
        if self._schedule is None:
            return float(learning_rate)
        at = step - self._first
        if not 0 <= at < len(self._block):
            known = max(n, ahead)
            if self._schedule.foresees and self._pace.whole is not None:  # no further: there it may grow too large
                known = max(known, int(self._pace.whole) - step)
            steps = np.arange(step, step + min(known, _BLOCK), dtype=np.float64)
            self._block = _checked(self._schedule, self._schedule.at(steps, self._pace), len(steps))
            if step == 0:
                real(f"learning_rate of {self._schedule!r}", self._block[0], 0, dtype=self._dtype)
            if (largest := self._block.max()) > 1:
                real(f"learning_rate of {self._schedule!r}", largest, 0, dtype=self._dtype)
            self._first, at = step, 0
        return self._block[at : at + n]

    def _take(self, learning_rate: Any) -> None:
        if learning_rate is not self._given:
            checked = get(learning_rate)
            self._given = learning_rate
            self._schedule = checked.begin() if isinstance(checked, Schedule) else None
            self._block = np.empty(0)

    def state(self, learning_rate: Any) -> list[dict[str, Any]]:
        """What the schedule of steps to come keeps in mind, and those inside it."""
        self._take(learning_rate)
        return [dict(schedule.state) for schedule in _keeping(self._schedule)]

    def restore(self, learning_rate: Any, state: list[dict[str, Any]]) -> None:
        """Go on with a learning rate of which `state` was this."""
        self._take(learning_rate)
        for schedule, kept in zip(_keeping(self._schedule), state, strict=True):
            numbers = [name for name, value in schedule.state.items() if isinstance(value, (int, float))]
            if kept.keys() != schedule.state.keys() or not all(type(kept[name]) in (int, float) for name in numbers):
                raise ValueError(f"the state of {schedule!r} is not {kept!r}")
            schedule.state = kept

    def observe(self, values: dict[str, float]) -> None:
        """Let the schedule hear the values of an epoch that has ended."""
        if self._schedule is not None:
            self._schedule.observe(values)
            if not self._schedule.foresees:
                self._block = np.empty(0)


def _keeping(schedule: Any) -> list[Any]:
    """The schedules, of this one and those inside it, that have a `state`."""
    if not isinstance(schedule, Schedule):
        return []
    inside = [found for inner in vars(schedule).values() for found in _keeping(inner)]
    return [schedule, *inside] if hasattr(schedule, "state") else inside


def _checked(schedule: Schedule, rates: Any, n: int) -> Array:
    block = np.ascontiguousarray(rates, dtype=np.float64)
    if block.shape != (n,):
        raise ValueError(f"learning_rate: {schedule!r} gave rates of shape {block.shape} for {n} steps")
    bad = ~((block >= 0) & (block < np.inf))
    if bad.any():
        raise ValueError(f"learning_rate: {schedule!r} gave {block[bad][0]}; it takes numbers in [0, inf)")
    return block
