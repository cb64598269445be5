"""Schedules made of others."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foxnn.schedules.base import Array, Pace, Schedule

if TYPE_CHECKING:
    from typing_extensions import Self


class Around(Schedule):
    """Base of schedules made of another one, or of a number that stands for one."""

    #: The attribute that has the other one.
    inner: ClassVar[str]

    @property
    def _base(self) -> float | Schedule:
        base: float | Schedule = getattr(self, self.inner)
        return base

    def _take(self, learning_rate: Any) -> None:
        from foxnn.schedules import get  # which knows of the classes that are made of this one

        setattr(self, self.inner, get(learning_rate))
        self.foresees = not isinstance(self._base, Schedule) or self._base.foresees

    def _base_at(self, steps: Array, pace: Pace) -> Array:
        base = self._base
        return base.at(steps, pace) if isinstance(base, Schedule) else np.full(np.shape(steps), base)

    def begin(self) -> Self:
        """See `Schedule.begin`."""
        base = self._base
        begun = base.begin() if isinstance(base, Schedule) else base
        if begun is base:
            return self
        own = copy.copy(self)
        setattr(own, self.inner, begun)
        return own

    def observe(self, values: dict[str, float]) -> None:
        """See `Schedule.observe`."""
        if isinstance(self._base, Schedule):
            self._base.observe(values)
