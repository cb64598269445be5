"""A layer as FoxNN 1.0 had it: with thresholds instead of biases, and activations under its names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arrays import _as_numbers
from foxnn._options import MOST, integer, real, unknown
from foxnn.activations import Activation
from foxnn.layers.layer import Layer, checked_parameters, write

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: 1.0's activations and what they are called now. Its relu has derivative 1 at 0.
ACTIVATIONS = {
    "sigmoid": "sigmoid",
    "sinusoid": "sin",
    "gaussian": "gaussian",
    "relu": "foxnn_relu",
    "identity_x": "linear",
    "tan_h": "tanh",
    "arctan": "arctan",
    "elu": "elu",
}
_NAMES_1_0 = {new: old for old, new in ACTIVATIONS.items()} | {"relu": "relu"}

_Numbers = npt.NDArray[np.float64]


def activation_1_0(name: object, parameters: Sequence[float] = ()) -> Activation:
    """The activation that FoxNN 1.0 called so."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    declared = [p[0] for p in _core.ACTIVATIONS[ACTIVATIONS[name]]["parameters"]]
    if not isinstance(parameters, (Sequence, np.ndarray)) or isinstance(parameters, str):
        raise TypeError(f"parameters: got {parameters!r}; it takes a list of numbers")
    if len(parameters) > len(declared):
        takes = f"a list of at most {len(declared)} ({', '.join(declared)})" if declared else "none"
        raise ValueError(f"parameters: got {len(parameters)} of them; {name!r} takes {takes}")
    return Activation(ACTIVATIONS[name], **dict(zip(declared, parameters, strict=False)))


def name_1_0(activation: Activation) -> str | None:
    """What FoxNN 1.0 called an activation, if it had it."""
    return _NAMES_1_0.get(activation.name)


def shifted(p: _Numbers, u: _Numbers, speed: float) -> _Numbers:
    """FoxNN 1.0's random mutation of parameters p; u is random, uniform in [-1, 1)."""
    return p + speed * u


def stretched(p: _Numbers, u: _Numbers, speed: float) -> _Numbers:
    """FoxNN 1.0's smart mutation of parameters p; u is random, uniform in [-1, 1)."""
    return p + np.abs(p * speed) * u


def mutate(
    network: NeuralNetwork, rule: Callable[[_Numbers, _Numbers, float], _Numbers], speed: float, only: int | None = None
) -> None:
    """Mutate the layers of a network, or only one of them, by a rule; all of them or, after an error, none."""
    from foxnn.io._layers import check_forms

    speed = real("speed", speed)
    view = network._as_it_is()
    check_forms(view, "FoxNN 1.0's mutations")
    mutated = []
    layers = view.layers if only is None else view.layers[only : only + 1]
    for layer in layers:
        shape = (layer.n_in, layer.n_out)
        count = network.settings._mutations.next()
        random = _core.uniform(network.seed, count, (layer.n_in + 1) * layer.n_out).reshape(-1, layer.n_out)
        parameters = np.vstack([layer.weights, layer.bias]).astype(np.float64)
        with np.errstate(over="ignore"):
            new = rule(parameters, random, speed)
        mutated += [
            (layer, "weights", checked_parameters(new[:-1], shape, "mutated weights", network.dtype)),
            (layer, "bias", checked_parameters(new[-1], shape[1:], "mutated bias", network.dtype)),
        ]
    write(network, view, mutated)


