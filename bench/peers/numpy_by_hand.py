"""A network by hand in NumPy: float32 throughout, no allocation in a step, Adam in blocks that fit the cache."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from problems import Array, Parameters, Problem, ShuffledBatches

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
ADAM_BLOCK = 65536


def version() -> str:
    return np.__version__


def views(flat: Array, sizes: list[int]) -> Parameters:
    """Weights and biases of all layers as parts of one vector."""
    parameters, begin = [], 0
    for n_in, n_out in pairwise(sizes):
        end = begin + n_in * n_out
        parameters.append((flat[begin:end].reshape(n_in, n_out), flat[end : end + n_out]))
        begin = end + n_out
    return parameters


def softmax(z: Array) -> None:
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)


class train:
    steps_per_call = 1

    def __init__(self, problem: Problem) -> None:
        sizes, batch = problem.sizes, problem.batch
        self.problem = problem
        self.batches = ShuffledBatches(problem)
        n = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        self.flat, self.gradient, self.m, self.v = (np.zeros(n, np.float32) for _ in range(4))
        self.block = np.empty(min(n, ADAM_BLOCK), np.float32)
        self.t = 0
        self.layers, self.gradients = views(self.flat, sizes), views(self.gradient, sizes)
        for own, given in zip(self.layers, problem.weights, strict=True):
            own[0][...], own[1][...] = given
        self.outputs = [np.empty((batch, size), np.float32) for size in sizes]  # outputs[0]: the batch itself
        self.deltas = [np.empty((batch, size), np.float32) for size in sizes]  # of the loss by a layer's inputs
        self.positive = [np.empty((batch, size), bool) for size in sizes]
        self.y = np.empty((batch, *problem.y.shape[1:]), problem.y.dtype)
        self.ones = np.ones(batch, np.float32)
        self.rows = np.arange(batch)

    def run(self, n_steps: int) -> None:
        for positions in self.batches.take(n_steps):
            # "clip" saves NumPy a copy; the positions are all valid
            np.take(self.problem.X, positions, axis=0, out=self.outputs[0], mode="clip")
            np.take(self.problem.y, positions, axis=0, out=self.y, mode="clip")
            self._forward()
            self._backward()
            self._adam()

    def _forward(self) -> None:
        last = len(self.layers) - 1
        for i, (weights, bias) in enumerate(self.layers):
            z = self.outputs[i + 1]
            np.matmul(self.outputs[i], weights, out=z)
            z += bias
            if i < last:
                np.maximum(z, 0, out=z)

    def _backward(self) -> None:
        delta = self.outputs[-1]
        if self.problem.loss == "cross_entropy":
            softmax(delta)
            delta[self.rows, self.y] -= 1
            delta *= 1 / len(delta)
        else:
            delta -= self.y
            delta *= 2 / delta.size
        for i in reversed(range(len(self.layers))):
            np.matmul(self.outputs[i].T, delta, out=self.gradients[i][0])
            np.matmul(self.ones, delta, out=self.gradients[i][1])
            if i:
                np.matmul(delta, self.layers[i][0].T, out=self.deltas[i])
                delta = self.deltas[i]
                np.greater(self.outputs[i], 0, out=self.positive[i])
                delta *= self.positive[i]

    def _adam(self) -> None:
        """Adam with m / (1 - beta1) and v / (1 - beta2) in place of m and v, which saves two passes of twelve."""
        self.t += 1
        to_v = np.sqrt((1 - BETA2) / (1 - BETA2**self.t))
        rate = self.problem.learning_rate * (1 - BETA1) / (1 - BETA1**self.t) / to_v
        epsilon = EPSILON / to_v
        for begin in range(0, len(self.flat), ADAM_BLOCK):
            part = slice(begin, begin + ADAM_BLOCK)
            w, g, m, v = self.flat[part], self.gradient[part], self.m[part], self.v[part]
            block = self.block[: len(w)]
            m *= BETA1
            m += g
            np.multiply(g, g, out=block)
            v *= BETA2
            v += block
            np.sqrt(v, out=block)
            block += float(epsilon)
            np.divide(m, block, out=block)
            block *= float(rate)
            w -= block

    def parameters(self) -> Parameters:
        return self.layers


def predict(problem: Problem) -> Any:
    *hidden, (last, last_bias) = problem.weights
    buffers: dict[int, list[Array]] = {}

    def run(X: Array) -> Array:
        if len(X) not in buffers:
            buffers[len(X)] = [np.empty((len(X), size), np.float32) for size in problem.sizes[1:-1]]
        a = X
        for (weights, bias), out in zip(hidden, buffers[len(X)], strict=True):
            np.matmul(a, weights, out=out)
            out += bias
            a = np.maximum(out, 0, out=out)
        result = a @ last
        result += last_bias
        if problem.loss == "cross_entropy":
            softmax(result)
        return result

    return run
