"""What is trained: sizes, batch, loss, and the data and first weights that every peer gets alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

Array = np.ndarray
Parameters = list[tuple[Array, Array]]  # for each layer its weights (n_in, n_out) and bias (n_out,)

#: So small that a network stays about where it started, however long it is timed: gradients that vanish would bring
#: denormal numbers, which are slow. The work of a step does not depend on it.
TIMING_RATE = 1e-5


@dataclass
class Problem:
    """A relu network, trained by Adam on shuffled mini-batches in float32.

    `loss` is "cross_entropy" (of a softmax; `y` are classes) or "mse" (of linear outputs).
    """

    sizes: list[int]
    batch: int
    loss: str
    X: Array  # (n, sizes[0]), float32
    y: Array  # (n,) int64, or (n, sizes[-1]) float32
    learning_rate: float = TIMING_RATE
    seed: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches only."""
        return len(self.X) // self.batch

    @cached_property
    def weights(self) -> Parameters:
        """He's normal weights, and zero biases."""
        rng = np.random.default_rng(self.seed)
        return [
            (rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(np.float32), np.zeros(n_out, np.float32))
            for n_in, n_out in pairwise(self.sizes)
        ]

    @property
    def flops(self) -> int:
        """Floating-point operations in the matrix products of a step: outputs, gradients of weights and of inputs."""
        products = [n_in * n_out for n_in, n_out in pairwise(self.sizes)]
        return 2 * self.batch * (3 * sum(products) - products[0])


def make(sizes: list[int], batch: int, rows: int = 4096, learning_rate: float = TIMING_RATE) -> Problem:
    """A problem with at least `rows` samples, in whole batches: a linear teacher's answers, a fifth of them wrong.

    Several outputs mean classification, one means regression.
    """
    n = -(-rows // batch) * batch
    rng = np.random.default_rng(1)
    X = rng.standard_normal((n, sizes[0]), dtype=np.float32)
    answers = X @ rng.standard_normal((sizes[0], sizes[-1]), dtype=np.float32) / np.sqrt(sizes[0])
    if sizes[-1] == 1:
        noisy = (answers + 0.2 * rng.standard_normal((n, 1))).astype(np.float32)
        return Problem(sizes, batch, "mse", X, noisy, learning_rate)
    labels = np.where(rng.random(n) < 0.2, rng.integers(sizes[-1], size=n), answers.argmax(axis=1))
    return Problem(sizes, batch, "cross_entropy", X, labels, learning_rate)


class ShuffledBatches:
    """Positions of the samples of shuffled mini-batches, epoch after epoch."""

    def __init__(self, problem: Problem) -> None:
        self._shape = problem.steps_per_epoch, problem.batch
        self._n = len(problem.X)
        self._rng = np.random.default_rng(problem.seed)
        self._epoch = np.empty((0, problem.batch), np.int64)

    def take(self, n_steps: int) -> Array:
        """The next batches, one a row: (n_steps, batch)."""
        steps, batch = self._shape
        while len(self._epoch) < n_steps:
            order = self._rng.permutation(self._n)[: steps * batch].reshape(self._shape)
            self._epoch = np.concatenate([self._epoch, order]) if len(self._epoch) else order
        taken, self._epoch = self._epoch[:n_steps], self._epoch[n_steps:]
        return taken


def loss_of(problem: Problem, parameters: Parameters) -> float:
    """The loss of all samples, in float64."""
    a = problem.X.astype(np.float64)
    for weights, bias in parameters[:-1]:
        a = np.maximum(a @ weights + bias, 0)
    a = a @ parameters[-1][0] + parameters[-1][1]
    if problem.loss == "mse":
        return float(np.mean((a - problem.y) ** 2))
    a -= a.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(a).sum(axis=1)) - a[np.arange(len(a)), problem.y]))
