"""Promise: a copy is all that its original is, costs what copying its arrays costs, and neither changes the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.io.native import to_bytes


def everything() -> foxnn.NeuralNetwork:
    """A network with all that there can be."""
    nn = foxnn.neural_network(
        [3, 5, foxnn.BatchNorm(), 4, foxnn.LayerNorm(), 2], ["relu", foxnn.Activation("elu", alpha=0.5)], "linear",
        dropout=[0.25, 0], input_noise=0.1, l2=1e-3, max_norm=[None, 2, 3], scale_inputs="standard",
        scale_outputs="minmax", seed=3,
    )  # fmt: skip
    X, Y = np.random.default_rng(0).normal(size=(2, 8, 3))
    nn.fit(X, Y[:, :2], epochs=2, optimizer="adamw", learning_rate=foxnn.schedules.Cosine(0.01, steps=100))
    nn.layers[1].trainable = False
    nn.metadata = {"mine": [1, {"two": 2.5}]}
    nn.settings.update({"n_threads": 2, "n_print": 3, "gamma": 0.25, "betta_1": 0.5})
    return nn


def test_a_copy_is_what_a_file_would_hold() -> None:
    nn = everything()
    assert to_bytes(nn.copy(), optimizer=True) == to_bytes(nn, optimizer=True)
    nn.optimizer = foxnn.optimizers.SGD()  # what is remembered is then another one's
    assert to_bytes(nn.copy(), optimizer=True) == to_bytes(nn, optimizer=True)


def test_a_copy_and_its_original_are_independent() -> None:
    nn = everything()
    before = to_bytes(nn, optimizer=True)
    X, Y = np.random.default_rng(0).normal(size=(2, 8, 3))

    def change(network: foxnn.NeuralNetwork) -> None:
        network.train_on_batch(X, Y[:, :2])
        network.optimizer.learning_rate = 0.5
        network.metadata["mine"][1]["two"] = 3
        network.settings.n_print = 7
        network.settings.settings_optimization.adam.betta_1 = 0.75
        network.history.epochs[0]["loss"] = 9.0
        network.history.append({"loss": 1.0})
        network.dropout = 0.5
        network.max_norm = 1
        network.layers[0].activation = "tanh"
        network.layers[1].trainable = True
        network.layers[2].weights = 0
        network.fit_scaling(2 * X, Y[:, :2])
        network.insert(1, 6, "tanh")

    twin, third = nn.copy(), nn.copy()
    change(twin)
    assert to_bytes(nn, optimizer=True) == to_bytes(third, optimizer=True) == before
    change(nn)
    assert to_bytes(third, optimizer=True) == before
    assert to_bytes(nn, optimizer=True) == to_bytes(twin, optimizer=True) != before


def test_a_copy_trains_on_with_the_same_bits_beside_its_original() -> None:
    nn = everything()
    X, Y = np.random.default_rng(0).normal(size=(2, 8, 3))
    nn.settings.n_threads = 1
    twin = nn.copy()
    for _ in range(3):
        with nn._exclusively():  # who trains the one does not keep the other from it
            pass
        assert nn.train_on_batch(X, Y[:, :2]) == twin.train_on_batch(X, Y[:, :2])
    assert to_bytes(nn, optimizer=True) == to_bytes(twin, optimizer=True)


def test_a_copy_keeps_what_files_cannot_hold() -> None:
    class Mine(foxnn.NeuralNetwork):
        pass

    nn = Mine([2, 1], seed=0)
    nn.optimizer = foxnn.optimizers.SGD(lambda epoch: 0.5**epoch)
    nn.metadata = {"set": {1, 2}}
    twin = nn.copy()
    assert type(twin) is Mine
    assert twin.optimizer.learning_rate.at(np.zeros(1), foxnn.schedules.Pace(1, 1)) == [1.0]
    assert twin.metadata == nn.metadata
    assert twin.metadata["set"] is not nn.metadata["set"]


def test_a_copy_goes_through_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the time of copying arrays: nothing is written, hashed or checked."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a file is being made")

    for name in ("to_pieces", "to_bytes", "from_bytes"):
        monkeypatch.setattr(f"foxnn.io.native.{name}", refuse)
    nn = foxnn.neural_network([4, 16, 16, 2], seed=0)
    assert np.array_equal(nn.copy().parameters, nn.parameters)
