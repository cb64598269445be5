"""Dense networks from ONNX.

A graph is read as a chain of affine functions with functions of single numbers between them. The latter are told by
what they compute, not by how they are written: each exporter spells gelu in its own way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import erf
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn.activations import Activation, names
from foxnn.errors import FileFormatError
from foxnn.io._layers import Dense, network_of

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

Array = npt.NDArray[Any]
Function = Callable[[Array], Array]

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
#: Operators that leave what flows through them as it is; of these, some give arrays another shape.
_PASSING = {"Identity", "Dropout", "Cast", "ZipMap", "Flatten", "Reshape"}
_OF_CONSTANTS = {"Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Neg", "Concat", "Flatten"}


def _elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _softplus(x: Array) -> Array:
    return np.logaddexp(0, x)


def _gelu(x: Array, approximate: bytes = b"none") -> Array:
    if approximate == b"tanh":
        return np.asarray(x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))
    return np.asarray(x / 2 * (1 + np.vectorize(erf, otypes=[float])(x / np.sqrt(2))))


def _clip(x: Array, low: Any = None, high: Any = None, *, min: Any = None, max: Any = None) -> Array:
    low, high = (min if low is None else low), (max if high is None else high)
    return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)


#: Operators on single numbers; their attributes are keyword arguments.
_ELEMENTWISE: dict[str, Callable[..., Array]] = {
    "Abs": np.abs,
    "Add": np.add,
    "Atan": np.arctan,
    "Celu": lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha)),
    "Clip": _clip,
    "Cos": np.cos,
    "Div": np.divide,
    "Elu": _elu,
    "Erf": np.vectorize(erf, otypes=[float]),
    "Exp": np.exp,
    "Gelu": _gelu,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: np.clip(alpha * x + beta, 0, 1),
    "HardSwish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "LeakyRelu": lambda x, alpha=0.01: np.where(x < 0, alpha * x, x),
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": np.log,
    "Max": np.maximum,
    "Min": np.minimum,
    "Mish": lambda x: x * np.tanh(_softplus(x)),
    "Mul": np.multiply,
    "Neg": np.negative,
    "PRelu": lambda x, slope: np.where(x < 0, slope * x, x),
    "Pow": np.power,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, 0),
    "Selu": lambda x, alpha=1.6732632423543772848, gamma=1.0507009873554804934: gamma * _elu(x, alpha),
    "Sigmoid": _sigmoid,
    "Sign": np.sign,
    "Sin": np.sin,
    "Softplus": _softplus,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Swish": lambda x, alpha=1.0: x * _sigmoid(alpha * x),
    "Tanh": np.tanh,
    "ThresholdedRelu": lambda x, alpha=1.0: np.where(x > alpha, x, 0),
    "Where": np.where,
}


@dataclass(frozen=True, eq=False)
class _Point:
    """Inputs, or an affine function of the flow `before` them: x weights + bias."""

    width: int | None
    before: _Flow | None = None
    weights: Array | None = None  # (n_in, n_out); of a `diagonal` matrix that diagonal
    bias: Array | None = None
    biased: bool = False
    diagonal: bool = False
    scale: float = 1.0  # of inputs
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class _Flow:
    """A function of the single numbers at a point, or of all of them, by name (softmax)."""

    point: _Point
    function: Function | None = None  # none: the numbers themselves
    operators: tuple[str, ...] = ()
    rowwise: str | None = None

    def values(self, x: Array) -> Array:
        return x if self.function is None else np.asarray(self.function(x), np.float64)


def from_onnx(path: str | os.PathLike[str], *, output: str | None = None) -> NeuralNetwork:
    """See `foxnn.from_onnx`."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise ImportError("this needs the package onnx: pip install foxnn[onnx]") from None
    try:
        model = onnx.load(os.fspath(path))
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError, TypeError) as error:
        if isinstance(error, onnx.checker.ValidationError) and "No Op registered" in str(error):
            raise ValueError(f"{os.fspath(path)}: {str(error).splitlines()[0]}") from None
        raise FileFormatError(f"{os.fspath(path)}: damaged, or not an ONNX file: {error}") from None
    if model.functions:
        from onnx.inliner import inline_local_functions

        model = inline_local_functions(model)
    try:
        with np.errstate(all="ignore"):  # numbers that are not finite are refused at the end
            return _Reader(model.graph).network(output)
    except (IndexError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise FileFormatError(f"{os.fspath(path)}: does not make sense: {error}") from None


class _Reader:
    """Goes through the nodes that an output needs, from the inputs on."""

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self.graph = graph
        self.constants: dict[str, Array] = {t.name: _numbers(numpy_helper.to_array(t)) for t in graph.initializer}
        self.flows: dict[str, _Flow] = {}
        self.maker = {name: node for node in graph.node for name in node.output if name}

    def network(self, output: str | None) -> NeuralNetwork:
        name = self.chosen_output(output)
        for value in self.graph.input:
            if value.name not in self.constants:
                dims = [d.dim_value for d in value.type.tensor_type.shape.dim][1:]
                width = int(np.prod(dims)) if dims and all(dims) else None
                self.flows[value.name] = _Flow(_Point(width))
        for node in self.needed(name):
            self.read(node)
        if name not in self.flows:
            raise ValueError(f"output {name!r}: it does not depend on the inputs")
        layers, scale, offset = _layers(self.flows[name])
        dtype = "float64" if layers[0].weights.dtype == np.float64 else "float32"
        network = network_of(layers, dtype)
        if (scale, offset) != (1.0, 0.0):
            network.scale, network.offset = scale, offset
        return network

    def chosen_output(self, output: str | None) -> str:
        from onnx import TensorProto

        names = [value.name for value in self.graph.output]
        if output is not None:
            if output not in names:
                raise ValueError(f"output: got {output!r}; the file has: {', '.join(names)}")
            return output
        real = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16}
        fit = [
            value.name
            for value in self.graph.output
            if value.type.tensor_type.elem_type in real
            or (value.name in self.maker and self.maker[value.name].op_type == "ZipMap")
        ]
        if len(fit) != 1:
            raise ValueError(f"output: the file has {', '.join(names)}; say which one to read")
        return str(fit[0])

    def needed(self, output: str) -> list[Any]:
        """The nodes on which an output depends, in the file's order, which runs from the inputs on."""
        wanted, nodes = {output}, []
        for node in reversed(self.graph.node):
            if wanted.intersection(node.output):
                wanted.update(node.input)
                nodes.append(node)
        return nodes[::-1]

    def read(self, node: Any) -> None:
        from onnx import helper

        if node.domain not in _DOMAINS:
            raise _refusal(node, f"of {node.domain} is not part of ONNX")
        attributes: Any = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        inputs: list[Any] = []
        for name in node.input:
            if not name:
                inputs.append(None)
            elif name in self.constants:
                inputs.append(self.constants[name])
            elif name in self.flows:
                inputs.append(self.flows[name])
            else:
                raise _refusal(node, "has an input that comes from nowhere")
        if not any(isinstance(value, _Flow) for value in inputs):
            self.constants[node.output[0]] = _numbers(_constant(node, self.constants))
        else:
            self.flows[node.output[0]] = _apply(node, inputs, attributes)


