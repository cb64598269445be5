"""A layer of a network, as its users see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from foxnn._arrays import _as_numbers, check_finite
from foxnn._closed import Closed
from foxnn._options import unknown
from foxnn._snapshot import snapshot
from foxnn.activations import Activation

if TYPE_CHECKING:
    from foxnn.layers.normalisation import Norm
    from foxnn.network import NeuralNetwork

_T = TypeVar("_T")


class Layer(Closed):
    """One dense layer, ``y = activation(x @ weights + bias)``: a view into its network.

    Attributes
    ----------
    weights : ndarray of shape (n_in, n_out)
        A read-only copy; assign a whole array, or a number for all of it, to change the layer. ``layer.weights *= 0.5``
        does that, ``layer.weights[0, 0] = 7`` raises ValueError.
    bias : ndarray of shape (n_out,)
        Likewise.
    activation : Activation
        Assign a name or an `Activation` to change it.
    norm : BatchNorm, LayerNorm or None
        What normalises ``x @ weights + bias`` before the activation, with its arrays; they can be assigned.
    trainable : bool
        Whether training changes this layer's weights and biases; True at first. Assign False to freeze it: it stays as
        it is, bit for bit, and so does what the optimizer remembers of it. No gradient is computed for layers that are
        frozen from the first on.
    n_in, n_out : int

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 3, 1], seed=0)
    >>> nn.layers[0].weights.shape, nn.layers[0].bias
    ((2, 3), array([0., 0., 0.], dtype=float32))
    >>> nn.layers[0].activation = "tanh"
    >>> nn.layers[1].weights = [[1], [2], [3]]
    """

    def __init__(self, network: NeuralNetwork, index: int) -> None:
        self._network = network
        self._index = index

    def _own(self, of_layers: Sequence[_T]) -> _T:
        """What is this layer's of what the network has for each."""
        with self._still_there():
            return of_layers[self._index]

    @contextmanager
    def _still_there(self) -> Iterator[None]:
        """Name what is wrong where the network has fewer layers by now: another thread may remove some at any time."""
        try:
            yield
        except IndexError:
            raise RuntimeError(
                f"layers[{self._index}]: it has been removed, the network has {len(self._network._activations)} layers "
                "now; take it from the network's layers again"
            ) from None

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self._own(self._network._sizes[:-1])

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self._own(self._network._sizes[1:])

    @property
    def weights(self) -> npt.NDArray[Any]:
        """Weights, shape (n_in, n_out)."""
        return self.get_array("weights")

    @weights.setter
    def weights(self, value: Any) -> None:
        self.set_array("weights", value)

    @property
    def bias(self) -> npt.NDArray[Any]:
        """Biases, shape (n_out,)."""
        return self.get_array("bias")

    @bias.setter
    def bias(self, value: Any) -> None:
        self.set_array("bias", value)

    def parameter_shape(self, name: str) -> tuple[int, ...]:
        """Shape of the parameters of that name.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 3]).layers[0].parameter_shape("weights")
        (2, 3)
        """
        return (self.n_in, self.n_out) if name == "weights" else (self.n_out,)

    @property
    def norm(self) -> Norm | None:
        """The normalisation before the activation, if there is one."""
        norm = self._own(self._network._norms)
        return None if norm is None else norm.of(self)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the arrays that training learns."""
        norm = self._own(self._network._norms)
        return ("weights", "bias", *(() if norm is None else norm.parameter_names))

    @property
    def array_names(self) -> tuple[str, ...]:
        """Names of all arrays that make up the layer: its parameters, and the running moments of batch normalisation.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, foxnn.BatchNorm(), 1])
        >>> nn.layers[0].array_names
        ('weights', 'bias', 'gamma', 'beta', 'running_mean', 'running_variance')
        """
        norm = self._own(self._network._norms)
        return ("weights", "bias", *(() if norm is None else norm.array_names))

    def get_array(self, name: str) -> npt.NDArray[Any]:
        """A read-only copy of the array of that name, one of `array_names`.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 3]).layers[0].get_array("bias")
        array([0., 0., 0.], dtype=float32)
        """
        core, index = self._network._core, self._index
        if name not in self.array_names:
            raise unknown("name", name, self.array_names)
        with self._still_there():
            (array,), _ = core.read([(index, name, -1)])
        return snapshot(array)

    def set_array(self, name: str, value: Any) -> None:
        """Change the array of that name, one of `array_names`; a number stands for an array full of it.

        Raises
        ------
        ValueError, TypeError
            If there is none of that name, or the value has another shape or is not finite.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, foxnn.LayerNorm(), 1])
        >>> nn.layers[0].set_array("gamma", 2.0)
        >>> nn.layers[0].norm.gamma
        array([2., 2., 2.], dtype=float32)
        """
        core, index = self._network._core, self._index
        if name not in self.array_names:
            raise unknown("name", name, self.array_names)
        array = checked_parameters(value, self.parameter_shape(name), name, self._network.dtype)
        if name == "running_variance" and (array < 0).any():
            raise ValueError(f"running_variance: got {array.min():g}; it takes numbers that are not negative")
        with self._still_there():
            core.write([(index, name, array)])

    @property
    def activation(self) -> Activation:
        """The activation function."""
        return self._own(self._network._activations)

    @activation.setter
    def activation(self, value: str | Activation) -> None:
        chosen = Activation.of(value)
        with self._still_there():
            self._network._set_activation(self._index, chosen)

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer."""
        with self._still_there():
            return bool(self._network._core.get_trainable(self._index))

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"trainable: got {value!r}; it takes True or False")
        with self._still_there():
            self._network._core.set_trainable(self._index, bool(value))

    def __repr__(self) -> str:
        return f"Layer({self.n_in} -> {self.n_out}, {self.title})"

    @property
    def title(self) -> str:
        """What it does after its linear part, in words, such as ``batch_norm relu``."""
        norm = self._own(self._network._norms)
        return str(self.activation) if norm is None else f"{norm.name} {self.activation}"


