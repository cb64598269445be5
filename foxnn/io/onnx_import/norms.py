"""Normalisation of rows: as an operator, or spelled with their means."""

from __future__ import annotations

from typing import Any

import numpy as np

from foxnn.io._recognition import GRID, layer_norm
from foxnn.io.onnx_import.elementwise import function_of_numbers
from foxnn.io.onnx_import.values import Flow, Point, refusal


def mean_of_rows(node: Any, flow: Flow, inputs: list[Any], attributes: dict[str, Any]) -> Flow:
    """The mean of each row."""
    axes = attributes.get("axes", inputs[1].tolist() if len(inputs) > 1 and isinstance(inputs[1], np.ndarray) else None)
    if (
        axes is None
        or len(axes) != 1
        or not flow.is_last(axes[0])
        or not attributes.get("keepdims", 1)
        or flow.point.width is None
    ):
        raise refusal(node, "is not the mean of each sample's numbers, as a column")
    if flow.point.before is None:
        raise refusal(node, "comes before the first layer; foxnn normalises what layers compute")
    function = flow.values
    return Flow(flow.point, lambda x: function(x).mean(1, keepdims=True), (*flow.operators, "ReduceMean"), True)


def normalised(node: Any, flow: Flow, inputs: list[Any], attributes: dict[str, Any]) -> Flow:
    if not flow.is_last(attributes.get("axis", -1)):
        raise refusal(node, "does not keep the samples apart")
    gamma = inputs[1]
    beta = inputs[2] if len(inputs) > 2 and inputs[2] is not None else np.zeros_like(gamma)
    width, epsilon = len(gamma), attributes.get("epsilon", 1e-5)
    if flow.point.width not in (None, width):
        raise refusal(node, f"takes {width} numbers where there are {flow.point.width}")
    return Flow(Point(width, flow, gamma, beta, biased=True, diagonal=True, epsilon=float(f"{epsilon:.7g}")))


def function_of_rows(node: Any, inputs: list[Any], attributes: dict[str, Any], point: Point) -> Flow:
    """A function of rows; when it has become a layer normalisation, a point."""
    flow = function_of_numbers(node, inputs, attributes, point, of_rows=True)
    assert flow.function is not None
    assert point.width is not None
    norm = layer_norm(flow.function, point.width) if point.width > 1 else None
    if norm is None:
        return flow
    dtype = np.float32 if point.weights is None else point.weights.dtype
    gamma, beta = norm.gamma.astype(dtype), norm.beta.astype(dtype)
    before = Flow(point)
    return Flow(Point(point.width, before, gamma, beta, biased=True, diagonal=True, epsilon=norm.epsilon))


def single(node: Any, flow: Flow) -> Flow:
    """A function of rows that is no layer normalisation, which may be only that of a single number: a constant."""
    x = GRID[:, None]
    if flow.function is None or flow.point.width != 1 or np.ptp(y := flow.values(x)) != 0:
        raise refusal(node, "comes after ReduceMean, which makes no layer normalisation with what follows it")
    return Flow(Point(1, Flow(flow.point), np.ones(1), y[0], biased=True, diagonal=True, epsilon=1e-5))
