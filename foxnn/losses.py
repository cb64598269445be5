"""Losses: their names, and one with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from foxnn import _core
from foxnn._closed import Fixed
from foxnn._names import find, resolve
from foxnn._options import parameter_values, unknown

#: Other names for the same losses. Case, underscores and hyphens do not count.
ALIASES = {
    "foxnn": "half_squared_error",
    "mse": "mean_squared_error",
    "mse_loss": "mean_squared_error",
    "squared_error": "mean_squared_error",
    "l2": "mean_squared_error",
    "mae": "mean_absolute_error",
    "absolute_error": "mean_absolute_error",
    "l1": "mean_absolute_error",
    "l1_loss": "mean_absolute_error",
    "huber_loss": "huber",
    "smooth_l1": "huber",
    "smooth_l1_loss": "huber",
    "bce": "binary_cross_entropy",
    "bce_loss": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "nll": "cross_entropy",
    "negative_log_likelihood": "cross_entropy",
    "crossentropy": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "sparse_categorical_cross_entropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
}

_FROM_LOGITS = "'cross_entropy' with output='softmax', which is computed together with it, from the logits"
_BINARY_FROM_LOGITS = (
    "'binary_cross_entropy' with output='sigmoid', which is computed together with it, from the logits"
)
_NO_MARGIN = "no losses of margins; 'cross_entropy' and 'binary_cross_entropy' are for classes"

#: What other libraries call something that foxnn has in another way.
ELSEWHERE = {
    "cross_entropy_loss": _FROM_LOGITS,
    "softmax_cross_entropy": _FROM_LOGITS,
    "nll_loss": _FROM_LOGITS,
    "bce_with_logits": _BINARY_FROM_LOGITS,
    "bce_with_logits_loss": _BINARY_FROM_LOGITS,
    "sigmoid_cross_entropy": _BINARY_FROM_LOGITS,
    "log_loss": "'cross_entropy' (output='softmax') and 'binary_cross_entropy' (output='sigmoid')",
    "poisson_nll": "'poisson' with output='exp', which is computed together with it, from the logarithm",
    "poisson_nll_loss": "'poisson' with output='exp', which is computed together with it, from the logarithm",
    "rmse": "'mse', which has the same minimum, and 'rmse' as a metric",
    "root_mean_squared_error": "'mse', which has the same minimum, and 'rmse' as a metric",
    "r2": "'mse', which has the same minimum, and 'r2' as a metric",
    "accuracy": "'accuracy' as a metric; 'cross_entropy' and 'binary_cross_entropy' are losses for classes",
    "hinge": _NO_MARGIN,
    "hinge_loss": _NO_MARGIN,
    "categorical_hinge": _NO_MARGIN,
    "kl_divergence": "'cross_entropy', which has the same gradient",
    "kl_div_loss": "'cross_entropy', which has the same gradient",
    "log_cosh": "no such loss, but takes a function of your own: see foxnn.losses.CustomLoss, whose example it is",
}

#: The output activation a loss goes with, if it goes with one in particular.
NATURAL_OUTPUT = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "poisson": "exp"}

ANY_NUMBER = (-np.inf, np.inf)
#: The least and the largest value that targets may have, where they may not be any number.
TARGET_RANGES = {"binary_cross_entropy": (0.0, 1.0), "cross_entropy": (0.0, np.inf), "poisson": (0.0, np.inf)}


def names() -> list[str]:
    """Names of all losses.

    Examples
    --------
    >>> import foxnn
    >>> "huber" in foxnn.losses.names()
    True
    """
    return list(_core.LOSSES)


class Loss(Fixed):
    """A loss with its parameters.

    Parameters
    ----------
    name : str
        One of `foxnn.losses.names()`, in small or capital letters and with or without underscores, or another name for
        it: ``mse`` or ``l2``, ``mae`` or ``l1``, ``bce``, ``nll``, ``categorical_cross_entropy``,
        ``sparse_categorical_cross_entropy``, ...
    **parameters : float
        ``delta`` of ``huber`` (1); ``label_smoothing`` of ``cross_entropy`` and ``binary_cross_entropy`` (0): the share
        s in [0, 1) of every target t that is spread evenly over its K classes (Szegedy et al. 2016): it becomes
        (1 - s) t + s / K, with K = 2 for each output of ``binary_cross_entropy``.

    Attributes
    ----------
    target_range : tuple of float
        The least and the largest value that targets may have.

    Raises
    ------
    ValueError
        If there is no such loss or parameter, or its value lies outside its range.

    Notes
    -----
    The loss of a batch is the mean over its samples, weighted by the sample weights. The loss of a sample is a sum
    over the outputs for ``half_squared_error`` and ``cross_entropy``, a mean over them for the others.
    ``cross_entropy`` of ``softmax``, ``binary_cross_entropy`` of ``sigmoid`` and ``poisson`` of ``exp`` are computed
    from the logits, without loss of digits.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.Loss("huber", delta=2)
    Loss('huber', delta=2)
    """

    __slots__ = ("_parameters", "name", "target_range")

    def __init__(self, name: str, **parameters: float) -> None:
        self.name: str = resolve("loss", name, _core.LOSSES, ALIASES, ELSEWHERE)
        self._parameters = parameter_values(self.name, _core.LOSSES[self.name]["parameters"], parameters)
        self.target_range: tuple[float, float] = TARGET_RANGES.get(self.name, ANY_NUMBER)

    @property
    def parameters(self) -> Mapping[str, float]:
        """Its parameters by name; they cannot be changed."""
        return MappingProxyType(self._parameters)

    def check_dtype(self, dtype: Any) -> None:
        """Refuse parameters that a network of this dtype cannot hold."""
        if self.parameters:
            parameter_values(self.name, _core.LOSSES[self.name]["parameters"], self.parameters, dtype)

    @classmethod
    def of(cls, value: Any) -> Loss:
        """`value` if it is a Loss, else the one of that name."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return Loss(value)
        library = type(value).__module__.partition(".")[0]
        if library in ("torch", "keras", "tensorflow", "jax", "flax") or (callable(value) and isinstance(value, type)):
            raise TypeError(
                f"loss: got {value!r} of {library}; it takes a name, a foxnn.Loss, or a function of two arrays, "
                "targets and outputs, that returns the loss and its gradient"
            )
        if callable(value):
            return CustomLoss(value)
        raise TypeError(f"loss: got {value!r}; it takes a name, a foxnn.Loss, or a function of targets and outputs")

    @property
    def config(self) -> dict[str, Any]:
        """What files say of it."""
        return {"name": self.name, **self.unusual}

    @classmethod
    def from_config(cls, name: str, **config: Any) -> Loss:
        """The loss that a file speaks of."""
        return CustomLoss(None, **config) if name == CustomLoss.name_in_files else Loss(name, **config)

    @property
    def is_classification(self) -> bool:
        """Whether its targets are classes."""
        return bool(_core.LOSSES[self.name]["classification"])

    @property
    def unusual(self) -> dict[str, float]:
        """Its parameters that are not what they are by default."""
        defaults = {name: default for name, default, *_ in _core.LOSSES[self.name]["parameters"]}
        return {name: value for name, value in self.parameters.items() if value != defaults[name]}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.name == find(other, _core.LOSSES, ALIASES)
        return isinstance(other, Loss) and (self.name, self.parameters) == (other.name, other.parameters)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        values = "".join(f", {k}={v:g}" for k, v in self.unusual.items())
        return f"Loss({self.name!r}{values})"


