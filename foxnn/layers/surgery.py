"""Adding, inserting and removing layers.

Weights stay wherever they fit. The optimizer starts afresh, since its memory is of other layers; what has been trained,
and the network's loss and options, stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from foxnn._options import integer
from foxnn.activations import Activation
from foxnn.initializers import known_init
from foxnn.layers.config import LayerConfig
from foxnn.layers.dense import Dense
from foxnn.layers.kinds import check_hidden
from foxnn.layers.layer import checked_parameters

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def insert(
    network: NeuralNetwork,
    index: int,
    units: int | LayerConfig,
    activation: str | Activation | None = None,
    *,
    init: Any = None,
    dropout: float = 0.0,
) -> None:
    """See `NeuralNetwork.insert`."""
    i, n = integer("index", index, 0), len(network.layers)
    if i > n:
        raise ValueError(f"index: got {i}; it takes 0..{n} for a network of {n} layer{'s' * (n > 1)}")
    layer = _checked_layer(units, activation, dropout)
    layer.check_dtype(network.dtype)
    if i < n:
        check_hidden(layer)
    elif network.layers[-1].activation.output_only:
        raise ValueError(f"index: got {i}, after {network.layers[-1].activation.name!r}, which works on outputs only")
    if i == n and isinstance(layer, Dense):
        if layer.dropout:
            raise ValueError(f"dropout: got {layer.dropout:g} for the outputs; it takes hidden layers")
        if layer.norm is not None:
            raise ValueError(f"norm: got {layer.norm!r} for the outputs; it takes hidden layers")
    shape = network._shapes[i]
    start = _checked_init(init, shape, layer, network)
    with _making_layers(network):
        core = network._core.copy()  # whoever is predicting goes on with the old one
        start_again = core.insert(i, layer.kind, shape, layer.core_settings())
        if isinstance(start, str):
            core.layer(i).initialize(start, network.seed, _new_stream(network), network.n_threads or 0)
        else:
            core.write([(i, name, array) for name, array in start.items()])
        core.layer(i).trainable = layer.trainable
        _start_again(network, core, i + 1, network._configs[i : i + start_again])
        network._replace_layers(core, i, i, [layer.without_start()])


def remove(network: NeuralNetwork, index: int) -> None:
    """See `NeuralNetwork.remove`."""
    n = len(network.layers)
    i = integer("index", index, -n)
    if i >= n:
        raise ValueError(f"index: got {i}; it takes -{n}..{n - 1} for a network of {n} layer{'s' * (n > 1)}")
    if n == 1:
        raise ValueError("index: got the only layer there is; a network takes at least one")
    i %= n
    before = network.layers[i - 1]
    if i == n - 1 and before.norm is not None:
        raise ValueError(f"index: got the last layer; the one before has {before.norm}, which outputs do not")
    with _making_layers(network):
        network._layers_made = _made(network)
        core = network._core.copy()
        start_again = core.erase(i)
        _start_again(network, core, i, network._configs[i + 1 : i + 1 + start_again])
        begin, kept = i, []
        if i + 1 == n and "dropout" in network._configs[i - 1].changeable:  # it is the output now
            begin, kept = i - 1, [network._configs[i - 1].but(dropout=0.0)]
            core.layer(begin).set("dropout", kept[0].core_setting("dropout"))
        network._replace_layers(core, begin, i + 1, kept)


@contextmanager
def _making_layers(network: NeuralNetwork) -> Iterator[None]:
    """While nobody trains; after an error none has been made."""
    made = network._layers_made
    with network._exclusively():
        try:
            yield
        except BaseException:
            network._layers_made = made
            raise


def _new_stream(network: NeuralNetwork) -> int:
    """The number of a layer as none has had it: where its random weights come from."""
    made = network._layers_made = _made(network) + 1
    return made - 1


def _made(network: NeuralNetwork) -> int:
    return len(network.layers) if network._layers_made is None else network._layers_made


def _start_again(network: NeuralNetwork, core: Any, index: int, layers: Sequence[LayerConfig]) -> None:
    """Give layers from that number on, which have got inputs of another shape, their parameters."""
    for i, layer in enumerate(layers, index):
        core.layer(i).initialize(layer.default_init, network.seed, _new_stream(network), network.n_threads or 0)


def _checked_layer(units: Any, activation: Any, dropout: Any) -> LayerConfig:
    """A layer that is to be put into a network, with all its settings."""
    if not isinstance(units, LayerConfig):
        if activation is None:
            raise TypeError("activation: got none; a layer that is added takes one, such as 'relu'")
        return Dense(units, activation, dropout=dropout)
    for name, value, default in (("activation", activation, None), ("dropout", dropout, 0.0)):
        if value != default:
            raise ValueError(f"{name}: got {value!r} beside {units!r}, which has its own")
    if not isinstance(units, Dense):
        return units
    if units.activation is None:
        raise ValueError(f"activation: got {units!r} without one; a layer that is added takes its own")
    return units.but(dropout=units.dropout or 0.0)


def _checked_init(init: Any, shape: tuple[int, ...], layer: LayerConfig, network: NeuralNetwork) -> Any:
    """The name of an initializer, or arrays by name."""
    if not isinstance(layer, Dense):
        if init is not None:
            raise ValueError(f"init: got {init!r}; {layer!r} starts as it is, and takes others in its parameters")
        return layer.default_init
    if init is None:
        init = layer.init
    if init is None:
        return layer.default_init
    if isinstance(init, str):
        return known_init(init)
    weights, bias = init if isinstance(init, tuple) and len(init) == 2 else (init, 0.0)
    return {
        "weights": checked_parameters(weights, (math.prod(shape), layer.units), "init weights", network.dtype),
        "bias": checked_parameters(bias, (layer.units,), "init bias", network.dtype),
    }