def arrays_of(network: NeuralNetwork) -> list[dict[str, npt.NDArray[Any]]]:
    """Copies of the arrays of all layers, by their names: as they are between two steps of a training."""
    network = network._as_it_is()
    names = [layer.array_names for layer in network.layers]
    places = [(i, name, -1) for i, of_layer in enumerate(names) for name in of_layer]
    copies = iter(network._core.read(places)[0])
    return [dict(zip(of_layer, copies, strict=False)) for of_layer in names]


def write(network: NeuralNetwork, view: NeuralNetwork, arrays: Iterable[tuple[Layer, str, npt.NDArray[Any]]]) -> None:
    """Change arrays, all at once, of a network as it was when they were checked."""
    view._core.write([(layer._index, name, array) for layer, name, array in arrays])
    check_layers(network, view)


def check_layers(network: NeuralNetwork, view: NeuralNetwork) -> None:
    """Refuse what was done with a network as it was: another thread has given it other layers since."""
    if network._core is not view._core:
        raise RuntimeError("another thread has changed the layers of this network meanwhile")


def checked_parameters(value: Any, shape: tuple[int, ...], name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Weights or biases of that shape and dtype, finite; a number stands for an array full of it."""
    array = _as_numbers(value, name)
    if array.ndim == 0:
        array = np.full(shape, array)
    if array.shape != shape:
        raise ValueError(f"{name}: got an array of shape {array.shape}; it takes shape {shape}")
    check_finite(np.ascontiguousarray(array).reshape(1, -1), name)
    with np.errstate(over="ignore"):
        converted = array.astype(dtype, copy=False)
    if converted is not array and not np.isfinite(converted).all():
        raise ValueError(f"{name}: got {np.abs(array).max():g}; it takes numbers that {dtype} can hold")
    return converted
