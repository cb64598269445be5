"""foxnn's own files."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import foxnn
from foxnn.io.container import _BLANK, _MARK
from foxnn.io.native import to_bytes
from fuzz.mutations import damaged
from fuzz.text_network import predict

ERRORS = (foxnn.FileFormatError,)
NAMES_FILE = True
MEMORY = 3.0  # the file, its arrays, and the network
OVERHEAD = 1 << 19
TOKENS = (b"float64", b"float32", b"F64", b"F32", b"I8", b"BF16", b"BOOL", b"softmax", b"elu", b"alpha", b"adam",
          b"huber", b"batch_norm", b"layer_norm", b"minmax")  # fmt: skip

_VALUES = [None, True, False, 0, 1, -1, 2, 3, 1.5, -0.0, 1e308, 2**31, 2**53, 2**63, 2**64, 10**30, "", "nan", "inf",
           "float64", "softmax", "elu", "adam", "minmax", [], [0], [1, 2], {}, {"name": "tanh"}, "a\0b", "\ud800",
           "9" * 30, {"name": "batch_norm", "momentum": 0.1, "epsilon": 1e-5}]  # fmt: skip


def corpus() -> list[bytes]:
    """Both number types, each kind of parameter, layers with normalisation and data that is scaled, all that training
    does besides, with what an optimizer remembers, and of the first format.
    """
    X, y = np.eye(2), [0, 1]
    nets = [
        foxnn.neural_network([2, 3, 1], [foxnn.Activation("elu", alpha=0.5)], "sigmoid", "huber", dropout=0.25, seed=0),
        foxnn.neural_network([2, 2, 2, 2], "tanh", "softmax", dtype="float64", seed=1),
        foxnn.neural_network([1, 1], init=0.5, seed=2),
        foxnn.neural_network([2, 3, foxnn.BatchNorm(), 2, foxnn.LayerNorm(0.1), 2], "relu", "linear", dropout=[0.5, 0],
                             scale_inputs="standard", scale_outputs="minmax", seed=3),
        foxnn.neural_network([2, 2, foxnn.BatchNorm(0.5), 1], "gelu", input_dropout=0.25, input_noise=0.5, l1=1e-3,
                             l2=0.5, max_norm=[2.0, None], scale_inputs="minmax", dtype="float64", seed=4),
    ]  # fmt: skip
    nets[1].fit(X, y, epochs=2, optimizer="adam", verbose=False)
    nets[1].history.epochs[:] = [{"loss": 0.5, "accuracy": 1.0}, {"loss": 0.25, "accuracy": 0.0}]  # not the seconds
    nets[2].optimizer = foxnn.optimizers.Momentum(0.5)
    nets[2].train_on_batch([[1.0]], [[0.5]])
    nets[3].fit_scaling(X, X)
    nets[3].train_on_batch(X, X)
    nets[4].layers[0].trainable = False
    nets[0].metadata, nets[0].scale, nets[0].offset = {"name": ["a", {"b": 1}]}, 0.5, -1.0
    files = [to_bytes(nn, optimizer=i > 0) for i, nn in enumerate(nets)]
    header, data = _split(files[0])
    description = json.loads(header["__metadata__"]["foxnn"])
    del description["sha256"]
    return [*files, _joined(header, {**description, "format": 1}, data)]


def _split(file: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(file[:8], "little")
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def _joined(header: dict[str, Any], description: Any, data: bytes) -> bytes:
    header["__metadata__"]["foxnn"] = json.dumps(description)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def damage(random: Random, corpus: list[bytes]) -> bytes:
    """Damage to the file, or to what its header and description say; mostly with a right checksum after it."""
    if random.random() < 0.4:
        data = damaged(random, corpus, TOKENS)
        return data if random.random() < 0.3 else _summed(data)
    header, data = _split(random.choice(corpus))
    description = json.loads(header["__metadata__"]["foxnn"])
    for _ in range(random.choice((1, 1, 2, 3))):
        if random.random() < 0.8:
            _change(random, description)
        elif random.random() < 0.8:
            _change(random, {name: value for name, value in header.items() if name != "__metadata__"})
        else:
            data = damaged(random, [data])
    return _summed(_joined(header, description, data))


def _change(random: Random, tree: Any) -> None:
    """Another value, or none, somewhere in a tree of dictionaries and lists."""
    places = list(_places(tree))
    if not places:
        return
    parent, key = random.choice(places)
    value = copy.deepcopy(random.choice(_VALUES))  # which may be changed itself by what follows
    how = random.random()
    if how < 0.15:
        del parent[key]
    elif how < 0.3 and isinstance(parent, list):
        parent.insert(key, parent[key])
    elif how < 0.5:
        other, at = random.choice(places)
        parent[key] = json.loads(json.dumps(other[at]))
    elif how < 0.6 and isinstance(parent, dict):
        parent[random.choice(["", "x", "alpha", "delta", "name", "format", "steps"])] = value
    elif how < 0.7 and type(parent[key]) in (int, float):
        parent[key] += random.choice((-1, 1, 0.5))
    else:
        parent[key] = value


def _places(tree: Any) -> Any:
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from _places(tree[key])


def _summed(file: bytes) -> bytes:
    """The file with the checksum that it should have, if there is a place for one."""
    at = file.find(_MARK) + len(_MARK)
    if at < len(_MARK) or at + len(_BLANK) > len(file):
        return file
    blank = file[:at] + _BLANK + file[at + len(_BLANK) :]
    return file[:at] + hashlib.sha256(blank).hexdigest().encode() + file[at + len(_BLANK) :]


def use(path: Path) -> None:
    """Load it, predict, save, and train a step."""
    nn = foxnn.load(path)
    rows = 2  # as batch normalisation takes
    if nn._unfitted:
        nn.fit_scaling(np.ones((rows, nn.sizes[0])), np.ones((rows, nn.sizes[-1])))
    predict(nn)
    if re.search("nan|inf", json.dumps(nn.metadata), re.IGNORECASE):  # which the first format could hold
        nn.metadata = {}
    again = foxnn.io.native.from_bytes(to_bytes(nn, optimizer=True))
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(nn.layers, again.layers, strict=True))
    with suppress(foxnn.DivergenceError), np.errstate(all="ignore"):
        nn.train_on_batch(np.ones((rows, nn.sizes[0])), np.full((rows, nn.sizes[-1]), 1 / nn.sizes[-1]))