def _numbers(array: Array) -> Array:
    """A constant, if it is of real numbers; those that NumPy does not know by itself as float32."""
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"constants: one is of {array.dtype}; a foxnn network has real numbers")
    return array


def _refusal(node: Any, why: str) -> ValueError:
    where = f" ({node.name})" if node.name else ""
    return ValueError(f"operator {node.op_type}{where}: {why}")


def _constant(node: Any, constants: dict[str, Array]) -> Array:
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    if node.op_type == "Constant" and node.attribute:
        value = helper.get_attribute_value(node.attribute[0])
        return numpy_helper.to_array(value) if hasattr(value, "raw_data") else np.asarray(value)
    if node.op_type not in _OF_CONSTANTS:
        raise _refusal(node, "has no counterpart among constants")
    feeds = {name: constants[name] for name in node.input if name}
    outputs: Any = ReferenceEvaluator(node).run(None, feeds)
    return np.asarray(outputs[0])


def _apply(node: Any, inputs: list[Any], attributes: dict[str, Any]) -> _Flow:
    """What the node makes of its inputs, of which at least one is a flow."""
    operator = node.op_type
    flows = [value for value in inputs if isinstance(value, _Flow)]
    flow = flows[0]
    if operator == "Concat":
        return _both_probabilities(node, inputs)
    if any(other.point is not flow.point for other in flows):
        raise _refusal(node, "joins branches of the graph; a foxnn network is one chain")
    if operator in _PASSING and inputs[0] is flow and len(flows) == 1:
        return _reshaped(node, flow, inputs, attributes)
    if flow.rowwise:
        raise _refusal(node, f"comes after {flow.rowwise}, which foxnn has as an output only")
    if operator == "Softmax" and attributes.get("axis", -1) in (1, -1):
        return _Flow(_affine(flow), rowwise="softmax")
    if operator in ("Gemm", "MatMul"):
        return _product(node, flow, inputs, attributes)
    if operator == "BatchNormalization" and len(flows) == 1 and not attributes.get("training_mode"):
        gain, shift, mean, variance = (value.astype(np.float64) for value in inputs[1:5])
        factor = gain / np.sqrt(variance + attributes.get("epsilon", 1e-5))
        return _scaled(node, flow, factor, shift - mean * factor, inputs[1].dtype)
    if operator == "Scaler":
        factor, shift = np.float64(attributes.get("scale", [1.0])), np.float64(attributes.get("offset", [0.0]))
        factor, shift = np.broadcast_arrays(factor, -shift * factor, np.empty(flow.point.width or 1))[:2]
        return _scaled(node, flow, factor, shift, np.float32)
    if operator not in _ELEMENTWISE:
        raise _refusal(node, "has no counterpart in foxnn")
    vectors = [v for v in inputs if isinstance(v, np.ndarray) and v.size > 1]
    if vectors or _is_bias(operator, flow, inputs):
        return _with_vector(node, flow, inputs)
    return _function(node, inputs, attributes, flow.point)