class NetworkLayer(Layer):
    """A layer of a network with FoxNN 1.0's methods; `get_layer` gives it.

    All that a `Layer` has is there too. The thresholds of 1.0 are subtracted: they are ``-bias``.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 3, 1])
    >>> nn.get_layer(1).get_N_w(), nn.get_layer(1).get_N_n()
    (3, 1)
    """

    def set_activation_function(self, name: str, parameters: Sequence[float] = ()) -> None:
        """Set the activation.

        Parameters
        ----------
        name : str
            sigmoid, sinusoid (sin x), gaussian (exp(-x^2)), relu (derivative 1 at 0), identity_x, tan_h, arctan, or
            elu. More activations: assign to `activation`.
        parameters : list of float, optional
            [alpha] for elu; by default 1.

        Raises
        ------
        ValueError, TypeError
            If there is no such activation, or it does not take these parameters.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, 1])
        >>> nn.get_layer(0).set_activation_function("elu", [0.7])
        >>> nn.get_layer(0).activation
        Activation('elu', alpha=0.7)
        """
        self.activation = activation_1_0(name, parameters)

    def get_name_activation_function(self) -> str:
        """FoxNN 1.0's name of the activation; of one that it had not, the name it has here.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 3], activation="tanh", output="tanh").get_layer(0).get_name_activation_function()
        'tan_h'
        """
        return name_1_0(self.activation) or self.activation.name

    def get_N_w(self) -> int:
        """Number of inputs, which is that of a neuron's weights without the threshold.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.layer(2, 3).get_N_w()
        2
        """
        return self.n_in

    def get_N_n(self) -> int:
        """Number of neurons.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.layer(2, 3).get_N_n()
        3
        """
        return self.n_out

    def random_mutation(self, speed: float) -> None:
        """Add U(-1, 1) * speed to every weight and bias; see `NeuralNetwork.random_mutation`.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.layer(2, 3).random_mutation(0.1)
        """
        mutate(self._network, shifted, speed, self._index)

    def smart_mutation(self, speed: float) -> None:
        """Add U(-1, 1) * |w speed| to every weight or bias w; see `NeuralNetwork.smart_mutation`.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.layer(2, 3).smart_mutation(0.1)
        """
        mutate(self._network, stretched, speed, self._index)

    def print(self, number: int = 0) -> None:
        """Print a line about the layer, under that number.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.layer(2, 3).print(1)
        layer 1 n_in = 2 n_out = 3 activation_function = sigmoid
        """
        name = self.get_name_activation_function()
        print(f"layer {number} n_in = {self.n_in} n_out = {self.n_out} activation_function = {name}")


class layer(NetworkLayer):
    """A layer by itself, to be appended to networks by `next_layer`. Its activation is sigmoid.

    Parameters
    ----------
    n_in : int, or list of n_neurons lists of n_in + 1 numbers
        Number of inputs; or for each neuron its weights and, last, its threshold, which is subtracted.
    n_neurons : int
        Number of neurons, if `n_in` is a number.
    init : str, default "glorot_uniform"
        How weights start, as for a network; "foxnn": uniform in [-1, 1), as in FoxNN 1.0.
    seed : int, optional
        Of the weights and of mutations; by default a new one each time.

    Raises
    ------
    ValueError, TypeError
        If a number is out of range, or the lists differ in length.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 3])
    >>> nn.next_layer(foxnn.layer(3, 1))
    >>> nn.sizes
    [2, 3, 1]
    >>> foxnn.layer([[1, 2, 0.5]]).weights.tolist(), foxnn.layer([[1, 2, 0.5]]).bias.tolist()
    ([[1.0], [2.0]], [-0.5])
    """

    def __init__(
        self, n_in: Any, n_neurons: int | None = None, *, init: str | None = None, seed: int | None = None
    ) -> None:
        from foxnn.network import NeuralNetwork

        start: Any = init
        if n_neurons is None:
            rows = _as_numbers(n_in, "n_in")
            if rows.ndim != 2 or rows.shape[0] < 1 or rows.shape[1] < 2:
                raise ValueError(
                    f"n_in: got an array of shape {rows.shape}; without n_neurons it takes for each neuron a list of "
                    "at least one weight and a threshold"
                )
            if init is not None:
                raise ValueError(f"init: got {init!r} besides the weights themselves; it takes one of the two")
            n_in, n_neurons = rows.shape[1] - 1, rows.shape[0]
            start = [(rows[:, :-1].T, bias_of(rows[:, -1]))]
        sizes = [integer("n_in", n_in, 1, MOST), integer("n_neurons", n_neurons, 1, MOST)]
        super().__init__(NeuralNetwork(sizes, init=start, dtype="float64", seed=seed), 0)


def bias_of(thresholds: npt.NDArray[Any]) -> _Numbers:
    """Biases from thresholds, or the other way round; zero stays +0."""
    return 0.0 - thresholds.astype(np.float64)
