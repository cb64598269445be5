"""A layer of a network, as its users see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._arrays import _as_numbers, check_finite
from foxnn.activations import Activation

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class Layer:
    """One dense layer, ``y = activation(x @ weights + bias)``: a view into its network.

    Attributes
    ----------
    weights : ndarray of shape (n_in, n_out)
        A copy; assign to it to change the layer.
    bias : ndarray of shape (n_out,)
        A copy; assign to it to change the layer.
    activation : Activation
        Assign a name or an `Activation` to change it.
    trainable : bool
        Whether training changes this layer's weights and biases; True at first. Assign False to freeze it: it stays as
        it is, bit for bit, and so does what the optimizer remembers of it. Nothing is computed for layers that are
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

    #: The attributes that hold its parameters, in the order they are listed.
    parameter_names: tuple[str, ...] = ("weights", "bias")

    def __init__(self, network: NeuralNetwork, index: int) -> None:
        self._network = network
        self._index = index

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self._network.sizes[self._index]

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self._network.sizes[self._index + 1]

    @property
    def weights(self) -> npt.NDArray[Any]:
        """Weights, shape (n_in, n_out)."""
        return self._network._core.get_weights(self._index)

    @weights.setter
    def weights(self, value: Any) -> None:
        self._network._core.set_weights(
            self._index, checked_parameters(value, (self.n_in, self.n_out), "weights", self._network.dtype)
        )

    @property
    def bias(self) -> npt.NDArray[Any]:
        """Biases, shape (n_out,)."""
        return self._network._core.get_bias(self._index)

    @bias.setter
    def bias(self, value: Any) -> None:
        self._network._core.set_bias(self._index, checked_parameters(value, (self.n_out,), "bias", self._network.dtype))

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
    def activation(self) -> Activation:
        """The activation function."""
        return self._network._activations[self._index]

    @activation.setter
    def activation(self, value: str | Activation) -> None:
        self._network._set_activation(self._index, Activation.of(value))

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer."""
        return bool(self._network._core.get_trainable(self._index))

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"trainable: got {value!r}; it takes True or False")
        self._network._core.set_trainable(self._index, bool(value))

    def __repr__(self) -> str:
        return f"Layer({self.n_in} -> {self.n_out}, {self.activation})"


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
    if not np.isfinite(converted).all():
        raise ValueError(f"{name}: got {np.abs(array).max():g}; it takes numbers that {dtype} can hold")
    return converted