def _reshaped(node: Any, flow: _Flow, inputs: list[Any], attributes: dict[str, Any]) -> _Flow:
    width = flow.point.width
    if node.op_type == "Flatten" and attributes.get("axis", 1) != 1:
        raise _refusal(node, "does not keep the samples apart")
    if node.op_type == "Reshape":
        shape = inputs[1].tolist() if isinstance(inputs[1], np.ndarray) else None
        rest = None if shape is None else shape[1:] or [1]
        if rest is None or (rest != [-1] and (width is None or int(np.prod(rest)) != width)):
            raise _refusal(node, "gives samples another size")
    return flow


def _product(node: Any, flow: _Flow, inputs: list[Any], attributes: dict[str, Any]) -> _Flow:
    weights = inputs[1]
    if inputs[0] is not flow or not isinstance(weights, np.ndarray) or weights.ndim != 2 or attributes.get("transA"):
        raise _refusal(node, "is not a product of inputs and constant weights")
    bias = inputs[2] if len(inputs) > 2 else None
    if isinstance(bias, _Flow):
        raise _refusal(node, "has a bias that is not constant")
    if attributes.get("transB"):
        weights = weights.T
    weights = weights * weights.dtype.type(attributes.get("alpha", 1.0))
    n_in, n_out = weights.shape
    if flow.point.width not in (None, n_in):
        raise _refusal(node, f"takes {n_in} inputs where there are {flow.point.width}")
    added = np.zeros(n_out, weights.dtype)
    if bias is not None:
        added = added + np.broadcast_to(bias, (1, n_out))[0] * weights.dtype.type(attributes.get("beta", 1.0))
    before = flow
    if flow.function is None and flow.point.diagonal:  # into the weights after it
        factor, shift = flow.point.weights, flow.point.bias
        assert factor is not None
        assert shift is not None
        added = added + shift.astype(weights.dtype) @ weights
        weights = factor.astype(weights.dtype)[:, None] * weights
        before = flow.point.before or flow
    return _Flow(_Point(n_out, before, weights, added, biased=bias is not None))


