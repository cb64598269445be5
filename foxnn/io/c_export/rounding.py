"""Networks in integers: weights of 8 bits, numbers between layers of 16, sums of 32; and what that costs.

A weight is an integer times a scale for each unit (Jacob et al. 2018, section 2), an input or the output of a hidden
layer an integer times a scale for the layer. Sums cannot overflow, whatever the inputs: the largest integer of a
layer's inputs is so small that 2^29 is enough for their products, and 2^29 for the bias.

Which numbers there will be is told by samples. There is room for twice of what these make (inputs: four times);
what is beyond is taken as the largest number there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn.data.reading import Reading
from foxnn.io._formulas import centring, reading
from foxnn.io.c_export.samples import inputs_like

if TYPE_CHECKING:
    from foxnn.activations import Activation
    from foxnn.network import NeuralNetwork

__all__ = ["Hidden", "Rounded", "RoundingError", "Sums", "interval", "rounded"]

_Array = npt.NDArray[Any]

_INT8, _INT16 = 127, 2**15 - 1
_HALF_OF_SUMS = 2**29
_ROOM, _ROOM_OF_INPUTS = 2.0, 4.0

#: Activations that only cut what is below or above; from where to where they do not.
_CUT = {
    "linear": (-np.inf, np.inf),
    "relu": (0.0, np.inf),
    "foxnn_relu": (0.0, np.inf),
    "relu6": (0.0, 6.0),
    "hard_tanh": (-1.0, 1.0),
}
#: Where others do not change any more, to 16 bits.
_SATURATED = {"sigmoid": 12.0, "tanh": 6.0, "hard_sigmoid": 3.0, "gaussian": 4.0}
#: A table has at most 2^10 intervals, or as many as give its function to this share of its largest value.
_TABLE_BITS, _TABLE_ERROR = 10, 2.0**-12


class RoundingError(NamedTuple):
    """How far the outputs of integers are from the network's own.

    Attributes
    ----------
    max, rms : float
        The largest difference, and the root of the mean of their squares.
    largest : float
        The largest output, in absolute value, to compare them with.
    n_samples : int
    drawn : bool
        Whether the samples were drawn at random from what `scale_inputs` has seen, as none were given.
    """

    max: float
    rms: float
    largest: float
    n_samples: int
    drawn: bool

    def __str__(self) -> str:
        on = f"{self.n_samples} samples" + (" drawn from the distribution that scale_inputs has" if self.drawn else "")
        return f"at most {self.max:.3g}, root mean square {self.rms:.3g}, of outputs up to {self.largest:.3g}, on {on}"


class Sums(NamedTuple):
    """A layer's products: integers (n_out, n_in) and biases (n_out,), and what a sum's unit is worth, (n_out,)."""

    weights: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    scales: npt.NDArray[np.float64]

    def of(self, x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The sums of inputs (n, n_in)."""
        products = x.astype(np.float64) @ self.weights.T.astype(np.float64)  # exact, and faster than in integers
        return products.astype(np.int64) + self.bias


