"""Networks from and to PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn.activations import Activation
from foxnn.io._layers import Chain, dense_layers, standardising
from foxnn.normalisation import BatchNorm, Norm

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
    "Sequential", "Linear", "BatchNorm1d", "LayerNorm", "Dropout", "Flatten", "Identity", "Softmax", "LeakyReLU", "ELU",
    "GELU", "Softplus", "Hardtanh", "Threshold", *_ACTIVATIONS,
]  # fmt: skip


def from_torch(module: Any) -> NeuralNetwork:
    """See `foxnn.from_torch`."""
    torch = _torch()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module: got {type(module).__name__}; it takes a torch.nn.Module")
    chain, dtypes = Chain(), set()
    for name, part in _parts(module, ""):
        kind, where = type(part).__name__, _where(name, part)
        if kind == "Flatten" and (part.start_dim, part.end_dim) != (1, -1):
            raise _refusal(name, part, "does not keep the samples apart")
        if kind in ("Flatten", "Identity"):
            continue
        if kind == "Linear":
            dtypes.add(part.weight.dtype)
            chain.dense(where, _array(part.weight).T, _array(part.bias))
        elif kind == "BatchNorm1d":
            if part.running_mean is None:
                raise _refusal(name, part, "has no running statistics to predict with")
            mean, variance, gamma, beta = map(_array, (part.running_mean, part.running_var, part.weight, part.bias))
            chain.batch_norm(where, mean, variance, part.eps, gamma, beta)
        elif kind == "LayerNorm":
            chain.layer_norm(where, *_layer_norm(name, part), part.eps)
        elif type(part) is _standardise():
            factor = 1 / _array(part.spread)
            chain.affine(where, factor, -_array(part.shift) * factor)
        elif kind == "Dropout":
            chain.dropout(where, part.p)
        else:
            chain.activation(where, _activation(name, part))
    return chain.network("float64" if torch.float64 in dtypes else "float32")


def to_torch(network: NeuralNetwork) -> Any:
    """Make a PyTorch module of a network; see `NeuralNetwork.to_torch`."""
    torch = _torch()
    dtype = torch.float64 if network.dtype == np.float64 else torch.float32
    modules: list[Any] = []
    layers = dense_layers(network)
    scaling = standardising(network, layers)
    if scaling is not None:
        modules.append(_standardise()(*(torch.from_numpy(values.copy()).to(dtype) for values in scaling)))
    for i, layer in enumerate(layers):
        with torch.random.fork_rng(devices=[]):  # the initial weights are replaced
            linear = torch.nn.Linear(*layer.weights.shape, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(layer.weights.T)))
            linear.bias.copy_(torch.from_numpy(layer.bias))
        modules.append(linear)
        norm = network.layers[i].norm
        if norm is not None:
            modules.append(_norm_module(norm, dtype))
        if layer.activation != "linear":
            modules.append(_module(layer.activation))
        if i < len(network.dropout) and network.dropout[i]:
            modules.append(torch.nn.Dropout(network.dropout[i]))
    return torch.nn.Sequential(*modules).eval()


def _standardise() -> Any:
    """The module that scales inputs: imported here, as its file needs PyTorch."""
    from foxnn.io.torch_modules import Standardise

    return Standardise


def _norm_module(norm: Norm, dtype: Any) -> Any:
    torch = _torch()
    arrays = {name: torch.from_numpy(getattr(norm, name)) for name in norm.array_names}
    units = len(arrays["gamma"])
    if isinstance(norm, BatchNorm):
        module = torch.nn.BatchNorm1d(units, eps=norm.epsilon, momentum=norm.momentum, dtype=dtype)
        module.running_mean.copy_(arrays["running_mean"])
        module.running_var.copy_(arrays["running_variance"])
    else:
        module = torch.nn.LayerNorm(units, eps=norm.epsilon, dtype=dtype)
    with torch.no_grad():
        module.weight.copy_(arrays["gamma"])
        module.bias.copy_(arrays["beta"])
    return module


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
    """A copy of a tensor in float64; None stays None."""
    return None if tensor is None else tensor.detach().cpu().double().numpy().copy()


def _where(name: str, part: Any) -> str:
    return f"module {name or '(the whole)'}, {type(part).__name__}"


def _refusal(name: str, part: Any, why: str) -> ValueError:
    return ValueError(f"{_where(name, part)}: {why}")


def _layer_norm(name: str, part: Any) -> tuple[Any, Any]:
    """The scale and the shift of a layer normalisation."""
    if len(part.normalized_shape) != 1:
        raise _refusal(name, part, f"is over {len(part.normalized_shape)} dimensions; it takes one")
    n = part.normalized_shape[0]
    return (
        np.ones(n) if part.weight is None else _array(part.weight),
        np.zeros(n) if part.bias is None else _array(part.bias),
    )


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
