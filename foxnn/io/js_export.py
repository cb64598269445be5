"""Networks as JavaScript: a module that needs nothing, its types, and a script for pages opened from disk."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn import _core
from foxnn._atomic import atomic_write
from foxnn._options import flag
from foxnn.io._formulas import Language, centring, formula, literal, reading, title, writing
from foxnn.io._layers import folded
from foxnn.io._meaning import columns
from foxnn.io.c_export.names import identifier

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

__all__ = ["beside", "to_js"]

_LANGUAGE = Language("const", "{}", "{}")
_MATH = "const { exp, expm1, log1p, tanh, sin, cos, atan, abs: fabs } = Math;"
#: Words of JavaScript that are none of C.
_WORDS = (
    "arguments await class debugger delete eval export extends false finally function implements import in instanceof "
    "interface let new null package private protected public super this throw true try typeof var with yield"
)

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
    let top = y[0], sum = 0;
    for (let i = 1; i < y.length; i++) if (y[i] > top) top = y[i];
    for (let i = 0; i < y.length; i++) sum += y[i] = exp(y[i] - top);
    for (let i = 0; i < y.length; i++) y[i] /= sum;
}
"""

_LAYER_NORM = """\
function layerNorm(y, gamma, beta, epsilon) {
    const n = y.length;
    let mean = 0, variance = 0;
    for (let i = 0; i < n; i++) mean += y[i];
    mean /= n;
    for (let i = 0; i < n; i++) variance += (y[i] - mean) * (y[i] - mean);
    const deviation = Math.sqrt(variance / n + epsilon);
    for (let i = 0; i < n; i++) y[i] = gamma[i] * ((y[i] - mean) / deviation) + beta[i];
}
"""

_NUMBERS = """\
// Little-endian numbers, in base64.
function numbers(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
    const values = new ARRAY(bytes.length / SIZE);
    for (let i = 0; i < values.length; i++) values[i] = view.GET(SIZE * i, true);
    return values;
}
"""

# Four units at a time, so that their sums do not wait for one another.
_DENSE = """\
// y = bias + weights x, where weights has a row for each unit
function dense(x, weights, bias, y) {
    const nIn = x.length, nOut = y.length;
    let j = 0, w = 0;
    for (; j + 4 <= nOut; j += 4, w += 4 * nIn) {
        const w1 = w + nIn, w2 = w1 + nIn, w3 = w2 + nIn;
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (let i = 0; i < nIn; i++) {
            const v = x[i];
            s0 += v * weights[w + i];
            s1 += v * weights[w1 + i];
            s2 += v * weights[w2 + i];
            s3 += v * weights[w3 + i];
        }
        y[j] = s0 + bias[j];
        y[j + 1] = s1 + bias[j + 1];
        y[j + 2] = s2 + bias[j + 2];
        y[j + 3] = s3 + bias[j + 3];
    }
    for (; j < nOut; j++, w += nIn) {
        let sum = 0;
        for (let i = 0; i < nIn; i++) sum += x[i] * weights[w + i];
        y[j] = sum + bias[j];
    }
}
"""

_TYPES = """\
/** How many numbers `predict` takes. */
export const nIn: number;
/** How many numbers `predict` returns. */
export const nOut: number;
/** The outputs for an array, typed or not, of nIn numbers; a RangeError if it has another length. */
export function predict(x: ArrayLike<number>): number[];
"""


def to_js(
    network: NeuralNetwork,
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    types: bool = False,
    script: bool = False,
) -> None:
    """Write a network as JavaScript; see `NeuralNetwork.to_js`."""
    path, types, script = os.fspath(path), flag("types", types), flag("script", script)
    if name is not None and not script:
        raise ValueError(f"name: got {name!r}, but only a script has one")
    paths = [path, *beside(path, types=types, script=script)]
    network = folded(network, "JavaScript")
    body = list(_body(network))
    texts = ["\n".join([*_comment(network), *body, "export { nIn, nOut, predict };", ""])]
    if types:
        texts.append(f"// {title(network)}\n{_TYPES}")
    if script:
        name = _name(path, name)
        start, end = f"var {name} = (function () {{\n'use strict';", "return { nIn, nOut, predict };\n})();"
        texts.append("\n".join([*_comment(network), start, *body, end, ""]))
    with ExitStack() as all_of_them:  # or none
        for target, text in zip(paths, texts, strict=True):
            all_of_them.enter_context(atomic_write(target)).write(text.encode())


def beside(path: str, *, types: bool, script: bool) -> list[str]:
    """The files that go with a module: where TypeScript looks for its types, and the script.

    Examples
    --------
    >>> beside("net.mjs", types=True, script=True)
    ['net.d.mts', 'net.js']
    """
    stem, ending = os.path.splitext(path)
    if (types or script) and ending.lower() not in ((".mjs",) if script else (".mjs", ".js")):
        takes = ".mjs, and the script beside it gets .js" if script else ".mjs or .js"
        raise ValueError(
            f"path: got {path!r}; with {'script' if script else 'types'} it takes a name ending in {takes}"
        )
    declarations = f"{stem}.d.mts" if ending.lower() == ".mjs" else f"{stem}.d.ts"
    return [declarations] * types + [f"{stem}.js"] * script


