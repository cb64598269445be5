"""Promise: a batch of any size takes hardly more memory than a small one, and has the same bits for any number of
threads. (That they are those of a batch worked through as a whole, golden trainings hold.)"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import foxnn

_MEMORY = """
import numpy as np, foxnn

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

n = 30_000
X = np.ones((n, 256), np.float32)
nn = foxnn.neural_network([256, 64, {norm} 64, 10], "relu", "softmax", seed=0)
y = np.arange(n) % 10
nn.fit(X, y, epochs=1, batch_size=1000, verbose=False)
before = peak()
{call}
print(peak() - before)
"""
_CALLS = {
    "fit": "nn.fit(X, y, epochs=2, batch_size=n, verbose=False)",
    "gradients": "nn.loss_and_gradients(X, y)",
    "gradients of the inputs": "nn.input_gradients(X[:20_000], y[:20_000])",
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc to read the most memory that was used")
@pytest.mark.parametrize("call", _CALLS.values(), ids=_CALLS)
@pytest.mark.parametrize("norm", ["", "foxnn.LayerNorm(),"])
def test_memory(call: str, norm: str) -> None:
    """In KiB. What lies in memory for a row of this network is 4,000 bytes: 117 MiB for all."""
    run = subprocess.run(
        [sys.executable, "-c", _MEMORY.format(call=call, norm=norm)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    result = 20_000 * 256 * 4 // 1024 if "input" in call else 0  # what is asked for
    assert int(run.stdout) < 16 * 1024 + result


def _network(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network(
        [30, 280, foxnn.LayerNorm(), 7, 3], "tanh", "softmax", dropout=0.2, input_noise=0.1, l2=1e-3, seed=3, **options
    )


@pytest.mark.parametrize("rows", [1024, 1025, 2048, 2049, 3000])
def test_any_number_of_threads(rows: int) -> None:
    random = np.random.default_rng(1)
    X, y = random.normal(size=(3200, 30)), random.integers(0, 3, 3200)
    weights = random.integers(1, 4, 3200) / 2
    results = []
    for threads in (1, 2, 3):
        nn = _network(n_threads=threads)
        nn.fit(X, y, sample_weight=weights, epochs=2, batch_size=rows, optimizer="adam", verbose=False)
        loss, gradients = nn.loss_and_gradients(X[:rows], y[:rows])
        arrays = [*nn.get_weights(), *(array for layer in gradients for array in layer)]
        arrays.append(nn.input_gradients(X[:rows], y[:rows]))
        results.append([loss, *nn.history["loss"], *(array.tobytes() for array in arrays)])
    assert results[0] == results[1] == results[2]


def test_gradients_of_a_large_batch_are_those_of_its_samples() -> None:
    """Against sums over small batches, in float64."""
    random = np.random.default_rng(2)
    X, y = random.normal(size=(2500, 30)), random.integers(0, 3, 2500)
    nn = foxnn.neural_network([30, 20, foxnn.LayerNorm(), 7, 3], "tanh", "softmax", dtype="float64", seed=3)
    _, whole = nn.loss_and_gradients(X, y)
    of_parts = [nn.loss_and_gradients(X[i : i + 100], y[i : i + 100])[1] for i in range(0, 2500, 100)]
    for layer, parts in zip(whole, zip(*of_parts, strict=True), strict=True):
        for array, small in zip(layer, zip(*parts, strict=True), strict=True):
            np.testing.assert_allclose(array, np.mean(small, axis=0), rtol=1e-9, atol=1e-12)
    d_inputs = nn.input_gradients(X, y)
    small = [nn.input_gradients(X[i : i + 100], y[i : i + 100]) / 25 for i in range(0, 2500, 100)]
    np.testing.assert_allclose(d_inputs, np.concatenate(small), rtol=1e-9, atol=1e-15)
