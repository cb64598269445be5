"""Falling as a power of time."""

from __future__ import annotations

from foxnn._options import real
from foxnn.schedules._lasting import Lasting
from foxnn.schedules.base import Array, Pace


class InverseScaling(Lasting):
    """Let the rate fall as a power of time: ``rate = learning_rate / (1 + t / duration) ** power``.

    With ``epochs=1 / n_samples`` these are scikit-learn's rates, which it sets once an epoch.

    Parameters
    ----------
    learning_rate : float
    power : float, default 0.5
    epochs, steps : float, optional
        The duration after which the rate is ``learning_rate / 2 ** power``; by default an epoch.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.InverseScaling(1.0, power=1).rates(epochs=4)
    array([1.        , 0.5       , 0.33333333, 0.25      ])
    """

    name = "inverse_scaling"

    def __init__(
        self, learning_rate: float, power: float = 0.5, epochs: float | None = None, steps: float | None = None
    ) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)
        self.power = real("power", power, 0)
        self._take_duration(1.0 if epochs is None and steps is None else epochs, steps)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        return self.learning_rate / (1 + steps / self._duration(pace)) ** self.power
