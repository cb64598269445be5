"""Networks from and to Keras."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn._files import open_regular
from foxnn._options import path_text
from foxnn._warnings import warn_user
from foxnn.activations import Activation
from foxnn.errors import FileFormatError
from foxnn.io._formulas import reading
from foxnn.io._layers import Chain, dense_layers, folded, standardising

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: Functions of keras.activations that are activations with Keras's default parameters.
_ACTIVATIONS = {
    "linear": Activation("linear"),
    "sigmoid": Activation("sigmoid"),
    "tanh": Activation("tanh"),
    "relu": Activation("relu"),
    "leaky_relu": Activation("leaky_relu", negative_slope=0.2),
    "elu": Activation("elu"),
    "celu": Activation("elu"),
    "selu": Activation("selu"),
    "gelu": Activation("gelu"),
    "silu": Activation("silu"),
    "softplus": Activation("softplus"),
    "softsign": Activation("softsign"),
    "hard_sigmoid": Activation("hard_sigmoid"),
    "hard_tanh": Activation("hard_tanh"),
    "relu6": Activation("relu6"),
    "mish": Activation("mish"),
    "exponential": Activation("exp"),
    "softmax": Activation("softmax"),
}
#: Between these, Keras's Normalization divides by the root of the variance that it is given, in float32 too.
_SPREADS = 1e-6, 1e18
_TAKEN = [
    "InputLayer", "Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "BatchNormalization",
    "LayerNormalization", "Normalization", "Rescaling", "Dropout", "Flatten", "Identity", "ActivityRegularization",
]  # fmt: skip


def from_keras(model: Any) -> NeuralNetwork:
    """See `foxnn.from_keras`."""
    keras = _keras()
    if isinstance(model, (str, os.PathLike)):
        model = _loaded(path_text("model", model))
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"model: got {type(model).__name__}; it takes a keras.Sequential, a functional keras.Model, or the name of "
            "a .keras or .h5 file with one"
        )
    chain, dtypes = Chain(), set()
    for layer, shape in _chain(model):
        kind, where = _kind(layer), _where(layer)
        if kind == "Flatten" and layer.data_format == "channels_first" and len(shape) > 1:
            raise _refusal(layer, "changes the order of the numbers (data_format='channels_first')")
        if kind in ("InputLayer", "Flatten", "Identity", "ActivityRegularization"):
            continue
        if kind == "Rescaling":
            chain.affine(where, *_flat(layer, shape, layer.scale, layer.offset))
        elif kind == "Normalization":
            chain.affine(where, *_flat(layer, shape, *_normalization(layer)))
        elif kind == "Dropout" and layer.noise_shape is None:
            chain.dropout(where, layer.rate)
        elif len(shape) != 1:
            raise _refusal(layer, f"takes samples of shape {shape}, which are not rows; Flatten comes before it")
        elif kind == "Dense":
            if getattr(layer, "quantization_mode", None) is not None:
                raise _refusal(layer, f"is quantized ({layer.quantization_mode})")
            dtypes.add(keras.backend.standardize_dtype(layer.kernel.dtype))
            chain.dense(where, _array(layer.kernel), _array(layer.bias))
            chain.activation(where, _of_function(layer))
        elif kind == "LayerNormalization" and layer.axis in (1, -1, [1], [-1], (1,), (-1,)):
            if getattr(layer, "rms_scaling", False):
                raise _refusal(layer, "does not subtract the mean (rms_scaling)")
            n = shape[0]
            gamma = np.ones(n) if layer.gamma is None else _array(layer.gamma)
            chain.layer_norm(where, gamma, np.zeros(n) if layer.beta is None else _array(layer.beta), layer.epsilon)
        elif kind == "BatchNormalization":
            mean, variance = _array(layer.moving_mean), _array(layer.moving_variance)
            chain.batch_norm(where, mean, variance, layer.epsilon, _array(layer.gamma), _array(layer.beta))
        else:
            chain.activation(where, _of_function(layer) if kind == "Activation" else _of_layer(layer, kind))
    return chain.network("float64" if "float64" in dtypes else "float32")


def _loaded(path: str) -> Any:
    """The model of a file, which Keras reads without running code from it."""
    keras = _keras()
    if not path.lower().endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(f"model: got {path!r}; it takes files of Keras that end in .keras, .h5 or .hdf5")
    with open_regular(path) as file:  # what cannot be read is an OSError
        if path.lower().endswith(".keras") and not zipfile.is_zipfile(file):
            raise FileFormatError(f"{path}: damaged, or no model of Keras: it is no zip file")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError) as error:  # a layer of one's own, or a lambda
        raise ValueError(
            f"{path}: Keras does not load it: {error} (if you trust the file, "
            "load it with keras.saving.load_model and its custom_objects, and hand over the model)"
        ) from None
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # whatever zip files, JSON and HDF5 say of damage
        raise FileFormatError(f"{path}: damaged, or no model of Keras: {error}") from None


def to_keras(network: NeuralNetwork) -> Any:
    """Make a Keras model of a network; see `NeuralNetwork.to_keras`."""
    keras = _keras()
    dtype = network.dtype.name
    layers: list[Any] = [keras.Input((network._n_in,), dtype=dtype)]
    network = folded(network, "Keras")
    sources = dense_layers(network, with_scale=False)
    scaling, read = standardising(network, sources, *_SPREADS), reading(network)
    if scaling is not None:
        mean, deviation = scaling
        layers.append(keras.layers.Normalization(mean=mean, variance=deviation**2, dtype=dtype))
    elif read is not None:
        layers.append(keras.layers.Rescaling(*read, dtype=dtype))
    dense, normal = [], []
    for i, layer in enumerate(sources):
        function, extra = _function(keras, layer.activation, dtype)
        zeros = {"kernel_initializer": "zeros", "bias_initializer": "zeros"}  # draws no random numbers
        norm = network.layers[i].norm
        if norm is not None:
            normal.append((keras.layers.LayerNormalization(epsilon=norm.epsilon, dtype=dtype), norm))
            extra = [normal[-1][0], keras.layers.Activation(function, dtype=dtype), *extra]
            function = "linear"
        dense.append(keras.layers.Dense(len(layer.bias), activation=function, dtype=dtype, **zeros))
        layers += [dense[-1], *extra]
        if i < len(network.dropout) and network.dropout[i]:
            layers.append(keras.layers.Dropout(network.dropout[i], dtype=dtype))
    model = keras.Sequential(layers)
    for here, layer in zip(dense, sources, strict=True):
        if keras.ops.convert_to_numpy(here.kernel).dtype != dtype:  # the variable says what was asked for
            raise ValueError(
                f"network: is of {dtype}, which Keras's backend {keras.backend.backend()} has not switched on "
                '(with JAX: jax.config.update("jax_enable_x64", True))'
            )
        here.set_weights([layer.weights, layer.bias])
    for here, norm in normal:
        here.set_weights([norm.gamma, norm.beta])
    if not multiplies_in(dtype):
        warn_user(
            f"network: is of {dtype}, and so are the model's weights, but Keras {keras.__version__} on "
            f"{keras.backend.backend()} multiplies in float32: the outputs have the digits of float32"
        )
    return model


def multiplies_in(dtype: str) -> bool:
    """Whether Keras's products of this type of numbers are of that type: on some of its backends float64 is not."""
    keras = _keras()
    one = keras.ops.ones((1, 1), dtype=dtype)
    return bool(keras.backend.standardize_dtype(keras.ops.matmul(one, one).dtype) == dtype)


