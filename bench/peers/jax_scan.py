"""JAX: one jitted function scans over many batches, so that Python is left out of the loop; Adam by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from problems import Array, Parameters, Problem, ShuffledBatches

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
#: A network of fewer parameters keeps them in one vector, which makes fewer operations; a larger one is faster without.
FLAT = 20_000


def version() -> str:
    return jax.__version__


def logits(parameters: Any, X: jax.Array) -> jax.Array:
    *hidden, (last, last_bias) = parameters
    for weights, bias in hidden:
        X = jax.nn.relu(X @ weights + bias)
    return X @ last + last_bias


def batch_loss(kind: str, parameters: Any, X: jax.Array, y: jax.Array) -> jax.Array:
    out = logits(parameters, X)
    if kind == "mse":
        return jnp.mean((out - y) ** 2)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1))


def adam(parameters: Any, gradients: Any, m: Any, v: Any, t: jax.Array, rate: float) -> Any:
    tree = jax.tree.map
    m = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
    v = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
    to_m, to_v = 1 / (1 - BETA1**t), 1 / (1 - BETA2**t)
    return tree(lambda w, m, v: w - rate * (m * to_m) / (jnp.sqrt(v * to_v) + EPSILON), parameters, m, v), m, v


class train:
    def __init__(self, problem: Problem) -> None:
        self.batches = ShuffledBatches(problem)
        per_epoch = problem.steps_per_epoch
        self.steps_per_call = max(n for n in range(1, 65) if per_epoch % n == 0)  # one length, compiled once
        self.X, self.y = jnp.asarray(problem.X), jnp.asarray(problem.y)
        parameters, self.unravel = jax.tree.map(jnp.array, problem.weights), lambda parameters: parameters
        if sum(weights.size for weights, _ in problem.weights) < FLAT:
            parameters, self.unravel = ravel_pytree(parameters)
        zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        self.state = (parameters, *zeros, jnp.float32(0))
        self.steps = self._compiled(problem)

    def _compiled(self, problem: Problem) -> Any:
        def loss(parameters: Any, X: jax.Array, y: jax.Array) -> jax.Array:
            return batch_loss(problem.loss, self.unravel(parameters), X, y)

        @partial(jax.jit, donate_argnames="state")
        def steps(state: Any, X: jax.Array, y: jax.Array, batches: jax.Array) -> Any:
            def step(state: Any, positions: jax.Array) -> Any:
                parameters, m, v, t = state
                value, gradients = jax.value_and_grad(loss)(parameters, X[positions], y[positions])
                return (*adam(parameters, gradients, m, v, t + 1, problem.learning_rate), t + 1), value

            return jax.lax.scan(step, state, batches)

        return steps

    def run(self, n_steps: int) -> None:
        batches = self.batches.take(n_steps).astype(np.int32)
        for begin in range(0, n_steps, self.steps_per_call):
            part = batches[begin : begin + self.steps_per_call]
            self.state, _ = self.steps(self.state, self.X, self.y, part)
        jax.block_until_ready(self.state)

    def parameters(self) -> Parameters:
        return jax.tree.map(np.asarray, self.unravel(self.state[0]))


def predict(problem: Problem) -> Any:
    parameters = jax.tree.map(jnp.asarray, problem.weights)

    @jax.jit
    def outputs(parameters: Any, X: jax.Array) -> jax.Array:
        out = logits(parameters, X)
        return jax.nn.softmax(out) if problem.loss == "cross_entropy" else out

    def run(X: Array) -> Array:
        return np.asarray(outputs(parameters, X))

    return run
