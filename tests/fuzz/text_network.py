"""FoxNN 1.0's networks as text."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from random import Random

import numpy as np

import foxnn
from fuzz.mutations import damaged

ERRORS = (foxnn.FileFormatError,)
NAMES_FILE = True
MEMORY = 8.0  # two characters can be a number of eight bytes, which are there twice while the network is built
OVERHEAD = 1 << 20
TOKENS = (b"sigmoid", b"relu", b"elu", b"identity_x", b"tan_h", b"SGD", b"Adam", b"Nesterov", b'"a b"')


def corpus(only_scale: bool = False) -> list[bytes]:
    """Networks of several activations and settings, one with a name in quotes, one in one line."""
    files = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.txt")
        for activation, name in (("sigmoid", "save.txt"), (foxnn.Activation("elu", alpha=0.5), "a b.txt")):
            nn = foxnn.neural_network([2, 3, 1], "sigmoid" if only_scale else activation, "sigmoid", seed=0)
            nn.settings.auto_save_name_file = name
            nn.save(path, only_scale=only_scale)
            files += [path.read_bytes(), b" ".join(path.read_bytes().split())]
        nn = foxnn.neural_network([1, 1], "sigmoid", init=0.5)
        nn.save(path, only_scale=only_scale)
        files.append(path.read_bytes())
    return files


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Text has no checksum to get past."""
    return damaged(random, corpus, TOKENS)


def use(path: Path) -> None:
    """Load it and predict."""
    predict(foxnn.load(path))


def predict(nn: foxnn.NeuralNetwork) -> None:
    """The outputs of a row. They may be too large to be finite; the weights are not."""
    with np.errstate(all="ignore"):
        out = nn.predict(np.ones((1, nn.sizes[0])))
    assert out.shape == (1, nn.sizes[-1])
    assert all(np.isfinite(layer.weights).all() and np.isfinite(layer.bias).all() for layer in nn.layers)
    assert os.sep not in repr(nn)
