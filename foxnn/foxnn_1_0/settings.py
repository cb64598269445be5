"""The settings of FoxNN 1.0, checked when they are set."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foxnn import _core
from foxnn._options import MOST, integer, real, shown, unknown

if TYPE_CHECKING:
    from typing_extensions import Self

#: Ways to train, as 1.0 called them.
MODES = ("SGD", "Adam", "Nesterov")

#: The settings in the order of 1.0's text files.
NAMES = (
    "n_threads", "n_print", "min_error", "max_on_last_layer", "one_if_value_greater_intermediate_value",
    "intermediate_value", "part_for_test", "auto_save_name_file", "auto_save_iteration", "correct_summation",
    "betta_1", "betta_2", "epsilon", "step_to_zero_after_n", "gamma", "mode",
)  # fmt: skip

_Check = Callable[[str, object], Any]


def _at_least(least: int) -> _Check:
    return lambda argument, value: integer(argument, value, least)


def _within(least: float, most: float, **bounds: Any) -> _Check:
    return lambda argument, value: real(argument, value, least, most, **bounds)


def _flag(argument: str, value: object) -> bool:
    if not isinstance(value, (int, np.integer, np.bool_)) or value not in (0, 1):
        raise ValueError(f"{argument}: got {shown(value)}; it takes 0 or 1")
    return bool(value)


def _file_name(argument: str, value: object) -> str:
    if not isinstance(value, (str, os.PathLike)) or not (name := os.fspath(value)) or "\0" in str(name):
        raise ValueError(f"{argument}: got {shown(value)}; it takes the name of a file")
    return str(name)


def _mode(argument: str, value: object) -> str:
    if value not in MODES:
        raise unknown(argument, value, MODES)
    return str(value)


class _Checked:
    """Has the attributes in `_checks` and no others; a value that does not fit is refused and changes nothing."""

    _place: ClassVar[str]
    _checks: ClassVar[dict[str, _Check]]

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_") or isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
            return
        if name not in self._checks:
            raise AttributeError(str(unknown(self._place, name, self._checks)))
        object.__setattr__(self, name, self._checks[name](f"{self._place}.{name}", value))

    def _twin(self) -> Self:
        """The same values, which have been checked; and the same of the settings within."""
        twin = object.__new__(type(self))
        for name, value in self.__dict__.items():
            twin.__dict__[name] = value._twin() if isinstance(value, _Checked) else value
        return twin


class AdamSettings(_Checked):
    """Hyper-parameters of the mode "Adam".

    Attributes
    ----------
    betta_1, betta_2 : float in [0, 1), default 0.9 and 0.999
        How slowly the means of gradients and of their squares follow.
    epsilon : float > 0, default 1e-8
    step_to_zero_after_n : int, default 1000
        Every so many steps the moments are forgotten; 0: never.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 1])
    >>> adam = nn.settings.settings_optimization.adam
    >>> adam.set_betta_1(0.8)
    >>> adam.betta_1, adam.betta_2, adam.epsilon, adam.step_to_zero_after_n
    (0.8, 0.999, 1e-08, 1000)
    """

    _place = "settings_optimization.adam"
    _checks: ClassVar[dict[str, _Check]] = {
        "betta_1": _within(0, 1),
        "betta_2": _within(0, 1),
        "epsilon": _within(0, np.inf, open_below=True),
        "step_to_zero_after_n": _at_least(0),
    }
    betta_1: float
    betta_2: float
    epsilon: float
    step_to_zero_after_n: int

    def __init__(self) -> None:
        self.betta_1, self.betta_2, self.epsilon, self.step_to_zero_after_n = 0.9, 0.999, 1e-8, 1000

    def set_betta_1(self, value: float) -> None:
        """Set `betta_1`."""
        self.betta_1 = value

    def set_betta_2(self, value: float) -> None:
        """Set `betta_2`."""
        self.betta_2 = value

    def set_epsilon(self, value: float) -> None:
        """Set `epsilon`."""
        self.epsilon = value


class NesterovSettings(_Checked):
    """Hyper-parameter of the mode "Nesterov".

    Attributes
    ----------
    gamma : float in [0, 1), default 0.9
        The momentum.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 1])
    >>> nn.settings.settings_optimization.nesterov.set_gamma(0.5)
    >>> nn.settings.settings_optimization.nesterov.gamma
    0.5
    """

    _place = "settings_optimization.nesterov"
    _checks: ClassVar[dict[str, _Check]] = {"gamma": _within(0, 1)}
    gamma: float

    def __init__(self) -> None:
        self.gamma = 0.9

    def set_gamma(self, value: float) -> None:
        """Set `gamma`."""
        self.gamma = value


class OptimizationSettings(_Checked):
    """How `train` turns gradients into steps.

    Attributes
    ----------
    mode : "SGD", "Adam" or "Nesterov"
    adam : AdamSettings
    nesterov : NesterovSettings

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 1])
    >>> nn.settings.settings_optimization.set_mode("Nesterov")
    >>> nn.settings.settings_optimization.mode
    'Nesterov'
    """

    _place = "settings_optimization"
    _checks: ClassVar[dict[str, _Check]] = {"mode": _mode}
    mode: str
    adam: AdamSettings
    nesterov: NesterovSettings

    def __init__(self) -> None:
        self.mode = "SGD"
        object.__setattr__(self, "adam", AdamSettings())
        object.__setattr__(self, "nesterov", NesterovSettings())

    def set_mode(self, mode: str) -> None:
        """Set `mode`."""
        self.mode = mode


class Mutations:
    """Counts mutations: the count is the address of their random numbers, so no two share any."""

    def __init__(self) -> None:
        self._count = _core.Counter()

    @property
    def value(self) -> int:
        """The count so far."""
        return self._count.value

    @value.setter
    def value(self, value: int) -> None:
        self._count.value = value

    def next(self) -> int:
        """The count before this mutation."""
        return self._count.next() % 2**32


class Settings(_Checked):
    """Settings of a network, as FoxNN 1.0 had them.

    They speak to FoxNN 1.0's methods (`get_out`, `train`, `testing`), not to `predict` and `fit`; only `n_threads`
    is the network's own and holds for all.

    Attributes
    ----------
    n_threads : int, default 1
        Assigned: the most threads to use. As long as nothing is assigned, it reads 1 and foxnn chooses the threads
        itself. Results do not depend on it.
    n_print : int, default 0
        Every so many iterations `train` prints progress, time and `testing` on the part held out; 0: silent.
    min_error : float, default 0.01
        How near to their targets the outputs of a right answer are, for `testing`.
    max_on_last_layer : bool, default False
        Whether outputs become 1 for their (first) maximum and 0 for the others.
    one_if_value_greater_intermediate_value : bool, default False
        Whether outputs become 1 from `intermediate_value` on, and 0 below.
    intermediate_value : float, default 0.5
    part_for_test : float in [0, 1], default 0.1
        Share of the data that is held out when `n_print` is not 0, rounded down to whole rows.
    auto_save_iteration : int, default 0
        Every so many iterations `train` saves the network; 0: never.
    auto_save_name_file : str, default "auto_save.txt"
        Where to: a text file, or a native one if the name ends in ``.safetensors``.
    correct_summation : bool, default False
        Kept, and without effect: 1.0 summed small terms first to lose fewer digits; foxnn's sums, in a fixed order
        and with fused multiply-adds, are the same with or without it.
    settings_optimization : OptimizationSettings

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 1])
    >>> nn.settings.n_threads = 2
    >>> nn.settings.set_mode("Adam")
    >>> nn.settings.n_print
    0
    """

    _place = "settings"
    _checks: ClassVar[dict[str, _Check]] = {
        "n_print": _at_least(0),
        "min_error": _within(0, np.inf),
        "max_on_last_layer": _flag,
        "one_if_value_greater_intermediate_value": _flag,
        "intermediate_value": _within(-np.inf, np.inf),
        "part_for_test": _within(0, 1, closed_above=True),
        "auto_save_name_file": _file_name,
        "auto_save_iteration": _at_least(0),
        "correct_summation": _flag,
        "n_threads": _at_least(1),
    }
    n_print: int
    min_error: float
    max_on_last_layer: bool
    one_if_value_greater_intermediate_value: bool
    intermediate_value: float
    part_for_test: float
    auto_save_name_file: str
    auto_save_iteration: int
    correct_summation: bool
    settings_optimization: OptimizationSettings

    def __init__(self) -> None:
        self._n_threads: int | None = None
        self._mutations = Mutations()
        object.__setattr__(self, "settings_optimization", OptimizationSettings())
        self.n_print, self.min_error = 0, 0.01
        self.max_on_last_layer = self.one_if_value_greater_intermediate_value = False
        self.intermediate_value, self.part_for_test = 0.5, 0.1
        self.auto_save_name_file, self.auto_save_iteration = "auto_save.txt", 0
        self.correct_summation = False

    @property
    def n_threads(self) -> int:
        """The most threads that were asked for, or 1."""
        return self._n_threads or 1

    @n_threads.setter
    def n_threads(self, value: int) -> None:
        self._n_threads = integer("settings.n_threads", value, 1, MOST)

    def set_mode(self, mode: str) -> None:
        """Choose how to train.

        Parameters
        ----------
        mode : "SGD", "Adam" or "Nesterov"

        Raises
        ------
        ValueError
            If it is none of these.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 1]).settings.set_mode("Adam")
        """
        self.settings_optimization.set_mode(mode)

    def set_part_for_test(self, value: float) -> None:
        """Set `part_for_test` to the nearest number in [0, 1].

        Examples
        --------
        >>> import foxnn
        >>> settings = foxnn.neural_network([2, 1]).settings
        >>> settings.set_part_for_test(1.5)
        >>> settings.part_for_test
        1.0
        """
        self.part_for_test = min(max(real("settings.part_for_test", value), 0.0), 1.0)

    def print_settings(self) -> None:
        """Print all settings.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 1]).settings.print_settings()
        settings:
        n_threads = 1
        n_print = 0
        min_error = 0.01
        ...
        settings_optimization.nesterov.gamma = 0.9
        settings_optimization.mode = SGD
        """
        print("settings:")
        for name in NAMES:
            owner = self._owner(name)
            value = getattr(owner, name)
            place = "" if owner is self else f"{owner._place}."
            print(f"{place}{name} = {int(value) if isinstance(value, bool) else value}")

    def _owner(self, name: str) -> _Checked:
        optimization = self.settings_optimization
        return next(o for o in (self, optimization, optimization.adam, optimization.nesterov) if name in o._checks)

    def copy(self) -> Settings:
        """The same settings; mutations are counted together, so that no two copies mutate alike."""
        return self._twin()

    def as_dict(self) -> dict[str, Any]:
        """All settings by name, as JSON can hold them; an `n_threads` that was not assigned is None."""
        values = {name: getattr(self._owner(name), name) for name in NAMES}
        return {**values, "n_threads": self._n_threads, "mutations": self._mutations.value}

    def update(self, values: Mapping[str, Any]) -> None:
        """Set those settings; all of them or, after an error, none."""
        trial = Settings()
        for name, value in {**self.as_dict(), **values}.items():
            if name == "mutations":
                trial._mutations.value = integer("settings.mutations", value, 0, 2**63)
            elif name == "n_threads" and value is None:
                trial._n_threads = None
            elif name in NAMES:
                setattr(trial._owner(name), name, value)
            else:
                raise unknown("settings", name, NAMES)
        self._n_threads = trial._n_threads
        self._mutations.value = trial._mutations.value
        for name in NAMES[1:]:
            setattr(self._owner(name), name, getattr(trial._owner(name), name))
