"""Promise: it learns. Small problems with known answers, and scikit-learn's own networks and data to measure up to."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import foxnn

if TYPE_CHECKING:
    from foxnn.datasets import Dataset

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def xor_error(n_hidden: int, seed: int) -> float:
    nn = foxnn.neural_network([2, n_hidden, 1], init="foxnn", seed=seed)
    nn.fit(*XOR, epochs=3000, batch_size=4, optimizer="rmsprop", learning_rate=0.05)
    return float(np.abs(nn.predict(XOR[0]).ravel() - XOR[1]).max())


def test_xor_with_four_hidden_units() -> None:
    assert max(xor_error(4, seed) for seed in range(5)) < 1e-3


def test_xor_with_two_hidden_units() -> None:
    """From most starts; the others end in a local minimum, as the problem has them."""
    assert sum(xor_error(2, seed) < 1e-3 for seed in range(10)) >= 6


def test_a_network_that_can_be_computed_by_hand() -> None:
    """h1 = h2 = sigmoid(0 * 2 + 1 * 3) = 0.9526; y = sigmoid(0 * h1 + 1 * h2) = 0.7216."""
    nn = foxnn.neural_network([2, 2, 1])
    for layer in nn.layers:
        layer.weights = np.repeat([[0.0], [1.0]], layer.n_out, axis=1)
        layer.bias = 0.0
    assert nn.predict([2, 3]) == pytest.approx([0.7216325609518421], rel=1e-6)


@pytest.mark.parametrize("optimizer", foxnn.optimizers.names())
def test_one_neuron_recovers_a_line(optimizer: str) -> None:
    x = np.linspace(-1, 1, 20)
    nn = foxnn.neural_network([1, 1], output="linear", dtype="float64", seed=0)
    for rate in (2, 0.5, 0.1) if optimizer == "adagrad" else (0.1, 0.01, 0.001):
        nn.fit(x, 2 * x + 5, epochs=150, batch_size=5, optimizer=optimizer, learning_rate=rate)
    assert nn.layers[0].weights.item() == pytest.approx(2, abs=0.02)
    assert nn.layers[0].bias.item() == pytest.approx(5, abs=0.02)


def two_waves(x: Any) -> Any:
    return np.where(x < 0, x * np.sin(2 * np.pi * x), -x * np.sin(np.pi * x) + np.exp(np.maximum(x, 0) / 2) - 1)


@pytest.mark.parametrize(
    ("function", "hidden", "learning_rate"),
    [(lambda x: 2 * np.sin(x) + 5, [16], 0.03), (two_waves, [40, 40], 0.01)],
    ids=["2 sin x + 5", "two waves"],
)
def test_curves(function: Any, hidden: list[int], learning_rate: float) -> None:
    x = np.linspace(-3, 3, 200)
    y = function(x)
    nn = foxnn.neural_network([1, *hidden, 1], activation="tanh", output="linear", seed=0)
    for epochs, rate in ((900, learning_rate), (300, learning_rate / 10)):
        nn.fit(x, y, epochs=epochs, batch_size=20, learning_rate=rate)
    assert (nn.predict(x).ravel() - y).std() < 0.1 * y.std()


def test_mnist(mnist: Dataset) -> None:
    nn = foxnn.neural_network([784, 16, 16, 10], activation="relu", output="softmax", seed=0, n_threads=1)
    nn.fit(mnist.X_train, mnist.y_train, epochs=4, batch_size=64, learning_rate=3e-3)
    assert nn.evaluate(mnist.X_test, mnist.y_test)["accuracy"] > 0.93


@pytest.mark.parametrize(("name", "hidden"), [("iris", 16), ("breast_cancer", 16), ("digits", 32), ("diabetes", 16)])
def test_as_good_as_scikit_learn(name: str, hidden: int) -> None:
    """The same split, architecture, start, optimizer, epochs and batch size: only the shuffles differ, which is
    what the mean over some splits is allowed to be lower for (0.01 of accuracy or of R^2)."""
    pytest.importorskip("sklearn")
    from sklearn import datasets
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    regression = name == "diabetes"
    if regression:
        y = (y - y.mean()) / y.std()
    epochs, rate, ours, theirs = 60, 0.005, [], []
    for seed in range(4):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed, stratify=None if regression else y)
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

        def mlp(seed: int = seed, **options: Any) -> Any:
            kind = MLPRegressor if regression else MLPClassifier
            options = {"max_iter": epochs, "learning_rate_init": rate, "n_iter_no_change": epochs, **options}
            return kind(hidden_layer_sizes=(hidden,), alpha=0, random_state=seed, **options)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            peer = mlp().fit(X_train, y_train)
            start = mlp(max_iter=1, learning_rate_init=1e-12).fit(X_train, y_train)
        nn = foxnn.neural_network(
            [X.shape[1], hidden, 1 if regression or y.max() == 1 else y.max() + 1],
            activation="relu",
            loss={"diabetes": "half_squared_error", "breast_cancer": "binary_cross_entropy"}.get(name, "cross_entropy"),
            init=list(zip(start.coefs_, start.intercepts_, strict=True)),
            seed=seed,
        )
        nn.fit(X_train, y_train, epochs=epochs, batch_size=min(200, len(X_train)), learning_rate=rate)
        theirs.append(peer.score(X_test, y_test))
        if regression:
            error = y_test - nn.predict(X_test).ravel()
            ours.append(1 - (error**2).sum() / ((y_test - y_test.mean()) ** 2).sum())
        else:
            ours.append(nn.evaluate(X_test, y_test)["accuracy"])
    assert np.mean(ours) >= np.mean(theirs) - 0.01, (ours, theirs)
    assert np.mean(ours) > {"diabetes": 0.3}.get(name, 0.85)
