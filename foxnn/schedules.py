"""Learning-rate schedules: learning rates that change as training goes on.

A schedule stands wherever a learning rate does: ``fit(learning_rate=foxnn.schedules.Cosine(0.01))``,
``foxnn.optimizers.Adam(foxnn.schedules.Step(0.01, epochs=10))``. Its rate is a function of the number of steps taken
since `fit` began, so it changes at every step; `train_on_batch` and `partial_fit` count the optimizer's steps.
Durations are given in epochs or in steps, whichever is at hand; without one, the schedule lasts as long as `fit` does.

Any callable is a schedule as well: it gets the number of an epoch, counted from 0, and returns the epoch's rate.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn._options import integer, real, unknown

if TYPE_CHECKING:
    from typing_extensions import Self

_Array = npt.NDArray[np.float64]

#: For how many steps rates are computed at a time.
_BLOCK = 4096


class Pace(NamedTuple):
    """How many steps an epoch has, and the whole training; None: nobody knows."""

    epoch: float | None
    whole: float | None


class Schedule:
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

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """Rates of the steps with these numbers, counted from 0, as an array of the same shape.

        Parameters
        ----------
        steps : ndarray of float64
        pace : Pace
            ``pace.epoch`` and ``pace.whole``: steps of an epoch and of the whole training, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define at(steps, pace)")

    def begin(self) -> Schedule:
        """What a training uses: the schedule itself, or a copy if it keeps anything in mind.

        What it keeps in mind is a dict `state` of numbers and texts, so that checkpoints have it.
        """
        return self

    def observe(self, values: dict[str, float]) -> None:
        """Hear the values of an epoch that has ended, as they are in the history."""

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make it again, as `get` takes it and JSON can hold it."""
        arguments = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        return {"schedule": self.name, **{name: _description(value) for name, value in arguments.items()}}

    def rates(self, epochs: int = 1, steps_per_epoch: int = 1) -> _Array:
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
        parameters = inspect.signature(type(self)).parameters.values()
        values = [(p.name, getattr(self, p.name, p.default), p.default) for p in parameters]
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v, default in values if v != default)})"


def _description(value: Any) -> Any:
    return value.config if isinstance(value, Schedule) else list(value) if isinstance(value, tuple) else value


def _foresees(base: float | Schedule) -> bool:
    return isinstance(base, float) or base.foresees


def _base_at(base: float | Schedule, steps: _Array, pace: Pace) -> _Array:
    return np.full(np.shape(steps), base) if isinstance(base, float) else base.at(steps, pace)


class _Lasting(Schedule):
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
        return _in_steps(self, self.epochs, self.steps, pace)


def _in_steps(schedule: Schedule, epochs: float | None, steps: float | None, pace: Pace) -> float:
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


class Constant(Schedule):
    """The same rate all the time.

    Parameters
    ----------
    learning_rate : float

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Constant(0.1).rates(epochs=2)
    array([0.1, 0.1])
    """

    name = "constant"
    foresees = True

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        return np.full(np.shape(steps), self.learning_rate)


class Step(_Lasting):
    """Multiply the rate by `factor` every so many epochs or steps, or at given ones.

    ``rate = learning_rate * factor ** (number of times gone by)``

    Parameters
    ----------
    learning_rate : float
    factor : float > 0, default 0.1
    epochs, steps : float, or a list of them
        The duration between two changes; a list: the times of the changes.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Step(1.0, factor=0.5, epochs=2).rates(epochs=5)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    >>> foxnn.schedules.Step(1.0, epochs=[1, 4]).rates(epochs=5)
    array([1.  , 0.1 , 0.1 , 0.1 , 0.01])
    """

    name = "step"

    def __init__(
        self,
        learning_rate: float,
        factor: float = 0.1,
        epochs: float | Sequence[float] | None = None,
        steps: float | Sequence[float] | None = None,
    ) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)
        self.factor = real("factor", factor, 0, open_below=True)
        self._times: list[tuple[float | None, float | None]] | None = None
        if _is_list(epochs) and steps is None:
            self.epochs, self.steps = tuple(real("epochs", t, 0) for t in epochs), None  # type: ignore[union-attr]
            self._times = [(t, None) for t in self.epochs]
        elif _is_list(steps) and epochs is None:
            self.epochs, self.steps = None, tuple(real("steps", t, 0) for t in steps)  # type: ignore[union-attr]
            self._times = [(None, t) for t in self.steps]
        else:
            self._take_duration(epochs, steps, needed=True)

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        if self._times is None:
            changes = np.floor(steps / self._duration(pace))
        else:
            times = np.sort([_in_steps(self, *time, pace) for time in self._times])
            changes = np.searchsorted(times, steps, side="right")
        return self.learning_rate * self.factor**changes


def _is_list(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)


class Exponential(_Lasting):
    """Let the rate fall by the same factor in the same time, a little at every step.

    ``rate = learning_rate * factor ** (t / duration)``. `Step` does the same in stairs.

    Parameters
    ----------
    learning_rate : float
    factor : float > 0, default 0.9
    epochs, steps : float, optional
        The duration in which the rate changes by the factor; by default an epoch.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Exponential(1.0, factor=0.25).rates(epochs=2, steps_per_epoch=2)
    array([1.   , 0.5  , 0.25 , 0.125])
    """

    name = "exponential"

    def __init__(
        self, learning_rate: float, factor: float = 0.9, epochs: float | None = None, steps: float | None = None
    ) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0)
        self.factor = real("factor", factor, 0, open_below=True)
        self._take_duration(1.0 if epochs is None and steps is None else epochs, steps)

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        return self.learning_rate * self.factor ** (steps / self._duration(pace))


class Cosine(_Lasting):
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
        self.restarts = bool(restarts)
        self.stretch = real("stretch", stretch, 1)
        self.minimum = real("minimum", minimum, 0)

    def at(self, steps: _Array, pace: Pace) -> _Array:
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


class LinearWarmup(_Lasting):
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

    def __init__(
        self, then: float | Schedule, epochs: float | None = None, steps: float | None = None, start: float = 0.0
    ) -> None:
        self.then = get(then)
        self.foresees = _foresees(self.then)
        self._take_duration(epochs, steps, needed=True)
        self.start = real("start", start, 0, 1, closed_above=True)

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        duration = self._duration(pace)
        left = None if pace.whole is None else max(pace.whole - duration, 1)
        later = _base_at(self.then, np.maximum(steps - duration, 0), Pace(pace.epoch, left))
        return later * np.minimum(self.start + (1 - self.start) * steps / duration, 1)

    def begin(self) -> Schedule:
        """See `Schedule.begin`."""
        own: Schedule = _with_own(self, "then")
        return own

    def observe(self, values: dict[str, float]) -> None:
        """See `Schedule.observe`."""
        if isinstance(self.then, Schedule):
            self.then.observe(values)


def _with_own(schedule: Any, inner: str) -> Any:
    """The schedule, with the one inside begun."""
    base = getattr(schedule, inner)
    own = base.begin() if isinstance(base, Schedule) else base
    if own is base:
        return schedule
    schedule = copy.copy(schedule)
    setattr(schedule, inner, own)
    return schedule


class Scaled(Schedule):
    """The rates of another schedule, multiplied.

    Parameters
    ----------
    learning_rate : float or Schedule
    factor : float >= 0

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Scaled(foxnn.schedules.Exponential(1.0, factor=0.5), 3).rates(epochs=3)
    array([3.  , 1.5 , 0.75])
    """

    name = "scaled"

    def __init__(self, learning_rate: float | Schedule, factor: float) -> None:
        self.learning_rate = get(learning_rate)
        self.foresees = _foresees(self.learning_rate)
        self.factor = real("factor", factor, 0)

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        return self.factor * _base_at(self.learning_rate, steps, pace)

    def begin(self) -> Schedule:
        """See `Schedule.begin`."""
        own: Schedule = _with_own(self, "learning_rate")
        return own

    def observe(self, values: dict[str, float]) -> None:
        """See `Schedule.observe`."""
        if isinstance(self.learning_rate, Schedule):
            self.learning_rate.observe(values)


class OneCycle(_Lasting):
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

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        last = max(self._duration(pace) - 1, 1)  # numbers of the steps at the peak and at the end
        peak = max(self.rise * (last + 1) - 1, 1e-9)
        up = _half_cosine(self.start, 1.0, steps / peak)
        down = _half_cosine(1.0, self.end, (steps - peak) / max(last - peak, 1e-9))
        return self.learning_rate * np.where(steps <= peak, up, down)


def _half_cosine(begin: float, end: float, share: _Array) -> _Array:
    return end + (begin - end) * (1 + np.cos(np.pi * np.clip(share, 0, 1))) / 2


class InverseScaling(_Lasting):
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

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        return self.learning_rate / (1 + steps / self._duration(pace)) ** self.power


class ReduceOnPlateau(Schedule):
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
        from foxnn.callbacks._monitor import Monitor

        self.learning_rate = get(learning_rate)
        self._monitor = Monitor(monitor, mode)
        self.monitor, self.mode = monitor, mode
        self.factor = real("factor", factor, 0, 1, open_below=True)
        self.patience = integer("patience", patience, 0)
        self.min_delta = real("min_delta", min_delta, 0)
        self.cooldown = integer("cooldown", cooldown, 0)
        self.minimum = real("minimum", minimum, 0)
        self.state = {"scale": 1.0, "best": np.nan, "waited": 0, "cooling": 0}

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        base, scale = _base_at(self.learning_rate, steps, pace), self.state["scale"]
        return base if scale == 1 else np.maximum(base * scale, np.minimum(base, self.minimum))

    def begin(self) -> Self:
        """See `Schedule.begin`."""
        own = copy.copy(self)
        own.state = {"scale": 1.0, "best": np.nan, "waited": 0, "cooling": 0}
        own.learning_rate = _with_own(self, "learning_rate").learning_rate
        return own

    def observe(self, values: dict[str, float]) -> None:
        """See `Schedule.observe`."""
        if isinstance(self.learning_rate, Schedule):
            self.learning_rate.observe(values)
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


class Function(Schedule):
    """Any function. A function in place of a learning rate is the same as ``Function(function)``.

    Files hold the rate of the moment in its place, since they hold no code.

    Parameters
    ----------
    function : callable
        Gets a number, counted from 0, and returns a rate.
    per : "epoch" or "step", default "epoch"
        What the numbers are of.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.schedules.Function(lambda epoch: 0.1 if epoch < 2 else 0.01).rates(epochs=3)
    array([0.1 , 0.1 , 0.01])
    """

    def __init__(self, function: Callable[[int], float], per: str = "epoch") -> None:
        if not callable(function):
            raise TypeError(f"function: got {function!r}; it takes a function of a number that returns a rate")
        if per not in ("epoch", "step"):
            raise unknown("per", per, ["epoch", "step"])
        self.function, self.per = function, per

    def at(self, steps: _Array, pace: Pace) -> _Array:
        """See `Schedule.at`."""
        numbers = np.asarray(steps)
        if self.per == "epoch":
            numbers = np.floor(numbers / _in_steps(self, 1.0, None, pace))
        # Only for the numbers that there are: a function may be slow, and may not be made for more.
        unique, place = np.unique(numbers, return_inverse=True)
        rates = np.array([real("learning_rate", self.function(int(n)), 0) for n in unique])
        return rates[place].reshape(np.shape(steps))


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
    if callable(learning_rate):
        return Function(learning_rate)
    if isinstance(learning_rate, dict):
        arguments = dict(learning_rate)
        name = arguments.pop("schedule", None)
        if name not in _BY_NAME:
            raise unknown("schedule", name, names())
        cls = _BY_NAME[str(name)]
        for key in arguments:
            if key not in inspect.signature(cls).parameters:
                raise unknown(f"{name} parameter", key, inspect.signature(cls).parameters)
        return cls(**arguments)
    return real("learning_rate", learning_rate, 0)


def _keeping(schedule: Any) -> list[Any]:
    """The schedules, of this one and those inside it, that have a `state`."""
    if not isinstance(schedule, Schedule):
        return []
    inside = [found for inner in vars(schedule).values() for found in _keeping(inner)]
    return [schedule, *inside] if hasattr(schedule, "state") else inside


class Rates:
    """The rates of a training's steps, whatever `optimizer.learning_rate` is or becomes meanwhile.

    Parameters
    ----------
    pace : Pace
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._given: Any = None
        self._schedule: Schedule | None = None
        self._first, self._block = 0, np.empty(0)

    @property
    def is_scheduled(self) -> bool:
        """Whether the last rates came from a schedule."""
        return self._schedule is not None

    def of(self, learning_rate: Any, step: int, n: int, ahead: int = 1) -> float | _Array:
        """The rate of the n steps from this one on, or an array of the rates of the first of them.

        `ahead`: how many steps of this epoch there will be for sure, for which rates may be computed at once.
        """
        self._take(learning_rate)
        if self._schedule is None:
            return float(learning_rate)
        at = step - self._first
        if not 0 <= at < len(self._block):
            known = max(n, ahead)
            if self._schedule.foresees and self._pace.whole is not None:  # no further: there it may grow too large
                known = max(known, int(self._pace.whole) - step)
            steps = np.arange(step, step + min(known, _BLOCK), dtype=np.float64)
            self._block = _checked(self._schedule, self._schedule.at(steps, self._pace), len(steps))
            self._first, at = step, 0
        return self._block[at : at + n]

    def _take(self, learning_rate: Any) -> None:
        if learning_rate is not self._given:
            checked = get(learning_rate)
            self._given = learning_rate
            self._schedule = checked.begin() if isinstance(checked, Schedule) else None
            self._block = np.empty(0)

    def state(self, learning_rate: Any) -> list[dict[str, Any]]:
        """What the schedule of steps to come keeps in mind, and those inside it."""
        self._take(learning_rate)
        return [dict(schedule.state) for schedule in _keeping(self._schedule)]

    def restore(self, learning_rate: Any, state: list[dict[str, Any]]) -> None:
        """Go on with a learning rate of which `state` was this."""
        self._take(learning_rate)
        for schedule, kept in zip(_keeping(self._schedule), state, strict=True):
            if kept.keys() != schedule.state.keys():
                raise ValueError(f"the state of {schedule!r} has {', '.join(kept)}")
            schedule.state = kept

    def observe(self, values: dict[str, float]) -> None:
        """Let the schedule hear the values of an epoch that has ended."""
        if self._schedule is not None:
            self._schedule.observe(values)
            if not self._schedule.foresees:
                self._block = np.empty(0)


def _checked(schedule: Schedule, rates: Any, n: int) -> _Array:
    block = np.ascontiguousarray(rates, dtype=np.float64)
    if block.shape != (n,):
        raise ValueError(f"learning_rate: {schedule!r} gave rates of shape {block.shape} for {n} steps")
    bad = ~((block >= 0) & (block < np.inf))
    if bad.any():
        raise ValueError(f"learning_rate: {schedule!r} gave {block[bad][0]}; it takes numbers in [0, inf)")
    return block


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