class Hidden(NamedTuple):
    """What makes the integers of the next layer from a hidden layer's sums, or from its floats.

    A sum becomes ``((sum >> shift) * multiplier + 2^14) >> 15``, cut at `low` and `high` (its bias has half of what the
    first shift takes, which thus rounds); then it is looked up in `table`, with lines between its values, or is `step`
    if it is positive, or stays. Where `multiplier` is None, the layer computes in floats, as it has a layer
    normalisation.

    `scale` is what the unit of the integers is worth, `largest` the largest of them.
    """

    scale: float
    largest: int
    shift: npt.NDArray[np.uint8] | None = None
    multiplier: npt.NDArray[np.int16] | None = None
    low: int = 0
    high: int = 0
    table: npt.NDArray[np.int16] | None = None
    step: int | None = None

    def of(self, sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The integers of sums (n, n_out)."""
        assert self.shift is not None
        assert self.multiplier is not None
        short = np.clip(sums >> self.shift, -65535, 65535)
        z = np.clip((short * self.multiplier + 2**14) >> 15, self.low, self.high)
        if self.step is not None:
            return np.where(z > 0, self.step, 0)
        return z if self.table is None else looked_up(self.table, z)


class Rounded(NamedTuple):
    """A network in integers. Inputs are read as ``(x - shift) * factor``, numbers or arrays (n_in,)."""

    shift: Any
    factor: Any
    largest: int
    sums: list[Sums]
    hidden: list[Hidden]

    def predict(self, network: NeuralNetwork, X: _Array, dtype: str) -> npt.NDArray[np.float64]:
        """What the C code computes of inputs (n, n_in), to the rounding of its floats."""
        x = _integers((X.astype(dtype) - np.asarray(self.shift, dtype)) * np.asarray(self.factor, dtype), self.largest)
        for layer, sums, hidden in zip(network.layers, self.sums, self.hidden, strict=False):
            found = sums.of(x)
            if hidden.multiplier is None:
                x = _integers(_activated(layer, found * sums.scales) / hidden.scale, hidden.largest)
            else:
                x = hidden.of(found)
        last = self.sums[-1]
        outputs = _activated(network.layers[-1], last.of(x) * last.scales)
        scaling = network.output_scaling
        return outputs if scaling is None else outputs * scaling.spread + scaling.shift


def rounded(network: NeuralNetwork, samples: Any, dtype: str) -> tuple[Rounded, RoundingError]:
    """A network in integers, and how far its outputs are from the network's own on the samples.

    Raises
    ------
    ValueError
        If there are neither samples nor inputs that are scaled inside, so that nobody knows what the inputs are like.
    """
    X, drawn = inputs_like(network, samples)
    outputs = network._core.predict(X, *Reading(network).factors(X), network.n_threads or 0)
    expected = outputs.astype(np.float64)
    best = None
    for shift, factor, weights, bias in _ways_to_read(network, X, dtype):
        integers = _rounded(network, X, shift, factor, weights, bias, dtype)
        error = np.abs(integers.predict(network, X, dtype) - expected)
        rms = float(np.sqrt(np.mean(error**2)))
        if best is None or rms < best[0] / 2:  # one scale for all inputs is simpler, and safer beside the samples
            best = rms, integers, float(error.max())
    assert best is not None
    rms, integers, largest_error = best
    return integers, RoundingError(largest_error, rms, float(np.abs(expected).max()), len(expected), drawn)


def _ways_to_read(network: NeuralNetwork, X: _Array, dtype: str) -> list[tuple[Any, Any, _Array, _Array]]:
    """Shift and factor of the inputs; weights and bias of the first layer that go with them, in float64."""
    n_in = network._n_in
    weights, bias = (values.astype(np.float64) for values in (network.layers[0].weights, network.layers[0].bias))
    centred = centring(network, dtype)
    if centred is not None:
        return [(centred.shift, centred.factor, weights, bias + centred.rest @ weights)]
    scale, offset = reading(network) or (1.0, 0.0)
    weights, bias = scale * weights, bias + offset * weights.sum(axis=0)
    ways: list[tuple[Any, Any, _Array, _Array]] = [(0.0, 1.0, weights, bias)]
    # Columns of different ranges get a scale each, as int8 would leave nothing of the weights of the widest ones.
    low, high = X.min(axis=0), X.max(axis=0)
    spread = (high - low) / 2
    if n_in > 1 and len(X) > 1 and spread.any():
        spread = np.where(spread > 0, spread, spread.max())
        shift = ((low + high) / 2).astype(dtype).astype(np.float64)
        ways.append((shift, 1 / spread, spread[:, None] * weights, bias + shift @ weights))
    return ways


def _rounded(
    network: NeuralNetwork, X: _Array, shift: Any, factor: Any, weights: _Array, bias: _Array, dtype: str
) -> Rounded:
    layers = network.layers
    all_weights = [weights, *(layer.weights.astype(np.float64) for layer in layers[1:])]
    all_biases = [bias, *(layer.bias.astype(np.float64) for layer in layers[1:])]
    largest = [_largest_input(w, i) for i, w in enumerate(all_weights)]
    x = (X - shift) * factor
    scale = _ROOM_OF_INPUTS * _extent(x) / largest[0]
    inputs = shift, factor / scale, largest[0]
    sums, hidden = [], []
    for i, layer in enumerate(layers):
        sums.append(_sums(all_weights[i], all_biases[i], scale))
        if i + 1 == len(layers):
            break
        z = x @ all_weights[i] + all_biases[i]
        x = _activated(layer, z)
        if layer.norm is None:
            hidden.append(_hidden(layer.activation, z, x, sums[-1].scales, largest[i + 1]))
            half = (1 << np.asarray(hidden[-1].shift, np.int32)) >> 1  # so that the shift rounds
            sums[-1] = sums[-1]._replace(bias=sums[-1].bias + half)
        else:
            hidden.append(Hidden(_ROOM * _extent(x) / largest[i + 1], largest[i + 1]))
        scale = hidden[-1].scale
    return Rounded(*inputs, sums, hidden)


def _extent(x: _Array) -> float:
    """The largest of some numbers; 1 if there is none."""
    return float(np.abs(x).max()) or 1.0


def _in_int8(weights: _Array, scales: _Array) -> npt.NDArray[np.int8]:
    return np.rint(weights / scales).astype(np.int8).T.copy()


def _scales(weights: _Array) -> _Array:
    """Of each column (n_in, n_out), what makes of its largest weight the largest integer."""
    most = np.abs(weights).max(axis=0) / _INT8
    return np.where(most > 0, most, 1.0)


def _largest_input(weights: _Array, index: int) -> int:
    """The largest integer that inputs of these weights may be, so that the sums do not overflow."""
    most = int(np.abs(_in_int8(weights, _scales(weights)).astype(np.int64)).sum(axis=1).max())
    largest = min(_INT16, _HALF_OF_SUMS // max(most, 1))
    if largest < _INT8:
        raise ValueError(f"layer {index}: has {len(weights)} inputs, too many for sums of 32 bits")
    return largest


def _sums(weights: _Array, bias: _Array, scale: float) -> Sums:
    """The layer in integers, for inputs that are integers times `scale`."""
    weights = weights * scale
    scales = np.maximum(_scales(weights), np.abs(bias) / _HALF_OF_SUMS)
    return Sums(_in_int8(weights, scales), np.rint(bias / scales).astype(np.int32), scales)


def _hidden(activation: Activation, z: _Array, y: _Array, scales: _Array, largest: int) -> Hidden:
    """How sums worth `scales` become integers up to `largest`; samples have z before, and y after the activation."""
    name = activation.name
    if name in _CUT:
        low, high = _CUT[name]
        extent = min(_ROOM * _extent(y), max(abs(low), high) if np.isfinite(high) else np.inf)
        scale = max(extent / largest, scales.max())
        shift, multiplier = _multipliers(scales / scale)
        first, last = (round(float(np.clip(end / scale, -largest, largest))) for end in (low, high))
        return Hidden(scale, largest, shift, multiplier, first, last)
    extent = min(_ROOM * _extent(z), _SATURATED.get(name, np.inf))
    of_z = max(extent / _INT16, scales.max())
    shift, multiplier = _multipliers(scales / of_z)
    if name == "threshold":
        return Hidden(1 / largest, largest, shift, multiplier, -_INT16, _INT16, step=largest)
    grid = np.arange(-(2**15), 2**15 + 1) * of_z
    values = applied(activation, grid)
    most = _ROOM * _extent(y)  # what is much larger than in any sample would leave no digits to these
    values = np.clip(values, -most, most)
    scale = _extent(values) / largest
    return Hidden(scale, largest, shift, multiplier, -_INT16, _INT16, _table(values / scale))


def _multipliers(ratios: _Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int16]]:
    """Shifts and multipliers such that ``multiplier / 2^15 / 2^shift`` is each ratio, which is at most 1.

    The multipliers are from 2^14 on, as what a shift leaves of a sum has 17 bits with its sign; a ratio below 2^-30
    makes nothing of any sum.
    """
    fraction, exponent = np.frexp(ratios)
    multiplier, shift = np.rint(fraction * 2**15).astype(np.int64), -exponent
    whole = multiplier == 2**15
    multiplier, shift = np.where(whole, 2**14, multiplier), shift - whole
    lost = shift > 30
    # A ratio of 1 itself is as near as 16 bits get.
    multiplier = np.where(lost, 0, np.where(shift < 0, 2**15 - 1, multiplier))
    return np.where(lost, 0, np.maximum(shift, 0)).astype(np.uint8), multiplier.astype(np.int16)


def _table(values: _Array) -> npt.NDArray[np.int16]:
    """The fewest of the 2^16 + 1 values at equal distances whose lines are near enough to all."""
    for bits in range(1, _TABLE_BITS + 1):
        nodes = np.rint(values[:: 2**16 >> bits])
        lines = np.interp(np.arange(len(values)), np.arange(len(nodes)) * (2**16 >> bits), nodes)
        if np.abs(lines - values).max() <= max(_TABLE_ERROR * np.abs(values).max(), 1.0):
            break
    return nodes.astype(np.int16)


def looked_up(table: npt.NDArray[np.int16], z: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What the C code finds in a table, for integers of 16 bits."""
    values = table.astype(np.int64)
    bits = interval(table)
    index, rest = (z + 2**15) >> bits, (z + 2**15) & (2**bits - 1)
    found: npt.NDArray[np.int64] = ((values[index + 1] - values[index]) * rest + (1 << bits >> 1)) >> bits
    return np.asarray(values[index] + found)


def interval(table: npt.NDArray[np.int16]) -> int:
    """The binary logarithm of how far the numbers of a table of 2^n + 1 values are apart."""
    return 16 - (len(table) - 1).bit_length() + 1


def applied(activation: Activation, x: _Array) -> _Array:
    """An activation of single numbers, by foxnn itself in float64."""
    from foxnn.network import NeuralNetwork

    network = NeuralNetwork([1, 1], output=activation, init=1.0, dtype="float64")
    return np.asarray(network.predict(x.reshape(-1, 1))).reshape(x.shape)


def _activated(layer: Any, z: _Array) -> _Array:
    """What a layer makes of sums (n, n_out), in float64."""
    if layer.norm is not None:
        centred = z - z.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + layer.norm.epsilon)
        z = layer.norm.gamma * centred / deviation + layer.norm.beta
    if layer.activation == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))
    return z if layer.activation == "linear" else applied(layer.activation, z)


def _integers(values: _Array, largest: int) -> npt.NDArray[np.int64]:
    """Numbers rounded to integers of at most that."""
    return np.asarray(np.clip(np.trunc(values + np.copysign(0.5, values)), -largest, largest), np.int64)
