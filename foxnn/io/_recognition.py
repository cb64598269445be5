"""What a function is, told by its values: exporters spell gelu or a layer normalisation each in its own way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from foxnn.activations import Activation, names
from foxnn.io._layers import Normal

Array = npt.NDArray[Any]
Function = Callable[[Array], Array]

#: Numbers on which functions of single numbers are compared.
GRID = np.concatenate([np.linspace(-12, 12, 1201), [s * x for x in (1e-3, 20.25, 40.5, 1e3, 1e6) for s in (1, -1)]])
#: The parameter of an activation, and its value at -1 if that is 1.
_PARAMETERS = {"leaky_relu": ("negative_slope", -1.0), "elu": ("alpha", float(np.expm1(-1)))}


def same(a: Array, b: Array) -> bool:
    """Whether two functions agree on the grid to what constants in float32 leave: of all, or of the largest below 1."""
    if a.shape != b.shape:
        return False
    size = np.abs(b)
    unit = min(1.0, np.max(size, where=np.isfinite(size), initial=0.0))  # of what is tiny everywhere, all counts
    return bool(np.all((a == b) | (np.abs(a - b) <= 1e-6 * np.maximum(unit, size))))


def line(function: Function) -> tuple[float, float] | None:
    """Factor and shift of an affine function of single numbers, or None if it is another one.

    Examples
    --------
    >>> line(lambda x: 3 * x + 1), line(lambda x: x * x)
    ((3.0, 1.0), None)
    """
    with np.errstate(all="ignore"):
        shift = float(function(np.zeros(1))[0])
        factor = float(function(np.ones(1))[0]) - shift
        return (factor, shift) if same(function(GRID), factor * GRID + shift) else None


def activation(function: Function) -> Activation | None:
    """The activation that a function of single numbers is.

    Examples
    --------
    >>> import numpy as np
    >>> activation(lambda x: np.maximum(x, 0.25 * x))
    Activation('leaky_relu', negative_slope=0.25)
    """
    found = _scaled(function, is_scaled=False)
    return None if found is None else found[0]


def scaled_activation(function: Function) -> tuple[Activation, float, float] | None:
    """The activation that a function of single numbers is a positive multiple of, the factor, and the shift after it.

    Examples
    --------
    >>> import numpy as np
    >>> scaled_activation(lambda x: 2 * np.tanh(x) - 3)
    (Activation('tanh'), 2.0, -3.0)
    """
    return _scaled(function, is_scaled=True)


def _scaled(function: Function, is_scaled: bool) -> tuple[Activation, float, float] | None:
    with np.errstate(all="ignore"):
        y = function(GRID)
        low, zero, one, two = (float(function(np.full(1, x))[0]) for x in (-1.0, 0.0, 1.0, 2.0))
        for name in sorted(names(), key=_PARAMETERS.__contains__):
            slope, start = (two - one, zero) if is_scaled else (1.0, 0.0)  # right of 0, of those that are lines there
            at_minus_one = (low - start) / slope if slope else 0.0
            parameters = {}
            if name in _PARAMETERS:
                parameter, at_minus_one_of_1 = _PARAMETERS[name]
                parameters = {parameter: float(f"{at_minus_one / at_minus_one_of_1:.7g}")}
            if not all(0 <= value < np.inf for value in parameters.values()):
                continue
            candidate = Activation(name, **parameters)
            if candidate.output_only:
                continue
            values, factor, shift = _values(candidate), 1.0, 0.0
            if is_scaled:
                here, there = _values(candidate, (-1.0, 2.0))
                factor = (two - low) / float(there - here)
                shift = two - factor * float(there)
            if 0 < factor < np.inf and same((y - shift) / factor, values):
                return candidate, factor, shift
    return None


@cache
def _values(activation: Activation, x: tuple[float, ...] | None = None) -> Array:
    """An activation of some numbers, or of the grid, by foxnn itself."""
    from foxnn.network import NeuralNetwork

    network = NeuralNetwork([1, 1], output=activation, init=1.0, dtype="float64")
    return np.asarray(network.predict(GRID if x is None else np.array(x))).reshape(-1)


def layer_norm(function: Function, width: int) -> Normal | None:
    """The layer normalisation that a function of rows (n, width > 1) is, or None if it is another one.

    Examples
    --------
    >>> def function(x):
    ...     centred = x - x.mean(1, keepdims=True)
    ...     return 3 * centred / np.sqrt((centred**2).mean(1, keepdims=True) + 0.01)
    >>> layer_norm(function, 2)
    Normal(gamma=array([3., 3.]), beta=array([0., 0.]), epsilon=0.01)
    """
    rows = np.random.default_rng(0).normal(size=(4, width))
    rows -= rows.mean(1, keepdims=True)
    large, small = 1e6 * rows[:1], 1e-3 * rows[:1]
    with np.errstate(all="ignore"):
        beta = function(np.zeros((1, width)))[0]
        if beta.shape != (width,):
            return None
        # gamma from numbers beside whose variance epsilon is nothing, epsilon from those where it is not.
        gamma = (function(large)[0] - beta) * np.sqrt(np.mean(large**2)) / large[0]
        unit = int(np.argmax(np.abs(gamma * rows[0])))
        ratio = gamma[unit] * small[0, unit] / (function(small)[0] - beta)[unit]
        epsilon = float(f"{ratio**2 - np.mean(small**2):.7g}")
        if not 0 < epsilon < 1e3:  # x - mean looks like one with a very large epsilon
            return None
        scaled = np.concatenate([scale * rows + shift for scale in (1e-2, 1.0, 1e3) for shift in (0.0, 0.5)])
        centred = scaled - scaled.mean(1, keepdims=True)
        expected = gamma * centred / np.sqrt((centred**2).mean(1, keepdims=True) + epsilon) + beta
        return Normal(gamma, beta, epsilon) if same(function(scaled), expected) else None
