"""Networks from and to PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn.activations import Activation
from foxnn.io._formulas import reading
from foxnn.io._layers import Dense, network_of

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

#: Modules that are activations without parameters.
_ACTIVATIONS = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "ReLU": "relu",
    "SELU": "selu",
    "SiLU": "silu",
    "Softsign": "softsign",
    "Hardsigmoid": "hard_sigmoid",
    "ReLU6": "relu6",
    "Mish": "mish",
}
_TAKEN = [
    "Sequential", "Linear", "BatchNorm1d", "Dropout", "Flatten", "Identity", "Softmax", "LeakyReLU", "ELU", "GELU",
    "Softplus", "Hardtanh", "Threshold", *_ACTIVATIONS,
]  # fmt: skip


def from_torch(module: Any) -> NeuralNetwork:
    """See `foxnn.from_torch`."""
    torch = _torch()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module: got {type(module).__name__}; it takes a torch.nn.Module")
    layers: list[Dense] = []
    dropout: list[float] = []
    dtypes = set()
    pending = None  # factor and shift of a batch normalisation that goes into the weights after it
    for name, part in _parts(module, ""):
        kind = type(part).__name__
        if kind in ("Flatten", "Identity"):
            if kind == "Flatten" and (part.start_dim, part.end_dim) != (1, -1):
                raise _refusal(name, part, "does not keep the samples apart")
        elif kind == "Linear":
            dtypes.add(part.weight.dtype)
            weights = _array(part.weight).T
            bias = np.zeros(weights.shape[1]) if part.bias is None else _array(part.bias)
            if pending is not None:
                factor, shift = _of_width(name, part, len(weights), pending)
                weights, bias, pending = factor[:, None] * weights, bias + shift @ weights, None
            layers.append(Dense(weights, bias, Activation("linear")))
            dropout.append(0.0)
        elif kind == "BatchNorm1d":
            if pending is not None:
                raise _refusal(name, part, "comes after another one, without a Linear between them")
            factor, shift = _batch_norm(name, part)
            if layers and layers[-1].activation == "linear" and not dropout[-1]:
                weights, bias, linear = layers[-1]
                factor, shift = _of_width(name, part, len(bias), (factor, shift))
                layers[-1] = Dense(weights * factor, bias * factor + shift, linear)
            else:
                pending = factor, shift
        elif not layers:
            raise _refusal(name, part, "comes before the first Linear")
        elif kind == "Dropout":
            dropout[-1] = 1 - (1 - dropout[-1]) * (1 - part.p)
        else:
            activation = _activation(name, part)
            if layers[-1].activation != "linear" or pending is not None:
                raise _refusal(name, part, f"comes after {layers[-1].activation}, without a Linear between them")
            if dropout[-1]:
                raise _refusal(name, part, "comes after Dropout; it takes its place before it")
            layers[-1] = layers[-1]._replace(activation=activation)
    if not layers:
        raise ValueError("module: has no Linear")
    if pending is not None:
        raise ValueError("module: ends with BatchNorm1d after an activation; it takes a Linear after that")
    if dropout.pop():
        raise ValueError("module: ends with Dropout; foxnn drops units of hidden layers only")
    return network_of(layers, "float64" if torch.float64 in dtypes else "float32", dropout)


def to_torch(network: NeuralNetwork) -> Any:
    """Make a PyTorch module of a network; see `NeuralNetwork.to_torch`."""
    torch = _torch()
    scale, offset = reading(network) or (1.0, 0.0)
    dtype = torch.float64 if network.dtype == np.float64 else torch.float32
    modules: list[Any] = []
    for i, layer in enumerate(network.layers):
        with torch.random.fork_rng(devices=[]):  # the initial weights are replaced
            linear = torch.nn.Linear(layer.n_in, layer.n_out, dtype=dtype)
        weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
        if i == 0:  # (x scale + offset) weights + bias
            bias, weights = bias + offset * weights.sum(axis=0), scale * weights
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(weights.T)))
            linear.bias.copy_(torch.from_numpy(bias))
        modules.append(linear)
        if layer.activation != "linear":
            modules.append(_module(layer.activation))
        if i < len(network.dropout) and network.dropout[i]:
            modules.append(torch.nn.Dropout(network.dropout[i]))
    return torch.nn.Sequential(*modules).eval()


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError("this needs PyTorch: see https://pytorch.org/get-started") from None
    return torch


def _parts(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    torch = _torch()
    if type(module) is torch.nn.Sequential:
        for key, part in module.named_children():
            yield from _parts(part, f"{name}.{key}" if name else key)
    else:
        yield name, module


def _array(tensor: Any) -> Any:
    array = tensor.detach().cpu().double().numpy()
    return array.copy()


def _refusal(name: str, part: Any, why: str) -> ValueError:
    return ValueError(f"module {name or '(the whole)'}, {type(part).__name__}: {why}")


def _batch_norm(name: str, part: Any) -> tuple[Any, Any]:
    """What a batch normalisation multiplies by and adds when it predicts."""
    if part.running_mean is None:
        raise _refusal(name, part, "has no running statistics to predict with")
    factor = 1 / np.sqrt(_array(part.running_var) + part.eps)
    if part.weight is not None:
        factor = factor * _array(part.weight)
    shift = -_array(part.running_mean) * factor
    return factor, shift if part.bias is None else shift + _array(part.bias)


def _of_width(name: str, part: Any, width: int, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    if len(pair[0]) != width:
        raise _refusal(name, part, f"a BatchNorm1d of {len(pair[0])} numbers meets {width} of them")
    return pair


def _activation(name: str, part: Any) -> Activation:
    kind = type(part).__name__
    if not type(part).__module__.startswith("torch.nn."):
        raise _refusal(name, part, f"is not known; it takes {', '.join(_TAKEN)}")
    if kind in _ACTIVATIONS:
        return Activation(_ACTIVATIONS[kind])
    if kind == "LeakyReLU":
        return _checked(name, part, "leaky_relu", negative_slope=part.negative_slope)
    if kind == "ELU":
        return _checked(name, part, "elu", alpha=part.alpha)
    if kind == "GELU" and part.approximate == "none":
        return Activation("gelu")
    if kind == "Softplus" and part.beta == 1:  # beyond its threshold it is x, to rounding
        return Activation("softplus")
    if kind == "Hardtanh" and (part.min_val, part.max_val) in ((-1, 1), (0, 6)):
        return Activation("hard_tanh" if part.min_val else "relu6")
    if kind == "Threshold" and (part.threshold, part.value) == (0, 0):
        return Activation("relu")
    if kind == "Softmax" and part.dim in (1, -1):
        return Activation("softmax")
    if kind in _TAKEN:
        raise _refusal(name, part, f"{part} has no counterpart in foxnn")
    raise _refusal(name, part, f"has no counterpart in foxnn; it takes {', '.join(_TAKEN)}")


def _checked(name: str, part: Any, activation: str, **parameters: float) -> Activation:
    try:
        return Activation(activation, **parameters)
    except ValueError as error:
        raise _refusal(name, part, str(error)) from None


def _module(activation: Activation) -> Any:
    """The module that is an activation."""
    nn = _torch().nn
    for kind, name in _ACTIVATIONS.items():
        if activation == name:
            return getattr(nn, kind)()
    if activation == "foxnn_relu":
        return nn.ReLU()
    if activation == "leaky_relu":
        return nn.LeakyReLU(activation.parameters["negative_slope"])
    if activation == "elu":
        return nn.ELU(activation.parameters["alpha"])
    if activation == "gelu":
        return nn.GELU()
    if activation == "softplus":
        return nn.Softplus()
    if activation == "hard_tanh":
        return nn.Hardtanh()
    if activation == "softmax":
        return nn.Softmax(dim=-1)
    raise ValueError(f"activation: {activation.name!r} has no module in PyTorch")
