"""Optimizers: what they are called and which hyper-parameters they have. Their steps are computed in the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

from foxnn import _core
from foxnn._closed import Closed
from foxnn._names import resolve
from foxnn._options import parameter_values, real, unknown

if TYPE_CHECKING:
    from typing_extensions import Self

    from foxnn.schedules import Schedule

#: A learning rate: a number, one of foxnn.schedules, a function of the number of the epoch, or a schedule's config.
Rate: TypeAlias = "float | Schedule | Callable[[int], float] | dict[str, Any]"

#: How gradients may be clipped: in one of these ways.
_CLIPS = frozenset({"clip_value", "clip_norm"})


class Optimizer(Closed):
    """Base of all optimizers.

    What an optimizer remembers between steps belongs to the network it trains, so one object may serve many networks.

    Attributes
    ----------
    learning_rate : float or Schedule
    hyper : mapping of str to float
        Its other hyper-parameters, to read; another optimizer has others.
    clip_value, clip_norm : float or None
        How gradients are clipped before they are used. To `clip_value`: each number to [-clip_value, clip_value]. To
        `clip_norm`: all gradients together are scaled down if the Euclidean norm of all of their numbers is more than
        that (Pascanu et al. 2013). The gradients of the penalties `l1` and `l2` are clipped with the loss's, AdamW's
        decay is not. All optimizers take one of the two by name.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.Momentum(0.1, clip_norm=1)
    Momentum(learning_rate=0.1, momentum=0.9, clip_norm=1)
    """

    name: ClassVar[str]
    learning_rate: float | Schedule
    clip_value: float | None
    clip_norm: float | None
    _elsewhere: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("step", "minimize"), "nn.train_on_batch(X, y) makes a step, nn.apply_gradients one of your own"
        ),
        "zero_grad": "gradients are not added up, so that there is nothing to clear",
        **dict.fromkeys(("state_dict", "load_state_dict"), "nn.save(path, optimizer=True) keeps what it remembers"),
        "param_groups": "learning_rate is its attribute; layers[i].trainable = False leaves a layer out",
    }

    def __init__(
        self,
        learning_rate: Rate | None = None,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        **hyper: float,
    ) -> None:
        declared = _core.OPTIMIZERS[self.name]
        rate = declared["learning_rate"] if learning_rate is None else learning_rate
        self.learning_rate = rate  # type: ignore[assignment]
        self._hyper = parameter_values(self.name, declared["parameters"], hyper)
        self.clip_value = self.clip_norm = None
        self.clip_value, self.clip_norm = clip_value, clip_norm

    def __setattr__(self, name: str, value: Any) -> None:
        if name in [declared[0] for declared in _core.OPTIMIZERS[self.name]["parameters"]]:
            kind = type(self).__name__
            raise AttributeError(f"{kind}.{name} cannot be changed; make another optimizer, {kind}({name}=...)")
        if name == "learning_rate":
            value = checked_rate(value)
        elif name in _CLIPS and value is not None:
            (other,) = _CLIPS - {name}
            if (given := getattr(self, other)) is not None:
                raise ValueError(f"{name}: got {value!r} besides {other}={given!r}; it takes one of the two")
            value = real(name, value, 0, open_below=True)
        super().__setattr__(name, value)

    @property
    def hyper(self) -> Mapping[str, float]:
        """Its hyper-parameters but the learning rate and clipping; they cannot be changed."""
        return MappingProxyType(self._hyper)

    def check_dtype(self, dtype: Any) -> None:
        """Refuse settings that a network of this dtype cannot hold."""
        parameter_values(self.name, _core.OPTIMIZERS[self.name]["parameters"], self.hyper, dtype)
        for name in ("clip_value", "clip_norm"):
            if getattr(self, name) is not None:
                real(name, getattr(self, name), 0, open_below=True, dtype=dtype)
        if isinstance(self.learning_rate, (int, float)):
            real("learning_rate", self.learning_rate, 0, dtype=dtype)

    @property
    def _options(self) -> dict[str, float]:
        """All but the learning rate; clipping, if there is any."""
        clips = {"clip_value": self.clip_value, "clip_norm": self.clip_norm}
        return {**self.hyper, **{name: clip for name, clip in clips.items() if clip is not None}}

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make it again, but for functions in place of a learning rate as JSON can hold it."""
        rate = getattr(self.learning_rate, "config", self.learning_rate)
        return {"name": self.name, "learning_rate": rate, **self._options}

    def copy(self) -> Self:
        """The same optimizer, independent of this one."""
        twin = copy(self)
        twin.learning_rate = copy(self.learning_rate)
        return twin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Optimizer) and self.config == other.config

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        values = {"learning_rate": self.learning_rate, **self._options}.items()
        shown = [f"{k}={v:g}" if isinstance(v, (int, float)) else f"{k}={v!r}" for k, v in values]
        return f"{type(self).__name__}({', '.join(shown)})"


