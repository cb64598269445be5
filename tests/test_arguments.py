"""Promise: a wrong argument is an error that names it, says what it got and what it takes; nothing has changed then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

X, Y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])


def network(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network([2, 3, 1], seed=0, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda nn: network(output=5), "^output: got 5; it takes a name"),
        (lambda nn: foxnn.load(3), "^path: got 3; it takes the name of a file"),
        (lambda nn: foxnn.load("net.txt", only_scale="no"), "^only_scale: got 'no'; it takes True or False"),
        (lambda nn: foxnn.from_onnx(3), "^path: got 3; it takes the name of a file"),
        (lambda nn: nn.save(3), "^path: got 3; it takes the name of a file"),
        (lambda nn: nn.save("net.safetensors", optimizer="no"), "^optimizer: got 'no'; it takes True or False"),
        (lambda nn: nn.to_c(3), "^path: got 3; it takes the name of a file"),
        (lambda nn: nn.to_js(3), "^path: got 3; it takes the name of a file"),
        (lambda nn: nn.to_onnx(3), "^path: got 3; it takes the name of a file"),
        (lambda nn: nn.to_npz(3), "^path: got 3; it takes the name of a file"),
        (lambda nn: nn.fit(X, Y, resume="no"), "^resume: got 'no'; it takes True or False"),
        (lambda nn: nn.forward(X, training="no"), "^training: got 'no'; it takes True or False"),
        (lambda nn: nn.backward(X, input_gradient="no"), "^input_gradient: got 'no'; it takes True or False"),
        (lambda nn: nn.apply_gradients(3), "^gradients: got 3; it takes a pair for each of the 2 layers"),
        (lambda nn: nn.set_weights(3), "^weights: got 3; it takes a list of arrays"),
        (lambda nn: nn.copy_weights(nn, layers=3), "^layers: got 3; it takes a list of numbers, or a dict"),
        (lambda nn: nn.loss_and_gradient(["a"], X, Y), "^parameters: got an array of <U1; it takes real numbers"),
        (
            lambda nn: foxnn.optimizers.get("adam", beta3=1),
            "^adam parameter: unknown name 'beta3' .*beta1, beta2",
        ),
        (lambda nn: foxnn.plots.plot_history([1, 2]), r"^history: got \[1, 2\]; it takes a foxnn.History"),
        (lambda nn: foxnn.plots.plot_images(3), r"^images: got an array of shape \(\); it takes shape \(n, side"),
        (lambda nn: foxnn.plots.plot_images(np.ones((2, 4)), columns=0), "^columns: got 0; it takes an integer"),
        (lambda nn: foxnn.plots.plot_images(np.ones((2, 4)), ["a"]), "^titles: got 1 for 2 images; it takes one for"),
        (lambda nn: foxnn.neural_network([2, 1], only_scale=True), "^only_scale: got True; it is for networks that"),
        (lambda nn: setattr(nn, "seed", "a"), "^seed: got 'a'; it takes an integer of at least 0"),
        (lambda nn: setattr(nn, "seed", -1), "^seed: got -1; it takes an integer of at least 0"),
        (lambda nn: setattr(nn, "seed", None), "^seed: got None; it takes an integer of at least 0"),
        (lambda nn: setattr(nn, "epoch", "a"), "^epoch: got 'a'; it takes an integer of at least 0"),
        (lambda nn: setattr(nn, "epoch", -1), "^epoch: got -1; it takes an integer of at least 0"),
        (lambda nn: setattr(foxnn.train_data(), "seed", 0.5), "^seed: got 0.5; it takes an integer of at least 0"),
        (lambda nn: foxnn.optimizers.Adam("cosine"), "^learning_rate: got 'cosine'; it takes a number or a schedule"),
    ],
)
def test_the_message(call: Callable[[Any], Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nn = network()
    before = nn.parameters
    with pytest.raises((TypeError, ValueError), match=message):
        call(nn)
    assert (nn.parameters == before).all()
    assert (nn.seed, nn.epoch) == (0, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("scale", "a", r"^scale: got 'a'; it takes a number in \(-inf, inf\)"),
        ("offset", float("nan"), r"^offset: got nan; it takes a number in \(-inf, inf\)"),
    ],
)
def test_attributes_are_checked_when_used(name: str, value: Any, message: str) -> None:
    nn = network()
    before = nn.parameters
    setattr(nn, name, value)
    with pytest.raises((TypeError, ValueError), match=message):
        nn.train_on_batch(X, Y)
    assert (nn.parameters == before).all()
