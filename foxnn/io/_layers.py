"""Building a network from the layers that another library's model has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn.activations import Activation
from foxnn.data.scaling import from_json
from foxnn.io._formulas import centring, reading, writing
from foxnn.layers.normalisation import BatchNorm, LayerNorm

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

_Array = npt.NDArray[Any]


class Dense(NamedTuple):
    """A layer: weights (n_in, n_out), bias (n_out,) and an activation."""

    weights: _Array
    bias: _Array
    activation: Activation


class Normal(NamedTuple):
    """What normalises each sample over the n outputs of a layer, before its activation: gamma, beta (n,), epsilon."""

    gamma: _Array
    beta: _Array
    epsilon: float


def network_of(
    layers: Sequence[Dense],
    dtype: Any,
    dropout: Sequence[float] | float = 0.0,
    norms: Sequence[Normal | None] = (),
) -> NeuralNetwork:
    """The network of these layers, normalised by these; ValueError if they do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Dense(np.eye(2, 3), np.zeros(3), Activation("tanh"))
    >>> network_of([layer], "float32")
    neural_network([2, 3], [tanh], loss='half_squared_error', dtype='float32')
    """
    from foxnn.network import NeuralNetwork

    for i in range(1, len(layers)):
        before, here = layers[i - 1].weights.shape[1], layers[i].weights.shape[0]
        if before != here:
            raise ValueError(f"layer {i}: takes {here} inputs, but the layer before it has {before} outputs")
    sizes: list[Any] = [layers[0].weights.shape[0]]
    for i, layer in enumerate(layers):
        sizes.append(layer.weights.shape[1])
        if i < len(norms) and (norm := norms[i]) is not None:
            sizes.append(LayerNorm(norm.epsilon))
    network = NeuralNetwork(
        sizes,
        activation=[layer.activation for layer in layers[:-1]],
        output=layers[-1].activation,
        init=[(layer.weights, layer.bias) for layer in layers],
        dropout=dropout,
        dtype=dtype,
    )
    for here, norm in zip(network.layers, norms, strict=False):
        if norm is not None and here.norm is not None:
            here.norm.gamma, here.norm.beta = norm.gamma, norm.beta
    return network


#: What each format of others has a form for: kinds of layers, and normalisations (batch normalisation is folded).
_FORMS: dict[str, tuple[str, ...]] = {
    "C": ("dense", "layer_norm"),
    "JavaScript": ("dense", "layer_norm"),
    "ONNX": ("dense", "layer_norm"),
    "to_npz's archives": ("dense", "layer_norm"),
    "PyTorch": ("dense", "layer_norm"),
    "Keras": ("dense", "layer_norm"),
    "scikit-learn": ("dense",),
    "FoxNN 1.0's text files": ("dense",),
    "FoxNN 1.0's mutations": ("dense", "layer_norm"),
}


def check_forms(network: NeuralNetwork, where: str) -> None:
    """Refuse a network with a layer or a normalisation that a format has no form for: one of `_FORMS`.

    Examples
    --------
    >>> import foxnn
    >>> check_forms(foxnn.neural_network([2, 3, foxnn.Scale()]), "ONNX")
    Traceback (most recent call last):
    ValueError: layer 1: is Scale(), for which there is no form in ONNX
    """
    for i, layer in enumerate(network._configs):
        if layer.kind not in _FORMS[where]:
            raise ValueError(f"layer {i}: is {layer!r}, for which there is no form in {where}")
        norm = getattr(layer, "norm", None)
        if isinstance(norm, LayerNorm) and norm.name not in _FORMS[where]:
            raise ValueError(f"layer {i}: has {norm}, for which there is no form in {where}")


def folded(network: NeuralNetwork, where: str) -> NeuralNetwork:
    """The same network with batch normalisation in its weights and biases, as prediction uses it; for a format.

    Raises
    ------
    ValueError
        If there is no form for one of the layers where it is to go.

    Examples
    --------
    >>> import foxnn
    >>> folded(foxnn.neural_network([2, 3, foxnn.BatchNorm(), 1], activation="relu", output="linear"), "ONNX")
    neural_network([2, 3, 1], [relu, linear], loss='half_squared_error', dtype='float32')
    """
    check_forms(network, where)
    twin = network._snapshot(folded=True)
    twin._configs = tuple(
        layer.but(norm=None) if isinstance(getattr(layer, "norm", None), BatchNorm) else layer
        for layer in network._configs
    )
    return twin


def dense_layers(network: NeuralNetwork, *, with_scale: bool = True) -> list[Dense]:
    """The layers of a network in float64; how it reads its inputs is in the first one's weights (but `scale` and
    `offset` if these are not wanted, and what `centring` tells); how it scales its outputs is in the last one's.

    Raises
    ------
    ValueError
        If outputs are scaled that are not linear.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1], init=3.0)
    >>> nn.scale, nn.offset = 0.5, 10.0
    >>> weights, bias, _ = dense_layers(nn)[0]
    >>> weights.item(), bias.item()
    (1.5, 30.0)
    """
    layers = [
        Dense(layer.weights.astype(np.float64), layer.bias.astype(np.float64), layer.activation)
        for layer in network.layers
    ]
    n_in, n_out = network._n_in, network._n_out
    weights, bias, activation = layers[0]
    centred = centring(network, network.dtype)
    if centred is not None:
        layers[0] = Dense(weights, bias + centred.rest @ weights, activation)
    elif with_scale:
        scale, offset = (np.broadcast_to(value, n_in) for value in reading(network) or (1.0, 0.0))
        layers[0] = Dense(scale[:, None] * weights, bias + offset @ weights, activation)
    written = writing(network)
    if written is not None:
        scale, offset = (np.broadcast_to(value, n_out) for value in written)
        weights, bias, activation = layers[-1]
        if activation != "linear":
            raise ValueError(f"scale_outputs: outputs of {activation} cannot be scaled here; it takes linear ones")
        layers[-1] = Dense(weights * scale, bias * scale + offset, activation)
    return layers


def standardising(
    network: NeuralNetwork, layers: list[Dense], least: float = 0.0, most: float = np.inf
) -> tuple[_Array, _Array] | None:
    """Shift and spread, (n_in,), by which inputs become ``(x - shift) / spread`` before the first of the layers.

    Parameters
    ----------
    network : NeuralNetwork
    layers : list of Dense
        As `dense_layers` gave them. Factors for which there is no spread from `least` to `most` go into the weights of
        the first.

    Returns
    -------
    (ndarray, ndarray) or None
        None if nothing is to be done before the first layer.
    """
    centred = centring(network, network.dtype)
    if centred is None:
        return None
    shift, factor, _ = centred
    with np.errstate(divide="ignore"):
        spread = 1 / factor
    fits = (spread > least) & (spread < most)
    layers[0] = layers[0]._replace(weights=np.where(fits, 1.0, factor)[:, None] * layers[0].weights)
    return shift, np.where(fits, spread, 1.0)


def scale_inputs(network: NeuralNetwork, factor: _Array, shift: _Array) -> None:
    """Let a network read its inputs as ``x * factor + shift``, arrays (n_in,) of float64: by `scale_inputs` where the
    factors are positive, by the first layer's weights where they are not.

    Examples
    --------
    >>> import foxnn, numpy as np
    >>> nn = foxnn.neural_network([2, 1], init=1.0)
    >>> scale_inputs(nn, np.array([0.5, -1.0]), np.array([-1.0, 4.0]))
    >>> nn.input_scaling
    Scaling(kind='standard', shift=array([2., 0.]), spread=array([2., 1.]))
    >>> nn.layers[0].weights.tolist(), nn.layers[0].bias.tolist()
    ([[1.0], [-1.0]], [4.0])
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        spread, middle = 1 / factor, -shift / factor
        fits = (factor > 0) & np.isfinite(spread) & np.isfinite(middle) & np.isfinite(1 / spread)
    if not fits.all():
        first = network.layers[0]
        weights = first.weights.astype(np.float64)
        first.bias = first.bias + np.where(fits, 0.0, shift) @ weights
        first.weights = np.where(fits, 1.0, factor)[:, None] * weights
    if fits.any():
        shift, spread = np.where(fits, middle, 0.0), np.where(fits, spread, 1.0)
        from_json(network, 0, {"kind": "standard", "shift": shift.tolist(), "spread": spread.tolist()})


