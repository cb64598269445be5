"""Promise: weights start as the papers say, the same for the same seed, whatever the number type."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from peak_memory import PEAK_MEMORY, needs_proc

import foxnn

N_IN, N_OUT = 300, 200

#: Variances of the weights, of the numbers of inputs and outputs.
VARIANCES = {
    "glorot": lambda n_in, n_out: 2 / (n_in + n_out),  # Glorot and Bengio 2010
    "he": lambda n_in, n_out: 2 / n_in,  # He et al. 2015
    "lecun": lambda n_in, n_out: 1 / n_in,  # LeCun et al. 1998
    "he_fan_max": lambda n_in, n_out: 2 / max(n_in, n_out),
}


def started(init: Any, n_in: int = N_IN, n_out: int = N_OUT, **options: Any) -> Any:
    options = {"dtype": "float64", "seed": 0, **options}
    return foxnn.neural_network([n_in, n_out], init=init, **options).layers[0]


@pytest.mark.parametrize(("n_in", "n_out"), [(300, 200), (40, 900), (2000, 30)])
@pytest.mark.parametrize("family", VARIANCES)
def test_variances_and_bounds(family: str, n_in: int, n_out: int) -> None:
    variance = VARIANCES[family](n_in, n_out)
    shapes = ("uniform", "normal") if family != "he_fan_max" else ("normal",)
    for shape in shapes:
        layer = started(family if family == "he_fan_max" else f"{family}_{shape}", n_in, n_out)
        z = np.sort(layer.weights.ravel()) / np.sqrt(variance)
        assert abs(z.mean()) < 4 / np.sqrt(z.size)
        assert abs(z.var() - 1) < 6 / np.sqrt(z.size)
        if shape == "uniform":
            assert np.abs(z).max() <= np.sqrt(3)
            assert np.abs(z).max() > np.sqrt(3) * 0.999
            quantiles = (z / np.sqrt(3) + 1) / 2
        else:
            assert 3.5 < np.abs(z).max() < 6
            from scipy.special import ndtr

            quantiles = ndtr(z)
        steps = (np.arange(z.size) + 0.5) / z.size  # Kolmogorov and Smirnov's test, at a level of 1e-4
        assert np.abs(quantiles - steps).max() < 2.23 / np.sqrt(z.size)
        assert not layer.bias.any()


@pytest.mark.parametrize(("n_in", "n_out"), [(50, 50), (30, 70), (70, 30), (1, 5), (5, 1)])
def test_orthogonal(n_in: int, n_out: int) -> None:
    """Saxe et al. 2014."""
    layer = started("orthogonal", n_in, n_out)
    W = layer.weights
    gram = W @ W.T if n_in <= n_out else W.T @ W
    np.testing.assert_allclose(gram, np.eye(min(n_in, n_out)), atol=1e-13)
    assert not layer.bias.any()


@pytest.mark.parametrize(("n_in", "n_out"), [(64, 64), (65, 200), (200, 129), (300, 300)])
def test_orthogonal_by_blocks(n_in: int, n_out: int) -> None:
    """As Gram and Schmidt's process has it, of the same normal numbers; the same bits for any number of threads."""
    normal = started("lecun_normal", n_in, n_out).weights.reshape(min(n_in, n_out), max(n_in, n_out))
    Q, R = np.linalg.qr(normal.T)
    expected = Q * np.sign(np.diag(R))
    starts = [started("orthogonal", n_in, n_out, n_threads=n).weights for n in (1, 2, 3)]
    np.testing.assert_allclose(starts[0], expected.T if n_in <= n_out else expected, atol=1e-11)
    assert len({start.tobytes() for start in starts}) == 1


def test_zeros_and_constants() -> None:
    for init, expected in (("zeros", 0), (0.5, 0.5), (-2, -2), (0, 0)):
        layer = started(init)
        assert (layer.weights == expected).all()
        assert not layer.bias.any()


def test_foxnn() -> None:
    """FoxNN 1.0's: weights and biases uniform in [-1, 1)."""
    layer = started("foxnn", 500, 400)
    for values in (layer.weights.ravel(), layer.bias):
        assert values.min() >= -1
        assert values.max() < 1
        assert abs(values.mean()) < 4 / np.sqrt(3 * values.size)
        assert abs(values.var() - 1 / 3) < 2 / np.sqrt(values.size)


