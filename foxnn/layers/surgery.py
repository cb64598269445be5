"""Adding, inserting and removing layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from foxnn._arguments import pointing
from foxnn._options import MOST, dropout_rate, integer
from foxnn.activations import Activation
from foxnn.initializers import known_init
from foxnn.layers.layer import checked_parameters

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class Surgery:
    """Changing the layers of a network; part of `NeuralNetwork`.

    Weights stay wherever they fit. The optimizer starts afresh, since its memory is of other layers; what has been
    trained, and the network's loss and options, stay.
    """

    _layers_made: int | None = None  # layers there have been so far; None: only those there are

    @pointing
    def add(self, units: int, activation: str | Activation, *, init: Any = None) -> None:
        """Append a layer: it becomes the output.

        Parameters
        ----------
        units : int
            Number of its outputs, which become those of the network.
        activation : str or Activation
            See `foxnn.activations.names`.
        init : str, float, or array, optional
            How its weights start, as for a new network: a name, a number, weights (n_in, units), or a pair of weights
            and bias. By default what suits the activation, drawn with the network's seed.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or the layer before works on outputs only (softmax); nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The optimizer starts afresh.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([4, 8, 8], activation="relu", output="relu")
        >>> nn.add(3, "softmax")
        >>> nn.loss = "cross_entropy"
        >>> nn
        neural_network([4, 8, 8, 3], [relu, relu, softmax], loss='cross_entropy', dtype='float32')
        """
        self.insert(len(_network(self).layers), units, activation, init=init)

    @pointing
    def insert(
        self, index: int, units: int, activation: str | Activation, *, init: Any = None, dropout: float = 0.0
    ) -> None:
        """Insert a layer before layer number `index`, whose number it takes.

        The layer that follows has other inputs then: its weights stay if there are as many as before, and start again
        if not, as in a new network; its bias then starts at zero.

        Parameters
        ----------
        index : int
            From 0 (before all others) to the number of layers (as by `add`).
        units : int
            Number of its outputs.
        activation : str or Activation
            Any that is not for outputs only.
        init
            As for `add`.
        dropout : float in [0, 1), default 0
            Share of its outputs that training drops, if it is not the last.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit; nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The optimizer starts afresh.

        Examples
        --------
        A layer that changes nothing at first:

        >>> import foxnn, numpy as np
        >>> nn = foxnn.neural_network([4, 8, 3], activation="relu", output="softmax", seed=0)
        >>> before = nn.predict(np.ones((1, 4)))
        >>> nn.insert(1, 8, "relu", init=np.eye(8))
        >>> nn.sizes, bool((nn.predict(np.ones((1, 4))) == before).all())
        ([4, 8, 8, 3], True)
        """
        network = _network(self)
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
        with self._making_layers():
            core = network._core.copy()  # whoever is predicting goes on with the old one
            starts_again = core.insert(i, n_in, units, chosen.name, list(chosen.parameters.values()))
            if isinstance(start, str):
                core.initialize(i, start, network.seed, self._new_stream(), network.n_threads or 0)
            else:
                core.write([(i, "weights", start[0]), (i, "bias", start[1])])
            if i < n:
                core.set_dropout(i, rate)
                if starts_again:
                    self._start_again(core, i + 1, network._activations[i])
            network._replace_layers(core, i, i, [(units, chosen, rate)])

    @pointing
    def remove(self, index: int) -> None:
        """Remove layer number `index`.

        The layer that follows has other inputs then, and starts again if there are not as many as before, as for
        `insert`. Without its last layer, a network has the outputs of the one before.

        Parameters
        ----------
        index : int
            Counted from 0, or from -1 for the last.

        Raises
        ------
        ValueError, TypeError
            If there is no such layer, or no other; nothing has changed then.
        RuntimeError
            If the network is being trained by another thread.

        Notes
        -----
        The optimizer starts afresh.

        Examples
        --------
        What the last hidden layer sees:

        >>> import foxnn
        >>> nn = foxnn.neural_network([784, 64, 16, 10], activation="relu", output="softmax")
        >>> nn.remove(-1)
        >>> nn
        neural_network([784, 64, 16], [relu, relu], loss='cross_entropy', dtype='float32')
        """
        network = _network(self)
        n = len(network.layers)
        i = integer("index", index, -n)
        if i >= n:
            raise ValueError(f"index: got {i}; it takes -{n}..{n - 1} for a network of {n} layer{'s' * (n > 1)}")
        if n == 1:
            raise ValueError("index: got the only layer there is; a network takes at least one")
        i %= n
        if i == n - 1 and network._norms[i - 1] is not None:
            raise ValueError(
                f"index: got the last layer; the one before has {network._norms[i - 1]}, which outputs do not"
            )
        with self._making_layers():
            self._layers_made = self._made()
            core = network._core.copy()
            starts_again = core.erase(i)
            if starts_again:
                self._start_again(core, i, network._activations[i + 1])
            if i + 1 == n:
                core.set_dropout(i - 1, 0.0)  # it is the output now
            network._replace_layers(core, i, i + 1, [])

    @contextmanager
    def _making_layers(self) -> Iterator[None]:
        """While nobody trains; after an error none has been made."""
        made = self._layers_made
        with _network(self)._exclusively():
            try:
                yield
            except BaseException:
                self._layers_made = made
                raise

    def _new_stream(self) -> int:
        """The number of a layer as none has had it: where its random weights come from."""
        made = self._layers_made = self._made() + 1
        return made - 1

    def _made(self) -> int:
        return len(_network(self).layers) if self._layers_made is None else self._layers_made

    def _start_again(self, core: Any, index: int, activation: Activation) -> None:
        """Give a layer that has got another number of inputs its weights."""
        network = _network(self)
        core.initialize(index, activation.default_init, network.seed, self._new_stream(), network.n_threads or 0)


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


def _network(part: Surgery) -> NeuralNetwork:
    return cast("NeuralNetwork", part)
