"""The network of what flows out of a graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from foxnn.activations import Activation, names
from foxnn.data.scaling import from_json
from foxnn.io._layers import Dense, Normal, network_of, scale_inputs
from foxnn.io._recognition import Array, Function, activation, line, scaled_activation
from foxnn.io.onnx_import.affine import of_inputs
from foxnn.io.onnx_import.values import Flow, Point, affine

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: Inputs that are shifted by more of their spreads than this are scaled by `scale_inputs`, which subtracts first.
_FAR = 8.0


def network(flow: Flow, most: int) -> NeuralNetwork:
    """The network that ends with a flow, no matrix of which may have more numbers than `most` by being a diagonal."""
    flow, scaling = _without_scaling(flow)
    parts: list[tuple[Point, Activation]] = []
    norms: list[Normal | None] = []
    scaled = None
    while flow.point.before is not None or line(flow.values) is None or flow.rowwise or not parts:
        if parts and not flow.rowwise and of_inputs(flow.point) and line(flow.values) is not None:
            scaled = affine(flow)
            assert scaled.before is not None
            flow = scaled.before
            break
        point, applied, after = _taken_apart(flow)
        if after != (1.0, 0.0):
            if not parts:
                raise _no_activation(flow)
            parts[-1] = _beside(*after, parts[-1][0]), parts[-1][1]
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
    inputs = affine(flow)
    layers = [_layer(point, applied, most) for point, applied in reversed(parts)]
    dtype = "float64" if layers[0].weights.dtype == np.float64 else "float32"
    network = network_of(layers, dtype, norms=norms[::-1])
    if scaled is not None:
        factors, shifts = (values.astype(np.float64) for values in _weights(scaled))
        scale_inputs(network, inputs.scale * factors, inputs.offset * factors + shifts)
    elif abs(inputs.offset) > _FAR and inputs.scale > 0:  # x * scale + offset would lose the digits of what is left
        scale_inputs(network, *(np.full(network._n_in, value) for value in (inputs.scale, inputs.offset)))
    elif (inputs.scale, inputs.offset) != (1.0, 0.0):
        network.scale, network.offset = inputs.scale, inputs.offset
    if scaling is not None:
        network.loss = "half_squared_error"
        from_json(network, 1, {"kind": "standard", "shift": scaling[1], "spread": scaling[0]})
    return network


def _without_scaling(flow: Flow) -> tuple[Flow, tuple[Array, Array] | None]:
    """A flow without what scales the outputs after their activation; and that, as a factor and a shift of each."""
    if flow.of_rows:
        raise ValueError(f"operator {', '.join(flow.operators)}: makes no layer normalisation")
    if flow.rowwise or flow.point.before is None or flow.point.width is None:
        return flow, None
    if line(flow.values) is not None:
        flow = Flow(affine(flow))
    point, before = flow.point, flow.point.before
    assert point.width is not None
    assert before is not None
    if flow.function is not None:
        factor, shift = _taken_apart(flow)[2]
        if factor <= 0 or (factor, shift) == (1.0, 0.0):
            return flow, None
        function = flow.function
        unscaled = replace(flow, function=lambda x: (function(x) - shift) / factor)
        return unscaled, (np.full(point.width, factor), np.full(point.width, shift))
    factors, shifts = _weights(point)
    follows_activation = before.rowwise or line(before.values) is None
    if point.diagonal and point.epsilon is None and follows_activation and (factors > 0).all():
        return before, (factors, shifts)
    return flow, None


def _taken_apart(flow: Flow) -> tuple[Point, Activation, tuple[float, float]]:
    """The affine function and the activation of the layer that a flow comes from; and by what that is multiplied,
    and what is added then."""
    if flow.rowwise:
        return flow.point, Activation(flow.rowwise), (1.0, 0.0)
    if line(flow.values) is not None:
        return affine(flow), Activation("linear"), (1.0, 0.0)
    found = activation(flow.values)
    if found is not None:
        return flow.point, found, (1.0, 0.0)
    for before in (None, *flow.lines):  # an activation of 30 x, for example
        factor, shift = (1.0, 0.0) if before is None else line(before) or (0.0, 0.0)
        point = flow.point if before is None else affine(Flow(flow.point, before))
        for sign in (1.0, -1.0):
            scaled = factor and scaled_activation(_of_part(flow, factor, shift, sign))
            if scaled:
                found, times, plus = scaled
                return point, found, (sign * times, sign * plus)
    raise _no_activation(flow)


def _of_part(flow: Flow, factor: float, shift: float, sign: float) -> Function:
    """The function of x that, times the sign, a flow is of x factor + shift."""
    return lambda x: sign * flow.values((x - shift) / factor)


def _beside(factor: float, shift: float, point: Point) -> Point:
    """A point of what flows before it times a factor plus a shift."""
    weights, bias = point.weights, point.bias
    assert weights is not None
    assert bias is not None
    sums = weights if point.diagonal else weights.sum(0)
    dtype = weights.dtype
    return replace(point, weights=weights * dtype.type(factor), bias=(bias + shift * sums).astype(bias.dtype))


def _no_activation(flow: Flow) -> ValueError:
    return ValueError(
        f"operator {', '.join(flow.operators)}: makes no activation that foxnn has ({', '.join(names())})"
    )


def _layer(point: Point, activation: Activation, most: int) -> Dense:
    weights, bias = _weights(point)
    if point.diagonal and len(weights) ** 2 > most:
        raise ValueError(
            f"operator Mul: a factor for each of {len(weights):,} units before an activation is a layer with "
            f"{len(weights) ** 2:,} weights; of a file of this size foxnn makes at most {most:,}"
        )
    dtype = weights.dtype if point.dtype is None else point.dtype
    return Dense((np.diag(weights) if point.diagonal else weights).astype(dtype, copy=False), bias, activation)


def _weights(point: Point) -> tuple[Array, Array]:
    """Weights and bias of a point; of a diagonal, a number for each unit."""
    assert point.weights is not None
    assert point.bias is not None
    if not point.diagonal:
        return np.ascontiguousarray(point.weights), np.ascontiguousarray(point.bias)
    if point.width is None:
        raise ValueError("inputs: the file does not say how many there are")
    return np.broadcast_to(point.weights, point.width), np.broadcast_to(point.bias, point.width)
