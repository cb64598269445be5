"""Any function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foxnn._options import real, unknown
from foxnn.schedules._lasting import in_steps
from foxnn.schedules.base import Array, Pace, Schedule


class Function(Schedule):
    """Any function. A function in place of a learning rate is the same as ``Function(function)``.

    Files hold the rate of the moment in its place, since they hold no code.

    Parameters
    ----------
    function : callable
        Gets a number, counted from 0, and returns a rate.
    per : "epoch" or "step", default "epoch"
        What the numbers are of.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Function(lambda epoch: 0.1 if epoch < 2 else 0.01).rates(epochs=3)
    array([0.1 , 0.1 , 0.01])
    """

    def __init__(self, function: Callable[[int], float], per: str = "epoch") -> None:
        if not callable(function):
            raise TypeError(f"function: got {function!r}; it takes a function of a number that returns a rate")
        if per not in ("epoch", "step"):
            raise unknown("per", per, ["epoch", "step"])
        self.function, self.per = function, per

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        numbers = np.asarray(steps)
        if self.per == "epoch":
            numbers = np.floor(numbers / in_steps(self, 1.0, None, pace))
        # Only for the numbers that there are: a function may be slow, and may not be made for more.
        unique, place = np.unique(numbers, return_inverse=True)
        rates = np.array([real("learning_rate", self.function(int(n)), 0) for n in unique])
        return rates[place].reshape(np.shape(steps))
