"""All parameters of a network at once: as lists of arrays, from another network, or as one vector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._arrays import _as_numbers
from foxnn._options import integer
from foxnn._snapshot import snapshot
from foxnn.layers.layer import Layer, arrays_of, checked_parameters, write

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

Array = npt.NDArray[Any]
#: For each layer the gradients of its weights (n_in, n_out), of its biases (n_out,) and, if it has a normalisation, of
#: gamma and beta (n_out,).
Gradients = list[tuple[Array, ...]]


def get_weights(network: NeuralNetwork) -> list[Array]:
    """See `NeuralNetwork.get_weights`."""
    return [snapshot(array) for arrays in arrays_of(network) for array in arrays.values()]


def set_weights(network: NeuralNetwork, weights: Iterable[Any]) -> None:
    """See `NeuralNetwork.set_weights`."""
    if not isinstance(weights, Iterable):
        raise TypeError(f"weights: got {weights!r}; it takes a list of arrays, as get_weights() returns it")
    given, view = list(weights), network._as_it_is()
    places = [(layer, name) for layer in view.layers for name in layer.array_names]
    if len(given) != len(places):
        raise ValueError(f"weights: got {len(given)} arrays; it takes {len(places)}, as get_weights() returns them")
    checked = [
        _checked(layer, name, value, f"weights[{i}]")
        for i, ((layer, name), value) in enumerate(zip(places, given, strict=True))
    ]
    write(network, view, [(layer, name, array) for (layer, name), array in zip(places, checked, strict=True)])


def copy_weights(
    network: NeuralNetwork, other: NeuralNetwork, layers: Iterable[int] | Mapping[int, int] | None = None
) -> None:
    """See `NeuralNetwork.copy_weights`."""
    network, other = network._as_it_is(), other._as_it_is()
    arrays = arrays_of(other)
    if layers is None:
        if network._shapes != other._shapes:
            raise ValueError(f"other: got a network of sizes {other.sizes} for one of {network.sizes}; choose layers")
        layers = range(len(network.layers))
    if not isinstance(layers, Iterable):
        raise TypeError(f"layers: got {layers!r}; it takes a list of numbers, or a dict of number to number")
    pairs = layers.items() if isinstance(layers, Mapping) else [(i, i) for i in layers]
    places = []
    for to, source in pairs:
        mine, theirs = _layer(network, to, "this network"), _layer(other, source, "the other network")
        places += [
            (mine, name, _checked(mine, name, arrays[source][name], f"layer {source} {name}"))
            for name in _same_names(mine, to, theirs, source)
        ]
    write(network, network, places)
    if (0, 0) in pairs and other._core.trained_on:
        network._core.trained_on = other._core.trained_on  # what reads inputs knows how they are meant


def vector(network: NeuralNetwork) -> Array:
    """See `NeuralNetwork.parameters`."""
    network = network._as_it_is()
    places = [(layer._index, name, -1) for layer, name in _trainable(network)]
    arrays = [array.ravel() for array in network._core.read(places)[0]]
    return snapshot(np.concatenate(arrays) if arrays else np.empty(0, network.dtype))


def set_vector(network: NeuralNetwork, value: Any) -> None:
    """See `NeuralNetwork.parameters`."""
    network = network._as_it_is()
    places = _trainable(network)
    shapes = [layer.parameter_shape(name) for layer, name in places]
    sizes = [int(np.prod(shape)) for shape in shapes]
    array = _as_numbers(value, "parameters")
    if array.shape != (sum(sizes),):
        raise ValueError(f"parameters: got an array of shape {array.shape}; it takes shape ({sum(sizes)},)")
    vector = checked_parameters(array, array.shape, "parameters", network.dtype)
    parts = np.split(vector, np.cumsum(sizes))[: len(sizes)]
    new = zip(places, parts, shapes, strict=True)
    write(network, network, [(layer, name, part.reshape(shape)) for (layer, name), part, shape in new])


def _same_names(mine: Layer, to: int, theirs: Layer, source: int) -> tuple[str, ...]:
    if mine.array_names != theirs.array_names:
        raise ValueError(f"layers: {source} of the other network has {theirs.norm}, and {to} of this one {mine.norm}")
    return mine.array_names


def _trainable(network: NeuralNetwork) -> Sequence[tuple[Layer, str]]:
    return [(layer, name) for layer in network.layers if layer.trainable for name in layer.parameter_names]


def _checked(layer: Layer, name: str, value: Any, argument: str) -> Array:
    array = _as_numbers(value, argument)
    shape = layer.parameter_shape(name)
    if array.shape != shape:
        raise ValueError(f"{argument}: got an array of shape {array.shape}; it takes shape {shape}")
    checked = checked_parameters(array, shape, argument, layer._network.dtype)
    if name == "running_variance" and (checked < 0).any():
        raise ValueError(f"{argument}: got {checked.min():g}; it takes variances, which are not negative")
    return checked


def _layer(network: NeuralNetwork, index: Any, whose: str) -> Layer:
    i, n = integer("layers", index, 0), len(network.layers)
    if i >= n:
        raise ValueError(f"layers: got {i}; {whose} has {n} layer{'s' * (n > 1)}, counted from 0")
    return network.layers[i]
