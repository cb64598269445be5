"""All kinds of layers, and the list that a network is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foxnn._options import MOST, integer, one_for_each, unknown
from foxnn.activations import Activation
from foxnn.layers.config import LayerConfig
from foxnn.layers.dense import Dense
from foxnn.layers.normalisation import Norm
from foxnn.layers.scale import Scale
from foxnn.losses import NATURAL_OUTPUT, Loss

_KINDS: dict[str, type[LayerConfig]] = {cls.kind: cls for cls in (Dense, Scale)}


def layer_from_config(config: Mapping[str, Any]) -> LayerConfig:
    """The layer that a `LayerConfig.config` describes.

    Examples
    --------
    >>> import foxnn
    >>> layer_from_config(foxnn.Dense(3, "relu").config)
    Dense(3, activation='relu')
    """
    if config["kind"] not in _KINDS:
        raise unknown("kind", config["kind"], _KINDS)
    return _KINDS[config["kind"]].from_config(config)


def read_list(sizes: Any) -> tuple[tuple[int, ...], list[LayerConfig]]:
    """The shape of the inputs, and the layers, of the list that a network is made of.

    Examples
    --------
    >>> import foxnn
    >>> read_list([4, 8, foxnn.LayerNorm(), 3])
    ((4,), [Dense(8, norm=LayerNorm()), Dense(3)])
    """
    if not isinstance(sizes, (Sequence, np.ndarray)) or isinstance(sizes, str) or len(sizes) < 2:
        raise ValueError(
            f"sizes: got {sizes!r}; it takes a list of at least two: the number of inputs, and for each layer its "
            "number of units, or a layer such as foxnn.Dense(units)"
        )
    layers: list[LayerConfig] = []
    plain: dict[int, Dense] = {}  # layers are values: those of one size are one object, whatever a file says of many
    inputs = 0
    for i, item in enumerate(sizes):
        if isinstance(item, Norm):
            layers = _with_norm(f"sizes[{i}]", layers, item)
        elif isinstance(item, LayerConfig):
            if i == 0:
                raise ValueError(f"sizes[0]: got {item!r}; it takes the number of inputs")
            layers.append(item)
        elif isinstance(item, (str, type)):
            raise TypeError(
                f"sizes[{i}]: got {item!r}; it takes an integer of at least 1, or after a hidden layer's size "
                "foxnn.BatchNorm() or foxnn.LayerNorm(), or a layer such as foxnn.Dense(units)"
            )
        else:
            number = integer(f"sizes[{i}]", item, 1, MOST)
            if i == 0:
                inputs = number
            else:
                layers.append(plain.get(number) or plain.setdefault(number, Dense(number)))
    last = layers[-1]
    if isinstance(last, Dense) and (last.norm is not None or last.dropout):
        got = last.norm if last.norm is not None else f"a dropout of {last.dropout:g}"
        raise ValueError(f"sizes[{len(sizes) - 1}]: got {got!s} for the outputs; it takes a hidden layer")
    return (inputs,), layers


def _with_norm(name: str, layers: list[LayerConfig], norm: Norm) -> list[LayerConfig]:
    if not layers:
        raise ValueError(f"{name}: got {norm!r} for the inputs; it takes its place after a hidden layer's size")
    last = layers[-1]
    if not isinstance(last, Dense):
        raise ValueError(f"{name}: got {norm!r} after {last!r}; it takes its place after a dense layer")
    if last.norm is not None:
        raise ValueError(f"{name}: got {norm!r} after {last.norm!r}; a layer has one normalisation")
    return [*layers[:-1], last.but(norm=norm)]


def with_activations(layers: list[LayerConfig], activation: Any, output: Any, loss: Loss | None) -> list[LayerConfig]:
    """The layers with the network's activations, where they have none of their own."""
    hidden, last = places(layers[:-1], "activation"), layers[-1]
    chosen: dict[int, Activation] = {}
    if output is None and isinstance(activation, (list, tuple)) and len(activation) == len(hidden) + 1:
        activation, output = activation[:-1], activation[-1]  # it is for all layers
    if not isinstance(last, Dense):
        if output is not None and Activation.of(output, "output") != "linear":
            raise ValueError(f"output: got {output!r}; the last layer is {last!r}, which has no activation")
    elif last.activation is None:
        if output is None:
            plain = "sigmoid" if isinstance(activation, str) and activation == "sigmoid" else "linear"
            output = NATURAL_OUTPUT.get(loss.name, plain) if loss is not None else plain
        chosen[len(layers) - 1] = Activation.of(output, "output")
    of_hidden = one_for_each("activation", activation, len(hidden), "hidden layers", Activation.of)
    chosen |= dict(zip(hidden, of_hidden, strict=True))
    result = with_default(layers, "activation", chosen)
    for i in hidden:
        check_hidden(result[i])
    return result


def with_default(layers: Sequence[LayerConfig], setting: str, values: Mapping[int, Any]) -> list[LayerConfig]:
    """The layers, those that have a value and none of their own with it; equal ones remain one object."""
    made: dict[tuple[int, Any], LayerConfig] = {}
    result = []
    for i, layer in enumerate(layers):
        if values.get(i) is not None and getattr(layer, setting) is None:
            key = id(layer), values[i]
            layer = made.get(key) or made.setdefault(key, layer.but(**{setting: values[i]}))
        result.append(layer)
    return result


def check_hidden(layer: LayerConfig) -> None:
    """Refuse a layer that cannot be followed by others."""
    if isinstance(layer, Dense) and layer.activation is not None and layer.activation.output_only:
        raise ValueError(
            f"activation: got {layer.activation.name!r} for a hidden layer; it works on outputs only (output=)"
        )


def places(layers: Sequence[LayerConfig], setting: str) -> list[int]:
    """Which of the layers have a setting that can be changed.

    Examples
    --------
    >>> import foxnn
    >>> places([foxnn.Dense(3), foxnn.Scale(), foxnn.Dense(1)], "max_norm")
    [0, 2]
    """
    return [i for i, layer in enumerate(layers) if setting in layer.changeable]
