"""Promise: right products. On every instruction set, for every number of samples, inputs and outputs from 1 to 33 (so
that every height and width of a tile, and every rest, occurs), and for larger ones shared by threads, a layer's three
products (outputs, weight gradients, input gradients) are the naive ones: whole numbers, compared with ==."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import foxnn

SETS = foxnn._core.config()["available"]
MOST = 33


def whole_numbers(random: np.random.Generator, *shape: int) -> Any:
    return random.integers(-3, 4, shape).astype(np.float64)


def two_layers(n: int, n_in: int, n_out: int, dtype: str, random: np.random.Generator) -> Any:
    """A linear network [n, n_in, n_out] with its weights; of one-hot inputs (n, n) its hidden outputs are W1 + b1."""
    nn = foxnn.neural_network([n, n_in, n_out], activation="linear", output="linear", init="zeros", dtype=dtype)
    values = [(whole_numbers(random, *layer.weights.shape), whole_numbers(random, layer.n_out)) for layer in nn.layers]
    for layer, (W, b) in zip(nn.layers, values, strict=True):
        layer.weights, layer.bias = W, b
    return nn, values


def gradient_sums(nn: foxnn.NeuralNetwork, X: Any, T: Any) -> Any:
    """As `loss_and_gradients`, but sums over the samples, which are whole numbers as well."""
    samples = foxnn._core.Samples(X, T, None, None, 1.0, 0.0, "")
    loss, _, gradients = nn._get_trainer().gradients(nn._core, samples, 0.0, 0.0, True, nn.n_threads or 0)
    return loss, gradients


def check_all_sizes(dtype: str) -> None:
    """For every n_in and n_out a network, trained on the first 1, 2, .. of its samples; NumPy does them all at once."""
    random = np.random.default_rng(0)
    X = np.eye(MOST, dtype=dtype)
    step = 1 if dtype == "float32" else 3  # the code is the same, of vectors half as long
    for n_in in range(1, MOST + 1, step):
        for n_out in range(1, MOST + 1):
            nn, ((W1, b1), (W2, b2)) = two_layers(MOST, n_in, n_out, dtype, random)
            T = whole_numbers(random, MOST, n_out)
            h = W1 + b1
            y = h @ W2 + b2
            d2 = y - T
            d1 = d2 @ W2.T
            weight_gradients = np.cumsum(h[:, :, None] * d2[:, None, :], axis=0)
            bias_gradients = np.cumsum(d2, axis=0), np.cumsum(d1, axis=0)
            losses = np.cumsum((d2**2).sum(axis=1) / 2)
            for n in range(1, MOST + 1):
                where = f"{dtype}, {n} samples, {n_in} inputs, {n_out} outputs"
                assert (nn.predict(X[:n]) == y[:n]).all(), f"outputs: {where}"
                loss, [(dW1, db1), (dW2, db2)] = gradient_sums(nn, X[:n], T[:n])
                assert (dW2 == weight_gradients[n - 1]).all(), f"weight gradient: {where}"
                assert (dW1[:n] == d1[:n]).all(), f"input gradient: {where}"
                assert not dW1[n:].any(), f"gradient of unused weights: {where}"
                assert (db2 == bias_gradients[0][n - 1]).all(), f"bias gradient: {where}"
                assert (db1 == bias_gradients[1][n - 1]).all(), f"bias gradient below: {where}"
                assert loss == losses[n - 1], f"loss: {where}"


def check_larger_sizes() -> None:
    random = np.random.default_rng(1)
    for trial in range(16):
        n, n_in, n_out = (int(size) for size in random.integers(20, 260, 3))
        dtype = ("float32", "float64")[trial % 2]
        nn, ((W1, b1), (W2, b2)) = two_layers(n, n_in, n_out, dtype, random)
        nn.n_threads = 1 + trial % 4
        T = whole_numbers(random, n, n_out)
        h = W1 + b1
        y = h @ W2 + b2
        d = y - T
        X = np.eye(n, dtype=dtype)
        assert (nn.predict(X) == y).all()
        _, [(dW1, db1), (dW2, db2)] = gradient_sums(nn, X, T)
        assert (dW1 == d @ W2.T).all()
        assert (dW2 == h.T @ d).all()
        assert (db1 == (d @ W2.T).sum(axis=0)).all()
        assert (db2 == d.sum(axis=0)).all()


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("what", ["float32", "float64", "larger"])
def test_products(instruction_set: str, what: str) -> None:
    """This file, run as a script."""
    run = subprocess.run(
        [sys.executable, "-W", "error", __file__, what],
        env={**os.environ, "FOXNN_ISA": instruction_set},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layouts(dtype: str) -> None:
    """Rows apart from each other, at any address, transposed, reversed, repeated: the same outputs and gradients."""
    random = np.random.default_rng(2)
    for n, n_in, n_out in ((1, 5, 3), (7, 9, 4), (33, 17, 20), (100, 3, 40), (97, 33, 1)):
        nn = foxnn.neural_network([n_in, n_out], output="tanh", dtype=dtype, seed=1)
        X, T = random.normal(size=(n, n_in)).astype(dtype), random.normal(size=(n, n_out)).astype(dtype)
        wide = np.full((2 * n, n_in + 5), np.nan, dtype)
        wide[::2, 3 : 3 + n_in] = X
        raw = np.zeros(X.nbytes + 1, np.uint8)
        raw[1:] = np.frombuffer(X.tobytes(), np.uint8)
        layouts = {
            "rows apart": wide[::2, 3 : 3 + n_in],
            "odd address": raw[1:].view(dtype).reshape(X.shape),
            "columns first": np.asfortranarray(X),
            "backwards": X[::-1].copy()[::-1],
            "columns backwards": X[:, ::-1].copy()[:, ::-1],
            "every other column": np.repeat(X, 2, axis=1)[:, ::2],
        }
        expected, (loss, [(dW, db)]) = nn.predict(X), nn.loss_and_gradients(X, T)
        for name, layout in layouts.items():
            assert np.array_equal(nn.predict(layout), expected), name
            same_loss, [(same_dW, same_db)] = nn.loss_and_gradients(layout, T)
            assert same_loss == loss, name
            assert np.array_equal(same_dW, dW), name
            assert np.array_equal(same_db, db), name
        row = np.broadcast_to(X[0], X.shape)
        assert np.array_equal(nn.predict(row), np.broadcast_to(expected[0], expected.shape))


if __name__ == "__main__":
    if sys.argv[1] == "larger":
        check_larger_sizes()
    else:
        check_all_sizes(sys.argv[1])
