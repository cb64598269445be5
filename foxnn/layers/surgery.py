"""Adding, inserting and removing layers.

Weights stay wherever they fit. The optimizer starts afresh, since its memory is of other layers; what has been trained,
and the network's loss and options, stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from foxnn._options import MOST, dropout_rate, integer
from foxnn.activations import Activation
from foxnn.initializers import known_init
from foxnn.layers.layer import checked_parameters

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


def insert(
    network: NeuralNetwork,
    index: int,
    units: int,
    activation: str | Activation,
    *,
    init: Any = None,
    dropout: float = 0.0,
) -> None:
    """See `NeuralNetwork.insert`."""
    i, n = integer("index", index, 0), len(network.layers)
    if i > n:
        raise ValueError(f"index: got {i}; it takes 0..{n} for a network of {n} layer{'s' * (n > 1)}")
    units = integer("units", units, 1, MOST)
    chosen = Activation.of(activation)
    rate = dropout_rate("dropout", dropout)
    chosen.check_dtype(network.dtype)
    if chosen.output_only and i < n:
        raise ValueError(f"activation: got {chosen.name!r} for a hidden layer; it works on outputs only")
    if i == n and network._activations[-1].output_only:
        raise ValueError(f"index: got {i}, after {network._activations[-1].name!r}, which works on outputs only")
    if i == n and rate:
        raise ValueError(f"dropout: got {rate:g} for the outputs; it takes hidden layers")
    n_in = network.sizes[i]
    start = _checked_init(init, n_in, units, chosen, network)
    with _making_layers(network):
        core = network._core.copy()  # whoever is predicting goes on with the old one
        starts_again = core.insert(i, n_in, units, chosen.name, list(chosen.parameters.values()))
        if isinstance(start, str):
            core.initialize(i, start, network.seed, _new_stream(network), network.n_threads or 0)
        else:
            core.write([(i, "weights", start[0]), (i, "bias", start[1])])
        if i < n:
            core.set_dropout(i, rate)
            if starts_again:
                _start_again(network, core, i + 1, network._activations[i])
        network._replace_layers(core, i, i, [(units, chosen, rate)])


def remove(network: NeuralNetwork, index: int) -> None:
    """See `NeuralNetwork.remove`."""
    n = len(network.layers)
    i = integer("index", index, -n)
    if i >= n:
        raise ValueError(f"index: got {i}; it takes -{n}..{n - 1} for a network of {n} layer{'s' * (n > 1)}")
    if n == 1:
        raise ValueError("index: got the only layer there is; a network takes at least one")
    i %= n
    if i == n - 1 and network._norms[i - 1] is not None:
        raise ValueError(f"index: got the last layer; the one before has {network._norms[i - 1]}, which outputs do not")
    with _making_layers(network):
        network._layers_made = _made(network)
        core = network._core.copy()
        starts_again = core.erase(i)
        if starts_again:
            _start_again(network, core, i, network._activations[i + 1])
        if i + 1 == n:
            core.set_dropout(i - 1, 0.0)  # it is the output now
        network._replace_layers(core, i, i + 1, [])


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


def _start_again(network: NeuralNetwork, core: Any, index: int, activation: Activation) -> None:
    """Give a layer that has got another number of inputs its weights."""
    core.initialize(index, activation.default_init, network.seed, _new_stream(network), network.n_threads or 0)


def _checked_init(init: Any, n_in: int, n_out: int, activation: Activation, network: NeuralNetwork) -> Any:
    """The name of an initializer, or weights and bias."""
    if init is None:
        return activation.default_init
    if isinstance(init, str):
        return known_init(init)
    weights, bias = init if isinstance(init, tuple) and len(init) == 2 else (init, 0.0)
    return (
        checked_parameters(weights, (n_in, n_out), "init weights", network.dtype),
        checked_parameters(bias, (n_out,), "init bias", network.dtype),
    )
