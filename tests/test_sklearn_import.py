"""Promise: fitted networks of scikit-learn give the same outputs here."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from test_c_export import assert_close

import foxnn

neural_network = pytest.importorskip("sklearn.neural_network", reason="needs the package scikit-learn")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4))


def fitted(kind: str, y: Any, dtype: Any = np.float64, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        estimator = getattr(neural_network, kind)(max_iter=5, random_state=0, **options)
        return estimator.fit(X.astype(dtype), y)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
def test_classifiers(activation: str, dtype: Any, tolerance: float) -> None:
    y = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.5, 0.5])]
    mlp = fitted("MLPClassifier", y, dtype, activation=activation, hidden_layer_sizes=(7, 5))
    nn = foxnn.from_sklearn(mlp)
    assert nn.dtype == dtype
    assert nn.metadata["classes"] == ["a", "b", "c"]
    assert nn.loss == "cross_entropy"
    assert_close(nn.predict(X.astype(dtype)), mlp.predict_proba(X.astype(dtype)), tolerance)


def test_two_classes() -> None:
    mlp = fitted("MLPClassifier", X[:, 0] > 0, hidden_layer_sizes=())
    nn = foxnn.from_sklearn(mlp)
    assert nn.sizes == [4, 1]
    assert (nn.layers[0].activation, nn.loss) == ("sigmoid", "binary_cross_entropy")
    assert_close(nn.predict(X)[:, 0], mlp.predict_proba(X)[:, 1], 1e-12)


def test_several_labels_at_once() -> None:
    mlp = fitted("MLPClassifier", (X[:, :2] > 0).astype(int))
    assert_close(foxnn.from_sklearn(mlp).predict(X), mlp.predict_proba(X), 1e-12)


@pytest.mark.parametrize("n_out", [1, 3])
def test_regressors(n_out: int) -> None:
    y = X[:, :n_out] if n_out > 1 else X[:, 0]
    mlp = fitted("MLPRegressor", y)
    nn = foxnn.from_sklearn(mlp)
    assert_close(nn.predict(X).reshape(y.shape), mlp.predict(X), 1e-12)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="has not been fitted"):
        foxnn.from_sklearn(neural_network.MLPRegressor())
    with pytest.raises(TypeError, match="got int; it takes scikit-learn's MLPClassifier or MLPRegressor"):
        foxnn.from_sklearn(3)
