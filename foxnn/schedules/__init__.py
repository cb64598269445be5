"""Learning-rate schedules: learning rates that change as training goes on.

A schedule stands wherever a learning rate does: ``fit(learning_rate=foxnn.schedules.Cosine(0.01))``,
``foxnn.optimizers.Adam(foxnn.schedules.Step(0.01, epochs=10))``. Its rate is a function of the number of steps taken
since `fit` began, so it changes at every step; `train_on_batch` and `partial_fit` count the optimizer's steps.
Durations are given in epochs or in steps, whichever is at hand; without one, the schedule lasts as long as `fit` does.

Any callable is a schedule as well: it gets the number of an epoch, counted from 0, and returns the epoch's rate.
"""

from __future__ import annotations

from typing import Any, NoReturn

from foxnn._options import real, unknown
from foxnn.schedules.base import Pace, Schedule
from foxnn.schedules.constant import Constant
from foxnn.schedules.cosine import Cosine
from foxnn.schedules.exponential import Exponential
from foxnn.schedules.function import Function
from foxnn.schedules.inverse_scaling import InverseScaling
from foxnn.schedules.linear_warmup import LinearWarmup
from foxnn.schedules.one_cycle import OneCycle
from foxnn.schedules.reduce_on_plateau import ReduceOnPlateau
from foxnn.schedules.scaled import Scaled
from foxnn.schedules.step import Step

__all__ = [
    "Constant",
    "Cosine",
    "Exponential",
    "Function",
    "InverseScaling",
    "LinearWarmup",
    "OneCycle",
    "Pace",
    "ReduceOnPlateau",
    "Scaled",
    "Schedule",
    "Step",
    "description",
    "get",
    "names",
]

_BY_NAME: dict[str, type[Schedule]] = {
    str(cls.name): cls
    for cls in (
        Constant,
        Step,
        Exponential,
        Cosine,
        LinearWarmup,
        Scaled,
        OneCycle,
        InverseScaling,
        ReduceOnPlateau,
    )
}


def names() -> list[str]:
    """Names of all schedules, as files have them.

    Examples
    --------
    >>> import foxnn
    >>> "cosine" in foxnn.schedules.names()
    True
    """
    return list(_BY_NAME)


def get(learning_rate: Any) -> float | Schedule:
    """A learning rate, checked: a number, or a schedule.

    Parameters
    ----------
    learning_rate : float, Schedule, callable, or dict
        A callable becomes a `Function`; a dict is the `config` of a schedule.

    Raises
    ------
    ValueError, TypeError
        If it is none of these.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.get({"schedule": "cosine", "learning_rate": 0.1, "epochs": 5})
    Cosine(learning_rate=0.1, epochs=5.0)
    """
    if isinstance(learning_rate, Schedule):
        return learning_rate
    if isinstance(learning_rate, type):  # which is callable, and would make a schedule of the number of the epoch
        raise TypeError(
            f"learning_rate: got the class {learning_rate.__name__}; it takes a number, a schedule such as "
            "foxnn.schedules.Cosine(1e-3), or a function of the epoch"
        )
    if callable(learning_rate):
        return Function(learning_rate)
    if isinstance(learning_rate, dict):
        arguments = dict(learning_rate)
        name = arguments.pop("schedule", None)
        if name not in _BY_NAME:
            raise unknown("schedule", name, names())
        cls = _BY_NAME[str(name)]
        for key in arguments:
            if key not in cls._parameters():
                raise unknown(f"{name} parameter", key, cls._parameters())
        return cls(**arguments)
    return real("learning_rate", learning_rate, 0)


def description(learning_rate: Any, at_the_moment: float) -> Any:
    """What a file holds of a learning rate: a number or a `config`; of what JSON cannot hold, the rate of the moment.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.description(foxnn.schedules.Constant(0.5), 0.5)
    {'schedule': 'constant', 'learning_rate': 0.5}
    >>> foxnn.schedules.description(lambda epoch: 0.1, 0.1)
    0.1
    """
    if not isinstance(learning_rate, Schedule):
        return at_the_moment if callable(learning_rate) else learning_rate
    return at_the_moment if _has_no_name(learning_rate) else learning_rate.config


def _has_no_name(schedule: Schedule) -> bool:
    return type(schedule) not in _BY_NAME.values() or any(
        _has_no_name(inner) for inner in vars(schedule).values() if isinstance(inner, Schedule)
    )


def __getattr__(name: str) -> NoReturn:
    from foxnn._elsewhere import no_such

    raise no_such("foxnn.schedules", name)
