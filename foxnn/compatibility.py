"""Which outputs and losses go together. What does not is refused, or said, before training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from foxnn._warnings import warn_user

if TYPE_CHECKING:
    from foxnn.activations import Activation
    from foxnn.losses import Loss

#: Whether what does not go together is only said: so in files, which earlier versions may have written.
_only_said: ContextVar[bool] = ContextVar("_only_said", default=False)


@contextmanager
def only_said() -> Iterator[None]:
    """Warn inside the block of what would be refused elsewhere."""
    token = _only_said.set(True)
    try:
        yield
    finally:
        _only_said.reset(token)


def check_output(output: Activation, n_out: int, loss: Loss) -> None:
    """Refuse outputs of which a loss makes no sense.

    Parameters
    ----------
    output : Activation
        Of the last layer.
    n_out : int
    loss : Loss

    Raises
    ------
    ValueError
        If there is one softmax output, which is always 1, or if the loss is made for outputs of another kind.

    Examples
    --------
    >>> import foxnn
    >>> foxnn.neural_network([4, 8, 1], output="softmax")
    Traceback (most recent call last):
    ValueError: output: got 'softmax' for 1 output, which is always 1; it takes 'sigmoid', or two outputs
    """
    problem = _problem(output, n_out, loss)
    if problem is None:
        return
    if _only_said.get():
        warn_user(f"this network cannot be trained: {problem}")
    else:
        raise ValueError(problem)


def _problem(output: Activation, n_out: int, loss: Loss) -> str | None:
    if output == "softmax" and n_out == 1:
        return "output: got 'softmax' for 1 output, which is always 1; it takes 'sigmoid', or two outputs"
    if loss.name == "cross_entropy" and output != "softmax":
        other = "; 'binary_cross_entropy' takes outputs between 0 and 1" if _is_within(output, 0, 1) else ""
        return (
            f"loss: got 'cross_entropy' with the output {output.name!r}; it takes output='softmax' (which is computed "
            f"together with it, from the logits){other}"
        )
    if loss.name == "binary_cross_entropy" and not _is_within(output, 0, 1):
        return (
            f"loss: got 'binary_cross_entropy' with the output {output.name!r}; it takes outputs between 0 and 1: "
            "output='sigmoid' (which is computed together with it, from the logits)"
        )
    if loss.name == "poisson" and not _is_within(output, 0, math.inf):
        return (
            f"loss: got 'poisson' with the output {output.name!r}; it takes outputs that are not negative, such as "
            "output='exp' or 'softplus'"
        )
    return None


def _is_within(output: Activation, least: float, most: float) -> bool:
    low, high = output.bounds
    return least <= low and high <= most