def checked_rate(rate: Any) -> float | Schedule:
    """A learning rate as a number or a schedule, or an error."""
    if isinstance(rate, dict) or callable(rate) or hasattr(rate, "rates"):
        from foxnn import schedules

        return schedules.get(rate)
    if isinstance(rate, str):
        raise TypeError(
            f"learning_rate: got {rate!r}; it takes a number or a schedule, such as foxnn.schedules.Cosine(0.001)"
        )
    return real("learning_rate", rate, 0)


class SGD(Optimizer):
    """Stochastic gradient descent: ``w <- w - lr g``.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
    clip_value, clip_norm : float > 0, optional
        One of the two ways to clip gradients; see `Optimizer`.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.SGD(0.1)
    SGD(learning_rate=0.1)
    """

    name = "sgd"

    def __init__(
        self, learning_rate: Rate = 0.01, *, clip_value: float | None = None, clip_norm: float | None = None
    ) -> None:
        super().__init__(learning_rate, clip_value=clip_value, clip_norm=clip_norm)


class Momentum(Optimizer):
    """Gradient descent with momentum: ``v <- momentum v - lr g; w <- w + v``.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
    momentum : float in [0, 1), default 0.9
    clip_value, clip_norm : float > 0, optional
        One of the two ways to clip gradients; see `Optimizer`.

    References
    ----------
    Polyak (1964), in the form of Sutskever et al. (2013).

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.Momentum(0.1, momentum=0.95)
    Momentum(learning_rate=0.1, momentum=0.95)
    """

    name = "momentum"

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.9,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, momentum=momentum, clip_value=clip_value, clip_norm=clip_norm)


class Nesterov(Optimizer):
    """Nesterov's accelerated gradient: ``v <- momentum v - lr g; w <- w + momentum v - lr g``.

    The weights are kept at the point that the next gradient is taken at.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
    momentum : float in [0, 1), default 0.9
    clip_value, clip_norm : float > 0, optional
        One of the two ways to clip gradients; see `Optimizer`.

    References
    ----------
    Nesterov (1983), Sutskever et al. (2013).

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.Nesterov()
    Nesterov(learning_rate=0.01, momentum=0.9)
    """

    name = "nesterov"

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.9,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, momentum=momentum, clip_value=clip_value, clip_norm=clip_norm)


class Adagrad(Optimizer):
    """``s <- s + g^2; w <- w - lr g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
    epsilon : float > 0, default 1e-10
    clip_value, clip_norm : float > 0, optional
        One of the two ways to clip gradients; see `Optimizer`.

    References
    ----------
    Duchi et al. (2011).

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.Adagrad()
    Adagrad(learning_rate=0.01, epsilon=1e-10)
    """

    name = "adagrad"

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        epsilon: float = 1e-10,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, epsilon=epsilon, clip_value=clip_value, clip_norm=clip_norm)


class RMSprop(Optimizer):
    """``s <- rho s + (1 - rho) g^2; w <- w - lr g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    rho : float in [0, 1), default 0.9
    epsilon : float > 0, default 1e-8
    clip_value, clip_norm : float > 0, optional
        One of the two ways to clip gradients; see `Optimizer`.

    References
    ----------
    Hinton, Neural Networks for Machine Learning, lecture 6e (2012).

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.RMSprop()
    RMSprop(learning_rate=0.001, rho=0.9, epsilon=1e-08)
    """

    name = "rmsprop"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        epsilon: float = 1e-8,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, clip_value=clip_value, clip_norm=clip_norm)


