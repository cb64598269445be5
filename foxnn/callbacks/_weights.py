"""Keeping what a network has learned, to bring it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foxnn.layers.layer import arrays_of, checked_parameters

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def weights_of(network: NeuralNetwork) -> list[dict[str, Any]]:
    """Copies of the arrays of all layers."""
    return arrays_of(network)


def check_weights(network: NeuralNetwork, kept: list[dict[str, Any]]) -> None:
    """ValueError if `weights_of` cannot have returned this."""
    for layer, arrays in zip(network.layers, kept, strict=True):
        if tuple(arrays) != layer.array_names:
            raise ValueError(f"weights: got {', '.join(arrays)}; a layer has {', '.join(layer.array_names)}")
        for name, array in arrays.items():
            checked_parameters(array, layer.parameter_shape(name), name, network.dtype)


def bring_back(network: NeuralNetwork, kept: list[dict[str, Any]]) -> None:
    """Set all arrays to what `weights_of` returned."""
    network._core.write([(i, name, array) for i, arrays in enumerate(kept) for name, array in arrays.items()])
