"""Promise: `jacobian` is the matrix of derivatives of outputs with respect to inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_gradients import smooth_network

import foxnn


def central_differences(nn: foxnn.NeuralNetwork, X: Any, step: float = 1e-5) -> Any:
    out = np.empty((len(X), nn.sizes[-1], nn.sizes[0]))
    for k in range(nn.sizes[0]):
        moved = step * (np.arange(nn.sizes[0]) == k)
        out[:, :, k] = (nn.predict(X + moved) - nn.predict(X - moved)) / (2 * step)
    return out


@pytest.mark.parametrize("output", ["linear", "softmax", "sigmoid", "mish"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "softplus"])
def test_agrees_with_central_differences(activation: str, output: str) -> None:
    X = np.random.default_rng(0).normal(size=(6, 5))
    nn = smooth_network([5, 8, 7, 4], X, activation=activation, output=output)
    np.testing.assert_allclose(nn.jacobian(X), central_differences(nn, X), atol=1e-7, rtol=1e-6)


def test_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    nn = foxnn.neural_network([6, 50, 30, 9], "silu", "softmax", dtype="float64", seed=0)
    X = np.random.default_rng(0).normal(size=(4, 6))
    module = nn.to_torch()
    for x, matrix in zip(X, nn.jacobian(X), strict=True):
        expected = torch.autograd.functional.jacobian(lambda v: module(v[None])[0], torch.tensor(x))
        np.testing.assert_allclose(matrix, expected.numpy(), atol=1e-13)


@pytest.mark.parametrize("n_out", [1, 3, 3000])
def test_each_sample_has_its_own_whatever_the_others(n_out: int) -> None:
    """Also when there are more of them than go through the network at once."""
    nn = foxnn.neural_network([4, 11, n_out], "tanh", "linear", seed=0)
    X = np.random.default_rng(1).normal(size=(3 if n_out > 100 else 2500, 4))
    J = nn.jacobian(X)
    assert J.shape == (len(X), n_out, 4)
    assert J.dtype == np.float32
    for i in (0, len(X) // 2, len(X) - 1):
        np.testing.assert_array_equal(nn.jacobian(X[i]), J[i])


def test_dropout_has_no_part_in_it_and_nothing_is_changed() -> None:
    X = np.random.default_rng(0).normal(size=(5, 4))
    nn = foxnn.neural_network([4, 11, 2], "tanh", "linear", seed=0)
    J = nn.jacobian(X)
    nn.dropout = 0.5
    nn.layers[0].trainable = False
    before = nn.__reduce__()[1][0]
    np.testing.assert_array_equal(nn.jacobian(X), J)
    assert nn.__reduce__()[1][0] == before


def test_wrong_inputs_are_refused() -> None:
    nn = foxnn.neural_network([4, 2])
    with pytest.raises(ValueError, match=r"X: got an array of shape \(3, 5\)"):
        nn.jacobian(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="X: got nan"):
        nn.jacobian([[0, 1, 2, np.nan]])
