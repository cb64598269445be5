"""Networks as JavaScript: one module that needs nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn import _core
from foxnn._atomic import atomic_write
from foxnn.io._formulas import Language, formula, literal, reading, rows, title, writing
from foxnn.io._layers import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from foxnn.network import NeuralNetwork

_LANGUAGE = Language("const", "{}", "{}")
_MATH = "const { exp, expm1, log1p, tanh, sin, cos, atan, abs: fabs } = Math;"

# By the series of erf in terms of equal sign, and for large z by the continued fraction of erfc
# (Abramowitz and Stegun 1964, 7.1.6 and 7.1.14).
_ERFC = """\
function erfc(z) {
    const t = fabs(z);
    let tail;
    if (t < 2.5) {
        let term = t, sum = t;
        for (let n = 1; n < 80 && term > 1e-17 * sum; n++) {
            term *= 2 * t * t / (2 * n + 1);
            sum += term;
        }
        tail = 1 - 2 / Math.sqrt(Math.PI) * exp(-t * t) * sum;
    } else {
        let fraction = t;
        for (let n = 60; n > 0; n--) fraction = t + n / 2 / fraction;
        tail = exp(-t * t) / (Math.sqrt(Math.PI) * fraction);
    }
    return z < 0 ? 2 - tail : tail;
}
"""

_SOFTMAX = """\
function softmax(y) {
    const top = y.reduce((a, b) => (b > a ? b : a));
    const e = y.map((v) => exp(v - top));
    const sum = e.reduce((a, b) => a + b);
    return e.map((v) => v / sum);
}
"""

_LAYER_NORM = """\
function layerNorm(y, gamma, beta, epsilon) {
    const mean = y.reduce((a, b) => a + b) / y.length;
    const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length;
    const deviation = Math.sqrt(variance + epsilon);
    return y.map((v, i) => gamma[i] * ((v - mean) / deviation) + beta[i]);
}
"""

_PREDICT = """\
function dense(x, { weights, bias, norm, activation }) {
    const n = bias.length, y = new Array(n).fill(0);
    for (let i = 0; i < x.length; i++)
        for (let j = 0; j < n; j++) y[j] += x[i] * weights[i * n + j];
    for (let j = 0; j < n; j++) y[j] += bias[j];
    return activation(norm ? norm(y) : y);
}

/** The outputs, an array of nOut numbers, for an array (typed or not) of nIn numbers. */
export function predict(x) {
    if (x.length !== nIn) throw new RangeError(`predict: got ${x.length} inputs; it takes ${nIn}`);
    return layers.reduce(dense, READ);
}
"""


def to_js(network: NeuralNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network as a JavaScript module; see `NeuralNetwork.to_js`."""
    text = "\n".join(_lines(folded(network)))
    with atomic_write(path) as file:
        file.write(text.encode())


def _lines(network: NeuralNetwork) -> Iterator[str]:
    names = {layer.activation.name for layer in network.layers}
    yield f"// A neural network: {title(network)}."
    yield f"// Written by foxnn {_core.config()['version']}. Computes in double precision."
    yield _MATH
    yield ""
    yield f"export const nIn = {network.sizes[0]};"
    yield f"export const nOut = {network.sizes[-1]};"
    yield ""
    if "gelu" in names:
        yield _ERFC
    if "softmax" in names:
        yield _SOFTMAX
    if any(layer.norm for layer in network.layers):
        yield _LAYER_NORM
    yield "const layers = ["
    kind = "Float32Array" if network.dtype == np.float32 else "Float64Array"
    for layer in network.layers:
        yield "    {"
        yield f"        // {layer.n_in} -> {layer.n_out} {layer.title}"
        for name, values in (("weights", layer.weights), ("bias", layer.bias)):
            yield f"        {name}: new {kind}(["
            for line in rows(values, width=100):
                yield f"            {line}"
            yield "        ]),"
        if layer.norm is not None:
            gamma, beta = _list(layer.norm.gamma), _list(layer.norm.beta)
            epsilon = literal(layer.norm.epsilon, np.float64)
            yield f"        norm: (y) => layerNorm(y, {gamma}, {beta}, {epsilon}),"
        if layer.activation == "softmax":
            yield "        activation: softmax,"
        else:
            yield f"        activation: (y) => y.map((x) => {{ {' '.join(formula(layer.activation, _LANGUAGE))} }}),"
        yield "    },"
    yield "];"
    yield ""
    read, written = reading(network), writing(network)
    predict = _PREDICT
    if written is not None:
        yield f"const outputScale = {_list(written[0])};"
        yield f"const outputOffset = {_list(written[1])};"
        yield ""
        predict = predict.replace(
            "layers.reduce(dense, READ)",
            "layers.reduce(dense, READ).map((v, i) => v * outputScale[i] + outputOffset[i])",
        )
    if read is None:
        yield predict.replace("READ", "x")
    elif np.ndim(read[0]):
        yield f"const inputScale = {_list(read[0])};"
        yield f"const inputOffset = {_list(read[1])};"
        yield ""
        yield predict.replace("READ", "Array.from(x, (v, i) => v * inputScale[i] + inputOffset[i])")
    else:
        scale, offset = (literal(value, np.float64) for value in read)
        yield predict.replace("READ", f"Array.from(x, (v) => v * {scale} + {offset})")


def _list(values: Any) -> str:
    return f"[{', '.join(literal(value, np.float64) for value in values)}]"
