"""Keras with JAX under it (the quickest of its backends on small networks): `fit` for whole epochs."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras

from problems import Array, Parameters, Problem


def version() -> str:
    return f"{keras.__version__} on {keras.backend.backend()}"


def network(problem: Problem, output: str) -> Any:
    activations = ["relu"] * (len(problem.sizes) - 2) + [output]
    dense = [keras.layers.Dense(n, activation=a) for n, a in zip(problem.sizes[1:], activations, strict=True)]
    model = keras.Sequential([keras.Input((problem.sizes[0],)), *dense])
    model.set_weights([array for layer in problem.weights for array in layer])
    return model


class train:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.steps_per_call = problem.steps_per_epoch
        self.model = network(problem, output="linear")
        self.model.compile(
            optimizer=keras.optimizers.Adam(problem.learning_rate, epsilon=1e-8),
            loss=(
                keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                if problem.loss == "cross_entropy"
                else keras.losses.MeanSquaredError()
            ),
            jit_compile=True,
            steps_per_execution=min(32, problem.steps_per_epoch),
        )

    def run(self, n_steps: int) -> None:
        epochs = n_steps // self.steps_per_call
        self.model.fit(self.problem.X, self.problem.y, batch_size=self.problem.batch, epochs=epochs, verbose=0)

    def parameters(self) -> Parameters:
        arrays = self.model.get_weights()
        return list(zip(arrays[::2], arrays[1::2], strict=True))


def predict(problem: Problem) -> Any:
    model = network(problem, output="softmax" if problem.loss == "cross_entropy" else "linear")

    def run(X: Array) -> Array:
        return model.predict_on_batch(X)

    return run
