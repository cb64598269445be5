"""Keeping what a network has learned, to bring it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def weights_of(network: NeuralNetwork) -> list[tuple[Any, Any]]:
    """Copies of weights and biases of all layers."""
    return [(layer.weights, layer.bias) for layer in network.layers]


def bring_back(network: NeuralNetwork, kept: list[tuple[Any, Any]]) -> None:
    """Set weights and biases to what `weights_of` returned."""
    for layer, (weights, bias) in zip(network.layers, kept, strict=True):
        layer.weights, layer.bias = weights, bias
