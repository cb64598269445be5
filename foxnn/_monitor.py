"""Which value is watched, and whether it should be small or large."""

from __future__ import annotations

import math
from collections.abc import Mapping

from foxnn._options import unknown


class Monitor:
    """Finds a value among those of an epoch and compares it with the best one.

    Parameters
    ----------
    name : str, optional
        By default ``val_loss``, or ``loss`` if nothing is validated.
    mode : "min", "max" or "auto"
    """

    def __init__(self, name: str | None, mode: str) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"monitor: got {name!r}; it takes the name of a value in the history")
        if mode not in ("min", "max", "auto"):
            raise unknown("mode", mode, ["min", "max", "auto"])
        self.name, self.mode = name, mode

    def name_in(self, values: Mapping[str, float]) -> str:
        """The name, which has to be among the values."""
        name = self.name or ("val_loss" if "val_loss" in values else "loss")
        if name not in values:
            needs = ""
            if name.startswith("val_") and not any(other.startswith("val_") for other in values):
                needs = " (val_ values come with validation_data or validation_split)"
            raise ValueError(f"monitor: got {name!r}; this training has: {', '.join(values)}{needs}")
        return name

    def value(self, values: Mapping[str, float]) -> float:
        """The value."""
        name = self.name_in(values)
        if self.mode == "auto":
            self.mode = "max" if _should_be_large(name) else "min"
        return values[name]

    def is_better(self, value: float, best: float, min_delta: float = 0.0) -> bool:
        """Whether the value is better than the best one by more than `min_delta`; NaN stands for none."""
        gain = value - best if self.mode == "max" else best - value
        return gain > min_delta or math.isnan(best)


def _should_be_large(name: str) -> bool:
    from foxnn import metrics

    metric = name.removeprefix("val_")
    if metric.endswith("loss"):
        return False
    known = metrics.should_be_large(metric)
    if known is None:
        raise ValueError(f"mode: whether {name!r} should be small or large is not known; it takes 'min' or 'max'")
    return known
