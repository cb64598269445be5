"""The same rate all the time."""

from __future__ import annotations

import numpy as np

from foxnn._options import real
from foxnn.schedules.base import Array, Pace, Schedule


class Constant(Schedule):
    """The same rate all the time.

    Parameters
    ----------
    learning_rate : float

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Constant(0.1).rates(epochs=2)
    array([0.1, 0.1])
    """

    name = "constant"
    foresees = True

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        return np.full(np.shape(steps), self.learning_rate)