class CustomLoss(Loss):
    """A loss of one's own: a function of targets and outputs that returns the loss and its gradient.

    It may be given wherever a loss can be, ``neural_network(.., loss=function)``.

    Parameters
    ----------
    function : callable
        Called as ``function(y_true, y_pred)`` with those rows of the targets that make up a batch, as they were given
        to `fit` (whatever their shape and dtype), and the outputs (n, n_out), in the network's `dtype`. It returns
        ``(loss, gradient)``, either

        - an array (n,), each sample's own loss, and an array (n, n_out), its derivatives with respect to this sample's
          outputs. The loss of the batch is the mean, with the sample weights; or
        - a number, the loss of the batch as a whole, and its derivatives (n, n_out), for losses that are no mean over
          samples. There can be no sample weights then, and `evaluate` calls it with all samples at once.
    label : str, optional
        What files and messages call it; by default the function's own name.

    Notes
    -----
    With the first batch the gradient is compared with difference quotients of the loss, which takes three more calls;
    if they do not agree, a warning says so.

    The outputs that it gets are those that foxnn's losses get. In training they are made with dropout and noise, and
    batch normalisation uses the batch's moments; for `loss_and_gradients`, `loss_and_gradient` and `input_gradients`
    without dropout and noise, with the moments of these samples; and for `evaluate` and validation as in `predict`.

    Files hold no code, and so not the function: a network that is loaded predicts, but has to be given it again
    (``nn.loss = function``) before it can be trained or evaluated. Copies have it; pickles do if it can be pickled.

    Examples
    --------
    >>> import foxnn, numpy as np
    >>> def log_cosh(y_true, y_pred):
    ...     error = y_pred - y_true
    ...     return np.log(np.cosh(error)).sum(axis=1), np.tanh(error)
    >>> x = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> nn = foxnn.neural_network([1, 8, 1], "tanh", "linear", loss=log_cosh, seed=0)
    >>> history = nn.fit(x, x**2, epochs=300, batch_size=5, learning_rate=1e-2)
    >>> nn.evaluate(x, x**2)["loss"] < 1e-2
    True
    """

    __slots__ = ("function", "label")

    name_in_files = "custom"

    def __init__(self, function: Any, label: str | None = None, **parameters: float) -> None:
        if function is not None and not callable(function):
            raise TypeError(f"loss: got {function!r}; it takes a function of targets and outputs")
        if parameters:
            raise unknown("loss parameter", next(iter(parameters)), ["label"])
        self.name, self._parameters, self.target_range = self.name_in_files, {}, ANY_NUMBER
        self.function = function
        self.label = str(label or getattr(function, "__qualname__", type(function).__name__))

    def __call__(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Losses of the samples, or the loss of all of them, and the gradient; of the right shapes."""
        if self.function is None:
            raise ValueError(
                f"loss: this network was trained with a loss of one's own, {self.label!r}, which files do not hold; "
                "assign it first (nn.loss = function)"
            )
        result = self.function(y_true, y_pred)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise TypeError(f"loss: {self.label} has returned {type(result).__name__}; it takes (loss, gradient)")
        losses, gradient = np.asarray(result[0], np.float64), np.asarray(result[1])
        n, n_out = y_pred.shape
        if losses.shape not in ((), (n,)):
            raise ValueError(f"loss: {self.label} has returned losses of shape {losses.shape}; it takes () or ({n},)")
        if gradient.shape != (n, n_out) and not (n_out == 1 and gradient.shape == (n,)):
            raise ValueError(
                f"loss: {self.label} has returned a gradient of shape {gradient.shape}; it takes ({n}, {n_out})"
            )
        with np.errstate(over="ignore"):
            return losses, np.ascontiguousarray(gradient.reshape(n, n_out), y_pred.dtype)

    @property
    def is_classification(self) -> bool:
        """Whether its targets are classes: nobody knows."""
        return False

    @property
    def unusual(self) -> dict[str, float]:
        """It has no parameters."""
        return {}

    @property
    def config(self) -> dict[str, Any]:
        """What files say of it."""
        return {"name": self.name, "label": self.label}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomLoss) and (self.function, self.label) == (other.function, other.label)

    def __hash__(self) -> int:
        return hash(self.label)

    def __repr__(self) -> str:
        return f"CustomLoss({self.label})"


def __getattr__(name: str) -> NoReturn:
    from foxnn._elsewhere import no_such

    raise no_such("foxnn.losses", name)
