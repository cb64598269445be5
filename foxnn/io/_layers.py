"""Building a network from the layers that another library's model has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy.typing as npt

from foxnn.activations import Activation

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class Dense(NamedTuple):
    """A layer: weights (n_in, n_out), bias (n_out,) and an activation."""

    weights: npt.NDArray[Any]
    bias: npt.NDArray[Any]
    activation: Activation


def network_of(layers: Sequence[Dense], dtype: Any, dropout: Sequence[float] | float = 0.0) -> NeuralNetwork:
    """The network of these layers; ValueError if they do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Dense(np.eye(2, 3), np.zeros(3), Activation("tanh"))
    >>> network_of([layer], "float32")
    neural_network([2, 3], [tanh], loss='half_squared_error', dtype='float32')
    """
    from foxnn.network import NeuralNetwork

    for i in range(1, len(layers)):
        before, here = layers[i - 1].weights.shape[1], layers[i].weights.shape[0]
        if before != here:
            raise ValueError(f"layer {i}: takes {here} inputs, but the layer before it has {before} outputs")
    return NeuralNetwork(
        [layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in layers)],
        activation=[layer.activation for layer in layers[:-1]],
        output=layers[-1].activation,
        init=[(layer.weights, layer.bias) for layer in layers],
        dropout=dropout,
        dtype=dtype,
    )
