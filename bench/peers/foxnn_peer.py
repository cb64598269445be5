"""foxnn: the core runs whole chunks of an epoch, as `fit` has it do."""

from __future__ import annotations

from typing import Any

import foxnn
from foxnn import _core
from foxnn.training.loop import run_steps
from problems import Parameters, Problem


def version() -> str:
    return foxnn.__version__


def network(problem: Problem, **options: Any) -> foxnn.NeuralNetwork:
    output = "softmax" if problem.loss == "cross_entropy" else "linear"
    options = {"seed": problem.seed, **options}
    return foxnn.neural_network(
        problem.sizes, activation="relu", output=output, loss=problem.loss, init=problem.weights, **options
    )


class train:
    """`fit` without its start and end, so that the steps alone are timed; `options` go to the network."""

    steps_per_call = 1

    def __init__(self, problem: Problem, optimizer: str = "adam", **options: Any) -> None:
        self.network = network(problem, **options)
        self.network.optimizer = foxnn.optimizers.get(optimizer, problem.learning_rate)
        self._batch = problem.batch
        self._n = problem.steps_per_epoch * problem.batch
        self._done = self._n
        X = problem.X.astype(self.network.dtype, copy=False)
        self._samples, _ = self.network._samples(X, problem.y, None)

    def run(self, n_steps: int) -> None:
        to_do = n_steps * self._batch
        while to_do:
            if self._done == self._n:
                self._order = _core.shuffled_order(self.network.seed, self.network.epoch, len(self._samples))
                self.network.epoch += 1
                self._done = 0
            end = min(self._n, self._done + to_do)
            run_steps(self.network, self._samples, self._order, self._done, end, self._batch)
            to_do -= end - self._done
            self._done = end

    def parameters(self) -> Parameters:
        return [(layer.weights, layer.bias) for layer in self.network.layers]


def predict(problem: Problem) -> Any:
    return network(problem).predict
