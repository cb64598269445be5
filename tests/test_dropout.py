"""Promise: dropout is that of Srivastava et al. (2014): each hidden output is dropped with a probability, the rest grow
in turn, and the gradient goes through what is left. Which ones are dropped is a matter of seed, epoch, layer, sample
and unit alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_reference import ACTIVATIONS, SLOPES, one_hot

import foxnn


def masks(seed: int, epoch: int, layer: int, rate: float, n: int, units: int) -> Any:
    """What the outputs (n, units) of a hidden layer are multiplied with in an epoch, read off a step of training.

    All outputs of that layer of a probe are 1 before dropout, the next one's weights are the identity, and the
    samples are one-hot, so that a step of gradient descent on half the sum of squares makes the first layer's
    weights (n, units) minus mask^2 / n.
    """
    rates = [0.0] * layer + [rate]
    probe = foxnn.neural_network(
        [n] + [units] * (layer + 2), activation="linear", output="linear", dropout=rates, dtype="float64", seed=seed
    )
    for index, each in enumerate(probe.layers):
        each.weights = np.eye(units) if index else 0.0
        each.bias = 0.0 if index else 1.0
    probe.epoch = epoch
    before = probe.layers[0].weights
    probe.fit(np.eye(n), np.zeros((n, units)), epochs=1, batch_size=n, optimizer="sgd", learning_rate=1.0)
    squares = n * (before - probe.layers[0].weights)
    return np.round(np.sqrt(squares) * (1 - rate), 9) / (1 - rate)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_the_share_of_outputs_dropped(rate: float) -> None:
    drawn = masks(1, 0, 0, rate, 500, 200)
    kept = drawn[drawn > 0]
    np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=1e-4)
    deviation = np.sqrt(rate * (1 - rate) / drawn.size)
    assert abs(np.mean(drawn == 0) - rate) < 4 * deviation
    for axis in (0, 1):  # no unit and no sample is favoured
        spread = np.std(np.mean(drawn == 0, axis=axis)) / np.sqrt(rate * (1 - rate) / drawn.shape[axis])
        assert 0.8 < spread < 1.2


def test_masks_are_independent() -> None:
    draws = [
        masks(seed, epoch, layer, 0.5, 100, 60).ravel() > 0 for seed in (1, 2) for epoch in (0, 1) for layer in (0, 1)
    ]
    draws += [draws[0].reshape(100, 60)[::-1].ravel(), draws[0].reshape(100, 60)[:, ::-1].ravel()]
    for i, one in enumerate(draws):
        for other in draws[:i]:
            assert abs(np.mean(one == other) - 0.5) < 5 * 0.5 / np.sqrt(one.size)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "sin"])
@pytest.mark.parametrize("dropout", [0.25, [0.5, 0.0], [0.0, 0.75]])
def test_training_follows_a_plain_reference(activation: str, dropout: Any) -> None:
    random = np.random.default_rng(0)
    n, batch, sizes = 50, 16, [6, 21, 13, 4]
    X, labels = random.normal(size=(n, 6)), random.integers(4, size=n)
    nn = foxnn.neural_network(sizes, activation=activation, output="softmax", dropout=dropout, dtype="float64", seed=7)
    W, b = [layer.weights for layer in nn.layers], [layer.bias for layer in nn.layers]
    rates = dropout if isinstance(dropout, list) else [dropout] * 2
    losses = np.zeros((3, n))
    for epoch in range(3):
        all_masks = [masks(7, epoch, layer, rates[layer], n, sizes[layer + 1]) for layer in range(2)]
        order = foxnn._core.shuffled_order(7, epoch, n)
        for start in range(0, n, batch):
            rows = order[start : start + batch]
            inputs, logits = [X[rows]], []
            for layer in range(2):
                logits.append(inputs[-1] @ W[layer] + b[layer])
                inputs.append(ACTIVATIONS[activation](logits[-1]) * all_masks[layer][rows])
            y, t = ACTIVATIONS["softmax"](inputs[-1] @ W[2] + b[2]), one_hot(labels[rows], 4)
            losses[epoch, rows] = -np.log((y * t).sum(axis=1))
            d = (y - t) / len(rows)
            for layer in (2, 1, 0):
                dW, db, d = inputs[layer].T @ d, d.sum(axis=0), d @ W[layer].T
                if layer:
                    d *= SLOPES[activation](logits[layer - 1]) * all_masks[layer - 1][rows]
                W[layer], b[layer] = W[layer] - 0.1 * dW, b[layer] - 0.1 * db
    nn.fit(X, labels, epochs=3, batch_size=batch, optimizer="sgd", learning_rate=0.1)
    for layer, weights, bias in zip(nn.layers, W, b, strict=True):
        np.testing.assert_allclose(layer.weights, weights, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(layer.bias, bias, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(nn.history["loss"], losses.mean(axis=1), rtol=1e-10)


def test_nothing_is_dropped_outside_training() -> None:
    random = np.random.default_rng(1)
    X, y = random.normal(size=(30, 6)), random.integers(3, size=30)
    nn, plain = (foxnn.neural_network([6, 20, 3], output="softmax", dropout=p, seed=1) for p in (0.5, 0.0))
    assert np.array_equal(nn.predict(X), plain.predict(X))
    assert nn.evaluate(X, y) == plain.evaluate(X, y)
    for ours, theirs in zip(nn.loss_and_gradients(X, y)[1], plain.loss_and_gradients(X, y)[1], strict=True):
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-7)


def test_dropout_can_be_switched_on_and_off() -> None:
    random = np.random.default_rng(2)
    X, y = random.normal(size=(30, 6)), random.integers(3, size=30)
    nn, other = (foxnn.neural_network([6, 20, 3], output="softmax", dropout=p, seed=1) for p in (0.0, 0.5))
    nn.loss_and_gradients(X, y)  # so that it has memory for training without dropout
    nn.dropout = 0.5
    assert nn.dropout == other.dropout == [0.5]
    for network in (nn, other):
        network.fit(X, y, epochs=2)
    assert np.array_equal(nn.layers[0].weights, other.layers[0].weights)
    nn.dropout = other.dropout = 0
    for network in (nn, other):
        network.fit(X, y, epochs=2)
    assert np.array_equal(nn.layers[0].weights, other.layers[0].weights)


def test_single_batches_have_masks_of_their_own() -> None:
    nn = foxnn.neural_network([1, 200, 1], activation="linear", output="linear", dropout=0.5, init="zeros", seed=1)
    nn.layers[0].bias = 1.0
    nn.optimizer = foxnn.optimizers.SGD(1.0)
    dropped = []
    for _ in range(3):
        nn.layers[1].weights = nn.layers[1].bias = 0.0
        nn.train_on_batch([[0.0]], [1.0])
        dropped.append((nn.layers[1].weights == 0).tobytes())
        nn.layers[0].weights, nn.layers[0].bias = 0.0, 1.0
    assert len(set(dropped)) == 3


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan"), [0.5, 0.5, 0.5], [0.1, 1.0]])
def test_rates_that_are_none(rate: Any) -> None:
    with pytest.raises(ValueError, match="dropout"):
        foxnn.neural_network([2, 3, 3, 1], dropout=rate)


@pytest.mark.parametrize("rate", [1e-5, 0.99999])
def test_rates_at_the_edge(rate: float) -> None:
    nn = foxnn.neural_network([2, 3, 1], dropout=rate, seed=0)
    nn.fit([[0, 1], [1, 0]], [0, 1], epochs=20)
    assert all(np.isfinite(layer.weights).all() for layer in nn.layers)
