"""A learning rate for every step of a training."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from foxnn._closed import Closed
from foxnn._options import integer

Array: TypeAlias = npt.NDArray[np.float64]


class Pace(NamedTuple):
    """How many steps an epoch has, and the whole training; None: nobody knows."""

    epoch: float | None
    whole: float | None


class Schedule(Closed, ABC):
    """Base of schedules: a learning rate for every step.

    A schedule of your own overrides `at`.

    Examples
    --------
    >>> import foxnn
    >>> class Halves(foxnn.schedules.Schedule):
    ...     def at(self, steps, pace):
    ...         return 0.1 * 0.5 ** (steps // 100)
    >>> Halves().rates(epochs=2, steps_per_epoch=100)[[0, 99, 100]]
    array([0.1 , 0.1 , 0.05])
    """

    #: What files call it; None: files hold the rate of the moment in its place.
    name: ClassVar[str | None] = None
    #: Whether rates of coming epochs are known already, and may be asked for.
    foresees: bool = False

    @abstractmethod
    def at(self, steps: Array, pace: Pace) -> Array:
        """Rates of the steps with these numbers, counted from 0, as an array of the same shape.

        Parameters
        ----------
        steps : ndarray of float64
        pace : Pace
            ``pace.epoch`` and ``pace.whole``: steps of an epoch and of the whole training, or None.
        """

    def begin(self) -> Schedule:
        """What a training uses: the schedule itself, or a copy if it keeps anything in mind.

        What it keeps in mind is a dict `state` of numbers and texts, so that checkpoints have it.
        """
        return self

    def observe(self, values: dict[str, float]) -> None:
        """Hear the values of an epoch that has ended, as they are in the history."""

    @classmethod
    @cache
    def _parameters(cls) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(cls).parameters

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make it again, as `get` takes it and JSON can hold it."""
        arguments = {name: getattr(self, name) for name in self._parameters()}
        return {"schedule": self.name, **{name: _description(value) for name, value in arguments.items()}}

    def rates(self, epochs: int = 1, steps_per_epoch: int = 1) -> Array:
        """The rates of all steps of a training, to look at or to plot.

        Parameters
        ----------
        epochs : int, default 1
        steps_per_epoch : int, default 1

        Returns
        -------
        ndarray of shape (epochs * steps_per_epoch,)

        Examples
        --------
        >>> import foxnn
        >>> foxnn.schedules.Exponential(1.0, factor=0.5).rates(epochs=3)
        array([1.  , 0.5 , 0.25])
        """
        per_epoch = integer("steps_per_epoch", steps_per_epoch, 1)
        whole = integer("epochs", epochs, 1) * per_epoch
        return self.begin().at(np.arange(whole, dtype=np.float64), Pace(per_epoch, whole))

    def __eq__(self, other: object) -> bool:
        if self.name is None or not isinstance(other, Schedule):
            return self is other
        return self.config == other.config

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        parameters = self._parameters().values()
        values = [(p.name, getattr(self, p.name, p.default), p.default) for p in parameters]
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v, default in values if v != default)})"


def _description(value: Any) -> Any:
    return value.config if isinstance(value, Schedule) else list(value) if isinstance(value, tuple) else value
