"""Networks from scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn.activations import Activation
from foxnn.io._layers import Dense, network_of

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

_OUTPUTS = {"identity": "linear", "logistic": "sigmoid", "softmax": "softmax", "exp": "exp"}


def from_sklearn(mlp: Any) -> NeuralNetwork:
    """See `foxnn.from_sklearn`."""
    try:
        from sklearn.neural_network import MLPClassifier, MLPRegressor
    except ImportError:
        raise ImportError("this needs scikit-learn: pip install foxnn[sklearn]") from None
    if not isinstance(mlp, (MLPClassifier, MLPRegressor)):
        raise TypeError(f"mlp: got {type(mlp).__name__}; it takes scikit-learn's MLPClassifier or MLPRegressor")
    if not hasattr(mlp, "coefs_"):
        raise ValueError("mlp: got one that has not been fitted; call its fit first")
    if mlp.out_activation_ not in _OUTPUTS:
        raise ValueError(f"mlp: its output activation {mlp.out_activation_!r} has no counterpart in foxnn")
    hidden, last = Activation(mlp.activation), Activation(_OUTPUTS[mlp.out_activation_])
    final = len(mlp.coefs_) - 1
    layers = [
        Dense(weights, bias, last if i == final else hidden)
        for i, (weights, bias) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True))
    ]
    network = network_of(layers, "float64" if mlp.coefs_[0].dtype == np.float64 else "float32")
    if isinstance(mlp, MLPClassifier):
        classes = (
            [label.tolist() for label in mlp.classes_] if isinstance(mlp.classes_, list) else mlp.classes_.tolist()
        )
        network.metadata["classes"] = classes
        network.loss = "cross_entropy" if last == "softmax" else "binary_cross_entropy"
    return network
