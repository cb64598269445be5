"""Keeping what a network has learned, to bring it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def weights_of(network: NeuralNetwork) -> list[dict[str, Any]]:
    """Copies of the arrays of all layers."""
    return [{name: layer.get_array(name) for name in layer.array_names} for layer in network.layers]


def bring_back(network: NeuralNetwork, kept: list[dict[str, Any]]) -> None:
    """Set all arrays to what `weights_of` returned."""
    for layer, arrays in zip(network.layers, kept, strict=True):
        for name, array in arrays.items():
            layer.set_array(name, array)
