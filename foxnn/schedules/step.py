"""Falling in stairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from foxnn._options import real
from foxnn.schedules._lasting import Lasting, in_steps
from foxnn.schedules.base import Array, Pace


class Step(Lasting):
    """Multiply the rate by `factor` every so many epochs or steps, or at given ones.

    ``rate = learning_rate * factor ** (number of times gone by)``

    Parameters
    ----------
    learning_rate : float
    factor : float > 0, default 0.1
    epochs, steps : float, or a list of them
        The duration between two changes; a list: the times of the changes.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Step(1.0, factor=0.5, epochs=2).rates(epochs=5)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    >>> foxnn.schedules.Step(1.0, epochs=[1, 4]).rates(epochs=5)
    array([1.  , 0.1 , 0.1 , 0.1 , 0.01])
    """

    name = "step"

    def __init__(
        self,
        learning_rate: float,
        factor: float = 0.1,
        epochs: float | Sequence[float] | None = None,
        steps: float | Sequence[float] | None = None,
    ) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)
        self.factor = real("factor", factor, 0, open_below=True)
        self._times: list[tuple[float | None, float | None]] | None = None
        if _is_list(epochs) and steps is None:
            self.epochs, self.steps = tuple(real("epochs", t, 0) for t in epochs), None  # type: ignore[union-attr]
            self._times = [(t, None) for t in self.epochs]
        elif _is_list(steps) and epochs is None:
            self.epochs, self.steps = None, tuple(real("steps", t, 0) for t in steps)  # type: ignore[union-attr]
            self._times = [(None, t) for t in self.steps]
        else:
            self._take_duration(epochs, steps, needed=True)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        if self._times is None:
            changes = np.floor(steps / self._duration(pace))
        else:
            times = np.sort([in_steps(self, *time, pace) for time in self._times])
            changes = np.searchsorted(times, steps, side="right")
        return self.learning_rate * self.factor**changes


def _is_list(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)
