"""Promise: the same bits on every instruction set that fuses multiply-adds, also where gradients, moments and weights
are so small that a product of two of them is no normal number any more."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.datasets import load_mnist_sample

CONFIG = foxnn._core.config()
FUSED = [name for name in CONFIG["available"] if name != "baseline"]
#: Decimal exponents of gradients, down into the denormal numbers.
EXPONENTS = {"float32": range(-40, -19, 2), "float64": range(-322, -289, 4)}


def digest(arrays: list[Any]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:16]


def stepped(optimizer: str, dtype: str, exponent: int) -> list[Any]:
    """Weights as small as their gradients, after some steps with those; epsilon is small enough to let them move."""
    random = np.random.default_rng(-exponent)
    nn = foxnn.neural_network([40, 25, 3], "linear", "linear", dtype=dtype, seed=1, l2=1e-3)
    epsilon = {"epsilon": 10.0 ** max(exponent, -30 if dtype == "float32" else -280)}
    names = [name for name, *_ in foxnn._core.OPTIMIZERS[optimizer]["parameters"]]
    nn.optimizer = foxnn.optimizers.get(optimizer, 1e-3, **(epsilon if "epsilon" in names else {}))
    for layer in nn.layers:
        layer.weights = random.normal(size=layer.weights.shape) * 10.0**exponent
    for _ in range(20):
        gradients = [tuple(random.normal(size=part.shape) * 10.0**exponent for part in pair) for pair in parts(nn)]
        nn.apply_gradients(gradients)
    return nn.get_weights()


def parts(nn: foxnn.NeuralNetwork) -> list[tuple[Any, ...]]:
    return [(layer.weights, layer.bias) for layer in nn.layers]


def with_constant_columns() -> list[Any]:
    """Pixels that are zero in all images, whose weights know nothing but the penalty."""
    X, y, *_ = load_mnist_sample()
    nn = foxnn.neural_network([784, 32, 10], activation="relu", output="softmax", l2=1e-4, seed=0)
    nn.fit(X[:1500], y[:1500], epochs=14, batch_size=20, optimizer="adam", verbose=False)
    return nn.get_weights()


def lines() -> Iterator[str]:
    yield f"sample of MNIST: {digest(with_constant_columns())}"
    for dtype, exponents in EXPONENTS.items():
        for optimizer in foxnn.optimizers.names():
            for exponent in exponents:
                yield f"{optimizer} {dtype} 1e{exponent}: {digest(stepped(optimizer, dtype, exponent))}"


def test_every_instruction_set() -> None:
    if len(FUSED) < 2:
        pytest.skip(f"this processor and build have one instruction set with fused multiply-adds at most: {FUSED}")
    printed = {}
    for name in FUSED:
        run = subprocess.run(
            [sys.executable, "-W", "error", __file__],
            env=os.environ | {"FOXNN_ISA": name},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr
        printed[name] = run.stdout.splitlines()
    first, *others = printed.values()
    for other in others:
        assert first == other
    assert len(first) > 100


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", foxnn.optimizers.names())
def test_tiny_gradients_count(optimizer: str, dtype: str) -> None:
    """So that the other test has something to find: steps of such gradients are no zeros."""
    exponent = -28 if dtype == "float32" else -290
    assert all(np.abs(array).max() > 0 for array in stepped(optimizer, dtype, exponent)[::2])


if __name__ == "__main__":
    for line in lines():
        print(line)
