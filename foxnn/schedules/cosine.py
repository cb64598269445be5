"""Falling along half a cosine (SGDR)."""

from __future__ import annotations

import numpy as np

from foxnn._options import flag, real
from foxnn.schedules._lasting import Lasting
from foxnn.schedules.base import Array, Pace


class Cosine(Lasting):
    """Let the rate fall along half a cosine, once or again and again (warm restarts).

    ``rate = minimum + (learning_rate - minimum) (1 + cos(pi t / T)) / 2`` at time t of a fall that takes T.

    Parameters
    ----------
    learning_rate : float
        Where the rate starts.
    epochs, steps : float, optional
        The duration T of the (first) fall; by default that of the whole training.
    restarts : bool, default False
        Whether to start again after a fall; if not, the rate stays at `minimum`.
    stretch : float >= 1, default 1
        How many times as long each fall is as the one before.
    minimum : float, default 0
        Where it falls to.

    References
    ----------
    Loshchilov and Hutter, SGDR (2017), equation 5.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Cosine(1.0).rates(epochs=4).round(3)
    array([1.   , 0.854, 0.5  , 0.146])
    >>> foxnn.schedules.Cosine(1.0, epochs=2, restarts=True, stretch=2).rates(epochs=7).round(3)
    array([1.   , 0.5  , 1.   , 0.854, 0.5  , 0.146, 1.   ])
    """

    name = "cosine"

    def __init__(
        self,
        learning_rate: float,
        epochs: float | None = None,
        steps: float | None = None,
        restarts: bool = False,
        stretch: float = 1.0,
        minimum: float = 0.0,
    ) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)
        self._take_duration(epochs, steps)
        self.restarts = flag("restarts", restarts)
        self.stretch = real("stretch", stretch, 1)
        self.minimum = real("minimum", minimum, 0)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        share = steps / self._duration(pace)  # of the first fall
        if not self.restarts:
            share = np.minimum(share, 1.0)
        elif self.stretch == 1:
            share = share % 1
        else:  # n falls together last (stretch^n - 1) / (stretch - 1) of the first
            grown = 1 + share * (self.stretch - 1)
            n = np.floor(np.log(grown) / np.log(self.stretch) + 1e-12)
            before = (self.stretch**n - 1) / (self.stretch - 1)
            share = (share - before) / self.stretch**n
        return self.minimum + (self.learning_rate - self.minimum) * (1 + np.cos(np.pi * share)) / 2
