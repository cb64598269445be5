"""Models of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

import foxnn
from differential import Case

NEEDS = ("sklearn",)


class Own(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step that nobody knows."""

    def fit(self, X: Any, y: Any = None) -> Own:
        return self

    def transform(self, X: Any) -> Any:
        return -X


class Doubled(MLPRegressor):  # type: ignore[misc]
    """One that predicts something else than its base."""

    def predict(self, X: Any) -> Any:
        return 2 * super().predict(X)


def case(random: np.random.Generator) -> Case:
    """Estimators with random weights, alone or after scalers."""
    chance = random.random
    n_in, kind = int(random.integers(1, 6)), ["two", "classes", "labels", "regression", "outputs"][random.integers(5)]
    dtype = "float64" if chance() < 0.5 else "float32"
    X = random.normal(1, 3, size=(20, n_in)).astype(dtype)
    y: Any = {
        "two": np.array(["no", "yes"] * 10), "classes": np.arange(20) % 4, "labels": (random.random((20, 3)) < 0.5) * 1,
        "regression": X[:, 0], "outputs": X[:, [0, 0]],
    }[kind]  # fmt: skip
    odd, steps = bool(chance() < 0.2), []
    makers: list[Any] = [StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, lambda: "passthrough",
                         lambda: StandardScaler(with_mean=False), lambda: StandardScaler(with_std=False),
                         lambda: MinMaxScaler(feature_range=(-2, 5)), lambda: RobustScaler(with_scaling=False),
                         lambda: RobustScaler(with_centering=False, quantile_range=(10, 60))]  # fmt: skip
    if chance() < 0.6:
        steps = [(f"step{i}", makers[random.integers(len(makers))]()) for i in range(random.integers(1, 4))]
    regression = kind in ("regression", "outputs")
    make: Any = MLPRegressor if regression else MLPClassifier
    if odd:
        if chance() < 0.5 or not regression:
            steps.append(("own", [Own(), MinMaxScaler(clip=True)][random.integers(2)]))
        else:
            make = Doubled
    sizes = tuple(int(n) for n in random.integers(1, 6, size=random.integers(0, 4)))
    activation = ["relu", "tanh", "logistic", "identity"][random.integers(4)]
    model: Any = Pipeline(
        [*steps, ("mlp", make(hidden_layer_sizes=sizes, activation=activation, max_iter=1, batch_size=20))]
    )
    model.fit(X, y)
    mlp = model[-1]
    mlp.coefs_ = [random.normal(size=w.shape).astype(w.dtype) / np.sqrt(len(w)) for w in mlp.coefs_]
    mlp.intercepts_ = [random.normal(size=b.shape).astype(b.dtype) for b in mlp.intercepts_]
    whole = model if steps else mlp

    def run(X: Any) -> Any:
        if regression:
            return whole.predict(X)
        probabilities = whole.predict_proba(X)
        return probabilities[:, 1:] if kind == "two" else probabilities

    return Case(f"{whole}, {sizes}, {dtype}", lambda: foxnn.from_sklearn(whole), run, n_in, dtype, odd)