def _keras() -> Any:
    try:
        import keras
    except ImportError:
        raise ImportError("this needs Keras 3 and one of its backends: see https://keras.io/getting_started") from None
    if int(keras.__version__.partition(".")[0]) < 3:
        raise ImportError(f"this needs Keras 3; {keras.__version__} is installed")
    return keras


def _chain(model: Any) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """The layers of a model from the inputs on, as often as they are used, with the shapes of the samples they take."""
    _kind(model)
    if not model.built or not getattr(model, "outputs", None):
        raise ValueError(
            "model: is not built from layers; it takes a Sequential with an Input, or a functional model, not one with "
            "a `call` of its own"
        )
    if len(model.outputs) != 1 or len(model.inputs) != 1:
        raise ValueError(
            f"model: has {len(model.inputs)} inputs and {len(model.outputs)} outputs; it takes one of each"
        )
    found = []
    tensor = model.outputs[0]
    while tensor is not model.inputs[0]:
        history = tensor._keras_history
        operation = history.operation
        node = operation._inbound_nodes[history.node_index]
        if len(node.input_tensors) != 1:
            raise _refusal(operation, "joins branches of the model; a foxnn network is one chain")
        for name, value in node.arguments.kwargs.items():
            if value is not None and value is not False and value is not node.input_tensors[0]:  # training=True
                raise _refusal(
                    operation, f"is called with {name}={value!r}; it takes layers that are called with inputs alone"
                )
        tensor = node.input_tensors[0]
        found.append((operation, tuple(tensor.shape[1:])))
    for operation, shape in reversed(found):
        if isinstance(operation, _keras().Model):
            yield from _chain(operation)
        else:
            yield operation, shape


