"""Promise: all parameters can be read and written at once, as arrays, from another network, or as one vector that
SciPy's optimizers understand; after an error they are as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_gradients import LOSSES, data, kind_for, relative_error, smooth_network
from test_own_loop import parameters, state_of

import foxnn

SIZES = [4, 8, 6, 3]


def network(seed: int = 0, sizes: list[int] = SIZES, **options: Any) -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network(sizes, "tanh", "linear", seed=seed, **options)
    for layer in nn.layers:
        layer.bias = np.random.default_rng(seed).normal(size=layer.n_out)
    return nn


def assert_same(first: foxnn.NeuralNetwork, second: foxnn.NeuralNetwork) -> None:
    for a, b in zip(parameters(first), parameters(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_go_out_and_in() -> None:
    one, other = network(1), network(2)
    arrays = one.get_weights()
    assert [array.shape for array in arrays] == [(4, 8), (8,), (8, 6), (6,), (6, 3), (3,)]
    other.set_weights(arrays)
    assert_same(one, other)
    assert not arrays[0].flags.writeable  # a copy, which changes nothing
    assert_same(one, other)


def test_copying_weights() -> None:
    X = np.random.default_rng(0).normal(size=(9, 4))
    one, other = network(1), network(2, dtype="float64")
    other.copy_weights(one)
    np.testing.assert_allclose(other.predict(X), one.predict(X), atol=1e-6)
    some, before = network(3), network(3)
    some.copy_weights(one, layers=[2, 0])
    for index, source in enumerate((one, before, one)):
        np.testing.assert_array_equal(some.layers[index].weights, source.layers[index].weights)
        np.testing.assert_array_equal(some.layers[index].bias, source.layers[index].bias)
    longer = network(4, [4, 4, 8, 6, 5])
    longer.copy_weights(one, layers={2: 1})
    np.testing.assert_array_equal(longer.layers[2].weights, one.layers[1].weights)
    one.copy_weights(one)
    assert_same(one, network(1))


def test_the_vector_is_layer_by_layer_weights_by_rows_then_bias() -> None:
    nn = network(1)
    np.testing.assert_array_equal(nn.parameters, np.concatenate([array.ravel() for array in nn.get_weights()]))
    assert nn.parameters.dtype == nn.dtype
    assert len(nn.parameters) == nn.n_parameters
    other = network(2)
    other.parameters = nn.parameters
    assert_same(nn, other)


def test_what_is_frozen_is_not_in_the_vector() -> None:
    nn, before = (network(1, dtype="float64") for _ in range(2))
    nn.layers[1].trainable = False
    assert len(nn.parameters) == nn.n_parameters - 9 * 6
    nn.parameters = np.arange(len(nn.parameters))
    np.testing.assert_array_equal(nn.layers[1].weights, before.layers[1].weights)
    assert nn.layers[2].bias[-1] == len(nn.parameters) - 1
    X, T = np.random.default_rng(0).normal(size=(9, 4)), np.ones((9, 3))
    vector = network(1).parameters[: len(nn.parameters)]
    _, gradient = nn.loss_and_gradient(vector, X, T)
    assert len(gradient) == len(vector)
    for layer in nn.layers:
        layer.trainable = False
    assert nn.parameters.shape == (0,)
    assert nn.loss_and_gradient([], X, T)[1].shape == (0,)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_that_of_the_loss(loss: str) -> None:
    X, y, weights = data([4, 6, 3], loss, kind_for(loss), seed=1)
    nn = smooth_network([4, 6, 3], X, activation="tanh", loss=loss)
    start = nn.parameters
    value, gradient = nn.loss_and_gradient(start, X, y, weights)
    assert value == pytest.approx(nn.evaluate(X, y, weights)["loss"], rel=1e-14)
    assert gradient.dtype == np.float64
    steps = 1e-5 * np.eye(len(start))
    expected = [
        (nn.loss_and_gradient(start + step, X, y, weights)[0] - nn.loss_and_gradient(start - step, X, y, weights)[0])
        / 2e-5
        for step in steps
    ]
    assert relative_error(gradient, np.array(expected)) < 1e-6


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG"])
def test_scipy_minimises_it(method: str) -> None:
    minimize = pytest.importorskip("scipy.optimize").minimize
    x = np.linspace(-1, 1, 40)
    nn = foxnn.neural_network([1, 12, 1], "tanh", "linear", dtype="float64", seed=0)
    options = {"maxiter": 500}
    result = minimize(nn.loss_and_gradient, nn.parameters, (x, np.sin(3 * x)), method, jac=True, options=options)
    nn.parameters = result.x
    assert nn.evaluate(x, np.sin(3 * x))["loss"] == pytest.approx(result.fun, rel=1e-12)
    assert result.fun < 1e-5


def test_optimizers_can_step_back_from_where_the_loss_overflows() -> None:
    nn = foxnn.neural_network([1, 1], "linear", "linear", dtype="float32", seed=0)
    for too_much in (1e30, 1e300):  # its square, or the number itself
        loss, gradient = nn.loss_and_gradient([too_much, 0.0], [[1.0]], [0.0])
        assert loss == np.inf
        np.testing.assert_array_equal(gradient, [0, 0])
        assert np.isfinite(nn.parameters).all()


def test_wrong_arguments_are_refused_and_change_nothing() -> None:
    nn, smaller = network(1), network(2, [4, 8, 7, 3])
    arrays = nn.get_weights()
    X, T = np.ones((2, 4)), np.ones((2, 3))
    wide = foxnn.neural_network(SIZES, "tanh", "linear", init=1e300, dtype="float64")
    before = state_of(nn)
    for call, error, words in (
        (lambda: nn.set_weights(arrays[:-1]), ValueError, "weights: got 5 arrays; it takes 6"),
        (lambda: nn.set_weights([*arrays[:-1], [1, 2]]), ValueError, r"weights\[5\]: got an array of shape \(2,\)"),
        (lambda: nn.set_weights([*arrays[:-1], 0]), ValueError, r"weights\[5\]: got an array of shape \(\)"),
        (lambda: nn.set_weights([*arrays[:-1], [1, np.nan, 2]]), ValueError, r"weights\[5\]: got nan"),
        (lambda: nn.copy_weights(arrays), TypeError, "other: got"),
        (lambda: nn.copy_weights(smaller), ValueError, r"sizes \[4, 8, 7, 3\] for one of \[4, 8, 6, 3\]"),
        (lambda: nn.copy_weights(smaller, [0, 1]), ValueError, r"layer 1 weights: got .*\(8, 7\); .*\(8, 6\)"),
        (lambda: nn.copy_weights(smaller, {0: 3}), ValueError, "layers: got 3; the other network has 3 layers"),
        (lambda: nn.copy_weights(smaller, [0, -1]), ValueError, "layers: got -1"),
        (lambda: nn.copy_weights(wide, [0]), ValueError, "layer 0 weights: got 1e.300; .* float32 can hold"),
        (lambda: setattr(nn, "parameters", np.ones(3)), ValueError, r"parameters: .*\(3,\); it takes shape \(115,\)"),
        (lambda: setattr(nn, "parameters", [np.nan] * 115), ValueError, "parameters: got nan"),
        (lambda: nn.loss_and_gradient([np.nan] * 115, X, T), ValueError, "parameters: got nan"),
        (lambda: nn.loss_and_gradient(nn.parameters[1:], X, T), ValueError, r"parameters: .*\(114,\)"),
        (lambda: nn.loss_and_gradient(nn.parameters, X[:1], T), ValueError, "y: got shape"),
    ):
        with pytest.raises(error, match=words):
            call()
        assert state_of(nn) == before
