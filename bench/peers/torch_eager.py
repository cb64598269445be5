"""PyTorch as it comes: modules, autograd, and Adam with its fused step."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

import threads
from problems import Array, Parameters, Problem, ShuffledBatches

torch.set_num_threads(threads.COUNT)


def version() -> str:
    return torch.__version__


def network(problem: Problem) -> torch.nn.Sequential:
    """Its outputs are logits."""
    layers: list[torch.nn.Module] = []
    for weights, bias in problem.weights:
        n_in, n_out = weights.shape
        linear = torch.nn.Linear(n_in, n_out)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.T))
            linear.bias.copy_(torch.from_numpy(bias))
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class train:
    steps_per_call = 1

    def __init__(self, problem: Problem) -> None:
        self.network = network(problem)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=problem.learning_rate, fused=True)
        self.batches = ShuffledBatches(problem)
        self.X, self.y = torch.from_numpy(problem.X), torch.from_numpy(problem.y)
        self.loss = F.cross_entropy if problem.loss == "cross_entropy" else F.mse_loss

    def batch_loss(self, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.loss(self.network(X), y)

    def run(self, n_steps: int) -> None:
        for positions in torch.from_numpy(self.batches.take(n_steps)).unbind():
            loss = self.batch_loss(self.X.index_select(0, positions), self.y.index_select(0, positions))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def parameters(self) -> Parameters:
        linear = [layer for layer in self.network if isinstance(layer, torch.nn.Linear)]
        return [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in linear]


def predict(problem: Problem) -> Any:
    layers = network(problem)
    if problem.loss == "cross_entropy":
        layers.append(torch.nn.Softmax(dim=1))

    @torch.inference_mode()
    def run(X: Array) -> Array:
        return layers(torch.from_numpy(X)).numpy()

    return run
