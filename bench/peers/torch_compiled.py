"""PyTorch with `torch.compile`: one graph for the network with its loss, forwards and backwards; Adam stays fused."""

from __future__ import annotations

import torch

from peers import torch_eager
from problems import Parameters, Problem

version = torch_eager.version


class train:
    steps_per_call = 1

    def __init__(self, problem: Problem) -> None:
        torch.compiler.reset()  # after some recompilations of a function it would silently stay uncompiled
        self._eager = torch_eager.train(problem)
        self._eager.batch_loss = torch.compile(self._eager.batch_loss, dynamic=False)
        self.run = self._eager.run

    def parameters(self) -> Parameters:
        return self._eager.parameters()