def _is_bias(operator: str, flow: _Flow, inputs: list[Any]) -> bool:
    """Whether a single number is the bias of one unit, rather than part of an activation."""
    point = flow.point
    given = [v for v in inputs if isinstance(v, np.ndarray)]
    return (
        operator == "Add" and flow.function is None and point.width == 1 and point.before is not None
        and not point.biased and len(given) == 1 and given[0].ndim >= 1
    )  # fmt: skip


def _with_vector(node: Any, flow: _Flow, inputs: list[Any]) -> _Flow:
    """Add, Sub, Mul or Div with a number for each unit."""
    if node.op_type not in ("Add", "Sub", "Mul", "Div") or isinstance(inputs[0], type(inputs[1])):
        raise _refusal(node, "has constants that differ from unit to unit")
    first = inputs[0] is flow
    constant = np.asarray(inputs[1] if first else inputs[0])
    if constant.shape[:-1] != (1,) * (constant.ndim - 1):
        raise _refusal(node, f"has a constant of shape {constant.shape}, more than one row")
    vector = constant.reshape(-1).astype(np.float64)
    one, zero = np.ones(len(vector)), np.zeros(len(vector))
    if node.op_type == "Add":
        factor, shift = one, vector
    elif node.op_type == "Sub":
        factor, shift = (one, -vector) if first else (-one, vector)
    elif node.op_type == "Mul":
        factor, shift = vector, zero
    elif first:
        factor, shift = 1 / vector, zero
    else:
        raise _refusal(node, "divides by its inputs")
    return _scaled(node, flow, factor, shift, constant.dtype)


def _scaled(node: Any, flow: _Flow, factor: Array, shift: Array, dtype: Any) -> _Flow:
    """A flow times a factor plus a shift for each unit."""
    point = flow.point
    if point.width not in (None, len(factor)):
        raise _refusal(node, f"takes {len(factor)} numbers where there are {point.width}")
    if flow.function is None and point.weights is not None and point.bias is not None:
        weights = point.weights * factor.astype(point.weights.dtype)
        bias = (point.bias * factor + shift).astype(point.bias.dtype)
        return _Flow(replace(point, weights=weights, bias=bias, biased=True))
    return _Flow(_Point(len(factor), flow, factor.astype(dtype), shift.astype(dtype), biased=True, diagonal=True))


def _function(node: Any, inputs: list[Any], attributes: dict[str, Any], point: _Point) -> _Flow:
    function = _ELEMENTWISE[node.op_type]
    operators = tuple(dict.fromkeys([*(o for v in inputs if isinstance(v, _Flow) for o in v.operators), node.op_type]))
    values = [v.reshape(-1)[0] if isinstance(v, np.ndarray) else v for v in inputs]

    def composed(x: Array) -> Array:
        arguments = [v.values(x) if isinstance(v, _Flow) else v for v in values]
        if node.op_type == "Where":
            arguments[0] = np.asarray(arguments[0], bool)
        return function(*arguments, **attributes)

    try:
        with np.errstate(all="ignore"):
            composed(np.ones(2))
    except TypeError:
        raise _refusal(node, f"has attributes or inputs without a counterpart ({', '.join(attributes)})") from None
    return _Flow(point, composed, operators)


def _both_probabilities(node: Any, inputs: list[Any]) -> _Flow:
    """1 - p and p of a sigmoid: the softmax of 0 and its argument."""
    flows = [value for value in inputs if isinstance(value, _Flow)]
    if len(inputs) == len(flows) == 2 and flows[0].point is flows[1].point and flows[0].point.width == 1:
        point = flows[0].point
        sigmoid = _sigmoid(_GRID)
        with np.errstate(all="ignore"):
            fits = _same(flows[1].values(_GRID), sigmoid) and _same(flows[0].values(_GRID), 1 - sigmoid)
        if fits and point.weights is not None and point.bias is not None and not point.diagonal:
            weights, bias = (np.concatenate([0 * v, v], axis=-1) for v in (point.weights, point.bias))
            return _Flow(replace(point, width=2, weights=weights, bias=bias), rowwise="softmax")
    raise _refusal(node, "joins branches of the graph; a foxnn network is one chain")


