"""Products, factors and shifts, and parts of what they give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from foxnn.io._recognition import GRID, Array, line, same
from foxnn.io.onnx_import.elementwise import LINEAR, sigmoid
from foxnn.io.onnx_import.values import Flow, Point, affine, refusal


def product(node: Any, flow: Flow, inputs: list[Any], attributes: dict[str, Any]) -> Flow:
    weights = inputs[1]
    if inputs[0] is not flow or not isinstance(weights, np.ndarray) or weights.ndim != 2 or attributes.get("transA"):
        raise refusal(node, "is not a product of inputs and constant weights")
    if not flow.is_rows:
        raise refusal(node, f"takes samples of shape {flow.shape}, which are not rows")
    bias = inputs[2] if len(inputs) > 2 else None
    if isinstance(bias, Flow):
        raise refusal(node, "has a bias that is not constant")
    if attributes.get("transB"):
        weights = weights.T
    if attributes.get("alpha", 1.0) != 1.0:
        weights = weights * weights.dtype.type(attributes["alpha"])
    weights = np.ascontiguousarray(weights)  # here, where the other one is about to go
    n_in, n_out = weights.shape
    if flow.point.width not in (None, n_in):
        raise refusal(node, f"takes {n_in} inputs where there are {flow.point.width}")
    added = np.zeros(n_out, weights.dtype)
    if bias is not None:
        added = added + np.broadcast_to(bias, (1, n_out))[0] * weights.dtype.type(attributes.get("beta", 1.0))
    before = flow
    if flow.function is None and flow.point.diagonal and flow.point.epsilon is None and not of_inputs(flow.point):
        # into the weights after it
        factor, shift = flow.point.weights, flow.point.bias
        assert factor is not None
        assert shift is not None
        added = added + shift.astype(weights.dtype) @ weights
        weights = factor.astype(weights.dtype)[:, None] * weights
        before = flow.point.before or flow
    shape = None if flow.shape is None else (*flow.shape[:-1], n_out)
    return Flow(Point(n_out, before, weights, added, biased=bias is not None), shape=shape)


def is_bias(operator: str, flow: Flow, inputs: list[Any]) -> bool:
    """Whether a single number is the bias of one unit, rather than part of an activation."""
    point = flow.point
    given = [v for v in inputs if isinstance(v, np.ndarray)]
    return (
        operator == "Add" and flow.function is None and point.width == 1 and point.before is not None
        and not point.biased and len(given) == 1 and given[0].ndim >= 1
    )  # fmt: skip


def with_vector(node: Any, flow: Flow, inputs: list[Any]) -> Flow:
    """Add, Sub, Mul or Div with a number for each unit."""
    if node.op_type not in LINEAR or isinstance(inputs[0], type(inputs[1])):
        raise refusal(node, "has constants that differ from unit to unit")
    first = inputs[0] is flow
    constant = np.asarray(inputs[1] if first else inputs[0])
    vector = _for_each(node, flow, constant)
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
        raise refusal(node, "divides by its inputs")
    return scaled(node, flow, factor, shift, constant.dtype)


def _for_each(node: Any, flow: Flow, constant: Array) -> Array:
    """A constant as a row: a number for each of a sample's."""
    if flow.is_rows:
        if constant.shape[:-1] != (1,) * (constant.ndim - 1):
            raise refusal(node, f"has a constant of shape {constant.shape}, more than one row")
        return constant.reshape(-1).astype(np.float64)
    whole: Any = (1, *(flow.shape or ()))
    if None in whole or constant.ndim > len(whole) or np.broadcast_shapes(constant.shape, whole) != whole:
        raise refusal(node, f"has a constant of shape {constant.shape} for samples of shape {flow.shape}")
    return np.broadcast_to(constant, whole).reshape(-1).astype(np.float64)


def scaled(node: Any, flow: Flow, factor: Array, shift: Array, dtype: Any) -> Flow:
    """A flow times a factor plus a shift for each unit."""
    point = flow.point
    if point.width not in (None, len(factor)):
        raise refusal(node, f"takes {len(factor)} numbers where there are {point.width}")
    if point.weights is not None and flow.function is not None and flow.is_line and not flow.rowwise:
        point = affine(flow)  # numbers for all units before those for each
        flow = Flow(point, shape=flow.shape)
    if flow.function is None and not flow.rowwise and point.weights is not None and point.bias is not None:
        weights = point.weights if (factor == 1).all() else point.weights * factor.astype(point.weights.dtype)
        bias = (point.bias * factor + shift).astype(point.bias.dtype)
        return Flow(replace(point, weights=weights, bias=bias, biased=True), shape=flow.shape)
    if point.before is None:  # of inputs: what is subtracted from them may be large
        made = Point(len(factor), flow, factor, shift, biased=True, diagonal=True, dtype=dtype)
    else:
        made = Point(len(factor), flow, factor.astype(dtype), shift.astype(dtype), biased=True, diagonal=True)
    return Flow(made, shape=flow.shape)


