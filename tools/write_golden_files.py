"""Write the files that every later version has to read: networks of many kinds, in the present format.

    python tools/write_golden_files.py

They go to tests/golden/format_N, N being the number of the present format, each with a .json beside it that says what
is in it: what the network is, and its outputs before and after one more step of training. Files that are there already
stay as they are, so this adds those of kinds that are new.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import foxnn
from foxnn.io.native import FORMAT, to_bytes

FOLDER = Path(__file__).parent.parent / "tests" / "golden" / f"format_{FORMAT}"
RNG = np.random.default_rng(1)
X = RNG.normal(size=(12, 3))
VALUES = RNG.uniform(0.1, 0.9, size=(12, 2))
CLASSES = RNG.integers(0, 2, size=12)

KINDS: dict[str, Callable[[], foxnn.NeuralNetwork]] = {}


def kind(make: Callable[[], foxnn.NeuralNetwork]) -> Callable[[], foxnn.NeuralNetwork]:
    """Register a function that makes a network; its name is the file's."""
    KINDS[make.__name__] = make
    return make


@kind
def one_line() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([3, 4, 2], seed=0)


@kind
def float64() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([3, 4, 2], activation="tanh", dtype="float64", seed=2**64 - 1)


@kind
def a_single_layer() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([3, 2], output="linear", loss="mse", seed=0)


@kind
def parameters() -> foxnn.NeuralNetwork:
    hidden = [foxnn.Activation("elu", alpha=0.5), foxnn.Activation("leaky_relu", negative_slope=0.2)]
    return foxnn.neural_network(
        [3, 4, 5, 2], activation=hidden, output="linear", loss=foxnn.Loss("huber", delta=0.25), seed=3
    )


@kind
def every_activation() -> foxnn.NeuralNetwork:
    hidden = [name for name in foxnn.activations.names() if not foxnn.Activation(name).output_only]
    return foxnn.neural_network([3, *(4 for _ in hidden), 2], activation=hidden, output="sigmoid", seed=4)


@kind
def trained() -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network([3, 4, 5, 2], activation="relu", output="softmax", dropout=[0.25, 0.5], seed=5)
    nn.fit(X, CLASSES, epochs=3, batch_size=5, validation_split=0.25, learning_rate=0.01, scale=0.5, offset=-0.25)
    nn.metadata.update({"författare": "Åsa", "nested": [1, 2.5, None, True, {"empty": []}]})
    nn.history.append({"loss": float("nan")})
    return nn


@kind
def settings_of_1_0() -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network([3, 4, 2], dtype="float64", seed=6)
    nn.settings.n_threads = 1
    nn.settings.max_on_last_layer = True
    nn.settings.set_mode("Nesterov")
    nn.settings.settings_optimization.nesterov.gamma = 0.5
    nn.random_mutation(0.01)
    return nn


@kind
def frozen() -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network([3, 4, 2], seed=8)
    nn.layers[0].trainable = False
    return nn


@kind
def normalised() -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network([3, 4, foxnn.BatchNorm(), 4, foxnn.LayerNorm(), 2], output="softmax", seed=9)
    nn.fit(X, CLASSES, epochs=3, batch_size=5)
    return nn


@kind
def regularised() -> foxnn.NeuralNetwork:
    return foxnn.neural_network(
        [3, 4, 2], input_dropout=0.1, input_noise=0.2, l1=0.01, l2=0.02, max_norm=[3.0, None], seed=10
    )


@kind
def scaled() -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network([3, 4, 2], scale_inputs="standard", scale_outputs="minmax", output="linear", seed=11)
    nn.fit(X, 100 * VALUES, epochs=3, batch_size=5, learning_rate=foxnn.schedules.Cosine(0.01, steps=20))
    return nn


def remembering(optimizer: str, loss: str) -> Callable[[], foxnn.NeuralNetwork]:
    """A network that has been trained, with what its optimizer remembers."""

    def make() -> foxnn.NeuralNetwork:
        nn = foxnn.neural_network([3, 4, 2], activation="tanh", loss=loss, seed=7)
        y = CLASSES if foxnn.Loss(loss).is_classification else VALUES
        nn.fit(X, y, epochs=3, batch_size=5, optimizer=optimizer, learning_rate=0.01)
        return nn

    return make


for index, name in enumerate(foxnn.optimizers.names()):
    losses = foxnn.losses.names()
    KINDS[f"optimizer_{name}"] = remembering(name, losses[index % len(losses)])


def contents(nn: foxnn.NeuralNetwork) -> dict[str, Any]:
    """What a reader of the file has to find in it."""
    found: dict[str, Any] = {
        "sizes": nn.sizes,
        "dtype": nn.dtype.name,
        "activations": [{"name": a.name, **a.parameters} for a in (layer.activation for layer in nn.layers)],
        "loss": {"name": nn.loss.name, **nn.loss.parameters},
        "dropout": nn.dropout,
        "trainable": [layer.trainable for layer in nn.layers],
        "seed": nn.seed,
        "epoch": nn.epoch,
        "scale": nn.scale,
        "offset": nn.offset,
        "optimizer": nn.optimizer.config,
        "settings": nn.settings.as_dict(),
        "history": [{name: repr(value) for name, value in epoch.items()} for epoch in nn.history.epochs],
        "metadata": nn.metadata,
        "inputs": X.tolist(),
        "outputs": nn.predict(X).tolist(),
    }
    if nn._optimizer_state is not None and not any(nn.dropout):
        found["optimizer_steps"] = nn._optimizer_state.t
        found["targets"] = (CLASSES if nn.loss.is_classification else VALUES).tolist()
        found["loss_of_a_step"] = nn.train_on_batch(X, found["targets"])
        found["outputs_a_step_later"] = nn.predict(X).tolist()
    return found


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in KINDS.items():
        path = FOLDER / f"{name}.safetensors"
        if path.exists():
            continue
        nn = make()
        data = to_bytes(nn, optimizer=True)
        path.write_bytes(data)
        path.with_suffix(".json").write_text(json.dumps(contents(nn), indent=1, ensure_ascii=False) + "\n")
        print(path.relative_to(FOLDER.parents[2]), len(data))


if __name__ == "__main__":
    main()
