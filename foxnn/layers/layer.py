"""A layer of a network, as its users see it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._arrays import _as_numbers, check_finite
from foxnn._closed import Closed
from foxnn._options import unknown
from foxnn._snapshot import snapshot
from foxnn.activations import Activation

if TYPE_CHECKING:
    from foxnn import _core
    from foxnn.layers.config import LayerConfig
    from foxnn.layers.normalisation import Norm
    from foxnn.network import NeuralNetwork


class LayerParameters(Mapping[str, "npt.NDArray[Any]"]):
    """What training learns of a layer, by name: read-only copies; assign to change them."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        self._check(name)
        return self._layer.get_array(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._check(name)
        self._layer.set_array(name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layer.parameter_names)

    def __len__(self) -> int:
        return len(self._layer.parameter_names)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name!r}: {self._layer.parameter_shape(name)}" for name in self)
        return f"<parameters of {self._layer!r}: {{{shapes}}}>"

    def _check(self, name: str) -> None:
        if name not in self._layer.parameter_names:
            raise KeyError(f"{name!r}: {self._layer!r} has {', '.join(self) or 'none'}")


class Layer(Closed):
    """One layer of a network: a view into it.

    Attributes
    ----------
    kind : str
        ``"dense"`` or ``"scale"``.
    parameters : mapping of str to ndarray
        What training learns, by name: of a dense layer ``weights``, ``bias`` and, of a normalisation, ``gamma`` and
        ``beta``. Arrays are read-only copies; assign a whole one, or a number for all of it, to change the layer.
    config : dict
        All that it takes to make such a layer again, its arrays apart.
    trainable : bool
        Whether training changes this layer's parameters; True at first. Assign False to freeze it: it stays as it is,
        bit for bit, and so does what the optimizer remembers of it. No gradient is computed for layers that are frozen
        from the first on.
    input_shape, output_shape : tuple of int
        Of one sample.
    n_in, n_out : int
        How many numbers these are.
    weights : ndarray of shape (n_in, n_out)
        Of a dense layer, ``y = activation(x @ weights + bias)``: as in `parameters`. ``layer.weights *= 0.5`` assigns
        halves, ``layer.weights[0, 0] = 7`` raises ValueError.
    bias : ndarray of shape (n_out,)
        Likewise.
    activation : Activation
        Assign a name or an `Activation` to change that of a dense layer.
    norm : BatchNorm, LayerNorm or None
        What normalises ``x @ weights + bias`` before the activation, with its arrays; they can be assigned.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([2, 3, 1], seed=0)
    >>> nn.layers[0].weights.shape, nn.layers[0].bias
    ((2, 3), array([0., 0., 0.], dtype=float32))
    >>> nn.layers[0].activation = "tanh"
    >>> nn.layers[1].parameters["weights"] = [[1], [2], [3]]
    """

    def __init__(self, network: NeuralNetwork, index: int) -> None:
        self._network = network
        self._index = index

    @property
    def _config(self) -> LayerConfig:
        with self._still_there():
            return self._network._configs[self._index]

    @property
    def _handle(self) -> _core._Layer:
        """The layer as the core has it."""
        with self._still_there():
            return self._network._core.layer(self._index)

    @contextmanager
    def _still_there(self) -> Iterator[None]:
        """Name what is wrong where the network has fewer layers by now: another thread may remove some at any time."""
        try:
            yield
        except IndexError:
            raise RuntimeError(
                f"layers[{self._index}]: it has been removed, the network has {len(self._network._configs)} layers "
                "now; take it from the network's layers again"
            ) from None

    @property
    def kind(self) -> str:
        """What kind of layer it is."""
        return self._config.kind

    @property
    def config(self) -> dict[str, Any]:
        """All that it takes to make such a layer again, as JSON can hold it; its parameters are not in it.

        Examples
        --------
        >>> import foxnn
        >>> nn = foxnn.neural_network([2, 3, 1], activation="relu")
        >>> foxnn.Dense.from_config(nn.layers[0].config)
        Dense(3, activation='relu', dropout=0.0)
        """
        return self._config.but(trainable=self.trainable).config

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample that comes in."""
        return self._handle.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one sample that comes out."""
        return self._handle.output_shape

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return math.prod(self.input_shape)

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return math.prod(self.output_shape)

    @property
    def parameters(self) -> LayerParameters:
        """What training learns, by name; can be read and assigned.

        Examples
        --------
        >>> import foxnn
        >>> layer = foxnn.neural_network([2, 3]).layers[0]
        >>> layer.parameters["bias"] = [1.0, 2.0, 3.0]
        >>> {name: array.shape for name, array in layer.parameters.items()}
        {'weights': (2, 3), 'bias': (3,)}
        """
        return LayerParameters(self)

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self._handle.parameters.values())

    @property
    def weights(self) -> npt.NDArray[Any]:
        """Weights, shape (n_in, n_out)."""
        return self._own("weights")

    @weights.setter
    def weights(self, value: Any) -> None:
        self._own("weights", value)

    @property
    def bias(self) -> npt.NDArray[Any]:
        """Biases, shape (n_out,)."""
        return self._own("bias")

    @bias.setter
    def bias(self, value: Any) -> None:
        self._own("bias", value)

    def _own(self, name: str, *new: Any) -> npt.NDArray[Any]:
        """What dense layers have by an attribute: read, or assigned."""
        if name not in self.parameter_names:
            raise AttributeError(f"{self!r} has no {name}; it has {', '.join(self.parameter_names)}", name=name)
        for value in new:
            self.set_array(name, value)
        return self.get_array(name)

    def parameter_shape(self, name: str) -> tuple[int, ...]:
        """Shape of the parameters of that name.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([2, 3]).layers[0].parameter_shape("weights")
        (2, 3)
        """
        shapes = self._shapes()
        if name not in shapes:
            raise unknown("name", name, shapes)
        return shapes[name]

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Of all arrays."""
        handle = self._handle
        return handle.parameters | handle.statistics

    @property
    def norm(self) -> Norm | None:
        """The normalisation before the activation, if there is one."""
        norm: Norm | None = getattr(self._config, "norm", None)
        return None if norm is None else norm.of(self)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the arrays that training learns."""
        return tuple(self._handle.parameters)

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
        return tuple(self._shapes())

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
        array = checked_parameters(value, self.parameter_shape(name), name, self._network.dtype)
        if name == "running_variance" and (array < 0).any():
            raise ValueError(f"running_variance: got {array.min():g}; it takes numbers that are not negative")
        with self._still_there():
            core.write([(index, name, array)])

    @property
    def activation(self) -> Activation:
        """The activation function; linear of layers that have none."""
        found: Activation | None = getattr(self._config, "activation", None)
        return found or Activation("linear")

    @activation.setter
    def activation(self, value: str | Activation) -> None:
        chosen = Activation.of(value)
        if "activation" not in self._config.changeable:
            raise AttributeError(f"{self!r} has no activation to be changed", name="activation")
        with self._still_there():
            self._network._set_activation(self._index, chosen)

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer."""
        return self._handle.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"trainable: got {value!r}; it takes True or False")
        self._handle.trainable = bool(value)

    def __repr__(self) -> str:
        return f"Layer({self.n_in} -> {self.n_out}, {self.title})"

    @property
    def title(self) -> str:
        """What it does after its linear part, in words, such as ``batch_norm relu``; or else its kind."""
        return self._config.title


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
