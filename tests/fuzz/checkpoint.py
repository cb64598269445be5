"""Trainings that were interrupted."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import foxnn
from fuzz import native
from fuzz.native import TOKENS

__all__ = ["ERRORS", "MEMORY", "NAMES_FILE", "OVERHEAD", "TOKENS", "corpus", "damage", "use"]

ERRORS = (foxnn.FileFormatError, ValueError)  # the latter if a whole file is that of another training
NAMES_FILE = False  # a rate that is none, say, is the schedule's
MEMORY = 6.0  # as of a network, and its training
OVERHEAD = 1 << 19

_X, _Y = np.linspace(-1, 1, 14).reshape(7, 2), [0, 1, 0, 1, 1, 0, 1]


class _Stop(foxnn.Callback):
    """Stops after so many steps."""

    every = 1

    def __init__(self, steps: int | None = None) -> None:
        self.left = steps

    def on_batch_end(self, network: Any, epoch: int, batch: int, values: Any) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    def state(self) -> dict[str, Any]:
        return {"nothing": [1.5, "a", None], "array": np.ones(2)}

    def set_state(self, state: dict[str, Any]) -> None:
        pass


def _train(path: Path, steps: int | None = None) -> foxnn.NeuralNetwork:
    """Train with all that a checkpoint can hold: a schedule that remembers, validation, best weights."""
    nn = foxnn.neural_network([2, 3, foxnn.BatchNorm(), 2], "tanh", "softmax", dropout=0.25, scale_inputs="standard",
                              seed=0)  # fmt: skip
    rate = foxnn.schedules.ReduceOnPlateau(foxnn.schedules.LinearWarmup(0.01, epochs=1), patience=0)
    nn.fit(_X, _Y, epochs=3, batch_size=3, learning_rate=rate, validation_data=(_X[:3], _Y[:3]), verbose=False,
           callbacks=[foxnn.EarlyStopping(patience=2), _Stop(steps)], checkpoint=path, resume=True)  # fmt: skip
    return nn


def corpus() -> list[bytes]:
    """Interrupted in each epoch, in its middle and at its end; and complete."""
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for steps in (1, 3, 5, 8, None):
            path = Path(folder, f"{steps}.safetensors")
            with suppress(KeyboardInterrupt):
                _train(path, steps)
            header, data = native._split(path.read_bytes())
            description = json.loads(header["__metadata__"]["foxnn"])
            description["training"]["state"]["seconds"] = 0.5
            for epoch in description["history"]:
                epoch["seconds"] = 0.25
            files.append(native._summed(native._joined(header, description, data)))
    return files


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Damage to the training's state, under a right checksum; or to anything, as to a network."""
    if random.random() < 0.2:
        return native.damage(random, corpus)
    header, data = native._split(random.choice(corpus))
    description = json.loads(header["__metadata__"]["foxnn"])
    for _ in range(random.choice((1, 1, 2, 3))):
        native._change(random, description["training"]["state" if random.random() < 0.8 else "arguments"])
    return native._summed(native._joined(header, description, data))


def use(path: Path) -> None:
    """Go on with it, to the end."""
    copy = path.with_suffix(".safetensors")
    copy.write_bytes(path.read_bytes())
    try:
        with np.errstate(all="ignore"):
            nn = _train(copy)
    except foxnn.DivergenceError:
        return
    finally:
        copy.unlink()
    assert len(nn.history.epochs) <= 3
    assert all(np.isfinite(layer.weights).all() for layer in nn.layers)