def of_inputs(point: Point) -> bool:
    """Whether a point is the inputs, each times a factor plus a shift of its own."""
    before = point.before
    return (
        point.diagonal and point.epsilon is None and before is not None and before.point.before is None
        and not before.rowwise and line(before.values) is not None
    )  # fmt: skip


def both_probabilities(node: Any, inputs: list[Any]) -> Flow:
    """1 - p and p of a sigmoid: the softmax of 0 and its argument."""
    flows = [value for value in inputs if isinstance(value, Flow)]
    if len(inputs) == len(flows) == 2 and flows[0].point is flows[1].point and flows[0].point.width == 1:
        point = flows[0].point
        expected = sigmoid(GRID)
        with np.errstate(all="ignore"):
            fits = same(flows[1].values(GRID), expected) and same(flows[0].values(GRID), 1 - expected)
        if fits and point.weights is not None and point.bias is not None and not point.diagonal:
            weights, bias = (np.concatenate([0 * v, v], axis=-1) for v in (point.weights, point.bias))
            return Flow(replace(point, width=2, weights=weights, bias=bias), rowwise="softmax")
    raise refusal(node, "joins branches of the graph; a foxnn network is one chain")


def slice_of(node: Any, flow: Flow, inputs: list[Any], attributes: dict[str, Any]) -> Flow:
    """From one number of each sample to another."""
    given = [None if v is None else np.asarray(v).tolist() for v in inputs[1:]]
    if not given:  # before opset 10
        given = [attributes.get("starts"), attributes.get("ends"), attributes.get("axes")]
    starts, ends, axes, steps = (*given, None, None)[:4]
    if starts is None or ends is None:
        raise refusal(node, "has no constant start and end")
    axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
    if len(axes) != 1 or not flow.is_last(axes[0]):
        raise refusal(node, "does not take whole samples, and the same numbers of each")
    return part_of(node, flow, np.arange(_width(node, flow))[starts[0] : ends[0] : steps[0]])


def gathered(node: Any, flow: Flow, inputs: list[Any], attributes: dict[str, Any]) -> Flow:
    """Numbers of each sample, by their place."""
    places = inputs[1]
    if inputs[0] is not flow or not isinstance(places, np.ndarray) or places.ndim != 1:
        raise refusal(node, "does not take several numbers of each sample, by constant places")
    if not flow.is_last(attributes.get("axis", 0)):
        raise refusal(node, "does not take whole samples, and the same numbers of each")
    return part_of(node, flow, np.arange(_width(node, flow))[places])


def split(node: Any, flow: Flow, inputs: list[Any], attributes: dict[str, Any]) -> list[Flow]:
    """The parts of each sample."""
    if not flow.is_last(attributes.get("axis", 0)):
        raise refusal(node, "does not keep the samples apart")
    width, n = _width(node, flow), len(node.output)
    lengths = attributes.get("split", np.asarray(inputs[1]).tolist() if len(inputs) > 1 else None)
    if lengths is None:
        each = -(-width // attributes.get("num_outputs", n))
        lengths = [each] * (n - 1) + [width - each * (n - 1)]
    if len(lengths) != n or sum(lengths) != width or min(lengths) < 0:
        raise refusal(node, f"makes parts of {lengths} numbers of {width}")
    ends = np.cumsum(lengths)
    return [part_of(node, flow, np.arange(end - n, end)) for end, n in zip(ends, lengths, strict=True)]


def part_of(node: Any, flow: Flow, places: Array) -> Flow:
    """The same function of some of the units alone."""
    point, width = flow.point, _width(node, flow)
    if np.array_equal(places, np.arange(width)):
        return flow
    if len(places) == 0 or len(set(places.tolist())) != len(places):
        raise refusal(node, f"takes {'some numbers twice' if len(places) else 'none of the numbers'}")
    if flow.rowwise:
        raise refusal(node, f"takes part of what comes out of {flow.rowwise}, which foxnn gives whole")
    if flow.of_rows or point.epsilon is not None:
        raise refusal(node, "takes part of what a layer normalisation gives, which foxnn gives whole")
    if point.before is None or point.weights is None or point.bias is None:
        raise refusal(node, "takes part of the inputs; foxnn's first layer takes all of them")
    before = point.before
    weights, bias = (
        values if values.shape[-1] == 1 < width else values[..., places] for values in (point.weights, point.bias)
    )
    if point.diagonal:
        before = part_of(node, before, places)
    made = replace(point, width=len(places), before=before, weights=weights, bias=bias)
    return replace(flow, point=made, shape=None if flow.shape is None else (*flow.shape[:-1], len(places)))


def _width(node: Any, flow: Flow) -> int:
    if flow.point.width is None:
        raise refusal(node, "takes part of inputs of which the file does not say how many there are")
    return flow.point.width
