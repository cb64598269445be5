"""What training warns of: targets that outputs cannot reach, and layers that cannot learn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from foxnn._warnings import warn_user
from foxnn.losses import CustomLoss

if TYPE_CHECKING:
    from foxnn._arrays import Targets
    from foxnn.network import NeuralNetwork


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
