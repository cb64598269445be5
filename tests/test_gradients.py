"""Promise: right gradients. For every activation, loss, regulariser and number type, at any depth, the gradient of the
weighted mean loss for every weight and bias is that of central differences in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from as_in_files import _as_in_files, as_in_files  # noqa: F401  (a fixture)
from numpy_reference import KINKS, Network

import foxnn

pytestmark = as_in_files


ACTIVATIONS = [name for name in foxnn._core.ACTIVATIONS if name != "softmax"]
LOSSES = foxnn.losses.names()

#: An argument at which each activation lies well between 0 and 1, where all losses are smooth.
INSIDE = {"gelu": 0.7, "silu": 0.7, "mish": 0.6, "softplus": -0.5, "softsign": 0.8, "sigmoid": 0,
          "hard_sigmoid": 0.3, "cos": 1, "gaussian": 1, "exp": -1, "softmax": 0}  # fmt: skip

TOLERANCE = {"float64": 1e-6, "float32": 2e-5}


def data(sizes: list[int], loss: str, kind: str, seed: int) -> tuple[Any, Any, Any]:
    """Inputs, targets that the loss takes, and uneven weights."""
    random = np.random.default_rng(seed)
    n, n_out = 7, sizes[-1]
    labels = random.integers(n_out, size=n)
    y = {
        "classes": labels,
        "one-hot": np.eye(n_out)[labels],
        "real": random.uniform(0.05, 0.95, (n, n_out)),
        "counts": random.integers(0, 4, (n, n_out)),
    }[kind]
    return random.normal(size=(n, sizes[0])), y, random.uniform(0.2, 2, n)


def smooth_network(sizes: list[int], X: Any, dtype: str = "float64", **options: Any) -> foxnn.NeuralNetwork:
    """A random network none of whose logits lies near a kink, nor any output outside the losses' domain."""
    for seed in range(1000):
        nn = foxnn.neural_network(sizes, init="glorot_normal", dtype="float64", seed=seed, **options)
        biases = np.random.default_rng(seed)
        for layer in nn.layers[:-1]:
            layer.bias = biases.normal(size=layer.n_out) * 0.5
        last = nn.layers[-1]
        last.weights = last.weights * 0.1
        last.bias = INSIDE.get(last.activation.name, 0.4) + biases.normal(size=last.n_out) * 0.02
        if dtype == "float32":  # both number types get the very same weights
            for layer in nn.layers:
                layer.weights, layer.bias = layer.weights.astype(np.float32), layer.bias.astype(np.float32)
        reference = Network(nn)
        distances = [
            np.abs(z - kink).min()
            for name, z in zip(reference.activations, reference.logits(X), strict=True)
            for kink in KINKS.get(name, ())
        ]
        if min(distances, default=1) > 1e-3:
            return nn
    raise AssertionError("no smooth network found")


def flat(gradients: list[tuple[Any, Any]]) -> Any:
    return np.concatenate([part.astype(np.float64).ravel() for pair in gradients for part in pair])


def central_differences(
    nn: foxnn.NeuralNetwork, *samples: Any, loss: Callable[[], float] | None = None, step: float = 1e-5
) -> Any:
    """The gradient of `evaluate`'s loss, or of another one, number by number."""
    loss = loss or (lambda: nn.evaluate(*samples)["loss"])
    slopes = []
    for layer in nn.layers:
        for name in layer.parameter_names:
            values = layer.get_array(name)
            for index in np.ndindex(values.shape):
                losses = []
                for sign in (1, -1):
                    moved = values.copy()
                    moved[index] += sign * step
                    layer.set_array(name, moved)
                    losses.append(loss())
                slopes.append((losses[0] - losses[1]) / (2 * step))
            layer.set_array(name, values)
    return np.array(slopes)


def relative_error(got: Any, expected: Any) -> float:
    scale = np.linalg.norm(expected)
    return float(np.linalg.norm(got - expected) / scale) if scale else float(np.linalg.norm(got))


def check(nn: foxnn.NeuralNetwork, *samples: Any) -> None:
    loss, gradients = nn.loss_and_gradients(*samples)
    assert loss == pytest.approx(nn.evaluate(*samples)["loss"], rel=1e-14)
    assert relative_error(flat(gradients), central_differences(nn, *samples)) < TOLERANCE["float64"]


def kind_for(loss: str) -> str:
    return {"cross_entropy": "classes", "poisson": "counts"}.get(loss, "real")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_activation(activation: str, loss: str) -> None:
    sizes = [3, 4, 3]
    X, y, weights = data(sizes, loss, kind_for(loss), seed=1)
    if activation in KINKS:
        X = 9 * X  # so that all of its parts occur
    check(smooth_network(sizes, X, activation=activation, loss=loss), X, y, weights)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "softmax"])
