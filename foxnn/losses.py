"""Losses: their names, and one with its parameters."""

from __future__ import annotations

from typing import Any

from foxnn import _core
from foxnn._options import parameter_values, unknown

ALIASES = {
    "foxnn": "half_squared_error",
    "mse": "mean_squared_error",
    "squared_error": "mean_squared_error",
    "mae": "mean_absolute_error",
    "absolute_error": "mean_absolute_error",
    "bce": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "crossentropy": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "sparse_categorical_cross_entropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
}

#: The output activation a loss goes with, if it goes with one in particular.
NATURAL_OUTPUT = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "poisson": "exp"}


def names() -> list[str]:
    """Names of all losses.

    Examples
    --------
    >>> import foxnn
    >>> "huber" in foxnn.losses.names()
    True
    """
    return list(_core.LOSSES)


class Loss:
    """A loss with its parameters.

    Parameters
    ----------
    name : str
        One of `foxnn.losses.names()`, or another name for it: ``mse``, ``mae``, ``bce``,
        ``categorical_cross_entropy``, ``sparse_categorical_cross_entropy``, ...
    **parameters : float
        ``delta`` of ``huber`` (1); ``label_smoothing`` of ``cross_entropy`` and ``binary_cross_entropy`` (0): the share
        s in [0, 1) of every target t that is spread evenly over its K classes (Szegedy et al. 2016): it becomes
        (1 - s) t + s / K, with K = 2 for each output of ``binary_cross_entropy``.

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

    __slots__ = ("name", "parameters")

    def __init__(self, name: str, **parameters: float) -> None:
        self.name: str = ALIASES.get(name, name)
        if self.name not in _core.LOSSES:
            raise unknown("loss", name, [*names(), *ALIASES])
        self.parameters: dict[str, float] = parameter_values(
            self.name, _core.LOSSES[self.name]["parameters"], parameters
        )

    @classmethod
    def of(cls, value: Any) -> Loss:
        """`value` if it is a Loss, else the one of that name."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(value)
        raise TypeError(f"loss: got {value!r}; it takes a name or a foxnn.Loss")

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
            return self.name == ALIASES.get(other, other)
        return isinstance(other, Loss) and (self.name, self.parameters) == (other.name, other.parameters)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        values = "".join(f", {k}={v:g}" for k, v in self.unusual.items())
        return f"Loss({self.name!r}{values})"