def test_given_arrays() -> None:
    random = np.random.default_rng(0)
    W1, b1, W2 = random.normal(size=(4, 3)), random.normal(size=3), random.normal(size=(3, 2))
    nn = foxnn.neural_network([4, 3, 2], init=[(W1, b1), W2], dtype="float64")
    assert np.array_equal(nn.layers[0].weights, W1)
    assert np.array_equal(nn.layers[0].bias, b1)
    assert np.array_equal(nn.layers[1].weights, W2)
    assert not nn.layers[1].bias.any()
    W1[:] = 0  # the network has a copy
    assert nn.layers[0].weights.any()
    again = foxnn.neural_network([4, 3, 2], init=[(layer.weights, layer.bias) for layer in nn.layers])
    assert np.array_equal(again.layers[0].weights, nn.layers[0].weights.astype(np.float32))
    lists = foxnn.neural_network([2, 2, 1], init=[[[0, 0], [1, 1]], [[0], [1]]])
    assert lists.layers[0].weights.tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("init", foxnn._core.INITIALIZERS)
def test_seeds(init: str) -> None:
    def numbers(seed: int | None, dtype: str = "float64") -> Any:
        nn = foxnn.neural_network([20, 30, 30, 10], init=init, seed=seed, dtype=dtype)
        return np.concatenate([part.ravel() for layer in nn.layers for part in (layer.weights, layer.bias)])

    first = numbers(1)
    assert np.array_equal(first, numbers(1))
    assert np.array_equal(first.astype(np.float32), numbers(1, "float32"))
    if init != "zeros":
        assert not np.array_equal(first, numbers(2))
        assert not np.array_equal(numbers(None), numbers(None))


def test_layers_are_independent() -> None:
    nn = foxnn.neural_network([50, 50, 50, 50], init="glorot_normal", seed=3)
    weights = [layer.weights.ravel() for layer in nn.layers]
    for i, one in enumerate(weights):
        for other in weights[:i]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(one.size)


@pytest.mark.parametrize("activation", [name for name in foxnn.activations.names() if name != "softmax"])
def test_defaults(activation: str) -> None:
    """Of each layer by its own activation: He et al.'s for the family of relu, LeCun's for selu, else Glorot's."""
    known = dict.fromkeys(("relu", "leaky_relu", "relu6"), "he_fan_max")
    known |= dict.fromkeys(("elu", "gelu", "silu", "softplus", "mish"), "he_normal")
    suits = (known | {"selu": "lecun_normal"}).get(activation, "glorot_uniform")
    assert foxnn.Activation(activation).default_init == suits
    nn = foxnn.neural_network([20, 30, 10], activation=activation, output="softmax", seed=5)
    hidden = foxnn.neural_network([20, 30, 10], activation=activation, output="softmax", init=suits, seed=5)
    output = foxnn.neural_network([20, 30, 10], init="glorot_uniform", seed=5)
    assert np.array_equal(nn.layers[0].weights, hidden.layers[0].weights)
    assert np.array_equal(nn.layers[1].weights, output.layers[1].weights)


def test_signals_keep_their_size() -> None:
    """What the variances are for: through ten layers the outputs neither fade nor blow up."""
    X = np.random.default_rng(0).normal(size=(200, 256))
    for activation in ("relu", "selu", "tanh"):
        nn = foxnn.neural_network([256] * 11, activation=activation, output="linear", seed=0)
        assert 0.05 < nn.predict(X).std() < 5


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov"])
@pytest.mark.parametrize("function", [np.sin, lambda x: 2 * x + 1])
def test_one_input_and_many_relus_do_not_blow_up(optimizer: str, function: Any) -> None:
    """The first curve that everyone tries, at the optimizer's own rate: starts of He's width diverge with any seed."""
    x = np.linspace(-5, 5, 200)
    for seed in range(5):
        nn = foxnn.neural_network([1, 100, 1], "relu", "linear", loss="mean_squared_error", seed=seed)
        nn.fit(x, function(x), epochs=20, optimizer=optimizer, verbose=False)


@needs_proc
@pytest.mark.parametrize("init", ["he_uniform", "he_normal", "foxnn"])
def test_a_start_takes_the_memory_of_the_weights(init: str) -> None:
    """They are drawn where they belong: what is made besides would have to be filled and freed, deaf to Ctrl-C."""
    script = f"""{PEAK_MEMORY}
import foxnn
before = memory()
nn = foxnn.neural_network([4000, 4000], init={init!r}, seed=0)
print((memory() - before) / (4 * 4000 * 4000))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 1.5
