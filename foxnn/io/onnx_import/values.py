"""What flows through a graph: functions of affine functions of what flowed before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foxnn.io._recognition import Array, Function, line

#: The most operators that an activation is made of, one after another and in all; those of exporters have a dozen.
DEEPEST, COSTLIEST = 100, 1_000


@dataclass(frozen=True, eq=False)
class Point:
    """Inputs, or an affine function of the flow `before` them: x weights + bias."""

    width: int | None
    before: Flow | None = None
    weights: Array | None = None  # (n_in, n_out); of a `diagonal` matrix that diagonal
    bias: Array | None = None
    biased: bool = False
    diagonal: bool = False
    epsilon: float | None = None  # of a layer normalisation, which comes before the weights and bias; a diagonal then
    dtype: Any = None  # of the file's numbers, where weights and bias have more digits
    scale: float = 1.0  # of inputs
    offset: float = 0.0
    batch: int | None = None  # of inputs: how many samples the file allows, if not any number

    @property
    def is_affine(self) -> bool:
        """Whether it is a function without normalisation, of something."""
        return self.weights is not None and self.epsilon is None


@dataclass(frozen=True, eq=False)
class Flow:
    """A function of the single numbers at a point, or of rows of them, or of all of them, by name (softmax)."""

    point: Point
    function: Function | None = None  # none: the numbers themselves
    operators: tuple[str, ...] = ()
    of_rows: bool = False
    rowwise: str | None = None
    depth: int = 0  # of the function: operators one after another
    cost: int = 0  # and how many of them one evaluation comes to
    kind: str = "real"  # or "integer", or "truth"
    shape: tuple[int | None, ...] | None = None  # of a sample; none: a row, or not known
    is_line: bool = True  # whether the function is spelled as one of a factor and a shift
    lines: tuple[Function, ...] = ()  # what else it is made of that is one

    @property
    def is_rows(self) -> bool:
        """Whether a sample is a row of numbers, whatever stands before its length."""
        return self.shape is None or (len(self.shape) > 0 and all(n == 1 for n in self.shape[:-1]))

    def is_last(self, axis: int) -> bool:
        """Whether an axis, counted with that of the samples, is that of a row."""
        return self.is_rows and axis in (-1, 1 if self.shape is None else len(self.shape))

    def values(self, x: Array) -> Array:
        """The function of numbers, or rows, at the point."""
        return x if self.function is None else np.asarray(self.function(x), np.float64)


def affine(flow: Flow) -> Point:
    """The point of a flow that is an affine function of it, put into the point."""
    found = line(flow.values)
    if found is None:
        return Point(flow.point.width, flow, np.ones(1), np.zeros(1), diagonal=True)
    factor, shift = found
    point = flow.point
    if point.weights is None or point.bias is None:
        return replace(point, scale=point.scale * factor, offset=point.offset * factor + shift)
    if (factor, shift) == (1.0, 0.0):
        return point
    dtype = point.weights.dtype
    return replace(point, weights=point.weights * dtype.type(factor), bias=(point.bias * factor + shift).astype(dtype))


def refusal(node: Any, why: str) -> ValueError:
    where = f" ({node.name})" if node.name else ""
    return ValueError(f"operator {node.op_type}{where}: {why}")
