"""The rates of another schedule, multiplied."""

from __future__ import annotations

from foxnn._options import real
from foxnn.schedules._around import Around
from foxnn.schedules.base import Array, Pace, Schedule


class Scaled(Around):
    """The rates of another schedule, multiplied.

    Parameters
    ----------
    learning_rate : float or Schedule
    factor : float >= 0

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Scaled(foxnn.schedules.Exponential(1.0, factor=0.5), 3).rates(epochs=3)
    array([3.  , 1.5 , 0.75])
    """

    name = "scaled"
    inner = "learning_rate"

    def __init__(self, learning_rate: float | Schedule, factor: float) -> None:
        self._take(learning_rate)
        self.factor = real("factor", factor, 0)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        return self.factor * self._base_at(steps, pace)