def _kind(layer: Any) -> str:
    """Which of Keras's layers or models it is, or inherits all that it computes from."""
    keras = _keras()
    kinds = {getattr(keras.layers, kind): kind for kind in _TAKEN}
    kinds |= {keras.Sequential: "Sequential", _functional(): "functional", keras.Model: "Model"}
    base = next((base for base in type(layer).__mro__ if base in kinds), None)
    if base is None:
        known = type(layer).__module__.startswith("keras.src.")
        why = "has no counterpart in foxnn" if known else f"is not known (of {type(layer).__module__})"
        raise _refusal(layer, f"{why}; it takes {', '.join(_TAKEN)}")
    for method in ("call", "__call__"):
        if method in vars(layer) or getattr(type(layer), method) is not getattr(base, method):
            raise _refusal(
                layer, f"has a `{method}` of its own, which may compute anything; export it to ONNX and use from_onnx"
            )
    return kinds[base]


@cache
def _functional() -> type:
    """The class of functional models, which has no public name."""
    keras = _keras()
    x = keras.Input((1,), name="x")  # with names, none of those that Keras makes up is used
    return type(keras.Model(x, keras.layers.Identity(name="same")(x), name="model"))


def _where(layer: Any) -> str:
    return f"layer {layer.name}, {type(layer).__name__}"


def _refusal(layer: Any, why: str) -> ValueError:
    return ValueError(f"{_where(layer)}: {why}")


def _array(tensor: Any) -> Any:
    """A tensor as an array in float64; None stays None."""
    from keras import ops

    return None if tensor is None else np.asarray(ops.convert_to_numpy(tensor), np.float64)


def _flat(layer: Any, shape: tuple[int, ...], factor: Any, shift: Any) -> tuple[Any, Any]:
    """A factor and a shift for each of the numbers of a flattened sample, or for all of them."""
    factor, shift = _array(factor), _array(shift)
    if factor.ndim == shift.ndim == 0:
        return factor, shift
    if None in shape:
        raise _refusal(layer, f"takes samples of shape {shape}; it has to be known")
    try:
        return np.broadcast_to(factor, (1, *shape)).reshape(-1), np.broadcast_to(shift, (1, *shape)).reshape(-1)
    except ValueError:
        raise _refusal(layer, f"has numbers of shapes {factor.shape}, {shift.shape} for samples of {shape}") from None


def _normalization(layer: Any) -> tuple[Any, Any]:
    """What a Normalization multiplies by and adds."""
    mean = _array(layer.mean)
    deviation = np.maximum(np.sqrt(_array(layer.variance)), _keras().backend.epsilon())
    return (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)


def _of_function(layer: Any) -> Activation:
    """The activation that a layer has been given as a function."""
    from keras import activations

    for name, activation in _ACTIVATIONS.items():
        if layer.activation is getattr(activations, name):
            return activation
    if isinstance(layer.activation, _keras().layers.Layer):
        return _of_layer(layer.activation, _kind(layer.activation))
    name = getattr(layer.activation, "__name__", repr(layer.activation))
    raise _refusal(layer, f"its activation {name!r} has no counterpart in foxnn")


def _of_layer(layer: Any, kind: str) -> Activation:
    try:
        if kind == "ReLU" and not layer.threshold:
            if layer.max_value is None:
                slope = float(layer.negative_slope)
                return Activation("leaky_relu", negative_slope=slope) if slope else Activation("relu")
            if layer.max_value == 6 and not layer.negative_slope:
                return Activation("relu6")
        if kind == "LeakyReLU":
            return Activation("leaky_relu", negative_slope=float(layer.negative_slope))
        if kind == "ELU":
            return Activation("elu", alpha=float(layer.alpha))
        if kind == "Softmax" and layer.axis in (1, -1):
            return Activation("softmax")
    except ValueError as error:
        raise _refusal(layer, str(error)) from None
    raise _refusal(layer, "with these parameters has no counterpart in foxnn")


def _function(keras: Any, activation: Activation, dtype: str) -> tuple[str, list[Any]]:
    """The name of an activation among Keras's, and the layers that follow if it has parameters of its own."""
    if activation == "leaky_relu":
        return "linear", [keras.layers.LeakyReLU(activation.parameters["negative_slope"], dtype=dtype)]
    if activation == "elu":
        return "linear", [keras.layers.ELU(activation.parameters["alpha"], dtype=dtype)]
    name = {"foxnn_relu": "relu", "exp": "exponential"}.get(activation.name, activation.name)
    if name not in _ACTIVATIONS:
        raise ValueError(f"activation: {activation.name!r} has no counterpart in Keras")
    return name, []
