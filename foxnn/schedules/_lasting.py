"""Durations, in epochs or in steps."""

from __future__ import annotations

from typing import Any

from foxnn._options import real
from foxnn.schedules.base import Pace, Schedule


class Lasting(Schedule):
    """Base of schedules with a duration, in epochs or in steps."""

    foresees = True
    epochs: Any
    steps: Any

    def _take_duration(self, epochs: Any, steps: Any, *, needed: bool = False) -> None:
        if epochs is not None and steps is not None:
            raise ValueError(f"steps: got {steps!r} besides epochs; {type(self).__name__} takes one of the two")
        if needed and epochs is None and steps is None:
            raise ValueError(f"epochs: {type(self).__name__} needs a duration, epochs= or steps=")
        self.epochs = None if epochs is None else real("epochs", epochs, 0, open_below=True)
        self.steps = None if steps is None else real("steps", steps, 0, open_below=True)

    def _duration(self, pace: Pace) -> float:
        """The duration in steps."""
        return in_steps(self, self.epochs, self.steps, pace)


def in_steps(schedule: Schedule, epochs: float | None, steps: float | None, pace: Pace) -> float:
    """A duration in steps: of so many epochs, or of so many steps, or that of the whole training."""
    if steps is not None:
        return steps
    known = pace.whole if epochs is None else pace.epoch
    if known is None:
        what = "how many steps the training takes" if epochs is None else "how many steps an epoch has"
        raise ValueError(
            f"learning_rate: {schedule!r} has to know {what}, which is not known here; give its duration as steps=, "
            "or fit its steps_per_epoch="
        )
    return known if epochs is None else epochs * known
