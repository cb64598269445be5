"""Constants, and what a graph computes of them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from foxnn.io._recognition import Array
from foxnn.io.onnx_import.elementwise import ELEMENTWISE
from foxnn.io.onnx_import.shapes import Sizes
from foxnn.io.onnx_import.values import Flow, refusal

#: What may be computed of constants: operators whose results are no larger than what they get, and others.
_NO_LARGER = {
    "Identity", "Cast", "CastLike", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Concat", "Flatten", "Shape",
    "Size", "Slice", "Floor", "Ceil", "Not", "ReduceProd", "ReduceSum", "ReduceMean", "ReduceMax",
}  # fmt: skip
_BROADCASTING = {*ELEMENTWISE, "Equal", "And", "Or"}


def numbers(value: Array | Flow | Sizes) -> Array | Flow | Sizes:
    """A flow, a shape, or a constant of real numbers; those that NumPy does not know by itself as float32."""
    if isinstance(value, (Flow, Sizes)):
        return value
    if value.dtype.name == "bfloat16":
        return value.astype(np.float32)
    if value.dtype.kind not in "fiub":
        raise ValueError(f"constants: one is of {value.dtype}; a foxnn network has real numbers")
    return value


def constant(node: Any, inputs: list[Any], most: int) -> Array:
    """What the node makes of its inputs, which are constants, if it has any: at most so many numbers."""
    from onnx import helper, numpy_helper

    if node.op_type == "Constant" and node.attribute:
        value = helper.get_attribute_value(node.attribute[0])
        return numpy_helper.to_array(value) if hasattr(value, "raw_data") else np.asarray(value)
    given = [value for value in inputs if value is not None]
    if node.op_type in _BROADCASTING:
        size = prod(np.broadcast_shapes(*(value.shape for value in given)))
    elif node.op_type == "Expand" and len(given) == 2:
        size = prod(np.broadcast_shapes(given[0].shape, tuple(given[1].tolist())))
    elif node.op_type == "Gather" and len(given) == 2:
        size = given[0].size * given[1].size
    elif node.op_type in _NO_LARGER:
        size = sum(value.size for value in given)
    else:
        raise refusal(node, "has no counterpart among constants")
    if size > most:
        raise refusal(node, "makes more numbers than the file has")
    from onnx.reference import ReferenceEvaluator  # not above: it takes a while

    outputs: Any = ReferenceEvaluator(node).run(
        None, {name: value for name, value in zip(node.input, inputs, strict=True) if name}
    )
    return np.asarray(outputs[0])
