"""Networks from and to scikit-learn."""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn._extras import needing
from foxnn.activations import Activation
from foxnn.io._layers import Dense, dense_layers, folded, network_of, scale_inputs, standardising

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

_OUTPUTS = {"identity": "linear", "logistic": "sigmoid", "softmax": "softmax", "exp": "exp"}
#: Where estimators that hold another one keep it: searches, and those that transform targets.
_INSIDE = ("best_estimator_", "regressor_", "estimator_")
_HIDDEN = {"linear": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "foxnn_relu": "relu"}


def from_sklearn(mlp: Any) -> NeuralNetwork:
    """See `foxnn.from_sklearn`."""
    MLPClassifier, MLPRegressor = _estimators()
    mlp, scaling = _taken_apart(mlp)
    base = next((kind for kind in (MLPClassifier, MLPRegressor) if isinstance(mlp, kind)), None)
    if base is None:
        inside = next((name for name in _INSIDE if hasattr(mlp, name)), None)
        hint = f"; try its {inside}" if inside else ""
        raise TypeError(
            f"mlp: got {type(mlp).__name__}; it takes scikit-learn's MLPClassifier or MLPRegressor, or a Pipeline that "
            f"ends with one{hint}"
        )
    _check_inherited(mlp, base)
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
    if scaling is not None:
        scale_inputs(network, *(np.broadcast_to(np.asarray(value, np.float64), network._n_in) for value in scaling))
    if isinstance(mlp, MLPClassifier):
        classes = (
            [label.tolist() for label in mlp.classes_] if isinstance(mlp.classes_, list) else mlp.classes_.tolist()
        )
        network.metadata["classes"] = classes
        network.loss = "cross_entropy" if last == "softmax" else "binary_cross_entropy"
    return network


def to_sklearn(network: NeuralNetwork) -> Any:
    """Make an estimator of a network; see `NeuralNetwork.to_sklearn`."""
    MLPClassifier, MLPRegressor = _estimators()
    layers = dense_layers(folded(network, "scikit-learn"))
    scaling = standardising(network, layers)
    *hidden, last = layers
    if last.activation.name not in _OUTPUTS.values():
        raise ValueError(
            f"output: got {last.activation}; scikit-learn's networks take softmax, sigmoid, linear and exp"
        )
    options = {
        "hidden_layer_sizes": tuple(len(layer.bias) for layer in hidden),
        "activation": _hidden_activation([layer.activation for layer in hidden]),
        "alpha": 0.0,
        "random_state": 0,  # so that nothing is drawn from NumPy's
    }
    x = np.zeros((1, network._n_in), network.dtype)
    y = np.ones((1, len(last.bias)) if len(last.bias) > 1 else 1)
    if last.activation == "exp":
        try:
            mlp = MLPRegressor(loss="poisson", **options)
        except TypeError:
            raise ValueError("output: got exp; it takes scikit-learn 1.7 or later, with its Poisson loss") from None
        mlp.partial_fit(x, y)
    elif last.activation == "linear":
        mlp = MLPRegressor(**options).partial_fit(x, y)
    elif last.activation == "sigmoid" and len(last.bias) > 1:
        mlp = MLPClassifier(**options).partial_fit(
            x, np.eye(1, len(last.bias), dtype=int), classes=np.arange(len(last.bias))
        )
    else:
        classes, last = _sorted(last, network.metadata.get("classes"))
        mlp = MLPClassifier(**options).partial_fit(x, classes[:1], classes=classes)
    # That step made all that a fitted estimator has; what it learned is forgotten again.
    layers = [*hidden, last]
    mlp.coefs_ = [np.ascontiguousarray(layer.weights, network.dtype) for layer in layers]
    mlp.intercepts_ = [layer.bias.astype(network.dtype) for layer in layers]
    mlp.n_iter_ = mlp.t_ = 0
    mlp.loss_curve_, mlp.loss_, mlp.best_loss_ = [], np.inf, np.inf
    del mlp._optimizer
    mlp.set_params(random_state=None)
    return mlp if scaling is None else _scaled(mlp, *scaling)


