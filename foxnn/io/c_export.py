"""Networks as C: one header that needs nothing but libm."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._atomic import atomic_write
from foxnn._options import unknown
from foxnn.io._formulas import Language, formula, literal, reading, rows, title, writing
from foxnn.io._layers import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from foxnn.network import NeuralNetwork

_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while"
)

#: Inputs drawn to see what rounding costs, if none are given.
_DRAWN = 1000


class RoundingError(NamedTuple):
    """How far the outputs of rounded weights are from those of the network's own.

    Attributes
    ----------
    max, rms : float
        The largest difference, and the root of the mean of their squares.
    largest : float
        The largest output, in absolute value, to compare them with.
    n_samples : int
    drawn : bool
        Whether the samples were drawn at random, as none were given.
    """

    max: float
    rms: float
    largest: float
    n_samples: int
    drawn: bool

    def __str__(self) -> str:
        on = f"{self.n_samples} samples" + (" drawn from a normal distribution" if self.drawn else "")
        return f"at most {self.max:.3g}, root mean square {self.rms:.3g}, of outputs up to {self.largest:.3g}, on {on}"


def to_c(
    network: NeuralNetwork,
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    dtype: Any = None,
    weights: str = "float",
    samples: Any = None,
) -> RoundingError | None:
    """Write a network as a C99 header; see `NeuralNetwork.to_c`."""
    if name is None:
        name = re.sub(r"\W", "_", os.path.splitext(os.path.basename(os.fspath(path)))[0], flags=re.ASCII)
        name = f"net_{name}" if not name or name[0].isdigit() or name in _KEYWORDS.split() else name
    elif not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in _KEYWORDS.split():
        raise ValueError(f"name: got {name!r}; it takes an identifier of C")
    try:
        kind = network.dtype.name if dtype is None else np.dtype(dtype).name
    except TypeError:
        kind = str(dtype)
    if kind not in ("float32", "float64"):
        raise unknown("dtype", dtype, ["float32", "float64"])
    network = folded(network)
    if weights not in ("float", "int8"):
        raise unknown("weights", weights, ["float", "int8"])
    if samples is not None and weights != "int8":
        raise ValueError("samples: got some, but only weights='int8' are compared on them")
    error = _rounding_error(network, samples) if weights == "int8" else None
    text = "\n".join(_Header(network, name, kind, error).lines())
    with atomic_write(path) as file:
        file.write(text.encode())
    return error


def _rounded(weights: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[Any]]:
    """Weights (n_in, n_out) as integers in [-127, 127] times a scale (n_out,) for each column."""
    scales = np.abs(weights.astype(np.float64)).max(axis=0) / 127
    return np.rint(weights / np.where(scales > 0, scales, 1)).astype(np.int8), scales


def _rounding_error(network: NeuralNetwork, samples: Any) -> RoundingError:
    """What the outputs lose if the weights become integers."""
    drawn = samples is None
    if drawn:
        samples = np.random.default_rng(0).normal(size=(_DRAWN, network.sizes[0]))
        scale, offset = reading(network) or (1.0, 0.0)
        samples = (samples - offset) / np.where(scale, scale, 1.0)  # which the network reads as the normal numbers
    expected = np.atleast_2d(network.predict(samples)).astype(np.float64)
    twin = network.copy()
    for layer in twin.layers:
        integers, scales = _rounded(layer.weights)
        layer.weights = integers * scales
    error = np.abs(np.atleast_2d(twin.predict(samples)) - expected)
    return RoundingError(
        float(error.max()), float(np.sqrt(np.mean(error**2))), float(np.abs(expected).max()), len(expected), drawn
    )


class _Header:
    """The parts of the file; `T` is the number type, `f` the suffix of its numbers and functions."""

    def __init__(self, network: NeuralNetwork, name: str, dtype: str, rounding: RoundingError | None) -> None:
        self.network, self.name, self.dtype, self.rounding = network, name, dtype, rounding
        self.T, self.f = ("float", "f") if dtype == "float32" else ("double", "")

    def number(self, value: Any, what: str) -> str:
        with np.errstate(over="ignore"):
            rounded = np.dtype(self.dtype).type(value)
        if not np.isfinite(rounded):
            raise ValueError(f"{what}: {value:g} is more than {self.dtype} can hold")
        return literal(rounded, self.dtype) + self.f

    def lines(self) -> Iterator[str]:
        network, name, T = self.network, self.name, self.T
        sizes = network.sizes
        yield f"/* A neural network: {title(network)}."
        yield f" * Written by foxnn {_core.config()['version']}. C99; needs libm and nothing else, allocates nothing."
        yield " *"
        yield f" * void {name}_predict(const {T} *x, {T} *y)"
        yield f" *     x: {sizes[0]} inputs, y: {sizes[-1]} outputs; they must not overlap."
        size = 4 if T == "float" else 8
        yield f" *     Uses about {sum(self.widths()) * size} bytes of stack; may run in several threads at once."
        yield " *"
        weights = sum(layer.weights.size for layer in network.layers)
        columns = sum(layer.n_out * (1 if layer.norm is None else 3) for layer in network.layers)
        constants = weights * size if self.rounding is None else weights + sum(sizes[1:]) * size
        constants += columns * size
        yield f" * Constants: {constants} bytes."
        if self.rounding is not None:
            yield " * Weights are integers of 8 bits, times a scale for each column. This changes the outputs by"
            yield f" * {self.rounding}."
        yield " */"
        guard = f"FOXNN_{name.upper()}_H"
        yield f"#ifndef {guard}"
        yield f"#define {guard}"
        yield ""
        yield "#include <math.h>"
        if self.rounding is not None:
            yield "#include <stdint.h>"
        yield ""
        yield f"#define {name}_n_in {sizes[0]}"
        yield f"#define {name}_n_out {sizes[-1]}"
        yield ""
        for i, layer in enumerate(network.layers):
            shape = f"[{layer.n_in}][{layer.n_out}], by rows"
            if self.rounding is None:
                yield from self.array(f"weights_{i}", layer.weights, shape)
            else:
                integers, scales = _rounded(layer.weights)
                yield from self.array(f"weights_{i}", integers, shape)
                yield from self.array(f"scales_{i}", scales, f"[{layer.n_out}]")
            yield from self.array(f"bias_{i}", layer.bias, f"[{layer.n_out}]")
            if layer.norm is not None:
                yield from self.array(f"gamma_{i}", layer.norm.gamma, f"[{layer.n_out}]")
                yield from self.array(f"beta_{i}", layer.norm.beta, f"[{layer.n_out}]")
        yield from self.scalings()
        yield from self.functions()
        yield from self.dense()
        if any(layer.norm for layer in network.layers):
            yield from self.layer_norm()
        yield from self.predict()
        yield ""
        yield f"#endif /* {guard} */"
        yield ""

    def widths(self) -> tuple[int, int]:
        """What the two buffers between layers have to hold: what even and what odd layers read."""
        inner = self.network.sizes[:-1] if reading(self.network) is not None else [0, *self.network.sizes[1:-1]]
        return max(inner[::2]), max(inner[1::2], default=0)

    def array(self, what: str, values: Any, shape: str) -> Iterator[str]:
        T, suffix = ("int8_t", "") if values.dtype == np.int8 else (self.T, self.f)
        if values.dtype != np.int8:
            with np.errstate(over="ignore"):
                rounded = values.astype(self.dtype)
            if not np.isfinite(rounded).all():
                raise ValueError(f"{what}: {np.abs(values).max():g} is more than {self.dtype} can hold")
            values = rounded
        yield f"/* {shape} */"
        yield f"static const {T} {self.name}_{what}[{values.size}] = {{"
        for line in rows(values, suffix):
            yield f"    {line}"
        yield "};"
        yield ""

    def functions(self) -> Iterator[str]:
        """Activations, each once for all layers that have it, and for each set of parameters."""
        T, name = self.T, self.name
        language = Language(f"const {T}", f"{{}}{self.f}", f"{{}}{self.f}")
        for index, layer in enumerate(self.network.layers):
            activation = layer.activation
            if self.owner(index) != index or activation == "linear":
                continue
            if activation == "softmax":
                yield f"static inline void {name}_softmax({T} *y, int n) {{"
                yield f"    {T} top = y[0], sum = 0.0{self.f};"
                yield "    for (int i = 1; i < n; i++)"
                yield "        if (y[i] > top) top = y[i];"
                yield "    for (int i = 0; i < n; i++) {"
                yield f"        y[i] = exp{self.f}(y[i] - top);"
                yield "        sum += y[i];"
                yield "    }"
                yield "    for (int i = 0; i < n; i++) y[i] /= sum;"
            else:
                for parameter, value in activation.parameters.items():
                    self.number(value, f"{activation.name} {parameter}")
                yield f"static inline {T} {name}_{activation.name}_{index}({T} x) {{"
                for line in formula(activation, language):
                    yield f"    {line}"
            yield "}"
            yield ""

    def owner(self, index: int) -> int:
        """The first layer with the same activation."""
        activations = [layer.activation for layer in self.network.layers]
        return next(i for i, a in enumerate(activations) if repr(a) == repr(activations[index]))

    def dense(self) -> Iterator[str]:
        T = self.T
        weights, scales, cast, sum_, formula_ = (
            (f"{T} *weights, ", "", "", "+= bias[j]", "bias + x weights")
            if self.rounding is None
            else (
                "int8_t *weights, ",
                f"const {T} *scales, ",
                f"({T})",
                "= y[j] * scales[j] + bias[j]",
                "bias + x weights scales",
            )
        )
        yield f"/* y = {formula_} */"
        yield f"static inline void {self.name}_dense(const {T} *x, int n_in, const {weights}{scales}const {T} *bias,"
        yield f"    int n_out, {T} *y) {{"
        yield f"    for (int j = 0; j < n_out; j++) y[j] = 0.0{self.f};"
        yield "    for (int i = 0; i < n_in; i++)"
        yield f"        for (int j = 0; j < n_out; j++) y[j] += x[i] * {cast}weights[i * n_out + j];"
        yield f"    for (int j = 0; j < n_out; j++) y[j] {sum_};"
        yield "}"
        yield ""

    def layer_norm(self) -> Iterator[str]:
        T, f = self.T, self.f
        yield "/* y = gamma (y - mean) / deviation + beta */"
        yield f"static inline void {self.name}_layer_norm({T} *y, int n, const {T} *gamma, const {T} *beta,"
        yield f"    {T} epsilon) {{"
        yield f"    {T} mean = 0.0{f}, variance = 0.0{f};"
        yield "    for (int i = 0; i < n; i++) mean += y[i];"
        yield f"    mean /= ({T})n;"
        yield "    for (int i = 0; i < n; i++) variance += (y[i] - mean) * (y[i] - mean);"
        yield f"    const {T} deviation = sqrt{f}(variance / ({T})n + epsilon);"
        yield "    for (int i = 0; i < n; i++) y[i] = gamma[i] * ((y[i] - mean) / deviation) + beta[i];"
        yield "}"
        yield ""

    def predict(self) -> Iterator[str]:
        network, name, T = self.network, self.name, self.T
        widths = self.widths()
        yield f"static inline void {name}_predict(const {T} *x, {T} *y) {{"
        for buffer, width in zip("ab", widths, strict=True):
            if width:
                yield f"    {T} {buffer}[{width}];"
        source = "x"
        read = reading(network)
        if read is not None and np.ndim(read[0]):
            yield self.affine("a", "x", "input", network.sizes[0])
            source = "a"
        elif read is not None:
            scale, offset = (self.number(v, w) for v, w in zip(read, ("scale", "offset"), strict=True))
            yield f"    for (int i = 0; i < {network.sizes[0]}; i++) a[i] = x[i] * {scale} + {offset};"
            source = "a"
        for i, layer in enumerate(network.layers):
            target = "y" if i + 1 == len(network.layers) else "ba"[i % 2]
            arrays = ["weights", "bias"] if self.rounding is None else ["weights", "scales", "bias"]
            given = ", ".join(f"{name}_{array}_{i}" for array in arrays)
            yield f"    {name}_dense({source}, {layer.n_in}, {given}, {layer.n_out}, {target});"
            if layer.norm is not None:
                epsilon = self.number(layer.norm.epsilon, "epsilon")
                yield f"    {name}_layer_norm({target}, {layer.n_out}, {name}_gamma_{i}, {name}_beta_{i}, {epsilon});"
            activation = layer.activation
            if activation == "softmax":
                yield f"    {name}_softmax({target}, {layer.n_out});"
            elif activation != "linear":
                function = f"{name}_{activation.name}_{self.owner(i)}"
                yield f"    for (int i = 0; i < {layer.n_out}; i++) {target}[i] = {function}({target}[i]);"
            source = target
        if writing(network) is not None:
            yield self.affine("y", "y", "output", network.sizes[-1])
        yield "}"

    def affine(self, to: str, source: str, what: str, n: int) -> str:
        """Scaling of columns, in double precision: what is left of large shifts may be small."""
        scaled = f"(double){source}[i] * {self.name}_{what}_scale[i] + {self.name}_{what}_offset[i]"
        return f"    for (int i = 0; i < {n}; i++) {to}[i] = ({self.T})({scaled});"

    def scalings(self) -> Iterator[str]:
        for what, by in (("input", reading(self.network)), ("output", writing(self.network))):
            if by is None or not np.ndim(by[0]):
                continue
            for name, values in zip(("scale", "offset"), by, strict=True):
                yield f"static const double {self.name}_{what}_{name}[{len(values)}] = {{"
                for line in rows(np.asarray(values, np.float64)):
                    yield f"    {line}"
                yield "};"
                yield ""
