"""Falling when nothing improves any more."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from foxnn._monitor import Monitor
from foxnn._options import integer, real
from foxnn.schedules._around import Around
from foxnn.schedules.base import Array, Pace, Schedule

if TYPE_CHECKING:
    from typing_extensions import Self


class ReduceOnPlateau(Around):
    """Multiply the rate by `factor` whenever a value has not improved for some epochs.

    Parameters
    ----------
    learning_rate : float or Schedule
        The rate to begin with; of a schedule, all that comes is multiplied.
    monitor : str, optional
        Name of a value in the history; by default ``val_loss``, or ``loss`` if nothing is validated.
    factor : float in (0, 1), default 0.1
    patience : int, default 10
        Epochs without improvement that pass; after one more, the rate is reduced.
    min_delta : float, default 1e-4
        By how much a value must be better to count.
    cooldown : int, default 0
        Epochs after a reduction that are not counted.
    minimum : float, default 0
        What no reduction goes below.
    mode : "min", "max" or "auto", default "auto"
        Whether the value should be small or large; "auto": as is right for losses and foxnn's own metrics.

    Attributes
    ----------
    state : dict of str to float
        What a training keeps in mind: ``scale`` (what the rate is multiplied by), ``best``, ``waited`` and ``cooling``.
        It follows from the values of the epochs gone by in one `fit`.

    Examples
    --------
    >>> import foxnn
    >>> schedule = foxnn.schedules.ReduceOnPlateau(0.1, patience=0)
    >>> nn = foxnn.neural_network([1, 1], output="linear", init="zeros")
    >>> nn.fit([[1.0]], [0.0], epochs=3, learning_rate=schedule)["learning_rate"]
    [0.1, 0.1, 0.01...]
    """

    name = "reduce_on_plateau"
    inner = "learning_rate"
    state: dict[str, float]

    def __init__(
        self,
        learning_rate: float | Schedule,
        monitor: str | None = None,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        cooldown: int = 0,
        minimum: float = 0.0,
        mode: str = "auto",
    ) -> None:
        self._take(learning_rate)
        self.foresees = False  # what coming epochs will be like
        self._monitor = Monitor(monitor, mode)
        self.monitor, self.mode = monitor, mode
        self.factor = real("factor", factor, 0, 1, open_below=True)
        self.patience = integer("patience", patience, 0)
        self.min_delta = real("min_delta", min_delta, 0)
        self.cooldown = integer("cooldown", cooldown, 0)
        self.minimum = real("minimum", minimum, 0)
        self.state = _state()

    def at(self, steps: Array, pace: Pace) -> Array:
        """See `Schedule.at`."""
        base, scale = self._base_at(steps, pace), self.state["scale"]
        return base if scale == 1 else np.maximum(base * scale, np.minimum(base, self.minimum))

    def begin(self) -> Self:
        """See `Schedule.begin`."""
        own = copy.copy(super().begin())
        own.state = _state()
        return own

    def observe(self, values: dict[str, float]) -> None:
        """See `Schedule.observe`."""
        super().observe(values)
        state = self.state
        value = self._monitor.value(values)
        if self._monitor.is_better(value, state["best"], self.min_delta):
            state["best"], state["waited"] = value, 0
        else:
            state["waited"] += 1
        if state["cooling"]:
            state["cooling"] -= 1
            state["waited"] = 0
        if state["waited"] > self.patience:
            state["scale"] *= self.factor
            state["waited"], state["cooling"] = 0, self.cooldown


def _state() -> dict[str, float]:
    return {"scale": 1.0, "best": np.nan, "waited": 0, "cooling": 0}
