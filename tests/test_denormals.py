"""Training counts denormal numbers, which are slow, as zeros, and leaves everyone else's arithmetic alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import foxnn


def trained(dtype: str, n_threads: int, steps: int) -> foxnn.NeuralNetwork:
    """A network with a unit that has learnt something and then died: its gradients are zero ever after."""
    rng = np.random.default_rng(0)
    x, y = rng.random((256, 300)), rng.random((256, 1))
    nn = foxnn.neural_network([300, 64, 1], "relu", "linear", dtype=dtype, seed=1, n_threads=n_threads)
    nn.optimizer = foxnn.optimizers.Adam(beta1=0.6, beta2=0.6)
    nn.train_on_batch(x, y)
    nn.layers[0].bias = np.full(64, -1e3)
    for _ in range(steps):
        nn.train_on_batch(x, y)
    return nn


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_averages_of_dead_units_end_without_denormals(dtype: str, n_threads: int) -> None:
    nn = trained(dtype, n_threads, 1600)
    state = nn._get_optimizer_state()
    for kind in range(2):
        for average in state.get(nn._core, 0, kind):
            size, tiny = np.abs(average), float(np.finfo(dtype).tiny)
            # Zero; or, where a product is rounded before it is added, what no longer changes: just above the denormals.
            assert ((size == 0) | ((size >= tiny) & (size < 4 * tiny))).all(), f"average {kind}: {size.max()}"


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_caller_keeps_its_denormals(n_threads: int) -> None:
    trained("float32", n_threads, 1)
    tiny: Any = np.finfo(np.float32).smallest_subnormal
    assert (np.full(1000, tiny) * np.float32(2) == 2 * float(tiny)).all()
    x = np.full((4, 3), tiny)  # prediction keeps them
    assert (foxnn.neural_network([3, 3], output="linear", init=[np.eye(3)]).predict(x) == tiny).all()
