"""The native file: safetensors, with everything that is not an array as JSON in its metadata."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn import _core, optimizers
from foxnn._options import integer, real
from foxnn.activations import Activation
from foxnn.errors import FileFormatError
from foxnn.losses import Loss

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

FORMAT = 1


def to_bytes(network: NeuralNetwork, *, optimizer: bool = False) -> bytes:
    """A network as the bytes of a file; with `optimizer`, also what its optimizer remembers."""
    from safetensors.numpy import save

    tensors = {}
    for i, layer in enumerate(network.layers):
        tensors[f"layers.{i}.weights"], tensors[f"layers.{i}.bias"] = layer.weights, layer.bias
    description: dict[str, Any] = {
        "format": FORMAT,
        "foxnn": _core.config()["version"],
        "sizes": network.sizes,
        "dtype": network.dtype.name,
        "activations": [{"name": a.name, **a.parameters} for a in network._activations],
        "loss": {"name": network.loss.name, **network.loss.parameters},
        "dropout": network.dropout,
        "trainable": [layer.trainable for layer in network.layers],
        "seed": network.seed,
        "epoch": network.epoch,
        "scale": network.scale,
        "offset": network.offset,
        "optimizer": network.optimizer.config,
        "settings_1_0": network.settings.as_dict(),
        "history": network.history.epochs,
        "metadata": network.metadata,
    }
    state = network._optimizer_state
    if optimizer and state is not None and network._optimizer_of_state is not None:
        description["optimizer_of_state"] = network._optimizer_of_state.config
        description["steps"] = state.t
        for i in range(len(network.layers)):
            for s in range(_core.OPTIMIZERS[network._optimizer_of_state.name]["n_state"]):
                weights, bias = state.get(network._core, i, s)
                tensors[f"optimizer.{i}.{s}.weights"], tensors[f"optimizer.{i}.{s}.bias"] = weights, bias
    try:
        text = json.dumps(description)
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata: {error}; it takes what JSON can hold") from None
    return save(tensors, metadata={"foxnn": text})


def from_bytes(data: bytes) -> NeuralNetwork:
    """The network that `to_bytes` turned into these bytes."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        text = header.get("__metadata__", {}).get("foxnn")
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"damaged, or not a safetensors file: {error}") from None
    if text is None:
        raise FileFormatError("a safetensors file, but not one that foxnn wrote (no description of the network)")
    try:
        return _build(json.loads(text), tensors)
    except FileFormatError:
        raise
    except KeyError as error:
        raise FileFormatError(f"the description of the network lacks {error}") from None
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise FileFormatError(f"the description of the network does not make sense: {error}") from None


def _build(d: dict[str, Any], tensors: dict[str, Any]) -> NeuralNetwork:
    from foxnn.network import NeuralNetwork

    if d["format"] != FORMAT:
        raise FileFormatError(f"written in format {d['format']} by foxnn {d['foxnn']}; this version reads {FORMAT}")
    sizes = d["sizes"]
    for i, shape in enumerate(pairwise(sizes)):
        for name, expected in ((f"layers.{i}.weights", shape), (f"layers.{i}.bias", shape[1:])):
            got = tensors.get(name)
            if got is None or got.shape != expected or got.dtype.name != d["dtype"]:
                what = "nothing" if got is None else f"{got.dtype} {got.shape}"
                raise FileFormatError(f"{name}: {what} where {d['dtype']} {tuple(expected)} belongs")
            if not np.isfinite(got).all():
                raise FileFormatError(f"{name}: contains numbers that are not finite")
    activations = [Activation(**a) for a in d["activations"]]
    network = NeuralNetwork(
        sizes,
        activation=activations[:-1],
        output=activations[-1],
        loss=Loss(**d["loss"]),
        init="zeros",
        dropout=d["dropout"],
        dtype=d["dtype"],
        seed=d["seed"],
    )
    for i, layer in enumerate(network.layers):
        layer.weights, layer.bias = tensors[f"layers.{i}.weights"], tensors[f"layers.{i}.bias"]
    for layer, trainable in zip(network.layers, d.get("trainable", [True] * len(network.layers)), strict=True):
        layer.trainable = trainable
    network.epoch = integer("epoch", d["epoch"], 0)
    network.scale, network.offset = (None if d[k] is None else real(k, d[k]) for k in ("scale", "offset"))
    if not isinstance(d["metadata"], dict):
        raise FileFormatError("metadata: not a dictionary")
    network.metadata = d["metadata"]
    network.settings.update(d["settings_1_0"])
    for epoch in d["history"]:
        network.history.append({str(name): float(value) for name, value in epoch.items()})
    if "optimizer_of_state" in d:
        network.optimizer = optimizers.get(**_named(d["optimizer_of_state"]))
        state = network._get_optimizer_state()
        state.t = d["steps"]
        for i in range(len(network.layers)):
            for s in range(_core.OPTIMIZERS[network.optimizer.name]["n_state"]):
                state.set(network._core, i, s, *(tensors[f"optimizer.{i}.{s}.{p}"] for p in ("weights", "bias")))
    network.optimizer = optimizers.get(**_named(d["optimizer"]))
    return network


def _named(config: dict[str, Any]) -> dict[str, Any]:
    return {"optimizer" if key == "name" else key: value for key, value in config.items()}