# ---- which activation a function is -------------------------------------------------------------------------

_GRID = np.concatenate([np.linspace(-12, 12, 1201), [s * x for x in (1e-3, 20.25, 40.5, 1e3, 1e6) for s in (1, -1)]])


def _same(a: Array, b: Array) -> bool:
    """Whether two functions agree on the grid to what constants in float32 leave."""
    return a.shape == b.shape and bool(np.all((a == b) | (np.abs(a - b) <= 1e-6 * np.maximum(1, np.abs(b)))))


@cache
def _values(activation: Activation) -> Array:
    """An activation of the grid, by foxnn itself."""
    from foxnn.network import NeuralNetwork

    return np.asarray(NeuralNetwork([1, 1], output=activation, init=1.0, dtype="float64").predict(_GRID)).reshape(-1)


def _affine(flow: _Flow) -> _Point:
    """The point of a flow that is an affine function of it, put into the point."""
    found = _line(flow)
    if found is None:
        return _Point(flow.point.width, flow, np.ones(1), np.zeros(1), diagonal=True)
    factor, shift = found
    point = flow.point
    if point.weights is None or point.bias is None:
        return replace(point, scale=point.scale * factor, offset=point.offset * factor + shift)
    if (factor, shift) == (1.0, 0.0):
        return point
    dtype = point.weights.dtype
    return replace(point, weights=point.weights * dtype.type(factor), bias=(point.bias * factor + shift).astype(dtype))


def _line(flow: _Flow) -> tuple[float, float] | None:
    """Factor and shift of an affine function, or None if it is another one."""
    if flow.function is None:
        return 1.0, 0.0
    with np.errstate(all="ignore"):
        y = flow.values(_GRID)
        shift = float(flow.values(np.zeros(1))[0])
        factor = float(flow.values(np.ones(1))[0]) - shift
        return (factor, shift) if _same(y, factor * _GRID + shift) else None


def _activation(flow: _Flow) -> Activation:
    """The activation that a function of single numbers is."""
    with np.errstate(all="ignore"):
        y, at_minus_one = flow.values(_GRID), float(flow.values(-np.ones(1))[0])
    for name in names():
        parameters = {}
        if name == "leaky_relu":
            parameters = {"negative_slope": -at_minus_one}
        elif name == "elu":
            parameters = {"alpha": float(at_minus_one / np.expm1(-1))}
        if parameters and not 0 <= next(iter(parameters.values())) < np.inf:
            continue
        activation = Activation(name, **{k: float(f"{v:.7g}") for k, v in parameters.items()})
        if not activation.output_only and _same(y, _values(activation)):
            return activation
    raise ValueError(f"operator {', '.join(flow.operators)}: makes no activation that foxnn has ({', '.join(names())})")


def _layers(flow: _Flow) -> tuple[Sequence[Dense], float, float]:
    """The layers up to a flow, and how the inputs are read."""
    layers: list[Dense] = []
    while True:
        if flow.rowwise:
            point, activation = flow.point, Activation(flow.rowwise)
        elif _line(flow) is not None:
            point, activation = _affine(flow), Activation("linear")
        else:
            point, activation = flow.point, _activation(flow)
        if point.before is None:
            if activation != "linear" or not layers:
                raise ValueError(f"operator {', '.join(flow.operators) or 'Gemm, MatMul'}: no layer before it")
            return layers[::-1], point.scale, point.offset
        assert point.weights is not None
        assert point.bias is not None
        weights, bias = point.weights, point.bias
        if point.diagonal:
            if point.width is None:
                raise ValueError("inputs: the file does not say how many there are")
            weights = np.diag(np.broadcast_to(weights, point.width))
            bias = np.broadcast_to(bias, point.width)
        layers.append(Dense(np.ascontiguousarray(weights), np.ascontiguousarray(bias), activation))
        flow = point.before
