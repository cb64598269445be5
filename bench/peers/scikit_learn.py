"""scikit-learn: MLPClassifier and MLPRegressor, `partial_fit` on parts of the data of many batches."""

from __future__ import annotations

from typing import Any

import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

from problems import Parameters, Problem


def version() -> str:
    return sklearn.__version__


def estimator(problem: Problem) -> Any:
    """One with the problem's weights: it has made its first step with others, and forgotten it."""
    kind = MLPClassifier if problem.loss == "cross_entropy" else MLPRegressor
    model = kind(
        hidden_layer_sizes=problem.sizes[1:-1],
        solver="adam",
        alpha=0.0,
        batch_size=problem.batch,
        learning_rate_init=problem.learning_rate,
        random_state=problem.seed,
    )
    first = problem.X[: problem.batch], problem.y[: problem.batch].ravel()
    model.partial_fit(*first, **({"classes": range(problem.sizes[-1])} if kind is MLPClassifier else {}))
    for own, own_bias, (weights, bias) in zip(model.coefs_, model.intercepts_, problem.weights, strict=True):
        own[...], own_bias[...] = weights, bias
    del model._optimizer  # the next partial_fit makes a new one
    return model


class train:
    """Its squared error is half of the others'; Adam takes the same steps."""

    steps_per_call = 1

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = estimator(problem)
        self.y = problem.y.ravel()
        self.done = 0

    def run(self, n_steps: int) -> None:
        batch, per_epoch = self.problem.batch, self.problem.steps_per_epoch
        while n_steps:
            now = min(n_steps, per_epoch - self.done)
            part = slice(self.done * batch, (self.done + now) * batch)
            self.model.partial_fit(self.problem.X[part], self.y[part])
            self.done = (self.done + now) % per_epoch
            n_steps -= now

    def parameters(self) -> Parameters:
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))


def predict(problem: Problem) -> Any:
    model = estimator(problem)
    return model.predict_proba if problem.loss == "cross_entropy" else model.predict
