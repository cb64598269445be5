"""Promise: training follows a plain reference. A whole `fit` (shuffled batches, the last one smaller, sample weights,
validation, history) is that of a network written the obvious way in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_reference import Network, Optimizer, one_hot

import foxnn

N, BATCH, EPOCHS = 103, 16, 4
TIGHT = {"rtol": 1e-11, "atol": 1e-11}


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def reference_fit(
    nn: foxnn.NeuralNetwork,
    optimizer: Optimizer,
    X: Any,
    T: Any,
    weights: Any,
    correct: Any = None,
    validation: tuple[Any, Any, Any] | None = None,
    shuffle: bool = True,
) -> tuple[Network, dict[str, list[float]]]:
    """What `fit` should do to a network, and the history it should have. `correct(y, t)` tells who is right."""
    reference = Network(nn)
    history: dict[str, list[float]] = {}
    for epoch in range(EPOCHS):
        order = foxnn._core.shuffled_order(nn.seed, epoch, len(X)) if shuffle else np.arange(len(X))
        losses, answers = np.zeros(len(X)), np.zeros(len(X))
        for start in range(0, len(X), BATCH):
            batch = order[start : start + BATCH]
            losses[batch] = reference.losses(X[batch], T[batch])
            if correct:
                answers[batch] = correct(reference.predict(X[batch]), T[batch])
            optimizer.step(reference.parameters, reference.gradients(X[batch], T[batch], weights[batch]))
        values = {"loss": np.average(losses, weights=weights)}
        if correct:
            values["accuracy"] = np.average(answers, weights=weights)
        if validation:
            X_val, T_val, weights_val = validation
            values["val_loss"] = np.average(reference.losses(X_val, T_val), weights=weights_val)
            if correct:
                values["val_accuracy"] = np.average(correct(reference.predict(X_val), T_val), weights=weights_val)
        for name, value in values.items():
            history.setdefault(name, []).append(value)
    return reference, history


def check(nn: foxnn.NeuralNetwork, reference: Network, history: dict[str, list[float]] | None = None) -> None:
    for layer, W, b in zip(nn.layers, reference.W, reference.b, strict=True):
        np.testing.assert_allclose(layer.weights, W, **TIGHT)
        np.testing.assert_allclose(layer.bias, b, **TIGHT)
    if history is not None:
        assert {name for name in nn.history if name != "seconds"} == set(history)
        for name, values in history.items():
            np.testing.assert_allclose(nn.history[name], values, **TIGHT)


def largest(y: Any, t: Any) -> Any:
    return y.argmax(axis=1) == t.argmax(axis=1)


def sides(y: Any, t: Any) -> Any:
    return ((y > 0.5) == (t > 0.5)).all(axis=1)


_random = np.random.default_rng(1)
LABELS = _random.integers(5, size=N)
REAL = _random.uniform(0.05, 0.95, (N, 5))
COUNTS = _random.poisson(2.0, (N, 5))
YES_OR_NO = _random.integers(2, size=(N, 5))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("activation", "output", "loss", "y", "correct"),
    [
        ("sigmoid", "sigmoid", "half_squared_error", REAL, None),
        ("relu", "softmax", "cross_entropy", LABELS, largest),
        ("relu", "softmax", "cross_entropy", one_hot(LABELS, 5), largest),
        ("tanh", "softmax", "mean_squared_error", LABELS, largest),
        ("tanh", "sigmoid", "binary_cross_entropy", YES_OR_NO, sides),
        ("softplus", "softmax", "binary_cross_entropy", LABELS, largest),
        ("sin", "exp", "poisson", COUNTS, None),
        ("gaussian", "softplus", "poisson", COUNTS, None),
        ("tanh", "linear", "mean_squared_error", REAL, None),
        ("relu", "linear", "mean_absolute_error", REAL, None),
        (["relu", "tanh", "sigmoid"], "tanh", "huber", 4 * REAL - 2, None),
        ([], "softmax", "cross_entropy", LABELS, largest),
    ],
)
def test_fit(
    activation: Any, output: str, loss: str, y: Any, correct: Any, weighted: bool, shuffle: bool, random: Any
) -> None:
    hidden = [9] * len(activation) if isinstance(activation, list) else [11, 9]
    nn = foxnn.neural_network([7, *hidden, 5], activation=activation, output=output, loss=loss, dtype="float64", seed=5)
    X, X_val = random.normal(size=(N, 7)), random.normal(size=(40, 7))
    weights, weights_val = (random.uniform(0, 2, n) if weighted else np.ones(n) for n in (N, 40))
    T = one_hot(y, 5) if y.ndim == 1 else y
    expected, history = reference_fit(
        nn, Optimizer("adam", 0.01), X, T, weights, correct, (X_val, T[:40], weights_val), shuffle
    )
    nn.fit(
        X, y, epochs=EPOCHS, batch_size=BATCH, learning_rate=0.01, shuffle=shuffle,
        sample_weight=weights if weighted else None,
        validation_data=(X_val, y[:40], weights_val) if weighted else (X_val, y[:40]),
    )  # fmt: skip
    check(nn, expected, history)
    np.testing.assert_allclose(nn.predict(X), expected.predict(X), **TIGHT)
    final = nn.evaluate(X, y, weights)
    assert final["loss"] == pytest.approx(np.average(expected.losses(X, T), weights=weights), rel=1e-11)
    if correct:
        assert final["accuracy"] == pytest.approx(np.average(correct(expected.predict(X), T), weights=weights))


@pytest.mark.parametrize("batch_size", [100, 150, 700])
def test_wide_layers_in_large_batches(batch_size: int, random: Any) -> None:
    """Where products are cut into parts, or inputs into tiles: no size is a multiple of theirs."""
    nn = foxnn.neural_network([37, 261, 300, 5], activation="tanh", output="softmax", dtype="float64", seed=5)
    X, labels = random.normal(size=(750, 37)), random.integers(5, size=750)
    T, expected, optimizer = one_hot(labels, 5), Network(nn), Optimizer("adam", 0.001)
    for start in range(0, 750, batch_size):
        batch = slice(start, start + batch_size)
        gradients = expected.gradients(X[batch], T[batch], np.ones(len(X[batch])))
        optimizer.step(expected.parameters, gradients)
    nn.fit(X, labels, epochs=1, batch_size=batch_size, learning_rate=0.001, shuffle=False)
    check(nn, expected)


def test_one_output_for_two_classes(random: Any) -> None:
    X, y = random.normal(size=(N, 4)), random.integers(2, size=N)
    nets = []
    for form in (y, y.astype(bool), y[:, None], y.astype(float), y.tolist()):
        nn = foxnn.neural_network([4, 6, 1], activation="tanh", loss="binary_cross_entropy", dtype="float64", seed=1)
        nets.append(nn)
        expected, history = reference_fit(nn, Optimizer("adam", 0.05), X, y[:, None], np.ones(N), sides)
        nn.fit(X, form, epochs=EPOCHS, batch_size=BATCH, learning_rate=0.05)
        check(nn, expected, history)


@pytest.mark.parametrize(
    ("options", "scale", "offset"),
    [({}, 1 / 255, 0), ({"scale": 0.1}, 0.1, 0), ({"scale": 0.1, "offset": -3}, 0.1, -3), ({"offset": -9}, 1, -9)],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_how_inputs_are_read(dtype: Any, options: dict[str, float], scale: float, offset: float, random: Any) -> None:
    """As x * scale + offset, in training, in validation and, remembered, in predictions; uint8 as x / 255."""
    X = random.integers(0, 256, (N, 6)).astype(dtype)
    if dtype != np.uint8 and not options:
        scale = 1
    nn = foxnn.neural_network([6, 8, 5], activation="sigmoid", output="softmax", dtype="float64", seed=2)
    inputs = X.astype(np.float64) * scale + offset
    expected, history = reference_fit(
        nn, Optimizer("sgd", 0.01), inputs, one_hot(LABELS, 5), np.ones(N), largest,
        (inputs[:30], one_hot(LABELS[:30], 5), np.ones(30)),
    )  # fmt: skip
    nn.fit(
        X, LABELS, epochs=EPOCHS, batch_size=BATCH, optimizer="sgd", learning_rate=0.01,
        validation_data=(X[:30], LABELS[:30]), **options,
    )  # fmt: skip
    check(nn, expected, history)
    np.testing.assert_allclose(nn.predict(X), expected.predict(inputs), **TIGHT)
    np.testing.assert_allclose(nn.predict(X[:1]), expected.predict(inputs[:1]), **TIGHT)
    np.testing.assert_allclose(nn.predict(X[3]), expected.predict(inputs[3:4])[0], **TIGHT)
    np.testing.assert_allclose(
        nn.predict(X, scale=0.02, offset=0.5), expected.predict(X.astype(float) * 0.02 + 0.5), **TIGHT
    )
    assert nn.evaluate(X, LABELS)["loss"] == pytest.approx(expected.losses(inputs, one_hot(LABELS, 5)).mean())


@pytest.mark.parametrize("output", ["softmax", "linear"])
def test_forms_of_the_same_classes(output: str, random: Any) -> None:
    """Integers, one-hot rows and real numbers, in any number type, train to the same bits."""
    X, found, losses = random.normal(size=(N, 6)), set(), set()
    for y in (
        LABELS, LABELS.astype(np.int8), LABELS.astype(np.float32), LABELS.tolist(), LABELS[:, None],
        one_hot(LABELS, 5), one_hot(LABELS, 5).astype(bool), one_hot(LABELS, 5).astype(np.uint8),
    ):  # fmt: skip
        nn = foxnn.neural_network([6, 7, 5], activation="relu", output=output, seed=3)
        history = nn.fit(X, y, epochs=2, batch_size=BATCH)
        found.add(b"".join(layer.weights.tobytes() for layer in nn.layers))
        losses.add((*history["loss"], *history["accuracy"]))
    assert len(found) == len(losses) == 1


def test_validation_split_is_validation_data(random: Any) -> None:
    """The same as fitting the rest of the samples, which keep their order, and validating on those held out."""
    X = random.normal(size=(N, 6))
    weights = random.uniform(0.5, 1, N)
    nn, other = (foxnn.neural_network([6, 7, 5], output="softmax", dtype="float64", seed=4) for _ in range(2))
    nn.fit(X, LABELS, epochs=EPOCHS, batch_size=BATCH, validation_split=0.3, sample_weight=weights)
    order = foxnn._core.shuffled_order(4, 2**32 - 1, N)
    held, kept = np.sort(order[: round(0.3 * N)]), np.sort(order[round(0.3 * N) :])
    other.fit(
        X[kept], LABELS[kept], epochs=EPOCHS, batch_size=BATCH, sample_weight=weights[kept],
        validation_data=(X[held], LABELS[held], weights[held]),
    )  # fmt: skip
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert nn.history[name] == other.history[name]
    assert np.array_equal(nn.layers[0].weights, other.layers[0].weights)


def test_class_weights_are_sample_weights(random: Any) -> None:
    X = random.normal(size=(N, 6))
    weights = random.uniform(0.5, 1, N)
    counts = np.bincount(LABELS)
    by_class = {0: 2.0, 3: 0.0, 4: 0.5}
    for class_weight, factors in (
        ("balanced", N / (5 * counts[LABELS])),
        (by_class, np.array([by_class.get(label, 1.0) for label in LABELS])),
    ):
        for given, y in ((None, LABELS), (weights, LABELS), (weights, one_hot(LABELS, 5))):
            nn, other = (foxnn.neural_network([6, 7, 5], output="softmax", seed=4) for _ in range(2))
            nn.fit(X, y, epochs=2, sample_weight=given, class_weight=class_weight)
            other.fit(X, y, epochs=2, sample_weight=factors if given is None else factors * given)
            assert nn.history["loss"] == other.history["loss"]
            assert np.array_equal(nn.layers[0].weights, other.layers[0].weights)


def test_an_order_is_a_permutation_of_its_own() -> None:
    orders = [foxnn._core.shuffled_order(seed, epoch, 1000) for seed in (0, 1) for epoch in range(20)]
    for order in orders:
        assert sorted(order) == list(range(1000))
    assert len({order.tobytes() for order in orders}) == len(orders)
    firsts = np.bincount([foxnn._core.shuffled_order(9, epoch, 5)[0] for epoch in range(2000)])
    assert firsts.min() > 300  # 400 of each are expected