class Chain:
    """Another library's layers, added from the inputs on; what is not a layer here goes into the one beside it.

    Each has a name, `where`, which begins the message of the ValueError if it does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> chain = Chain()
    >>> chain.affine("norm", 0.5, 1.0)
    >>> chain.dense("first", np.eye(2), np.zeros(2))
    >>> chain.activation("act", Activation("relu"))
    >>> nn = chain.network("float64")
    >>> nn.scale, nn.offset, nn.predict([2, -4]).tolist()
    (0.5, 1.0, [2.0, 0.0])
    """

    def __init__(self) -> None:
        self._layers: list[Dense] = []
        self._dropout: list[float] = []
        self._norms: list[tuple[str, Normal] | None] = []
        self._pending: tuple[str, _Array, _Array] | None = None  # an affine function that goes into the next layer
        self._reading: tuple[float, float] | None = None  # scale and offset of the inputs
        self._scaling: tuple[_Array, _Array] | None = None  # the same for each of them

    def dense(self, where: str, weights: _Array, bias: _Array | None) -> None:
        """Add ``x @ weights + bias``, of shapes (n_in, n_out) and (n_out,); no bias is one of zeros."""
        bias = np.zeros(weights.shape[1]) if bias is None else bias
        if self._pending is not None:
            norm, factor, shift = self._pending
            if factor.ndim == shift.ndim == 0 and not self._layers:
                self._reading = float(factor), float(shift)
            elif not self._layers:
                self._scaling = _of_width(norm, factor, shift, len(weights))
            else:
                factor, shift = _of_width(norm, factor, shift, len(weights))
                weights, bias = factor[:, None] * weights, bias + shift @ weights
            self._pending = None
        self._layers.append(Dense(weights, bias, Activation("linear")))
        self._dropout.append(0.0)
        self._norms.append(None)

    def affine(self, where: str, factor: npt.ArrayLike, shift: npt.ArrayLike) -> None:
        """Add ``x * factor + shift``, numbers or arrays (n,): a normalisation that has learned all it will."""
        factor, shift = np.asarray(factor, np.float64), np.asarray(shift, np.float64)
        if self._pending is not None:
            _, first, start = self._pending
            if first.ndim and factor.ndim and len(first) != len(factor):
                raise ValueError(f"{where}: of {len(factor)} numbers meets {len(first)} of them")
            self._pending = where, first * factor, start * factor + shift
        elif self._layers and self._norms[-1] is not None and self._layers[-1].activation == "linear":
            name, (gamma, beta, epsilon) = self._norms[-1]
            factor, shift = _of_width(where, factor, shift, len(gamma))
            self._norms[-1] = name, Normal(gamma * factor, beta * factor + shift, epsilon)
        elif self._layers and self._layers[-1].activation == "linear" and not self._dropout[-1]:
            weights, bias, linear = self._layers[-1]
            factor, shift = _of_width(where, factor, shift, len(bias))
            self._layers[-1] = Dense(weights * factor, bias * factor + shift, linear)
        else:
            self._pending = where, factor, shift

    def batch_norm(
        self, where: str, mean: _Array, variance: _Array, epsilon: float, gamma: _Array | None, beta: _Array | None
    ) -> None:
        """Add a batch normalisation as it predicts, of arrays (n,); there may be no gamma and no beta."""
        self.affine(where, *batch_norm_as_affine(mean, variance, epsilon, gamma, beta))

    def layer_norm(self, where: str, gamma: _Array, beta: _Array, epsilon: float) -> None:
        """Normalise each sample over the outputs of the layer before; gamma and beta have the shape (n,)."""
        if not self._layers or self._pending is not None or self._layers[-1].activation != "linear":
            raise ValueError(f"{where}: takes its place right after a dense layer, before its activation")
        if self._norms[-1] is not None or self._dropout[-1]:
            raise ValueError(f"{where}: comes after dropout or another one, without a dense layer between them")
        gamma, beta = _of_width(where, gamma, beta, len(self._layers[-1].bias))
        self._norms[-1] = where, Normal(gamma, beta, epsilon)

    def activation(self, where: str, activation: Activation) -> None:
        """Add an activation."""
        if activation == "linear":
            return
        if not self._layers:
            raise ValueError(f"{where}: comes before the first dense layer")
        before = self._layers[-1].activation
        if before != "linear" or self._pending is not None:
            raise ValueError(f"{where}: comes after {before}, without a dense layer between them")
        if self._dropout[-1]:
            raise ValueError(f"{where}: comes after dropout; it takes its place before it")
        self._layers[-1] = self._layers[-1]._replace(activation=activation)

    def dropout(self, where: str, rate: float) -> None:
        """Drop a share of the outputs, after what was dropped already."""
        if not self._layers:
            raise ValueError(f"{where}: comes before the first dense layer; foxnn drops units of hidden layers only")
        before = self._dropout[-1]
        self._dropout[-1] = 1 - (1 - before) * (1 - rate) if before else rate

    def network(self, dtype: Any) -> NeuralNetwork:
        """The network of all that was added."""
        if not self._layers:
            raise ValueError("the model has no dense layer")
        if self._pending is not None:
            raise ValueError(f"{self._pending[0]}: comes last, after an activation; it takes a dense layer after it")
        if self._dropout[-1]:
            raise ValueError("the model ends with dropout; foxnn drops units of hidden layers only")
        if self._norms[-1] is not None:
            raise ValueError(f"{self._norms[-1][0]}: comes after the last dense layer; foxnn normalises hidden layers")
        norms = [None if norm is None else norm[1] for norm in self._norms]
        network = network_of(self._layers, dtype, self._dropout[:-1], norms)
        if self._reading is not None:
            network.scale, network.offset = self._reading
        if self._scaling is not None:
            scale_inputs(network, *self._scaling)
        return network


def batch_norm_as_affine(
    mean: _Array, variance: _Array, epsilon: float, gamma: _Array | None = None, beta: _Array | None = None
) -> tuple[_Array, _Array]:
    """Factor and shift, (n,), that a batch normalisation of n units multiplies and adds when it predicts.

    Examples
    --------
    >>> import numpy as np
    >>> batch_norm_as_affine(np.array([1.0]), np.array([3.0]), 1.0, np.array([2.0]), np.array([5.0]))
    (array([1.]), array([4.]))
    """
    factor = 1 / np.sqrt(variance + epsilon)
    if gamma is not None:
        factor = factor * gamma
    shift = -mean * factor
    return factor, shift if beta is None else shift + beta


def _of_width(where: str, factor: _Array, shift: _Array, width: int) -> tuple[_Array, _Array]:
    for values in (factor, shift):
        if values.ndim and len(values) != width:
            raise ValueError(f"{where}: of {len(values)} numbers meets {width} of them")
    return np.broadcast_to(factor, width), np.broadcast_to(shift, width)