def _scaled(mlp: Any, shift: Any, spread: Any) -> Any:
    """The pipeline of a StandardScaler that has learned this, and an estimator."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_ = shift.copy(), spread.copy(), spread**2
    scaler.n_features_in_, scaler.n_samples_seen_ = len(shift), 0
    return make_pipeline(scaler, mlp)


def _taken_apart(model: Any) -> tuple[Any, tuple[Any, Any] | None]:
    """The network of a pipeline, or the model itself; and by what its inputs are multiplied, and what is added then."""
    from sklearn.pipeline import Pipeline

    if not isinstance(model, Pipeline):
        return model, None
    _check_inherited(model, Pipeline)
    *scalers, (_, mlp) = model.steps
    factor, shift = 1.0, 0.0
    for name, scaler in scalers:
        if scaler not in (None, "passthrough"):
            times, plus = _affine(name, scaler)
            factor, shift = factor * times, shift * times + plus
    return mlp, (factor, shift) if np.ndim(factor) or np.ndim(shift) else None


def _check_inherited(model: Any, base: Any) -> None:
    """Refuse a subclass that predicts in another way."""
    for method in ("predict", "predict_proba", "_forward_pass_fast"):
        found, inherited = (getattr_static(kind, method, None) for kind in (type(model), base))
        if found is not inherited or method in vars(model):
            raise ValueError(f"mlp: {type(model).__name__} has a {method} of its own, which may compute anything")


def _affine(name: str, scaler: Any) -> tuple[Any, Any]:
    """What a fitted scaler multiplies by, and then adds."""
    from sklearn import preprocessing
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    takes = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")
    if type(scaler) not in [getattr(preprocessing, kind) for kind in takes] or getattr(scaler, "clip", False):
        raise ValueError(f"mlp: step {name!r}, {scaler}, has no counterpart in foxnn; it takes {', '.join(takes)}")
    try:
        check_is_fitted(scaler)
    except NotFittedError:
        raise ValueError("mlp: got a pipeline that has not been fitted; call its fit first") from None
    if isinstance(scaler, preprocessing.MinMaxScaler):
        return scaler.scale_, scaler.min_
    middle = getattr(scaler, "center_", None)  # of a RobustScaler
    if isinstance(scaler, preprocessing.StandardScaler) and scaler.with_mean:
        middle = scaler.mean_
    times = np.ones(scaler.n_features_in_) if scaler.scale_ is None else 1 / scaler.scale_
    return times, 0.0 if middle is None else -middle * times


def _estimators() -> tuple[Any, Any]:
    with needing("sklearn", message="this needs scikit-learn: pip install foxnn[sklearn]"):
        from sklearn.neural_network import MLPClassifier, MLPRegressor
    return MLPClassifier, MLPRegressor


def _hidden_activation(activations: list[Activation]) -> str:
    """scikit-learn's name of the one activation that all hidden layers have."""
    found = []
    for i, activation in enumerate(activations):
        if activation.name not in _HIDDEN:
            raise ValueError(f"layer {i}: has {activation}; scikit-learn's take sigmoid, tanh, relu and linear")
        found.append(_HIDDEN[activation.name])
    if len(set(found)) > 1:
        shown = ", ".join(map(str, activations))
        raise ValueError(f"activations: got {shown}; scikit-learn's networks have one for all hidden layers")
    return found[0] if found else "relu"


def _sorted(last: Dense, names: Any) -> tuple[Any, Dense]:
    """The classes in the order in which scikit-learn keeps them, and the last layer to go with it."""
    weights, bias, activation = last
    n = max(len(bias), 2)
    if len(bias) == 1 and activation == "softmax":
        raise ValueError("output: got softmax of one number, which is always 1")
    classes, order = np.unique(np.arange(n) if names is None else np.asarray(names), return_index=True)
    if len(classes) != n:
        raise ValueError(f'metadata["classes"]: got {names!r}; it takes {n} different classes')
    if activation == "softmax":
        weights, bias = weights[:, order], bias[order]
        if n == 2:  # the second of two probabilities is the sigmoid of the difference
            weights, bias, activation = weights[:, 1:] - weights[:, :1], bias[1:] - bias[:1], Activation("sigmoid")
    elif order[0] == 1:  # the probability of the other class
        weights, bias = -weights, -bias
    return classes, Dense(weights, bias, activation)
