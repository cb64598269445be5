"""Goes through a graph, and says which operator does what."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import numpy as np

from foxnn.errors import FileFormatError
from foxnn.io._layers import batch_norm_as_affine
from foxnn.io._recognition import Array
from foxnn.io.onnx_import.affine import (
    both_probabilities,
    gathered,
    is_bias,
    product,
    scaled,
    slice_of,
    split,
    with_vector,
)  # fmt: skip
from foxnn.io.onnx_import.constants import constant, numbers
from foxnn.io.onnx_import.elementwise import ELEMENTWISE, LINEAR, check_kinds, function_of_numbers
from foxnn.io.onnx_import.norms import function_of_rows, mean_of_rows, normalised, single
from foxnn.io.onnx_import.shapes import Sizes, cast, kind_of, of_sizes, reshaped, shape_of
from foxnn.io.onnx_import.values import Flow, Point, affine, refusal

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
#: Operators that leave what flows through them as it is, and those that give it another shape.
_PASSING = {"Identity", "Dropout", "ZipMap"}
_RESHAPING = {"Flatten", "Reshape", "Squeeze", "Unsqueeze"}


class Reader:
    """Goes through the nodes that an output needs, from the inputs on."""

    def __init__(self, graph: Any, constants: dict[str, Array], size: int) -> None:
        self.graph = graph
        self.size = size  # of the file, in numbers: nothing in it has more of them
        self.values: dict[str, Array | Flow | Sizes] = {**constants}
        self.uses: Counter[str] = Counter()  # how often each value is still to be taken
        self.maker = {name: node for node in graph.node for name in node.output if name}

    def flow(self, output: str | None) -> Flow:
        """What flows out of the graph there."""
        name = self.chosen_output(output)
        nodes = self.needed(name)
        self.uses.update(used for node in nodes for used in node.input)
        self.uses[name] += 1
        for value in self.graph.input:
            if value.name not in self.values and self.uses[value.name]:
                self.values[value.name] = self.inputs(value)
        for node in nodes:
            self.read(node)
        flow = self.values.get(name)
        if not isinstance(flow, Flow):
            raise ValueError(f"output {name!r}: it does not depend on the inputs")
        return flow

    def inputs(self, value: Any) -> Flow:
        """What flows in there."""
        kind = kind_of(value.type.tensor_type.elem_type)
        if kind is None:
            raise ValueError(f"input {value.name!r}: is not of real numbers")
        first, *rest = [int(d.dim_value) or None for d in value.type.tensor_type.shape.dim] or [None]
        width = None
        if rest and None not in rest:
            width = prod(size or 0 for size in rest)
            if not 0 < width <= self.size:
                raise FileFormatError(f"input {value.name!r}: of {width:,} numbers; the file has weights for fewer")
        return Flow(Point(width, batch=first), kind=kind, shape=tuple(rest) if len(rest) > 1 else None)

    def take(self, name: str) -> Array | Flow | Sizes:
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
            raise refusal(node, f"of {node.domain} is not part of ONNX")
        attributes: Any = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        for name in node.input:
            if name and name not in self.values:
                raise refusal(node, "has an input that comes from nowhere")
        inputs: list[Any] = [numbers(self.take(name)) if name else None for name in node.input]
        results: Any
        if any(isinstance(value, Flow) for value in inputs):
            results = apply(node, inputs, attributes)
        elif any(isinstance(value, Sizes) for value in inputs):
            results = of_sizes(node, inputs, attributes)
        else:
            results = constant(node, inputs, self.size)
        results = results if isinstance(results, list) else [results]
        self.values.update(zip(node.output, results, strict=False))


def apply(node: Any, inputs: list[Any], attributes: dict[str, Any]) -> Any:
    """What the node makes of its inputs, of which at least one is a flow."""
    operator = node.op_type
    flows = [value for value in inputs if isinstance(value, Flow)]
    flow = flows[0]
    if operator == "Concat" and len(inputs) > 1:
        return both_probabilities(node, inputs)
    if operator == "CastLike":
        return _cast_like(node, *inputs)
    if any(other.point is not flow.point for other in flows):
        raise refusal(node, "joins branches of the graph; a foxnn network is one chain")
    if inputs[0] is flow and len(flows) == 1:
        if operator == "Dropout" and len(inputs) > 2 and np.any(inputs[2]):
            raise refusal(node, "is in training mode, in which it draws random numbers; export the model for inference")
        if operator in _PASSING or operator == "Concat":
            return flow
        if operator == "Cast":
            return cast(node, flow, attributes["to"])
        if operator == "Shape":
            return shape_of(flow, attributes)
        if operator in _RESHAPING:
            return reshaped(node, flow, inputs, attributes)
        if operator == "Slice":
            return slice_of(node, flow, inputs, attributes)
        if operator == "Gather":
            return gathered(node, flow, inputs, attributes)
        if operator == "Split":
            return split(node, flow, inputs, attributes)
    if any(isinstance(value, Sizes) for value in inputs):
        raise refusal(node, "computes with the number of samples, which is not known")
    check_kinds(node, inputs)
    if _after_softmax(flow) and (operator not in LINEAR or len(flows) > 1):
        raise refusal(node, "comes after softmax, which foxnn has as an output only")
    if operator == "ReduceMean":
        return mean_of_rows(node, flow, inputs, attributes)
    # From here on constants are numbers to compute with, not shapes or axes: nothing is to be rounded to integers.
    inputs = [v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype.kind in "iu" else v for v in inputs]
    of_rows = any(value.of_rows for value in flows)
    if of_rows and operator not in ELEMENTWISE:
        flow = single(node, flow)
        inputs = [flow if value is flows[0] else value for value in inputs]
    if operator == "LayerNormalization" and len(flows) == 1:
        return normalised(node, flow, inputs, attributes)
    if operator == "Softmax":
        if not flow.is_last(attributes.get("axis", -1)):
            raise refusal(node, "is not over the numbers of each sample")
        return Flow(affine(flow), rowwise="softmax", shape=flow.shape)
    if operator in ("Gemm", "MatMul"):
        return product(node, flow, inputs, attributes)
    if operator == "BatchNormalization" and len(flows) == 1 and not attributes.get("training_mode"):
        gamma, beta, mean, variance = (value.astype(np.float64) for value in inputs[1:5])
        factor, shift = batch_norm_as_affine(mean, variance, attributes.get("epsilon", 1e-5), gamma, beta)
        return scaled(node, flow, factor, shift, inputs[1].dtype)
    if operator == "Scaler":
        scale, offset = (np.asarray(attributes.get(a, b), np.float64) for a, b in (("scale", 1.0), ("offset", 0.0)))
        factor, shift = np.broadcast_arrays(scale, -offset * scale, np.broadcast_to(0, flow.point.width or 1))[:2]
        return scaled(node, flow, factor, shift, np.float32)
    if operator not in ELEMENTWISE:
        raise refusal(node, "has no counterpart in foxnn")
    if of_rows:
        return function_of_rows(node, inputs, attributes, flow.point)
    vectors = [v for v in inputs if isinstance(v, np.ndarray) and v.size > 1]
    if vectors or flow.rowwise or is_bias(operator, flow, inputs):
        return with_vector(node, flow, inputs)
    return function_of_numbers(node, inputs, attributes, flow.point)


def _cast_like(node: Any, value: Any, like: Any) -> Any:
    """A cast to the type of something else."""
    from onnx import TensorProto

    kinds = {"f": "real", "b": "truth"}
    kind = like.kind if isinstance(like, Flow) else kinds.get(like.dtype.kind, "integer")
    if not isinstance(value, Flow):
        if kind != "real":
            raise refusal(node, "makes a constant of something that is not real numbers")
        return value
    to = {"real": TensorProto.FLOAT, "truth": TensorProto.BOOL, "integer": TensorProto.INT32}[kind]
    return cast(node, value, to)


def _after_softmax(flow: Flow) -> bool:
    before = flow.point.before
    return flow.rowwise is not None or (before is not None and before.rowwise is not None)
