"""The activations as formulas that become C or JavaScript by replacing names and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn.data.scaling import check_fitted

if TYPE_CHECKING:
    from foxnn.activations import Activation
    from foxnn.network import NeuralNetwork

#: Statements and the value of each activation of x; {name} is a parameter, `let` declares a number, and all numbers
#: have a decimal point. Exponents are never positive where they could overflow.
FORMULAS: Mapping[str, tuple[str, ...]] = {
    "sigmoid": ("let e = exp(-fabs(x));", "x < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e)"),
    "tanh": ("tanh(x)",),
    "relu": ("x < 0.0 ? 0.0 : x",),
    "foxnn_relu": ("x < 0.0 ? 0.0 : x",),
    "leaky_relu": ("x < 0.0 ? x * {negative_slope} : x",),
    "elu": ("x > 0.0 ? x : {alpha} * expm1(x)",),
    "selu": ("x > 0.0 ? 1.0507009873554804934 * x : 1.7580993408473768600 * expm1(x)",),
    "gelu": ("0.5 * x * erfc(-0.70710678118654752440 * x)",),
    "silu": ("let e = exp(-fabs(x));", "x < 0.0 ? x * (e / (1.0 + e)) : x / (1.0 + e)"),
    "softplus": ("let e = log1p(exp(-fabs(x)));", "x < 0.0 ? e : x + e"),
    "softsign": ("x / (1.0 + fabs(x))",),
    "hard_sigmoid": ("let y = x * 0.16666666666666666667 + 0.5;", "y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y"),
    "hard_tanh": ("x < -1.0 ? -1.0 : x > 1.0 ? 1.0 : x",),
    "relu6": ("x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x",),
    "mish": ("let e = exp(x > 30.0 ? 30.0 : x);", "let n = e * (e + 2.0);", "x * (n / (n + 2.0))"),
    "sin": ("sin(x)",),
    "cos": ("cos(x)",),
    "gaussian": ("exp(-(x * x))",),
    "arctan": ("atan(x)",),
    "exp": ("exp(x)",),
    "linear": ("x",),
    "threshold": ("x > 0.0 ? 1.0 : x <= 0.0 ? 0.0 : x",),
}

_NUMBER = re.compile(r"\d+\.\d+(?:e[+-]?\d+)?")
_FUNCTION = re.compile(r"\b(exp|expm1|log1p|fabs|tanh|erfc|sin|cos|atan)\(")


class Language(NamedTuple):
    """How a language writes the declaration of a constant, a number and the name of a function."""

    let: str
    number: str
    function: str


def formula(activation: Activation, language: Language) -> list[str]:
    """The lines of a function body that return the activation of x.

    Examples
    --------
    >>> from foxnn import Activation
    >>> formula(Activation("leaky_relu"), Language("const float", "{}f", "{}f"))
    ['return x < 0.0f ? x * 0.01f : x;']
    """
    parameters = {name: literal(value, np.float64) for name, value in activation.parameters.items()}
    *statements, value = (line.format(**parameters) for line in FORMULAS[activation.name])
    lines = [*statements, f"return {value};"]
    lines = [_NUMBER.sub(lambda m: language.number.format(m[0]), line) for line in lines]
    lines = [_FUNCTION.sub(lambda m: language.function.format(m[1]) + "(", line) for line in lines]
    return [re.sub(r"^let\b", language.let, line) for line in lines]


def literal(value: Any, dtype: Any) -> str:
    """A number in digits that give it back: 9 of them for float32, up to 17 for float64.

    Examples
    --------
    >>> literal(1, "float32"), literal(0.1, "float32"), literal(1e30, "float64")
    ('1.0', '0.100000001', '1.0e+30')
    """
    return _digits(float(np.dtype(dtype).type(value)), np.dtype(dtype) == np.float32)


def _digits(number: float, single: bool) -> str:
    text = f"{number:.9g}" if single else repr(number)
    if "e" in text and "." not in text:
        return text.replace("e", ".0e")
    return text if "." in text else f"{text}.0"


def rows(array: npt.NDArray[Any], suffix: str = "", width: int = 110) -> Iterator[str]:
    """The numbers of an array, with commas after them, in lines of at most about `width` characters."""
    single, integer = array.dtype == np.float32, array.dtype.kind in "iu"
    line: list[str] = []
    length = 0
    for value in array.ravel().tolist():
        text = f"{value if integer else _digits(value, single)}{suffix},"
        if length + len(text) >= width:
            yield " ".join(line)
            line, length = [], 0
        line.append(text)
        length += len(text) + 1
    yield " ".join(line)


def title(network: NeuralNetwork) -> str:
    """The network in words, such as ``2 -> 8 tanh -> 1 sigmoid``."""
    return " -> ".join([str(network._n_in), *(f"{layer.n_out} {layer.title}" for layer in network.layers)])


def reading(network: NeuralNetwork) -> tuple[Any, Any] | None:
    """Scale and offset of the inputs, numbers or arrays (n_in,), or None if they are taken as they are."""
    check_fitted(network)
    scaling = network.input_scaling
    if network.scale is None and network.offset is None and scaling is None:
        return None
    scale = 1.0 if network.scale is None else network.scale
    offset = 0.0 if network.offset is None else network.offset
    if scaling is None:
        return scale, offset
    return scale / scaling.spread, (offset - scaling.shift) / scaling.spread


class Centring(NamedTuple):
    """Inputs that are read as ``(x - shift) * factor + rest``, arrays (n_in,) of float64.

    To subtract first keeps the digits of inputs that lie far from zero. `shift` has numbers of the type that was asked
    for; `rest` is what is left by that, next to nothing, and goes into the bias of the first layer.
    """

    shift: npt.NDArray[np.float64]
    factor: npt.NDArray[np.float64]
    rest: npt.NDArray[np.float64]


def centring(network: NeuralNetwork, dtype: Any) -> Centring | None:
    """How inputs are scaled, `scale` and `offset` with them; None if the network does not do that.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1], scale_inputs="minmax").fit_scaling([2000, 2004])
    >>> centring(nn, "float32")
    Centring(shift=array([2000.]), factor=array([0.25]), rest=array([0.]))
    """
    check_fitted(network)
    scaling = network.input_scaling
    if scaling is None:
        return None
    scale, offset = 1.0 if network.scale is None else network.scale, network.offset or 0.0
    factor = scale / scaling.spread
    if scale == 0:  # nothing is left of the inputs
        return Centring(np.zeros_like(factor), factor, (offset - scaling.shift) / scaling.spread)
    exact = (scaling.shift - offset) / scale
    with np.errstate(over="ignore"):
        shift = exact.astype(dtype).astype(np.float64)
    if not np.isfinite(shift).all():
        raise ValueError(f"scale_inputs: {np.abs(exact).max():g} is more than {np.dtype(dtype)} can hold")
    return Centring(shift, factor, (shift - exact) * factor)


def writing(network: NeuralNetwork) -> tuple[Any, Any] | None:
    """Scale and offset of the outputs, arrays (n_out,), or None if they are given as they are."""
    check_fitted(network)
    scaling = network.output_scaling
    return None if scaling is None else (scaling.spread, scaling.shift)