def _name(path: str, name: Any) -> str:
    """The variable that a script makes."""
    if name is None:
        found = identifier(os.path.basename(os.path.splitext(path)[0]))
        return f"net_{found}" if found in _WORDS.split() else found
    if not isinstance(name, str) or name != identifier(name) or name in _WORDS.split():
        raise ValueError(f"name: got {name!r}; it takes an identifier, of letters without accents, digits and _")
    return name


def _comment(network: NeuralNetwork) -> Iterator[str]:
    yield f"// A neural network: {title(network)}."
    yield f"// Written by foxnn {_core.config()['version']}. Computes in double precision."
    for line in columns(network):
        yield f"//     {line}"


def _body(network: NeuralNetwork) -> Iterator[str]:
    """All but how it is handed out; `predict` keeps what lies between the layers, as nothing runs beside it."""
    sizes, layers = network.sizes, network.layers
    names = {layer.activation.name for layer in layers}
    yield _MATH
    yield ""
    yield f"const nIn = {sizes[0]};"
    yield f"const nOut = {sizes[-1]};"
    yield ""
    single = network.dtype == np.float32
    array, get, size = ("Float32Array", "getFloat32", "4") if single else ("Float64Array", "getFloat64", "8")
    yield _NUMBERS.replace("ARRAY", array).replace("GET", get).replace("SIZE", size)
    yield _DENSE
    if "gelu" in names:
        yield _ERFC
    if "softmax" in names:
        yield _SOFTMAX
    if any(layer.norm for layer in layers):
        yield _LAYER_NORM
    for i, layer in enumerate(layers):
        yield f"// {layer.n_in} -> {layer.n_out} {layer.title}"
        yield f'const weights{i} = numbers("{_base64(layer.weights.T)}");'
        yield f'const bias{i} = numbers("{_base64(layer.bias)}");'
        if layer.norm is not None:
            yield f'const gamma{i} = numbers("{_base64(layer.norm.gamma)}");'
            yield f'const beta{i} = numbers("{_base64(layer.norm.beta)}");'
        if layer.activation not in ("softmax", "linear"):
            yield f"function activation{i}(x) {{ {' '.join(formula(layer.activation, _LANGUAGE))} }}"
    for i, n in enumerate(sizes):
        yield f"const y{i} = new Float64Array({n});"
    yield from _arrays_of_scalings(network)
    yield ""
    yield from _predict(network)
    yield ""


def _base64(values: Any) -> str:
    little_endian = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return base64.b64encode(little_endian.tobytes()).decode()


def _arrays_of_scalings(network: NeuralNetwork) -> Iterator[str]:
    centred, written = centring(network, np.float64), writing(network)
    if centred is not None:
        yield f"const inputShift = {_list(centred.shift)};"
        yield f"const inputFactor = {_list(centred.factor)};"
        if centred.rest.any():
            yield f"const inputRest = {_list(centred.rest)};"
    if written is not None:
        yield f"const outputScale = {_list(written[0])};"
        yield f"const outputOffset = {_list(written[1])};"


def _list(values: Any) -> str:
    return f"[{', '.join(literal(value, np.float64) for value in values)}]"


def _predict(network: NeuralNetwork) -> Iterator[str]:
    yield "/** The outputs, an array of nOut numbers, for an array (typed or not) of nIn numbers. */"
    yield "function predict(x) {"
    yield "    if (x.length !== nIn) throw new RangeError(`predict: got ${x.length} inputs; it takes ${nIn}`);"
    yield f"    for (let i = 0; i < nIn; i++) y0[i] = {_input(network)};"
    for i, layer in enumerate(network.layers):
        y = f"y{i + 1}"
        yield f"    dense(y{i}, weights{i}, bias{i}, {y});"
        if layer.norm is not None:
            yield f"    layerNorm({y}, gamma{i}, beta{i}, {literal(layer.norm.epsilon, np.float64)});"
        if layer.activation == "softmax":
            yield f"    softmax({y});"
        elif layer.activation != "linear":
            yield f"    for (let i = 0; i < {layer.n_out}; i++) {y}[i] = activation{i}({y}[i]);"
    y = f"y{len(network.layers)}"
    output = f"{y}[i]" if writing(network) is None else f"{y}[i] * outputScale[i] + outputOffset[i]"
    yield "    const outputs = new Array(nOut);"
    yield f"    for (let i = 0; i < nOut; i++) outputs[i] = {output};"
    yield "    return outputs;"
    yield "}"


def _input(network: NeuralNetwork) -> str:
    """What becomes of x[i] before the first layer."""
    centred, read = centring(network, np.float64), reading(network)
    if centred is not None:
        return "(x[i] - inputShift[i]) * inputFactor[i]" + (" + inputRest[i]" if centred.rest.any() else "")
    if read is not None:
        return f"x[i] * {literal(read[0], np.float64)} + {literal(read[1], np.float64)}"
    return "x[i]"
