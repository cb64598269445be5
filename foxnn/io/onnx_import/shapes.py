"""Shapes and kinds of arrays: exporters compute with the number of samples, which nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from foxnn.io._recognition import Array
from foxnn.io.onnx_import.values import Flow, refusal

#: The number of samples in a shape. It is no number: to compute with it is a TypeError.
SAMPLES: Any = object()
_MOST = 100


@dataclass(frozen=True)
class Sizes:
    """A constant that has the number of samples in it, or others that are not known (None)."""

    numbers: Array  # of objects


def shape_of(flow: Flow, attributes: dict[str, Any]) -> Array | Sizes:
    """What the operator Shape gives."""
    sample = (flow.point.width,) if flow.shape is None else flow.shape
    return _constant((SAMPLES, *sample)[attributes.get("start", 0) : attributes.get("end")])


def _constant(numbers: Any) -> Array | Sizes:
    array = np.asarray(numbers, object)
    known = all(isinstance(number, int) for number in array.reshape(-1).tolist())
    return array.astype(np.int64) if known else Sizes(array)


def _slice(data: Array, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None) -> Array:
    step = 1 if steps is None else int(np.ravel(np.asarray(steps))[0])
    start, end = (int(np.ravel(np.asarray(value, object))[0]) for value in (starts, ends))
    return data[start:end:step]


def _product(data: Array, axes: Any = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Array:
    return np.asarray([prod(data.tolist())] if keepdims else prod(data.tolist()), object)


#: What exporters compute with shapes, of arrays of objects; attributes are keyword arguments.
_OPERATORS: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Cast": lambda data, to=None: data,
    "Concat": lambda *data, axis=0: np.concatenate(data, axis),
    "Div": np.floor_divide,
    "Gather": lambda data, places, axis=0: data.take(np.asarray(places, np.int64), axis),
    "Identity": lambda data: data,
    "Mul": np.multiply,
    "ReduceProd": _product,
    "Reshape": lambda data, shape, allowzero=0: data.reshape(np.asarray(shape, np.int64)),
    "Slice": _slice,
    "Squeeze": lambda data, axes=None: data.squeeze() if axes is None else data.squeeze(tuple(np.ravel(axes))),
    "Sub": np.subtract,
    "Unsqueeze": lambda data, axes: np.expand_dims(data, tuple(np.ravel(axes).tolist())),
}


def of_sizes(node: Any, inputs: list[Any], attributes: dict[str, Any]) -> Array | Sizes:
    """What an operator makes of shapes and constants."""
    if node.op_type not in _OPERATORS or sum(_size(value) for value in inputs) > _MOST:
        raise refusal(node, "computes with the shape of an array")
    arrays = [v.numbers if isinstance(v, Sizes) else v if v is None else v.astype(object) for v in inputs]
    try:
        return _constant(_OPERATORS[node.op_type](*arrays, **attributes))
    except TypeError:
        raise refusal(node, "computes with the number of samples, which is not known") from None


def _size(value: Any) -> int:
    return 0 if value is None else value.numbers.size if isinstance(value, Sizes) else value.size


def reshaped(node: Any, flow: Flow, inputs: list[Any], attributes: dict[str, Any]) -> Flow:
    """The same numbers of each sample in another shape."""
    if flow.of_rows:
        raise refusal(node, "comes after ReduceMean, which makes no layer normalisation with what follows it")
    rank = 1 if flow.shape is None else len(flow.shape)
    if node.op_type == "Flatten":
        if attributes.get("axis", 1) not in (1, -rank):
            raise refusal(node, "does not keep the samples apart")
        return replace(flow, shape=None)
    if node.op_type == "Reshape":
        return replace(flow, shape=_target(node, flow, inputs[1], attributes))
    axes = attributes.get("axes", inputs[1].tolist() if len(inputs) > 1 and isinstance(inputs[1], np.ndarray) else None)
    sample: tuple[int | None, ...] = (flow.point.width,) if flow.shape is None else flow.shape
    if axes is None:
        raise refusal(node, "does not say which axes it takes")
    full = rank + 1 + (len(axes) if node.op_type == "Unsqueeze" else 0)
    axes = sorted(axis % full for axis in axes)
    if 0 in axes:
        raise refusal(node, "does not keep the samples apart")
    shape = list(sample)
    for axis in axes if node.op_type == "Unsqueeze" else reversed(axes):
        if node.op_type == "Unsqueeze":
            shape.insert(axis - 1, 1)
        elif shape.pop(axis - 1) != 1:
            raise refusal(node, "takes away an axis that has more than one number, or an unknown one")
    return replace(flow, shape=tuple(shape))


def _target(node: Any, flow: Flow, target: Any, attributes: dict[str, Any]) -> tuple[int | None, ...] | None:
    """The shape of a sample that Reshape makes."""
    wanted: list[Any] = list(target.numbers if isinstance(target, Sizes) else np.asarray(target).tolist())
    if not wanted or any(size is SAMPLES or size is None for size in wanted[1:]):
        raise refusal(node, "gives samples another size")
    width, (first, *rest) = flow.point.width, wanted
    sample = (width,) if flow.shape is None else flow.shape
    if not attributes.get("allowzero"):
        rest = [sample[i] if size == 0 and i < len(sample) else size for i, size in enumerate(rest)]
        first = SAMPLES if first == 0 else first
    if first == _input_batch(flow):
        first = SAMPLES
    if rest == [-1] and (first is SAMPLES or (width is not None and first == -1)):
        return None
    if None in rest or width is None:
        raise refusal(node, "gives samples of unknown size a shape")
    others = prod(size for size in rest if size != -1)
    if -1 in rest:
        if first is not SAMPLES:
            raise refusal(node, f"makes {first} samples of however many there are")
        rest = [width // max(others, 1) if size == -1 else size for size in rest]
    if prod(rest) != width or min(rest, default=1) < 0:
        raise refusal(node, "gives samples another size")
    return tuple(rest)


def _input_batch(flow: Flow) -> int | None:
    """How many samples the file's inputs have, if that is fixed."""
    while flow.point.before is not None:
        flow = flow.point.before
    return flow.point.batch


def kind_of(element_type: int) -> str | None:
    """What numbers of one of ONNX's types are: "real", "integer", "truth", or None if nothing here takes them."""
    from onnx import TensorProto as Type

    if element_type in (Type.FLOAT, Type.DOUBLE, Type.FLOAT16, Type.BFLOAT16):
        return "real"
    if element_type == Type.BOOL:
        return "truth"
    integers = (Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.UINT8, Type.UINT16, Type.UINT32, Type.UINT64)
    return "integer" if element_type in integers else None


def cast(node: Any, flow: Flow, to: Any) -> Flow:
    """The same numbers as another type, by its number, if they stay what they are."""
    from onnx import TensorProto

    if isinstance(to, bytes):  # before opset 6
        to = TensorProto.DataType.Value(to.decode())
    kind = kind_of(to)
    if kind is None:
        raise refusal(node, f"to {TensorProto.DataType.Name(to)}: foxnn has real numbers of 32 and 64 bits")
    if kind == "real" or kind == flow.kind == "truth" or (kind == "integer" and flow.kind == "truth"):
        return replace(flow, kind=kind)
    if kind == flow.kind == "integer" and to == TensorProto.INT64:  # which holds all the others
        return flow
    what = (
        {"real": "rounds numbers to integers", "integer": "may cut integers off"}[flow.kind]
        if kind == "integer"
        else ("makes numbers true or false")
    )
    raise refusal(node, f"to {TensorProto.DataType.Name(to)}: {what}")
