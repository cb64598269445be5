"""Dense networks from ONNX.

A graph is read as a chain of affine functions with functions of single numbers, or of rows, between them. The latter
are told by what they compute, not by how they are written (`foxnn.io._recognition`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import erf, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn._files import open_regular
from foxnn.activations import Activation, names
from foxnn.errors import FileFormatError
from foxnn.io._layers import Dense, Normal, batch_norm_as_affine, network_of, scale_inputs
from foxnn.io._recognition import GRID, Array, Function, activation, layer_norm, line, same, scaled_activation
from foxnn.scaling import from_json

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_LINEAR = ("Add", "Sub", "Mul", "Div")
#: Operators that leave what flows through them as it is; of these, some give arrays another shape.
_PASSING = {"Identity", "Dropout", "Cast", "ZipMap", "Flatten", "Reshape"}
#: The most operators that an activation is made of, one after another and in all; those of exporters have a dozen.
_DEEPEST, _COSTLIEST = 100, 10_000
#: A diagonal matrix, or functions put in the place of their calls, may have so many times what the file has.
_GROWTH, _SMALL = 16, 1 << 16
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
    epsilon: float | None = None  # of a layer normalisation, which comes before the weights and bias; a diagonal then
    dtype: Any = None  # of the file's numbers, where weights and bias have more digits
    scale: float = 1.0  # of inputs
    offset: float = 0.0

    @property
    def is_affine(self) -> bool:
        """Whether it is a function without normalisation, of something."""
        return self.weights is not None and self.epsilon is None


@dataclass(frozen=True, eq=False)
class _Flow:
    """A function of the single numbers at a point, or of rows of them, or of all of them, by name (softmax)."""

    point: _Point
    function: Function | None = None  # none: the numbers themselves
    operators: tuple[str, ...] = ()
    of_rows: bool = False
    rowwise: str | None = None
    depth: int = 0  # of the function: operators one after another
    cost: int = 0  # and how many of them one evaluation comes to

    def values(self, x: Array) -> Array:
        return x if self.function is None else np.asarray(self.function(x), np.float64)


def from_onnx(path: str | os.PathLike[str], *, output: str | None = None) -> NeuralNetwork:
    """See `foxnn.from_onnx`."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise ImportError("this needs the package onnx: pip install foxnn[onnx]") from None
    path = os.fspath(path)
    with open_regular(path):  # what cannot be read is an OSError
        pass
    try:
        onnx.checker.check_model(path)  # a model in memory would be there twice more while it is checked
        graph, constants, size = _opened(path)
    except (DecodeError, onnx.checker.ValidationError, ValueError, TypeError, KeyError, RuntimeError) as error:
        if isinstance(error, onnx.checker.ValidationError) and "No Op registered" in str(error):
            raise ValueError(f"{path}: {str(error).splitlines()[0]}") from None
        raise FileFormatError(f"{path}: damaged, or not an ONNX file: {error}") from None
    reader = _Reader(graph, constants, size)
    most = _GROWTH * size + _SMALL
    del graph, constants  # so that they are gone, but for what the network is made of, when it is made
    try:
        with np.errstate(all="ignore"):  # numbers that are not finite are refused at the end
            flow = reader.flow(output)
            del reader
            return _network(flow, most)
    except (IndexError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise FileFormatError(f"{path}: does not make sense: {error}") from None


def _opened(path: str) -> tuple[Any, dict[str, Array], int]:
    """The graph of a file without its initializers, these as arrays, and how many numbers the file can have at most."""
    import onnx

    model = onnx.ModelProto.FromString(Path(path).read_bytes())
    constants = _taken_out(model.graph, os.path.dirname(path))
    rest = onnx.ModelProto()  # a message keeps its memory, also of what is no longer in it, as long as it lives
    rest.CopyFrom(model)
    del model
    if rest.functions:
        from onnx.inliner import inline_local_functions

        _check_growth(rest, os.path.getsize(path))
        rest = inline_local_functions(rest)
    return rest.graph, constants, max(os.path.getsize(path), sum(array.size for array in constants.values()))


def _check_growth(model: Any, size: int) -> None:
    """Refuse functions that call functions, and so on, until a small file has a million nodes."""
    functions = {(function.domain, function.name): function for function in model.functions}
    counts: dict[tuple[str, str], int] = {}
    most = size + _SMALL // 16

    def count(nodes: Any, depth: int) -> int:
        if depth > _DEEPEST:
            raise ValueError(f"functions that call each other, more than {_DEEPEST} deep")
        total = 0
        for node in nodes:
            key = node.domain, node.op_type
            if key not in functions:
                total += 1
                continue
            if key not in counts:
                counts[key] = count(functions[key].node, depth + 1)
            total += counts[key]
        return total

    if (total := count(model.graph.node, 0)) > most:
        raise ValueError(f"functions that come to {total:,} nodes; of a file of this size foxnn reads {most:,}")


def _taken_out(graph: Any, folder: str) -> dict[str, Array]:
    """The initializers as arrays; in the graph only their names are left."""
    constants = {}
    for tensor in graph.initializer:
        name = tensor.name
        constants[name] = _array(tensor, folder)
        tensor.Clear()
        tensor.name = name
    return constants


def _array(tensor: Any, folder: str) -> Array:
    """A tensor of a file in that folder, where it may keep its numbers in another file."""
    from onnx import TensorProto, numpy_helper

    kinds: dict[int, tuple[Any, Any]] = {
        TensorProto.FLOAT: (tensor.float_data, np.float32),
        TensorProto.DOUBLE: (tensor.double_data, np.float64),
    }
    numbers, dtype = kinds.get(tensor.data_type, ((), None))
    if not numbers:
        return np.asarray(numpy_helper.to_array(tensor, folder))
    # Earlier versions of protobuf give one number after another: as a list, that is 32 bytes each.
    flat = np.asarray(numbers, dtype) if hasattr(numbers, "__array__") else np.fromiter(numbers, dtype, len(numbers))
    return flat.reshape(tensor.dims)


class _Reader:
    """Goes through the nodes that an output needs, from the inputs on."""

    def __init__(self, graph: Any, constants: dict[str, Array], size: int) -> None:
        self.graph = graph
        self.size = size  # of the file, in numbers: nothing in it has more of them
        self.values: dict[str, Array | _Flow] = {**constants}
        self.uses: Counter[str] = Counter()  # how often each value is still to be taken
        self.maker = {name: node for node in graph.node for name in node.output if name}

    def flow(self, output: str | None) -> _Flow:
        """What flows out of the graph there."""
        name = self.chosen_output(output)
        nodes = self.needed(name)
        self.uses.update(used for node in nodes for used in node.input)
        self.uses[name] += 1
        for value in self.graph.input:
            if value.name not in self.values and self.uses[value.name]:
                self.values[value.name] = _Flow(_Point(self.width(value)))
        for node in nodes:
            self.read(node)
        flow = self.values.get(name)
        if not isinstance(flow, _Flow):
            raise ValueError(f"output {name!r}: it does not depend on the inputs")
        return flow

    def width(self, value: Any) -> int | None:
        """How many numbers an input has, if the file says it."""
        dims = [float(d.dim_value) for d in value.type.tensor_type.shape.dim][1:]
        if not dims or not all(dims):
            return None
        if not 0 < prod(dims) <= self.size:
            raise FileFormatError(f"input {value.name!r}: of {prod(dims):g} numbers; the file has weights for fewer")
        return int(prod(dims))

    def take(self, name: str) -> Array | _Flow:
        """What has that name; whoever is the last to need it takes it away, so that it is not kept beside a copy."""
        self.uses[name] -= 1
        return self.values[name] if self.uses[name] else self.values.pop(name)

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
        for name in node.input:
            if name and name not in self.values:
                raise _refusal(node, "has an input that comes from nowhere")
        inputs: list[Any] = [_numbers(self.take(name)) if name else None for name in node.input]
        if any(isinstance(value, _Flow) for value in inputs):
            self.values[node.output[0]] = _apply(node, inputs, attributes)
        elif sum(value.size for value in inputs if value is not None) > self.size:
            raise _refusal(node, "makes more numbers than the file has")
        else:
            self.values[node.output[0]] = _constant(node, inputs)


def _numbers(value: Array | _Flow) -> Array | _Flow:
    """A flow, or a constant of real numbers; those that NumPy does not know by itself as float32."""
    if isinstance(value, _Flow):
        return value
    if value.dtype.name == "bfloat16":
        return value.astype(np.float32)
    if value.dtype.kind not in "fiub":
        raise ValueError(f"constants: one is of {value.dtype}; a foxnn network has real numbers")
    return value


def _refusal(node: Any, why: str) -> ValueError:
    where = f" ({node.name})" if node.name else ""
    return ValueError(f"operator {node.op_type}{where}: {why}")


def _constant(node: Any, inputs: list[Any]) -> Array:
    """What the node makes of its inputs, which are constants, if it has any."""
    from onnx import helper, numpy_helper

    if node.op_type == "Constant" and node.attribute:
        value = helper.get_attribute_value(node.attribute[0])
        return numpy_helper.to_array(value) if hasattr(value, "raw_data") else np.asarray(value)
    if node.op_type not in _OF_CONSTANTS:
        raise _refusal(node, "has no counterpart among constants")
    from onnx.reference import ReferenceEvaluator  # not above: it takes a while

    outputs: Any = ReferenceEvaluator(node).run(
        None, {name: value for name, value in zip(node.input, inputs, strict=True) if name}
    )
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
    if _after_softmax(flow) and (operator not in _LINEAR or len(flows) > 1):
        raise _refusal(node, "comes after softmax, which foxnn has as an output only")
    if operator == "ReduceMean":
        return _mean(node, flow, inputs, attributes)
    # From here on constants are numbers to compute with, not shapes or axes: nothing is to be rounded to integers.
    inputs = [v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype.kind in "iu" else v for v in inputs]
    of_rows = any(value.of_rows for value in flows)
    if of_rows and operator not in _ELEMENTWISE:
        flow = _single(node, flow)
        inputs = [flow if value is flows[0] else value for value in inputs]
    if operator == "LayerNormalization" and len(flows) == 1:
        return _normalised(node, flow, inputs, attributes)
    if operator == "Softmax" and attributes.get("axis", -1) in (1, -1):
        return _Flow(_affine(flow), rowwise="softmax")
    if operator in ("Gemm", "MatMul"):
        return _product(node, flow, inputs, attributes)
    if operator == "BatchNormalization" and len(flows) == 1 and not attributes.get("training_mode"):
        gamma, beta, mean, variance = (value.astype(np.float64) for value in inputs[1:5])
        factor, shift = batch_norm_as_affine(mean, variance, attributes.get("epsilon", 1e-5), gamma, beta)
        return _scaled(node, flow, factor, shift, inputs[1].dtype)
    if operator == "Scaler":
        scale, offset = (np.asarray(attributes.get(a, b), np.float64) for a, b in (("scale", 1.0), ("offset", 0.0)))
        factor, shift = np.broadcast_arrays(scale, -offset * scale, np.broadcast_to(0, flow.point.width or 1))[:2]
        return _scaled(node, flow, factor, shift, np.float32)
    if operator not in _ELEMENTWISE:
        raise _refusal(node, "has no counterpart in foxnn")
    vectors = [v for v in inputs if isinstance(v, np.ndarray) and v.size > 1]
    if of_rows:
        return _of_rows(node, inputs, attributes, flow.point)
    if vectors or flow.rowwise or _is_bias(operator, flow, inputs):
        return _with_vector(node, flow, inputs)
    return _function(node, inputs, attributes, flow.point)


def _after_softmax(flow: _Flow) -> bool:
    before = flow.point.before
    return flow.rowwise is not None or (before is not None and before.rowwise is not None)


def _mean(node: Any, flow: _Flow, inputs: list[Any], attributes: dict[str, Any]) -> _Flow:
    """The mean of each row."""
    axes = attributes.get("axes", inputs[1].tolist() if len(inputs) > 1 and isinstance(inputs[1], np.ndarray) else None)
    if list(axes or ()) not in ([1], [-1]) or not attributes.get("keepdims", 1) or flow.point.width is None:
        raise _refusal(node, "is not the mean of each sample's numbers, as a column")
    if flow.point.before is None:
        raise _refusal(node, "comes before the first layer; foxnn normalises what layers compute")
    function = flow.values
    return _Flow(flow.point, lambda x: function(x).mean(1, keepdims=True), (*flow.operators, "ReduceMean"), True)


def _normalised(node: Any, flow: _Flow, inputs: list[Any], attributes: dict[str, Any]) -> _Flow:
    if attributes.get("axis", -1) not in (1, -1):
        raise _refusal(node, "does not keep the samples apart")
    gamma = inputs[1]
    beta = inputs[2] if len(inputs) > 2 and inputs[2] is not None else np.zeros_like(gamma)
    width, epsilon = len(gamma), attributes.get("epsilon", 1e-5)
    if flow.point.width not in (None, width):
        raise _refusal(node, f"takes {width} numbers where there are {flow.point.width}")
    return _Flow(_Point(width, flow, gamma, beta, biased=True, diagonal=True, epsilon=float(f"{epsilon:.7g}")))


def _of_rows(node: Any, inputs: list[Any], attributes: dict[str, Any], point: _Point) -> _Flow:
    """A function of rows; when it has become a layer normalisation, a point."""
    flow = _function(node, inputs, attributes, point, of_rows=True)
    assert flow.function is not None
    assert point.width is not None
    norm = layer_norm(flow.function, point.width) if point.width > 1 else None
    if norm is None:
        return flow
    dtype = np.float32 if point.weights is None else point.weights.dtype
    gamma, beta = norm.gamma.astype(dtype), norm.beta.astype(dtype)
    before = _Flow(point)
    return _Flow(_Point(point.width, before, gamma, beta, biased=True, diagonal=True, epsilon=norm.epsilon))


def _single(node: Any, flow: _Flow) -> _Flow:
    """A function of rows that is no layer normalisation, which may be only that of a single number: a constant."""
    x = GRID[:, None]
    if flow.function is None or flow.point.width != 1 or np.ptp(y := flow.values(x)) != 0:
        raise _refusal(node, "comes after ReduceMean, which makes no layer normalisation with what follows it")
    return _Flow(_Point(1, _Flow(flow.point), np.ones(1), y[0], biased=True, diagonal=True, epsilon=1e-5))


def _reshaped(node: Any, flow: _Flow, inputs: list[Any], attributes: dict[str, Any]) -> _Flow:
    width = flow.point.width
    if flow.of_rows and node.op_type not in ("Identity", "Cast"):
        raise _refusal(node, "comes after ReduceMean, which makes no layer normalisation with what follows it")
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
    if attributes.get("alpha", 1.0) != 1.0:
        weights = weights * weights.dtype.type(attributes["alpha"])
    weights = np.ascontiguousarray(weights)  # here, where the other one is about to go
    n_in, n_out = weights.shape
    if flow.point.width not in (None, n_in):
        raise _refusal(node, f"takes {n_in} inputs where there are {flow.point.width}")
    added = np.zeros(n_out, weights.dtype)
    if bias is not None:
        added = added + np.broadcast_to(bias, (1, n_out))[0] * weights.dtype.type(attributes.get("beta", 1.0))
    before = flow
    if flow.function is None and flow.point.diagonal and flow.point.epsilon is None and not _of_inputs(flow.point):
        # into the weights after it
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
    if node.op_type not in _LINEAR or isinstance(inputs[0], type(inputs[1])):
        raise _refusal(node, "has constants that differ from unit to unit")
    first = inputs[0] is flow
    constant = np.asarray(inputs[1] if first else inputs[0])
    if constant.shape[:-1] != (1,) * (constant.ndim - 1):
        raise _refusal(node, f"has a constant of shape {constant.shape}, more than one row")
    vector = constant.reshape(-1).astype(np.float64)
    if flow.rowwise and len(vector) == 1:
        vector = np.repeat(vector, flow.point.width or 1)
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
    if flow.function is None and not flow.rowwise and point.weights is not None and point.bias is not None:
        weights = point.weights if (factor == 1).all() else point.weights * factor.astype(point.weights.dtype)
        bias = (point.bias * factor + shift).astype(point.bias.dtype)
        return _Flow(replace(point, weights=weights, bias=bias, biased=True))
    if point.before is None:  # of inputs: what is subtracted from them may be large
        return _Flow(_Point(len(factor), flow, factor, shift, biased=True, diagonal=True, dtype=dtype))
    return _Flow(_Point(len(factor), flow, factor.astype(dtype), shift.astype(dtype), biased=True, diagonal=True))


def _of_inputs(point: _Point) -> bool:
    """Whether a point is the inputs, each times a factor plus a shift of its own."""
    before = point.before
    return (
        point.diagonal and point.epsilon is None and before is not None and before.point.before is None
        and not before.rowwise and line(before.values) is not None
    )  # fmt: skip


def _function(node: Any, inputs: list[Any], attributes: dict[str, Any], point: _Point, of_rows: bool = False) -> _Flow:
    operator = str(node.op_type)  # in what lives on, for a node keeps the memory of the whole model
    function = _ELEMENTWISE[operator]
    operators = tuple(dict.fromkeys([*(o for v in inputs if isinstance(v, _Flow) for o in v.operators), operator]))
    values = [v.reshape(-1)[0] if isinstance(v, np.ndarray) and not (of_rows and v.ndim) else v for v in inputs]

    before = [value for value in inputs if isinstance(value, _Flow)]
    depth = 1 + max((value.depth for value in before), default=0)
    cost = 1 + sum(value.cost for value in before)
    if depth > _DEEPEST or cost > _COSTLIEST:
        raise _refusal(node, f"comes after {depth - 1} operators without a layer; foxnn reads up to {_DEEPEST}")

    def composed(x: Array) -> Array:
        arguments = [v.values(x) if isinstance(v, _Flow) else v for v in values]
        if operator == "Where":
            arguments[0] = np.asarray(arguments[0], bool)
        return function(*arguments, **attributes)

    try:
        with np.errstate(all="ignore"):
            composed(np.ones((2, point.width or 1)) if of_rows else np.ones(2))
    except TypeError:
        raise _refusal(node, f"has attributes or inputs without a counterpart ({', '.join(attributes)})") from None
    return _Flow(point, composed, operators, of_rows, depth=depth, cost=cost)


def _both_probabilities(node: Any, inputs: list[Any]) -> _Flow:
    """1 - p and p of a sigmoid: the softmax of 0 and its argument."""
    flows = [value for value in inputs if isinstance(value, _Flow)]
    if len(inputs) == len(flows) == 2 and flows[0].point is flows[1].point and flows[0].point.width == 1:
        point = flows[0].point
        sigmoid = _sigmoid(GRID)
        with np.errstate(all="ignore"):
            fits = same(flows[1].values(GRID), sigmoid) and same(flows[0].values(GRID), 1 - sigmoid)
        if fits and point.weights is not None and point.bias is not None and not point.diagonal:
            weights, bias = (np.concatenate([0 * v, v], axis=-1) for v in (point.weights, point.bias))
            return _Flow(replace(point, width=2, weights=weights, bias=bias), rowwise="softmax")
    raise _refusal(node, "joins branches of the graph; a foxnn network is one chain")


# ---- layers -------------------------------------------------------------------------------------------------


def _affine(flow: _Flow) -> _Point:
    """The point of a flow that is an affine function of it, put into the point."""
    found = line(flow.values)
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


def _network(flow: _Flow, most: int) -> NeuralNetwork:
    """The network that ends with a flow, no matrix of which may have more numbers than `most` by being a diagonal."""
    flow, scaling = _without_scaling(flow)
    parts: list[tuple[_Point, Activation]] = []
    norms: list[Normal | None] = []
    scaled = None
    while flow.point.before is not None or line(flow.values) is None or flow.rowwise or not parts:
        if parts and not flow.rowwise and _of_inputs(flow.point) and line(flow.values) is not None:
            scaled = _affine(flow)
            assert scaled.before is not None
            flow = scaled.before
            break
        point, applied = _taken_apart(flow)
        if point.before is None:
            raise ValueError(f"operator {', '.join(flow.operators) or 'Gemm, MatMul'}: no layer before it")
        norm = None
        if point.epsilon is not None:
            norm = Normal(*_weights(point), point.epsilon)
            if not parts:
                raise ValueError("operator LayerNormalization: comes after the last dense layer")
            if point.before.function is not None or not point.before.point.is_affine:
                raise ValueError("operator LayerNormalization: takes its place right after a dense layer")
            point = point.before.point
        parts.append((point, applied))
        norms.append(norm)
        assert point.before is not None
        flow = point.before
    inputs = _affine(flow)
    layers = [_layer(point, applied, most) for point, applied in reversed(parts)]
    dtype = "float64" if layers[0].weights.dtype == np.float64 else "float32"
    network = network_of(layers, dtype, norms=norms[::-1])
    if scaled is not None:
        factors, shifts = (values.astype(np.float64) for values in _weights(scaled))
        scale_inputs(network, inputs.scale * factors, inputs.offset * factors + shifts)
    elif (inputs.scale, inputs.offset) != (1.0, 0.0):
        network.scale, network.offset = inputs.scale, inputs.offset
    if scaling is not None:
        network.loss = "half_squared_error"
        from_json(network, 1, {"kind": "standard", "shift": scaling[1], "spread": scaling[0]})
    return network


def _without_scaling(flow: _Flow) -> tuple[_Flow, tuple[Array, Array] | None]:
    """A flow without what scales the outputs after their activation; and that, as a factor and a shift of each."""
    if flow.of_rows:
        raise ValueError(f"operator {', '.join(flow.operators)}: makes no layer normalisation")
    if flow.rowwise or flow.point.before is None or flow.point.width is None:
        return flow, None
    if line(flow.values) is not None:
        flow = _Flow(_affine(flow))
    point, before = flow.point, flow.point.before
    assert point.width is not None
    assert before is not None
    if flow.function is not None:
        found = scaled_activation(flow.function)
        if found is None or activation(flow.function) is not None:
            return flow, None
        function, _, factor, shift = flow.function, *found
        unscaled = replace(flow, function=lambda x: (function(x) - shift) / factor)
        return unscaled, (np.full(point.width, factor), np.full(point.width, shift))
    factors, shifts = _weights(point)
    follows_activation = before.rowwise or line(before.values) is None
    if point.diagonal and point.epsilon is None and follows_activation and (factors > 0).all():
        return before, (factors, shifts)
    return flow, None


def _taken_apart(flow: _Flow) -> tuple[_Point, Activation]:
    """The affine function and the activation of the layer that a flow comes from."""
    if flow.rowwise:
        return flow.point, Activation(flow.rowwise)
    if line(flow.values) is not None:
        return _affine(flow), Activation("linear")
    found = activation(flow.values)
    if found is None:
        raise ValueError(
            f"operator {', '.join(flow.operators)}: makes no activation that foxnn has ({', '.join(names())})"
        )
    return flow.point, found


def _layer(point: _Point, activation: Activation, most: int) -> Dense:
    weights, bias = _weights(point)
    if point.diagonal and len(weights) ** 2 > most:
        raise ValueError(
            f"operator Mul: a factor for each of {len(weights):,} units before an activation is a layer with "
            f"{len(weights) ** 2:,} weights; of a file of this size foxnn makes at most {most:,}"
        )
    dtype = weights.dtype if point.dtype is None else point.dtype
    return Dense((np.diag(weights) if point.diagonal else weights).astype(dtype, copy=False), bias, activation)


def _weights(point: _Point) -> tuple[Array, Array]:
    """Weights and bias of a point; of a diagonal, a number for each unit."""
    assert point.weights is not None
    assert point.bias is not None
    if not point.diagonal:
        return np.ascontiguousarray(point.weights), np.ascontiguousarray(point.bias)
    if point.width is None:
        raise ValueError("inputs: the file does not say how many there are")
    return np.broadcast_to(point.weights, point.width), np.broadcast_to(point.bias, point.width)
