"""What goes together: outputs with losses, targets with outputs. What does not is refused, or said, before training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import numpy as np

from foxnn._warnings import warn_user
from foxnn.losses import CustomLoss

if TYPE_CHECKING:
    from foxnn._arrays import Targets
    from foxnn.activations import Activation
    from foxnn.losses import Loss
    from foxnn.network import NeuralNetwork

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


def warn_of_targets(network: NeuralNetwork, targets: Targets, name: str = "y") -> None:
    """Warn if outputs cannot reach the targets."""
    if targets.values is None or isinstance(network.loss, CustomLoss):  # classes; or what only their owner knows
        return
    output = network.layers[-1].activation
    least, most = output.bounds
    if (least, most) == (-math.inf, math.inf):
        return
    ends = np.array([targets.values.min(axis=0), targets.values.max(axis=0)], np.float64)
    scaling = network.output_scaling
    if scaling is not None:
        ends = (ends - scaling.shift) / scaling.spread
    low, high = float(ends.min()), float(ends.max())
    slack = 1e-6 * (1 + max(abs(low), abs(high)))
    if low >= least - slack and high <= most + slack:
        return
    scaled = " (scaled)" if network.scale_outputs else ""
    advice = "output='linear' takes any targets"
    if math.isfinite(least) and math.isfinite(most) and not network.scale_outputs:
        advice += ", and scale_outputs='minmax' brings them between 0 and 1"
    warn_user(
        f"{name}: targets{scaled} go from {low:g} to {high:g}, but outputs of {output.name!r} lie between {least:g} "
        f"and {most:g} and can never reach them; {advice}"
    )


def warn_of_flat_layers(network: NeuralNetwork) -> None:
    """Warn if an activation has a derivative of zero everywhere, so that layers which should learn do not."""
    layers = network.layers
    for index in reversed(range(len(layers))):
        below = [i for i in range(index + 1) if layers[i].trainable]
        if layers[index].activation.is_flat and below:
            warn_user(
                f"activation: the derivative of {layers[index].activation.name!r} in layer {index} is zero everywhere: "
                f"training will not change {'layer' if len(below) == 1 else 'layers'} "
                f"{', '.join(map(str, below))} (sigmoid is its smooth form)"
            )
            return
