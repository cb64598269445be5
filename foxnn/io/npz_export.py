"""Networks as NumPy's archives of arrays."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn._atomic import atomic_write
from foxnn.data.scaling import as_json
from foxnn.io._layers import folded

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def to_npz(network: NeuralNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network as an archive of arrays; see `NeuralNetwork.to_npz`."""
    network = folded(network, "to_npz's archives")
    arrays: dict[str, Any] = {}
    for i, layer in enumerate(network.layers):
        arrays[f"layers.{i}.weights"], arrays[f"layers.{i}.bias"] = layer.weights, layer.bias
        if layer.norm is not None:
            arrays[f"layers.{i}.gamma"], arrays[f"layers.{i}.beta"] = layer.norm.gamma, layer.norm.beta
    description: dict[str, Any] = {
        "activations": [{"name": a.name, **a.parameters} for a in (layer.activation for layer in network.layers)],
        "scale": network.scale,
        "offset": network.offset,
    }
    norms = [layer.norm for layer in network.layers]
    if any(norms):
        description["norms"] = [None if norm is None else norm.config for norm in norms]
    for outputs, name in enumerate(("scale_inputs", "scale_outputs")):
        if getattr(network, name) is not None:
            description[name] = as_json(network, outputs)
    with atomic_write(path) as file:
        np.savez(file, description=np.array(json.dumps(description)), **arrays)
