"""All parameters of a network at once: as lists of arrays, from another network, or as one vector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from foxnn._arguments import pointing
from foxnn._arrays import _as_numbers
from foxnn._options import integer
from foxnn._snapshot import snapshot
from foxnn.errors import DivergenceError
from foxnn.layers.layer import Layer, arrays_of, check_layers, checked_parameters, write

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

Array = npt.NDArray[Any]
#: For each layer the gradients of its weights (n_in, n_out), of its biases (n_out,) and, if it has a normalisation, of
#: gamma and beta (n_out,).
Gradients = list[tuple[Array, ...]]


class Parameters:
    """Reading and writing all parameters; part of `NeuralNetwork`."""

    def get_weights(self) -> list[Array]:
        """All parameters as a list of arrays: weights and bias of the first layer, of the second, ...

        A layer with a normalisation has gamma and beta after its bias, and with batch normalisation then the running
        mean and variance.

        Returns
        -------
        list of ndarray
            Read-only copies, of shapes (n_in, n_out), (n_out,), (n_in, n_out), ...

        Examples
        --------
        >>> import foxnn
        >>> [array.shape for array in foxnn.neural_network([2, 3, 1]).get_weights()]
        [(2, 3), (3,), (3, 1), (1,)]
        """
        return [snapshot(array) for arrays in arrays_of(_network(self)) for array in arrays.values()]

    @pointing
    def set_weights(self, weights: Iterable[Any]) -> None:
        """Take over a list of arrays as `get_weights` returns it.

        Parameters
        ----------
        weights : iterable of array-like

        Raises
        ------
        ValueError, TypeError
            If there are too few or too many of them, or one has another shape or is not finite; nothing has changed
            then.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1])
        >>> nn.set_weights([[[1], [2]], [3]])
        >>> nn.layers[0].weights.ravel(), nn.layers[0].bias
        (array([1., 2.], dtype=float32), array([3.], dtype=float32))
        """
        if not isinstance(weights, Iterable):
            raise TypeError(f"weights: got {weights!r}; it takes a list of arrays, as get_weights() returns it")
        given, view = list(weights), _network(self)._as_it_is()
        places = [(layer, name) for layer in view.layers for name in layer.array_names]
        if len(given) != len(places):
            raise ValueError(f"weights: got {len(given)} arrays; it takes {len(places)}, as get_weights() returns them")
        checked = [
            _checked(layer, name, value, f"weights[{i}]")
            for i, ((layer, name), value) in enumerate(zip(places, given, strict=True))
        ]
        write(
            _network(self), view, [(layer, name, array) for (layer, name), array in zip(places, checked, strict=True)]
        )

    @pointing
    def copy_weights(self, other: NeuralNetwork, layers: Iterable[int] | Mapping[int, int] | None = None) -> None:
        """Take over weights and biases from another network.

        Parameters
        ----------
        other : NeuralNetwork
            Of any number type.
        layers : iterable of int, or mapping of int to int, optional
            The layers to take over, counted from 0; or for each layer of this network that of the other one it is
            taken from. By default all of them.

        Raises
        ------
        ValueError, TypeError
            If a layer does not exist, or two differ in shape; nothing has changed then.

        Examples
        --------
        All but the output layer of a trained network, to go on from with another task:

        >>> import foxnn
        >>> old, new = foxnn.neural_network([4, 8, 8, 3]), foxnn.neural_network([4, 8, 8, 5])
        >>> new.copy_weights(old, layers=[0, 1])
        >>> bool((new.layers[1].weights == old.layers[1].weights).all())
        True
        """
        if not isinstance(other, Parameters):
            raise TypeError(f"other: got {other!r}; it takes a network")
        network, other = _network(self)._as_it_is(), other._as_it_is()
        arrays = arrays_of(other)
        if layers is None:
            if network.sizes != other.sizes:
                raise ValueError(
                    f"other: got a network of sizes {other.sizes} for one of {network.sizes}; choose layers"
                )
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
        write(_network(self), network, places)
        if (0, 0) in pairs and other._core.trained_on:
            network._core.trained_on = other._core.trained_on  # what reads inputs knows how they are meant

    @property
    def parameters(self) -> Array:
        """All parameters that training may change, in one vector; assign another one to change them.

        Layer by layer, the weights (n_in, n_out) row by row, then the bias, then gamma and beta if it has a
        normalisation; layers that are not `trainable` are left out. It is read-only; ``nn.parameters += step`` assigns.

        Assigning a vector of another length, or with numbers that are not finite, raises ValueError and changes
        nothing.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 1], init=[([[1], [2]], [3])])
        >>> nn.parameters
        array([1., 2., 3.], dtype=float32)
        >>> nn.parameters = [4, 5, 6]
        >>> nn.layers[0].bias
        array([6.], dtype=float32)
        """
        network = _network(self)._as_it_is()
        places = [(layer._index, name, -1) for layer, name in _trainable(network)]
        arrays = [array.ravel() for array in network._core.read(places)[0]]
        return snapshot(np.concatenate(arrays) if arrays else np.empty(0, network.dtype))

    @parameters.setter
    def parameters(self, value: Any) -> None:
        network = _network(self)._as_it_is()
        places = _trainable(network)
        shapes = [layer.parameter_shape(name) for layer, name in places]
        sizes = [int(np.prod(shape)) for shape in shapes]
        array = _as_numbers(value, "parameters")
        if array.shape != (sum(sizes),):
            raise ValueError(f"parameters: got an array of shape {array.shape}; it takes shape ({sum(sizes)},)")
        vector = checked_parameters(array, array.shape, "parameters", network.dtype)
        parts = np.split(vector, np.cumsum(sizes))[: len(sizes)]
        new = zip(places, parts, shapes, strict=True)
        write(_network(self), network, [(layer, name, part.reshape(shape)) for (layer, name), part, shape in new])

    def loss_and_gradient(
        self, parameters: Any, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, npt.NDArray[np.float64]]:
        """The loss of these samples as a function of all `parameters` in one vector, for optimizers such as SciPy's.

        Parameters
        ----------
        parameters : array-like of shape (n,)
            As the property `parameters`. The network takes them over.
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        loss : float
            Infinite if it is not finite, or if a parameter is more than the network's number type can hold (the
            network keeps those that it has then). Optimizers step back from there.
        gradient : ndarray of shape (n,) of float64
            Zero if the loss is infinite.

        Raises
        ------
        ValueError, TypeError
            As for `fit`, or if `parameters` is no vector of that length of finite numbers.

        Examples
        --------
        >>> import foxnn, numpy as np
        >>> from scipy.optimize import minimize
        >>> x = np.linspace(-1, 1, 50)
        >>> nn = foxnn.neural_network([1, 10, 1], "tanh", "linear", dtype="float64", seed=0)
        >>> result = minimize(nn.loss_and_gradient, nn.parameters, args=(x, x**2), jac=True, method="L-BFGS-B")
        >>> nn.parameters = result.x
        >>> nn.evaluate(x, x**2)["loss"] < 1e-5
        True
        """
        samples, _ = _network(self)._samples(X, y, sample_weight)
        return self._loss_and_gradient(parameters, samples)

    def _loss_and_gradient(self, parameters: Any, samples: Any) -> tuple[float, npt.NDArray[np.float64]]:
        network = _network(self)
        view = network._as_it_is()
        parameters = _as_numbers(parameters, "parameters")
        with np.errstate(over="ignore"):
            fits = bool(np.isfinite(parameters.astype(network.dtype)).all())
        if fits or not np.isfinite(parameters).all():  # what is not finite to begin with is refused
            network.parameters = parameters
            try:
                loss, gradients = network._loss_and_gradients(samples)
                check_layers(network, view)
                return loss, self._flat(gradients)
            except DivergenceError:
                pass
        return np.inf, np.zeros(len(parameters))

    def _flat(self, gradients: Gradients) -> npt.NDArray[np.float64]:
        """Gradients of all layers as one vector, in the order of `parameters`."""
        parts = [
            part.ravel()
            for layer, pair in zip(_network(self).layers, gradients, strict=True)
            if layer.trainable
            for part in pair
        ]
        return np.concatenate([np.empty(0), *parts])


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


def _network(part: Parameters) -> NeuralNetwork:
    return cast("NeuralNetwork", part)
