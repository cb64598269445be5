"""Growing at first."""

from __future__ import annotations

import numpy as np

from foxnn._options import real
from foxnn.schedules._around import Around
from foxnn.schedules._lasting import Lasting
from foxnn.schedules.base import Array, Pace, Schedule


class LinearWarmup(Around, Lasting):
    """Let the rate grow evenly at first, and then go on with another schedule, whose time begins then.

    ``rate = (start + (1 - start) t / T) r`` before time T, r being the rate that comes then.

    Parameters
    ----------
    then : float or Schedule
        What comes after: a rate to stay at, or a schedule.
    epochs, steps : float
        The duration T.
    start : float, default 0
        The first rate, as a share of the one to reach.

    References
    ----------
    Goyal et al., Accurate, Large Minibatch SGD (2017), section 2.2.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.LinearWarmup(1.0, epochs=4).rates(epochs=6)
    array([0.  , 0.25, 0.5 , 0.75, 1.  , 1.  ])
    >>> foxnn.schedules.LinearWarmup(foxnn.schedules.Cosine(1.0), epochs=2).rates(epochs=6).round(3)
    array([0.   , 0.5  , 1.   , 0.854, 0.5  , 0.146])
    """

    name = "linear_warmup"
    inner = "then"

    def __init__(
        self, then: float | Schedule, epochs: float | None = None, steps: float | None = None, start: float = 0.0
    ) -> None:
        self._take(then)
        self._take_duration(epochs, steps, needed=True)
        self.start = real("start", start, 0, 1, closed_above=True)

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        duration = self._duration(pace)
        left = None if pace.whole is None else max(pace.whole - duration, 1)
        later = self._base_at(np.maximum(steps - duration, 0), Pace(pace.epoch, left))
        return later * np.minimum(self.start + (1 - self.start) * steps / duration, 1)
