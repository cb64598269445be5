"""The learning-rate finder: losses of steps at growing rates, an end when they explode, and a network left alone."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import foxnn

RNG = np.random.default_rng(4)
X = RNG.standard_normal((200, 8))
Y = X @ RNG.standard_normal((8, 1))


def network(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network([8, 1], output="linear", dtype="float64", seed=0, **options)


def test_the_losses_are_those_of_training_at_these_rates() -> None:
    """Step by step, the same as a `fit` of each batch at its rate."""
    found = foxnn.find_learning_rate(
        network(), X, Y, optimizer="momentum", batch_size=32, start=1e-5, end=0.1, steps=20
    )
    np.testing.assert_allclose(found.learning_rates, 1e-5 * (0.1 / 1e-5) ** (np.arange(20) / 19), rtol=1e-12)
    nn, losses = network(), []
    schedule = foxnn.schedules.Exponential(1e-5, (0.1 / 1e-5) ** (1 / 19), steps=1)
    sums = [0.0]

    def note(network: Any, epoch: int, batch: int, values: dict[str, float]) -> None:
        rows = min((batch + 1) * 32, 200)
        sums.append(values["loss"] * rows)
        losses.append((sums[-1] - sums[-2]) / (rows - batch * 32))

    listener = foxnn.callbacks.LambdaCallback(
        every=1, on_batch_end=note, on_epoch_begin=lambda *_: sums.__setitem__(slice(None), [0.0])
    )
    nn.fit(X, Y, epochs=3, batch_size=32, optimizer="momentum", learning_rate=schedule, callbacks=[listener])
    np.testing.assert_allclose(found.losses, losses[:20], rtol=1e-9)


def test_the_network_is_as_it_was() -> None:
    nn = network(dropout=())
    nn.fit(X, Y, epochs=1)
    before, history = pickle.dumps(nn), nn.history
    foxnn.find_learning_rate(nn, X, Y, optimizer="sgd")
    assert pickle.dumps(nn) == before
    assert nn.history is history


def test_it_ends_when_the_loss_explodes() -> None:
    """Gradient descent on a quadratic diverges at rates above 2 / (largest eigenvalue of its Hessian), not below."""
    found = foxnn.find_learning_rate(network(), X, Y, optimizer="sgd", batch_size=200, start=1e-4, end=1e4, steps=200)
    largest = np.linalg.eigvalsh(np.c_[X, np.ones(200)].T @ np.c_[X, np.ones(200)] / 200).max()
    assert len(found.losses) < 200
    assert np.isfinite(found.losses).all()
    assert found.learning_rates[-1] > 2 / largest
    assert 0.001 < found.suggestion < 2 / largest
    assert found.smoothed[-1] > 4 * found.smoothed.min()
    nn = network()
    first, *_, last = nn.fit(X, Y, epochs=20, batch_size=200, optimizer="sgd", learning_rate=found.suggestion)["loss"]
    assert last < 0.7 * first


def test_smoothing() -> None:
    """The weighted mean of the losses so far, each having 0.9 times the weight of the next."""
    found = foxnn.find_learning_rate(network(), X, Y, steps=12)
    for i in range(12):
        assert found.smoothed[i] == pytest.approx(
            np.average(found.losses[: i + 1], weights=0.9 ** np.arange(i, -1, -1)), rel=1e-12
        )
    assert found.suggestion == found.learning_rates[found.smoothed.argmin()] / 10
    assert f"{found.suggestion:.2g}" in repr(found)


def test_batches_of_a_sequence() -> None:
    batches = [(X[i : i + 32], Y[i : i + 32]) for i in range(0, 192, 32)]
    one = foxnn.find_learning_rate(network(), batches, steps=10)
    other = foxnn.find_learning_rate(network(), batches, steps=10)
    assert len(one.losses) == 10
    np.testing.assert_array_equal(one.losses, other.losses)


def test_plot() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    found = foxnn.find_learning_rate(network(), X, Y, steps=10)
    losses, smoothed, suggestion = found.plot().get_lines()
    np.testing.assert_array_equal(losses.get_xydata(), np.c_[found.learning_rates, found.losses])
    np.testing.assert_array_equal(smoothed.get_ydata(), found.smoothed)
    assert suggestion.get_xdata()[0] == found.suggestion


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 0}, r"start: got 0; it takes a number in \(0, inf"),
        ({"start": 1, "end": 1}, r"end: got 1; it takes a number in \(1, inf"),
        ({"steps": 1}, "steps: got 1"),
        ({"optimizer": "adm"}, "optimizer: unknown name 'adm'"),
        ({"X": X * np.nan}, "X: got nan"),
        ({"network": 3}, "network: got 3; it takes a foxnn.neural_network"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        foxnn.find_learning_rate(**{"network": network(), "X": X, "y": Y, **options})
