"""Promise: nothing silent. A setting that the network's number type cannot hold, since it would become 0, infinity or
a bound that is excluded, is refused when the two meet, and nothing has changed. No NaN gets into a history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn import optimizers

X = np.random.default_rng(0).normal(size=(20, 4))
Y = X[:, :2]
LABELS = np.arange(20) % 2


def network(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network(**{"sizes": [4, 6, 2], "output": "linear", "seed": 0} | options)


def fitted(dtype: str, optimizer: optimizers.Optimizer) -> foxnn.NeuralNetwork:
    nn = network(dtype=dtype)
    nn.fit(X, Y, epochs=1, optimizer=optimizer, verbose=False)
    return nn


#: What a setting is called in messages, and what sets it in a network of a number type.
TOO_FINE: dict[str, Callable[[str], Any]] = {
    "max_norm": lambda d: network(dtype=d, max_norm=1e-50),
    "input_noise": lambda d: network(dtype=d, input_noise=1e-50),
    "l1": lambda d: network(dtype=d, l1=1e-50),
    "l2": lambda d: network(dtype=d, l2=1e39),
    "huber delta": lambda d: network(dtype=d, loss=foxnn.Loss("huber", delta=1e-50)),
    "elu alpha": lambda d: network(dtype=d, activation=foxnn.Activation("elu", alpha=1e39)),
    "leaky_relu negative_slope": lambda d: network(
        dtype=d, output=foxnn.Activation("leaky_relu", negative_slope=1e-50)
    ),
    "cross_entropy label_smoothing": lambda d: network(
        dtype=d, output="softmax", loss=foxnn.Loss("cross_entropy", label_smoothing=1 - 1e-12)
    ),
    "momentum": lambda d: network(dtype=d, sizes=[4, 6, foxnn.BatchNorm(momentum=1e-50), 2]),
    "epsilon": lambda d: network(dtype=d, sizes=[4, 6, foxnn.LayerNorm(epsilon=1e-50), 2]),
    "rmsprop rho": lambda d: fitted(d, optimizers.RMSprop(rho=1 - 1e-12)),
    "rmsprop epsilon": lambda d: fitted(d, optimizers.RMSprop(epsilon=1e-50)),
    "adam beta1": lambda d: fitted(d, optimizers.Adam(beta1=1 - 1e-12)),
    "adam beta2": lambda d: fitted(d, optimizers.Adam(beta2=1 - 1e-12)),
    "momentum momentum": lambda d: fitted(d, optimizers.Momentum(momentum=1 - 1e-12)),
    "adamw weight_decay": lambda d: fitted(d, optimizers.AdamW(weight_decay=1e-50)),
    "clip_norm": lambda d: fitted(d, optimizers.SGD(clip_norm=1e-50)),
    "clip_value": lambda d: fitted(d, optimizers.SGD(clip_value=1e-50)),
    "learning_rate": lambda d: fitted(d, optimizers.SGD(1e-50)),
}


@pytest.mark.parametrize("name", TOO_FINE)
def test_refused_where_it_cannot_be_held(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: got .*float32 cannot hold; it takes .* from .* to "):
        TOO_FINE[name]("float32")
    TOO_FINE[name]("float64")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_norm", 1e-50),
        ("input_noise", 1e-50),
        ("l1", 1e-50),
        ("l2", 1e39),
        ("loss", foxnn.Loss("huber", delta=1e-50)),
    ],
)
def test_assigning_changes_nothing(name: str, value: Any) -> None:
    nn = network()
    before = getattr(nn, name)
    with pytest.raises(ValueError, match="float32 cannot hold"):
        setattr(nn, name, value)
    assert getattr(nn, name) == before
    nn.train_on_batch(X, Y)


def test_assigning_to_a_layer_or_an_optimizer() -> None:
    nn = network()
    with pytest.raises(ValueError, match="elu alpha"):
        nn.layers[0].activation = foxnn.Activation("elu", alpha=1e39)
    assert nn.layers[0].activation == "sigmoid"
    with pytest.raises(ValueError, match="elu alpha"):
        nn.add(3, foxnn.Activation("elu", alpha=1e39))
    assert nn.sizes == [4, 6, 2]
    before = nn.optimizer
    with pytest.raises(ValueError, match="adam epsilon"):
        nn.optimizer = optimizers.Adam(epsilon=1e-50)
    assert nn.optimizer is before
    nn.train_on_batch(X, Y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["dropout", "input_dropout"])
@pytest.mark.parametrize("rate", [1e-9, 1 - 1e-9])
def test_rates_of_dropout_that_round_to_none_or_all(name: str, rate: float, dtype: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: got .*1 / 65536"):
        network(**{name: rate}, dtype=dtype)


@pytest.mark.parametrize("one", [1e308, 1e201, 1e-310, 5e-324])
@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_weights_whose_sums_or_reciprocals_overflow(name: str, one: float) -> None:
    nn = foxnn.neural_network([4, 2], output="softmax", seed=0)
    before = nn.get_weights()
    weight = np.full(20, one) if name == "sample_weight" else {0: one, 1: one}
    with pytest.raises(ValueError, match=f"^{name}: got .* it takes 0 or from 1e-300 to 1e.200"):
        nn.fit(X, LABELS, epochs=1, verbose=False, **{name: weight})
    if name == "sample_weight":
        with pytest.raises(ValueError, match=r"^sample_weight: got"):
            nn.train_on_batch(X, LABELS, sample_weight=weight)
    assert all(np.array_equal(a, b) for a, b in zip(before, nn.get_weights(), strict=True))


@pytest.mark.parametrize("one", [1e-300, 1e200])
def test_no_nan_in_a_history_of_extreme_weights(one: float) -> None:
    nn = foxnn.neural_network([4, 2], output="softmax", seed=0)
    weight = np.where(np.arange(20) < 10, one, 1.0)  # batches of one weight each, and of both
    weight[:5] = 0
    for shuffle in (False, True):
        nn.fit(X, LABELS, epochs=3, batch_size=5, sample_weight=weight, shuffle=shuffle, verbose=False,
               validation_data=(X, LABELS, weight), metrics=["balanced_accuracy", "log_loss"])  # fmt: skip
        for name in nn.history:
            assert np.isfinite(nn.history[name]).all(), name


@pytest.mark.parametrize("rate", [1e-60, 1e60])
def test_rates_of_a_function(rate: float) -> None:
    """Nothing would be learnt, or everything lost."""
    nn, twin = network(), network(dtype="float64")
    before = nn.get_weights()
    for use in (
        lambda nn: nn.fit(X, Y, epochs=1, learning_rate=lambda step: rate, verbose=False),
        lambda nn: (
            setattr(nn, "optimizer", optimizers.SGD(foxnn.schedules.Exponential(rate, steps=9))),
            nn.train_on_batch(X, Y),
        ),
    ):
        with pytest.raises(ValueError, match=r"^learning_rate of .*float32 cannot hold; it takes 0 or a number from"):
            use(nn)
        assert all(np.array_equal(a, b) for a, b in zip(before, nn.get_weights(), strict=True))
        if rate < 1:
            use(twin)


def test_rates_that_decay_to_nothing_are_taken() -> None:
    nn = network()
    history = nn.fit(X, Y, epochs=80, learning_rate=lambda step: 0.1**step, batch_size=20, verbose=False)
    assert history["learning_rate"][-1] < 1e-60
