"""Models of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

import foxnn
from differential import Case
from foxnn.io.torch_modules import Standardise

NEEDS = ("torch",)


class Own(nn.Linear):
    """One that computes something else than its base."""

    def forward(self, x: Any) -> Any:
        return 2 * super().forward(x)


def _activation(random: np.random.Generator) -> Any:
    slope = float(random.uniform(0, 2))
    makers = [nn.Sigmoid, nn.Tanh, nn.ReLU, nn.SELU, nn.SiLU, nn.Softsign, nn.Hardsigmoid, nn.ReLU6, nn.Mish, nn.GELU,
              nn.Softplus, nn.Hardtanh, lambda: nn.LeakyReLU(slope), lambda: nn.ELU(slope),
              lambda: nn.Hardtanh(0, 6), lambda: nn.Threshold(0, 0)]  # fmt: skip
    return makers[random.integers(len(makers))]()


def _randomized(module: Any, random: np.random.Generator) -> Any:
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if tensor.is_floating_point():
                values = random.normal(size=tuple(tensor.shape)) / np.sqrt(max(tensor.shape[-1:] or (1,)))
                positive = "var" in name or "spread" in name or "original0" in name
                tensor.copy_(torch.from_numpy(np.asarray(np.abs(values) + 0.5 if positive else values)))
    return module


def _odd(random: np.random.Generator, width: int) -> Any:
    """Something that may be refused, or not."""
    hooked = nn.Linear(width, width)
    hooked.register_forward_hook(lambda module, x, y: -y)
    stale = nn.utils.weight_norm(nn.Linear(width, width))
    replaced = nn.Tanh()
    replaced.forward = lambda x: x
    choices = [hooked, stale, replaced, Own(width, width), nn.Softplus(2), nn.Softplus(threshold=1.0), nn.GELU("tanh"),
               nn.ReLU(), nn.LayerNorm(width), nn.BatchNorm1d(width), nn.Dropout(0.3), nn.Softmax(dim=0),
               nn.Softmax(dim=1), nn.Hardtanh(-2, 2), nn.CELU(0.5), nn.Threshold(0.5, 0.0), nn.PReLU(),
               nn.BatchNorm1d(width, track_running_stats=False)]  # fmt: skip
    return choices[random.integers(len(choices))]


def case(random: np.random.Generator) -> Case:
    """Sequential modules in one another, some of them used twice."""
    chance = random.random
    n_in = width = int(random.integers(1, 6))
    modules: list[Any] = [nn.Flatten()] if chance() < 0.2 else []
    if chance() < 0.2:
        modules.append(nn.BatchNorm1d(width))
    elif chance() < 0.2:
        modules.append(Standardise(torch.zeros(width), torch.ones(width)))
    shared = _activation(random)
    for _ in range(random.integers(1, 5)):
        before, width = width, int(random.integers(1, 6))
        linear: Any = nn.Linear(before, width, bias=chance() < 0.8)
        if chance() < 0.15:
            linear = nn.utils.parametrizations.weight_norm(linear)
        block = [linear]
        if chance() < 0.3:
            block.append(nn.LayerNorm(width) if chance() < 0.5 and width > 1 else nn.BatchNorm1d(width))
        block.append(shared if chance() < 0.4 else _activation(random))
        if chance() < 0.2:
            block.append(nn.Dropout(0.25))
        if chance() < 0.2:
            block.append(nn.Identity())
        modules += [nn.Sequential(*block)] if chance() < 0.3 else block
        if chance() < 0.2:  # the same layer twice
            twice = nn.Sequential(nn.Linear(width, width), shared)
            modules += [twice, twice]
    modules.append(nn.Linear(width, int(random.integers(2, 5))))
    if chance() < 0.3:
        modules.append(nn.Softmax(dim=-1))
    odd = chance() < 0.25
    if odd:
        place = int(random.integers(len(modules) + 1))
        modules.insert(place, _odd(random, _width_at(modules[:place], n_in)))
    module = _randomized(nn.Sequential(*modules), random)
    dtype = "float64" if chance() < 0.3 else "float32"
    module = module.double() if dtype == "float64" else module
    description = repr(module)

    def run(X: Any) -> Any:
        with torch.no_grad():
            return module.eval()(torch.from_numpy(X)).numpy()

    module.train(bool(chance() < 0.5))
    return Case(description, lambda: foxnn.from_torch(module), run, n_in, dtype, odd)


def _width_at(modules: list[Any], n_in: int) -> int:
    widths = [m.out_features for part in modules for m in part.modules() if isinstance(m, nn.Linear)]
    return widths[-1] if widths else n_in