def test_output_activation(activation: str, loss: str) -> None:
    """Also where the loss does not go with it: cross-entropy of sigmoids, squared error of a softmax, ..."""
    sizes = [3, 4, 3]
    samples = data(sizes, loss, kind_for(loss), seed=2)
    check(smooth_network(sizes, samples[0], activation="tanh", output=activation, loss=loss), *samples)


@pytest.mark.parametrize("kind", ["classes", "one-hot", "real", "counts"])
@pytest.mark.parametrize("loss", LOSSES)
def test_kinds_of_targets(loss: str, kind: str) -> None:
    """For cross-entropy, rows of targets that do not add up to one are among them."""
    if kind == "counts" and loss == "binary_cross_entropy":
        kind = "one-hot"
    sizes = [2, 3, 4]
    for output in (None, "softplus" if loss == "poisson" else "softmax"):
        samples = data(sizes, loss, kind, seed=3)
        check(smooth_network(sizes, samples[0], activation="tanh", output=output, loss=loss), *samples)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        (foxnn.Activation("elu", alpha=0.3), "mean_squared_error"),
        (foxnn.Activation("elu", alpha=0.0), "mean_squared_error"),
        (foxnn.Activation("leaky_relu", negative_slope=0.3), "mean_squared_error"),
        ("tanh", foxnn.Loss("huber", delta=0.1)),
        ("tanh", foxnn.Loss("huber", delta=3.0)),
    ],
)
def test_parameters_other_than_the_defaults(activation: Any, loss: Any) -> None:
    sizes = [3, 4, 2]
    for output in ("linear", activation):
        X, y, weights = data(sizes, "", "real", seed=4)
        nn = smooth_network(sizes, X, activation=activation, output=output, loss=loss)
        check(nn, X, 2 * y - 1, weights)


@pytest.mark.parametrize("hidden", range(4))
def test_depth(hidden: int) -> None:
    """One to four layers, another activation in each."""
    random = np.random.default_rng(hidden)
    for trial in range(6):
        sizes = [int(n) for n in random.integers(1, 6, hidden + 2)]
        activations = [str(a) for a in random.choice([a for a in ACTIVATIONS if a != "threshold"], hidden)]
        samples = data(sizes, "huber", "real", seed=trial)
        nn = smooth_network(sizes, samples[0], activation=activations, output="arctan", loss="huber")
        check(nn, *samples)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_smoothed_labels(output: str, loss: str) -> None:
    samples = data([3, 4, 3], loss, kind_for(loss), seed=9)
    nn = smooth_network([3, 4, 3], samples[0], activation="tanh", output=output, loss=loss)
    nn.loss = foxnn.Loss(loss, label_smoothing=0.3)
    check(nn, *samples)


@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.2), (0.05, 0.5)])
def test_penalties(l1: float, l2: float) -> None:
    samples = data([3, 4, 3], "huber", "real", seed=10)
    nn = smooth_network([3, 4, 3], samples[0], activation="tanh", output="linear", loss="huber")
    nn.l1, nn.l2 = l1, l2
    _, gradients = nn.loss_and_gradients(*samples)
    expected = central_differences(nn, loss=lambda: nn.loss_and_gradients(*samples)[0])
    assert relative_error(flat(gradients), expected) < TOLERANCE["float64"]


@pytest.mark.parametrize("norm", [foxnn.BatchNorm(epsilon=0.1), foxnn.LayerNorm(epsilon=0.1)], ids=repr)
@pytest.mark.parametrize("loss", ["cross_entropy", "huber"])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu", "linear"])
def test_normalisation(activation: str, loss: str, norm: Any) -> None:
    """With the moments of the samples, which depend on the weights too; with penalties as well, which gamma has not."""
    X, y, weights = data([3, 5, 4, 3], loss, kind_for(loss), seed=12)
    output = None if loss == "cross_entropy" else "linear"
    sizes: Any = [3, 5, norm, 4, norm, 3]
    nn = smooth_network(sizes, X, activation=activation, output=output, loss=loss)
    random = np.random.default_rng(0)
    for layer in nn.layers[:-1]:
        layer.norm.gamma, layer.norm.beta = random.uniform(0.5, 2, layer.n_out), random.normal(size=layer.n_out)
    nn.l1, nn.l2 = 0.01, 0.1
    _, gradients = nn.loss_and_gradients(X, y, weights)
    assert [len(arrays) for arrays in gradients] == [4, 4, 2]
    expected = central_differences(nn, loss=lambda: nn.loss_and_gradients(X, y, weights)[0])
    assert relative_error(flat(gradients), expected) < TOLERANCE["float64"]
    if isinstance(norm, foxnn.BatchNorm):
        assert not gradients[0][1].any()


