"""Networks from and to PyTorch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn.activations import Activation
from foxnn.io._layers import Chain, check_forms, dense_layers, standardising
from foxnn.layers.normalisation import BatchNorm, Norm

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

_REMOVALS = (
    "remove it first: weight_norm, spectral_norm and pruning by their own functions (torch.nn.utils.remove_weight_norm "
    "and so on), others by the handle that registering them returned"
)


def from_torch(module: Any) -> NeuralNetwork:
    """See `foxnn.from_torch`."""
    torch = _torch()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module: got {type(module).__name__}; it takes a torch.nn.Module")
    from torch.nn.modules import module as of_all

    if of_all._global_forward_hooks or of_all._global_forward_pre_hooks:
        raise ValueError("module: PyTorch runs hooks for all modules now, which may change outputs; remove them first")
    chain, dtypes = Chain(), set()
    for name, part, kind in _parts(module, ""):
        where = _where(name, part)
        if kind == "Flatten" and (part.start_dim, part.end_dim) != (1, -1):
            raise _refusal(name, part, "does not keep the samples apart")
        if kind in ("Flatten", "Identity"):
            continue
        arrays = _arrays(name, part)
        if kind == "Linear":
            dtypes.add(part.weight.dtype)
            chain.dense(where, arrays["weight"].T, arrays["bias"])
        elif kind == "BatchNorm1d":
            if arrays["running_mean"] is None or arrays["running_var"] is None:
                raise _refusal(name, part, "has no running statistics to predict with")
            statistics = arrays["running_mean"], arrays["running_var"]
            chain.batch_norm(where, *statistics, part.eps, arrays["weight"], arrays["bias"])
        elif kind == "LayerNorm":
            chain.layer_norm(where, *_layer_norm(name, part, arrays), part.eps)
        elif kind == "Standardise":
            factor = 1 / arrays["spread"]
            chain.affine(where, factor, -arrays["shift"] * factor)
        elif kind == "Dropout":
            chain.dropout(where, part.p)
        else:
            chain.activation(where, _activation(name, part, kind))
    return chain.network("float64" if torch.float64 in dtypes else "float32")


def to_torch(network: NeuralNetwork) -> Any:
    """Make a PyTorch module of a network; see `NeuralNetwork.to_torch`."""
    torch, network = _torch(), network._snapshot()
    dtype = torch.float64 if network.dtype == np.float64 else torch.float32
    modules: list[Any] = []
    check_forms(network, "PyTorch")
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
    arrays = {name: torch.from_numpy(np.array(getattr(norm, name))) for name in norm.array_names}
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


def _parts(module: Any, name: str) -> Iterator[tuple[str, Any, str]]:
    """The modules that a module runs, one after another, as often as it does; each with its name and its kind."""
    kind = _kind(name, module)
    if kind != "Sequential":
        yield name, _evaluated(module), kind
        return
    for key, part in module._modules.items():  # named_children() leaves out what came before
        yield from _parts(part, f"{name}.{key}" if name else key)


def _kind(name: str, part: Any) -> str:
    """Which of PyTorch's modules it is, or inherits all that it computes from; ValueError if that is not certain."""
    nn = _torch().nn
    kinds = {getattr(nn, kind): kind for kind in _TAKEN} | {_standardise(): "Standardise"}
    base = next((base for base in type(part).__mro__ if base in kinds), None)
    if isinstance(part, nn.modules.lazy.LazyModuleMixin) and part.has_uninitialized_params():
        raise _refusal(name, part, "has no weights yet; run the module on a batch first")
    if base is None:
        known = type(part).__module__.startswith("torch.nn.modules.")
        why = "has no counterpart in foxnn" if known else f"is not known (of {type(part).__module__})"
        raise _refusal(name, part, f"{why}; it takes {', '.join(_TAKEN)}")
    own = [
        method
        for method in ("forward", "__call__", "_call_impl", "__iter__")
        if method in vars(part) or getattr(type(part), method, None) is not getattr(base, method, None)
    ]
    if own:
        raise _refusal(
            name, part, f"has a {own[0]} of its own, which may compute anything; export it to ONNX and use from_onnx"
        )
    for hooks, what in ((part._forward_pre_hooks, "forward pre-hook"), (part._forward_hooks, "forward hook")):
        for hook in hooks.values():
            raise _refusal(name, part, f"has a {what}, {_name_of(hook)}, which may change outputs; {_REMOVALS}")
    return kinds[base]


def _name_of(hook: Any) -> str:
    return str(getattr(hook, "__qualname__", type(hook).__name__))


def _evaluated(part: Any) -> Any:
    """The module; with parametrizations (of weight_norm, for one) a copy of it in evaluation mode, as in training mode
    looking at a weight may change it."""
    from torch.nn.utils.parametrize import is_parametrized

    return copy.deepcopy(part).eval() if is_parametrized(part) else part


def _arrays(name: str, part: Any) -> dict[str, Any]:
    """Copies of the arrays that a module computes with, in float64; None for one that it could have and has not."""
    torch = _torch()
    arrays: dict[str, Any] = {}
    for which in ("weight", "bias", "running_mean", "running_var", "shift", "spread"):
        tensor = getattr(part, which, None)
        if tensor is None:
            arrays[which] = None
            continue
        why = ""
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):  # quantized ones, for example
            why = f"is a {type(tensor).__name__}"
        elif not tensor.is_floating_point() or tensor.itemsize < 2:
            why = f"is of {tensor.dtype}"
        elif tensor.is_meta:
            why = "has no numbers (it is on the device 'meta')"
        elif tensor.layout is not torch.strided:
            why = f"is of the layout {tensor.layout}; to_dense() makes it a plain one"
        if why:
            raise _refusal(name, part, f"its {which} {why}; it takes tensors of real numbers")
        arrays[which] = tensor.detach().cpu().double().numpy().copy()
    return arrays


def _where(name: str, part: Any) -> str:
    return f"module {name or '(the whole)'}, {type(part).__name__}"


def _refusal(name: str, part: Any, why: str) -> ValueError:
    return ValueError(f"{_where(name, part)}: {why}")


def _layer_norm(name: str, part: Any, arrays: dict[str, Any]) -> tuple[Any, Any]:
    """The scale and the shift of a layer normalisation."""
    if len(part.normalized_shape) != 1:
        raise _refusal(name, part, f"is over {len(part.normalized_shape)} dimensions; it takes one")
    n, gamma, beta = part.normalized_shape[0], arrays["weight"], arrays["bias"]
    return np.ones(n) if gamma is None else gamma, np.zeros(n) if beta is None else beta


def _activation(name: str, part: Any, kind: str) -> Activation:
    if kind in _ACTIVATIONS:
        return Activation(_ACTIVATIONS[kind])
    if kind == "LeakyReLU":
        return _checked(name, part, "leaky_relu", negative_slope=part.negative_slope)
    if kind == "ELU":
        return _checked(name, part, "elu", alpha=part.alpha)
    if kind == "GELU" and part.approximate == "none":
        return Activation("gelu")
    if kind == "Softplus" and part.beta == 1 and part.threshold >= 20:  # beyond which it is x, to rounding
        return Activation("softplus")
    if kind == "Hardtanh" and (part.min_val, part.max_val) in ((-1, 1), (0, 6)):
        return Activation("hard_tanh" if part.min_val else "relu6")
    if kind == "Threshold" and (part.threshold, part.value) == (0, 0):
        return Activation("relu")
    if kind == "Softmax" and part.dim in (1, -1):
        return Activation("softmax")
    raise _refusal(name, part, f"{part} has no counterpart in foxnn")


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
