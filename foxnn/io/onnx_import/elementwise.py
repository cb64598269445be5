"""Operators on single numbers."""

from __future__ import annotations

from collections.abc import Callable
from math import erf
from typing import Any

import numpy as np

from foxnn.io._recognition import Array, Function
from foxnn.io.onnx_import.values import COSTLIEST, DEEPEST, Flow, Point, refusal

#: Those that may be a factor and a shift; those whose results are true or false.
LINEAR = ("Add", "Sub", "Mul", "Div")
_LINES = 6
_COMPARISONS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual")


def _elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def sigmoid(x: Array) -> Array:
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
ELEMENTWISE: dict[str, Callable[..., Array]] = {
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
    "Sigmoid": sigmoid,
    "Sign": np.sign,
    "Sin": np.sin,
    "Softplus": _softplus,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Swish": lambda x, alpha=1.0: x * sigmoid(alpha * x),
    "Tanh": np.tanh,
    "ThresholdedRelu": lambda x, alpha=1.0: np.where(x > alpha, x, 0),
    "Where": np.where,
}


def function_of_numbers(
    node: Any, inputs: list[Any], attributes: dict[str, Any], point: Point, of_rows: bool = False
) -> Flow:
    """What an operator makes of flows of one point, and of constants: numbers, if it is no function of rows."""
    operator = str(node.op_type)  # in what lives on, for a node keeps the memory of the whole model
    function = ELEMENTWISE[operator]
    before = [value for value in inputs if isinstance(value, Flow)]
    operators = tuple(dict.fromkeys([*(o for flow in before for o in flow.operators), operator]))
    values = [v.reshape(-1)[0] if isinstance(v, np.ndarray) and not (of_rows and v.ndim) else v for v in inputs]
    depth = 1 + max((flow.depth for flow in before), default=0)
    cost = 1 + sum(flow.cost for flow in before)
    if depth > DEEPEST or cost > COSTLIEST:
        raise refusal(node, f"comes after {depth - 1} operators without a layer; foxnn reads up to {DEEPEST}")

    def composed(x: Array) -> Array:
        arguments = [v.values(x) if isinstance(v, Flow) else v for v in values]
        if operator == "Where":
            arguments[0] = np.asarray(arguments[0], bool)
        return function(*arguments, **attributes)

    try:
        with np.errstate(all="ignore"):
            composed(np.ones((2, point.width or 1)) if of_rows else np.ones(2))
    except TypeError:
        raise refusal(node, f"has attributes or inputs without a counterpart ({', '.join(attributes)})") from None
    is_line = len(before) == 1 and before[0].is_line and operator in (*LINEAR, "Neg")
    is_line &= operator != "Div" or isinstance(inputs[0], Flow)
    return Flow(
        point, composed, operators, of_rows, depth=depth, cost=cost, shape=before[0].shape,
        kind="truth" if operator in _COMPARISONS else "real", is_line=is_line, lines=_lines(before),
    )  # fmt: skip


def _lines(before: list[Flow]) -> tuple[Function, ...]:
    """The first few lines that a function is made of: it may be a known one of one of them."""
    own = [flow.function for flow in before if flow.is_line and flow.function is not None]
    return tuple(dict.fromkeys([*(line for flow in before for line in flow.lines), *own]))[:_LINES]


def check_kinds(node: Any, inputs: list[Any]) -> None:
    """Refuse operators on integers, which may overflow or round, and on truth values."""
    for i, value in enumerate(inputs):
        if (
            not isinstance(value, Flow)
            or value.kind == "real"
            or (value.kind == "truth" and node.op_type == "Where" and not i)
        ):
            continue
        what = "integers" if value.kind == "integer" else "true and false"
        raise refusal(node, f"computes with {what}; foxnn computes with real numbers, which Cast makes of them")
