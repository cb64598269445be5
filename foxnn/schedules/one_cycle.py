"""Growing and falling once (super-convergence)."""

from __future__ import annotations

import numpy as np

from foxnn._options import real
from foxnn.schedules._lasting import Lasting
from foxnn.schedules.base import Array, Pace


class OneCycle(Lasting):
    """Let the rate grow to `learning_rate` and fall to nearly nothing, both along half a cosine.

    The momentum stays as it is.

    Parameters
    ----------
    learning_rate : float
        The largest rate, reached after the share `rise` of the duration.
    epochs, steps : float, optional
        The duration; by default that of the whole training. The rate stays at its last value afterwards.
    rise : float in (0, 1), default 0.3
    start : float, default 0.04
        The first rate, as a share of the largest.
    end : float, default 4e-6
        The last rate, as a share of the largest.

    References
    ----------
    Smith and Topin, Super-Convergence (2018), with cosines in place of lines.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.OneCycle(1.0, rise=0.5).rates(epochs=6).round(3)
    array([0.04, 0.52, 1.  , 0.75, 0.25, 0.  ])
    """

    name = "one_cycle"

    def __init__(
        self,
        learning_rate: float,
        epochs: float | None = None,
        steps: float | None = None,
        rise: float = 0.3,
        start: float = 0.04,
        end: float = 4e-6,
    ) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)
        self._take_duration(epochs, steps)
        self.rise = real("rise", rise, 0, 1, open_below=True)
        self.start = real("start", start, 0)
        self.end = real("end", end, 0)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        last = max(self._duration(pace) - 1, 1)  # numbers of the steps at the peak and at the end
        peak = max(self.rise * (last + 1) - 1, 1e-9)
        up = _half_cosine(self.start, 1.0, steps / peak)
        down = _half_cosine(1.0, self.end, (steps - peak) / max(last - peak, 1e-9))
        return self.learning_rate * np.where(steps <= peak, up, down)


def _half_cosine(begin: float, end: float, share: Array) -> Array:
    return end + (begin - end) * (1 + np.cos(np.pi * np.clip(share, 0, 1))) / 2
