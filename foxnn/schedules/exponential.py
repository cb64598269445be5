"""Falling by the same factor in the same time."""

from __future__ import annotations

from foxnn._options import real
from foxnn.schedules._lasting import Lasting
from foxnn.schedules.base import Array, Pace


class Exponential(Lasting):
    """Let the rate fall by the same factor in the same time, a little at every step.

    ``rate = learning_rate * factor ** (t / duration)``. `Step` does the same in stairs.

    Parameters
    ----------
    learning_rate : float
    factor : float > 0, default 0.9
    epochs, steps : float, optional
        The duration in which the rate changes by the factor; by default an epoch.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Exponential(1.0, factor=0.25).rates(epochs=2, steps_per_epoch=2)
    array([1.   , 0.5  , 0.25 , 0.125])
    """

    name = "exponential"

    def __init__(
        self, learning_rate: float, factor: float = 0.9, epochs: float | None = None, steps: float | None = None
    ) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)
        self.factor = real("factor", factor, 0, open_below=True)
        self._take_duration(1.0 if epochs is None and steps is None else epochs, steps)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        return self.learning_rate * self.factor ** (steps / self._duration(pace))