class Adam(Optimizer):
    """Adaptive moments.

    ``m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;``
    ``w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)`` at step t = 1, 2, ...

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta1 : float in [0, 1), default 0.9
    beta2 : float in [0, 1), default 0.999
    epsilon : float > 0, default 1e-8
    clip_value, clip_norm : float > 0, optional
        One of the two ways to clip gradients; see `Optimizer`.

    References
    ----------
    Kingma and Ba (2015).

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.Adam(3e-4)
    Adam(learning_rate=0.0003, beta1=0.9, beta2=0.999, epsilon=1e-08)
    """

    name = "adam"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, clip_value=clip_value, clip_norm=clip_norm
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay: ``w <- (1 - lr weight_decay) w`` before Adam's step.

    All parameters decay, as in the paper, biases included.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta1 : float in [0, 1), default 0.9
    beta2 : float in [0, 1), default 0.999
    epsilon : float > 0, default 1e-8
    weight_decay : float >= 0, default 0.01
    clip_value, clip_norm : float > 0, optional
        One of the two ways to clip gradients; see `Optimizer`.

    References
    ----------
    Loshchilov and Hutter (2019).

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.AdamW(weight_decay=0.1)
    AdamW(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.1)
    """

    name = "adamw"

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            clip_value=clip_value,
            clip_norm=clip_norm,
        )


_BY_NAME: dict[str, type[Optimizer]] = {
    cls.name: cls for cls in (SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, AdamW)
}

#: Other names for the same optimizers. Case, underscores and hyphens do not count.
ALIASES = {"nag": "nesterov", "nesterov_momentum": "nesterov", "sgd_momentum": "momentum"}

_SCIPY = (
    "SciPy's: scipy.optimize.minimize(nn.loss_and_gradient, ...), or MLPRegressor and MLPClassifier(solver='lbfgs')"
)

#: What other libraries call something that foxnn has in another way.
ELSEWHERE = {
    "lbfgs": _SCIPY,
    "l_bfgs_b": _SCIPY,
    "bfgs": _SCIPY,
    "adamax": "'adam', its nearest relative",
    "nadam": "'adam', its nearest relative",
    "amsgrad": "'adam', its nearest relative",
    "adadelta": "'rmsprop', its nearest relative",
    "lion": "'adamw', which it is compared with",
}


def names() -> list[str]:
    """Names of all optimizers.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.names()
    ['sgd', 'momentum', 'nesterov', 'adagrad', 'rmsprop', 'adam', 'adamw']
    """
    return list(_BY_NAME)


def get(optimizer: str | Optimizer, learning_rate: Rate | None = None, **hyper: float) -> Optimizer:
    """An optimizer from its name, or a given one, with another learning rate if one is given.

    Parameters
    ----------
    optimizer : str or Optimizer
        One of `foxnn.optimizers.names()`, in small or capital letters (or ``nag``), or an optimizer.
    learning_rate : float, Schedule or callable, optional
    **hyper : float
        Further hyper-parameters, if `optimizer` is a name.

    Raises
    ------
    ValueError
        If there is none of that name, or a hyper-parameter lies outside its range.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.optimizers.get("adam", learning_rate=0.01)
    Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-08)
    """
    if isinstance(optimizer, Optimizer):
        if learning_rate is None and not hyper:
            return optimizer
        hyper = {**optimizer._options, **hyper}
        rate = optimizer.learning_rate if learning_rate is None else learning_rate
        return type(optimizer)(rate, **hyper)
    if not isinstance(optimizer, str):
        raise TypeError(f"optimizer: got {optimizer!r}; it takes a name or an object such as foxnn.optimizers.Adam()")
    cls = _BY_NAME[resolve("optimizer", optimizer, _BY_NAME, ALIASES, ELSEWHERE)]
    known = [name for name, *_ in _core.OPTIMIZERS[cls.name]["parameters"]] + ["clip_value", "clip_norm"]
    for name in hyper:
        if name not in known:
            raise unknown(f"{cls.name} parameter", name, known)
    if learning_rate is None:
        return cls(**hyper)
    return cls(learning_rate, **hyper)


def __getattr__(name: str) -> NoReturn:
    from foxnn._elsewhere import no_such

    raise no_such("foxnn.optimizers", name)