@pytest.mark.parametrize(
    "options",
    [{"dropout": 0.4}, {"input_noise": 0.3}, {"input_dropout": 0.4},
     {"dropout": [0.2, 0.5], "input_noise": 0.2, "input_dropout": 0.1}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_what_training_draws_at_random(activation: str, options: dict[str, Any]) -> None:
    """The loss of a step with the masks and the noise of one epoch, and the gradient that the step goes down."""
    X, y, weights = data([3, 5, 6, 3], "huber", "real", seed=11)
    nn = smooth_network([3, 5, 6, 3], X, activation=activation, output="linear", loss="huber")
    plain = nn.evaluate(X, y, weights)["loss"]
    for name, value in options.items():
        setattr(nn, name, value)

    def step(learning_rate: float) -> float:
        nn.epoch, nn.optimizer = 7, foxnn.optimizers.SGD(learning_rate)
        return nn.train_on_batch(X, y, weights)

    expected = central_differences(nn, loss=lambda: step(0.0))
    before = [(layer.weights, layer.bias) for layer in nn.layers]
    assert step(1.0) != pytest.approx(plain, rel=1e-3)
    after = [(layer.weights, layer.bias) for layer in nn.layers]
    assert relative_error(flat(before) - flat(after), expected) < TOLERANCE["float64"]


def test_wide_layers() -> None:
    """Layers wider than any vector, several tiles high: slopes along random directions."""
    random = np.random.default_rng(0)
    sizes, n = [37, 70, 45, 33], 41
    X, y = random.normal(size=(n, sizes[0])), random.integers(sizes[-1], size=n)
    for activation in ("tanh", "gelu", "softplus"):
        nn = foxnn.neural_network(sizes, activation=activation, output="softmax", dtype="float64", seed=1)
        _, gradients = nn.loss_and_gradients(X, y)
        for index, layer in enumerate(nn.layers):
            for part, name in enumerate(("weights", "bias")):
                values, losses, step = getattr(layer, name), [], 1e-5
                direction = random.normal(size=values.shape)
                for sign in (1, -1):
                    setattr(layer, name, values + sign * step * direction)
                    losses.append(nn.evaluate(X, y)["loss"])
                setattr(layer, name, values)
                slope = (losses[0] - losses[1]) / (2 * step)
                gradient = gradients[index][part]
                tolerance = 1e-7 * np.linalg.norm(gradient) * np.linalg.norm(direction)
                assert abs((gradient * direction).sum() - slope) < tolerance


def test_weights_of_zero_take_samples_out() -> None:
    X, y, weights = data([3, 4, 2], "huber", "real", seed=5)
    nn = smooth_network([3, 4, 2], X, activation="tanh", loss="huber")
    weights[::2] = 0
    check(nn, X, y, weights)
    _, some = nn.loss_and_gradients(X, y, weights)
    _, others = nn.loss_and_gradients(X[1::2], y[1::2], weights[1::2])
    np.testing.assert_allclose(flat(some), flat(others), rtol=1e-13)


def test_a_threshold_passes_nothing_on() -> None:
    X, y, _ = data([3, 4, 2], "huber", "real", seed=6)
    nn = smooth_network([3, 4, 2], X, activation="threshold", output="linear", loss="huber")
    _, [(first_weights, first_bias), (last_weights, _)] = nn.loss_and_gradients(X, y)
    assert not first_weights.any()
    assert not first_bias.any()
    assert last_weights.any()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_agrees_with_float64(activation: str, loss: str) -> None:
    sizes = [5, 9, 4]
    X, y, weights = data(sizes, loss, kind_for(loss), seed=7)
    X = X.astype(np.float32)
    for hidden, output in ((activation, None), ("tanh", activation)):
        if output == "threshold" and loss in ("binary_cross_entropy", "cross_entropy", "poisson"):
            continue  # log 0 stands for log of the smallest normal number, another one in each type
        exact = smooth_network(sizes, X, dtype="float32", activation=hidden, output=output, loss=loss)
        nn = foxnn.neural_network(
            sizes, activation=hidden, output=output, loss=loss, dtype="float32",
            init=[(layer.weights, layer.bias) for layer in exact.layers],
        )  # fmt: skip
        loss32, gradients32 = nn.loss_and_gradients(X, y, weights)
        loss64, gradients64 = exact.loss_and_gradients(X, y, weights)
        assert gradients32[0][0].dtype == np.float32
        assert loss32 == pytest.approx(loss64, rel=1e-5)
        assert relative_error(flat(gradients32), flat(gradients64)) < TOLERANCE["float32"]


def test_gradients_change_nothing() -> None:
    X, y, weights = data([3, 4, 2], "huber", "real", seed=8)
    nn = foxnn.neural_network([3, 4, 2], seed=1)
    before = [(layer.weights, layer.bias) for layer in nn.layers]
    nn.loss_and_gradients(X, y, weights)
    for layer, (weights_before, bias_before) in zip(nn.layers, before, strict=True):
        assert np.array_equal(layer.weights, weights_before)
        assert np.array_equal(layer.bias, bias_before)
