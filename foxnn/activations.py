"""Activations: their names, and one with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from foxnn import _core
from foxnn._closed import Fixed
from foxnn._names import find, resolve
from foxnn._options import parameter_values

#: Other names for the same functions; FoxNN 1.0's are among them. Case, underscores and hyphens do not count.
ALIASES = {
    "identity": "linear",
    "identity_x": "linear",
    "sinusoid": "sin",
    "sine": "sin",
    "cosine": "cos",
    "swish": "silu",
    "logistic": "sigmoid",
    "atan": "arctan",
    "exponential": "exp",
    "heaviside": "threshold",
    "step": "threshold",
}

#: What other libraries call something that foxnn has in another way.
ELSEWHERE = {
    "log_softmax": "'softmax', from which the loss 'cross_entropy' is computed by way of the logits",
    "prelu": "'leaky_relu', whose slope is not learnt: foxnn.Activation('leaky_relu', negative_slope=0.25)",
    "gelu_new": "'gelu', the exact one",
    "gelu_tanh": "'gelu', the exact one",
    "gelu_approximate": "'gelu', the exact one",
}

#: Names kept for FoxNN 1.0's interface, not listed to others.
_HIDDEN = {"foxnn_relu"}


def names() -> list[str]:
    """Names of all activations.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.activations.names()[:4]
    ['sigmoid', 'tanh', 'relu', 'leaky_relu']
    """
    return [name for name in _core.ACTIVATIONS if name not in _HIDDEN]


class Activation(Fixed):
    """An activation function with its parameters.

    Parameters
    ----------
    name : str
        One of `foxnn.activations.names()`, in small or capital letters and with or without underscores, or another
        name for it: ``identity``, ``swish``, ``logistic``, ``atan``, ``exponential``, ``step``, and FoxNN 1.0's
        ``identity_x``, ``tan_h``, ``sinusoid``.
    **parameters : float
        ``alpha`` of ``elu`` (1), ``negative_slope`` of ``leaky_relu`` (0.01).

    Raises
    ------
    ValueError
        If there is no such activation or parameter, or its value lies outside its range.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.Activation("elu", alpha=0.5)
    Activation('elu', alpha=0.5)
    >>> nn = foxnn.neural_network([4, 8, 1], activation=foxnn.Activation("leaky_relu", negative_slope=0.1))
    """

    __slots__ = ("_parameters", "name")

    def __init__(self, name: str, **parameters: float) -> None:
        self.name: str = _known(name, "activation")
        declared = _core.ACTIVATIONS[self.name]["parameters"]
        self._parameters = parameter_values(self.name, declared, parameters)

    @property
    def parameters(self) -> Mapping[str, float]:
        """Its parameters by name; they cannot be changed."""
        return MappingProxyType(self._parameters)

    def check_dtype(self, dtype: Any) -> None:
        """Refuse parameters that a network of this dtype cannot hold."""
        parameter_values(self.name, _core.ACTIVATIONS[self.name]["parameters"], self.parameters, dtype)

    @classmethod
    def of(cls, value: Any, argument: str = "activation") -> Activation:
        """`value` if it is an Activation, else the one of that name."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(_known(value, argument))
        raise TypeError(f"{argument}: got {value!r}; it takes a name or a foxnn.Activation")

    @property
    def default_init(self) -> str:
        """Name of the initializer that suits it."""
        return str(_core.ACTIVATIONS[self.name]["init"])

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value it may have.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.Activation("tanh").bounds
        (-1.0, 1.0)
        """
        return _core.activation_bounds(self.name, list(self.parameters.values()))

    @property
    def is_flat(self) -> bool:
        """Whether its derivative is zero everywhere, so that nothing below it learns."""
        return bool(_core.ACTIVATIONS[self.name]["flat"])

    @property
    def output_only(self) -> bool:
        """Whether it works on a whole row of outputs, and so can only be the last layer's."""
        return bool(_core.ACTIVATIONS[self.name]["rowwise"])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.name == find(other, _core.ACTIVATIONS, ALIASES)
        return isinstance(other, Activation) and (self.name, self.parameters) == (other.name, other.parameters)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        values = ", ".join(f"{k}={v:g}" for k, v in self.parameters.items())
        return f"{self.name}({values})" if values else self.name

    def __repr__(self) -> str:
        values = "".join(f", {k}={v:g}" for k, v in self.parameters.items())
        return f"Activation({self.name!r}{values})"


def _known(name: str, argument: str) -> str:
    """foxnn's own name of an activation."""
    return name if name in _HIDDEN else resolve(argument, name, names(), ALIASES, ELSEWHERE)


def __getattr__(name: str) -> NoReturn:
    from foxnn._elsewhere import no_such

    raise no_such("foxnn.activations", name)
