"""Promise: fitted networks of scikit-learn give the same outputs here, and networks from here there."""

from __future__ import annotations

import pickle
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


# ---- to scikit-learn ------------------------------------------------------------------------------------------------


def network(sizes: Any, activation: str, output: str, dtype: str = "float64", **options: Any) -> foxnn.NeuralNetwork:
    nn = foxnn.neural_network(sizes, activation, output, dtype=dtype, seed=1, **options)
    for layer in nn.layers:
        layer.bias = RANDOM.normal(size=layer.n_out)
    return nn


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "linear"])
@pytest.mark.parametrize("output", ["linear", "exp", "sigmoid", "softmax"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize("n_out", [1, 2, 3])
def test_to_sklearn_and_back(activation: str, output: str, dtype: str, tolerance: float, n_out: int) -> None:
    if output == "softmax" and n_out == 1:
        pytest.skip("always 1")
    nn = network([4, 6, 5, n_out], activation, output, dtype)
    nn.scale, nn.offset = 0.5, -0.25
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    mlp = pickle.loads(pickle.dumps(nn.to_sklearn()))
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    x = X.astype(dtype)
    expected = nn.predict(x)
    if output in ("linear", "exp"):
        assert isinstance(mlp, neural_network.MLPRegressor)
        got = mlp.predict(x).reshape(len(x), n_out)
    else:
        assert isinstance(mlp, neural_network.MLPClassifier)
        got = mlp.predict_proba(x)
        labels = expected.argmax(axis=1) if output == "softmax" else (expected > 0.5).squeeze()
        np.testing.assert_array_equal(mlp.predict(x), labels)
    got = got[:, 1:] if output == "sigmoid" and n_out == 1 else got
    assert_close(got, expected, tolerance)
    assert got.dtype == nn.dtype
    back = foxnn.from_sklearn(mlp)
    assert_close(back.predict(x), expected[:, 1:] if (output, n_out) == ("softmax", 2) else expected, tolerance)
    assert back.loss == {"softmax": "cross_entropy" if n_out > 2 else "binary_cross_entropy",
                         "sigmoid": "binary_cross_entropy"}.get(output, "half_squared_error")  # fmt: skip


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("classes", [["b", "a"], ["yes", "no", "maybe"], [7, 3, 5, 1]])
def test_classes_keep_their_probabilities(output: str, classes: list[Any]) -> None:
    if output == "sigmoid" and len(classes) > 2:
        pytest.skip("labels at once, of which each is 0 or 1")
    nn = network([4, len(classes) if output == "softmax" else 1], "relu", output)
    nn.metadata["classes"] = classes
    mlp = nn.to_sklearn()
    assert mlp.classes_.tolist() == sorted(classes)
    expected = nn.predict(X)
    expected = np.hstack([1 - expected, expected]) if output == "sigmoid" else expected
    for i, label in enumerate(classes):
        got = mlp.predict_proba(X)[:, mlp.classes_.tolist().index(label)]
        np.testing.assert_allclose(got, expected[:, i], rtol=1e-12)
    assert mlp.predict(X).tolist() == [classes[i] for i in expected.argmax(axis=1)]


def test_training_goes_on_there() -> None:
    """From these weights, and from nothing else: twice the same, and the loss falls."""
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    nn = network([4, 16, 1], "tanh", "sigmoid", loss="binary_cross_entropy")
    before = nn.evaluate(X, y)["loss"]
    first, second = (nn.to_sklearn().set_params(random_state=0, learning_rate_init=0.01) for _ in range(2))
    first.partial_fit(X, y)
    assert first.loss_ == pytest.approx(before, rel=1e-9)  # of the one batch, before the step; alpha is 0
    for _ in range(50):
        first.partial_fit(X, y)
    second.partial_fit(X, y)
    for _ in range(50):
        second.partial_fit(X, y)
    np.testing.assert_array_equal(first.coefs_[0], second.coefs_[0])
    assert foxnn.from_sklearn(first).evaluate(X, y)["loss"] < before / 1.5
    np.testing.assert_array_equal(nn.layers[0].weights, network([4, 16, 1], "tanh", "sigmoid").layers[0].weights)


@pytest.mark.parametrize(
    ("activation", "output", "message"),
    [
        ("elu", "linear", r"layer 0: has elu\(alpha=1\); scikit-learn's take sigmoid, tanh, relu and linear"),
        (["relu", "tanh"], "linear", "activations: got relu, tanh; .* one for all hidden layers"),
        ("relu", "tanh", "output: got tanh; scikit-learn's networks take softmax, sigmoid, linear and exp"),
    ],
)
def test_what_scikit_learn_does_not_have(activation: Any, output: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        foxnn.neural_network([2, 3, 3, 1], activation, output).to_sklearn()


def test_classes_that_do_not_fit() -> None:
    nn = foxnn.neural_network([2, 3], output="softmax")
    nn.metadata["classes"] = ["a", "b"]
    with pytest.raises(ValueError, match=r"metadata\[\"classes\"\]: got \['a', 'b'\]; it takes 3 different classes"):
        nn.to_sklearn()


def test_estimators_that_predict_in_another_way_are_refused() -> None:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import StandardScaler

    class Doubled(MLPRegressor):  # type: ignore[misc]
        def predict(self, X: Any) -> Any:
            return 2 * super().predict(X)

    class Same(MLPRegressor):  # type: ignore[misc]
        pass

    class Negative(Pipeline):  # type: ignore[misc]
        def predict(self, X: Any, **options: Any) -> Any:
            return -super().predict(X, **options)

    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20.0)
    mlp = MLPRegressor(hidden_layer_sizes=(3,), max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [
            Doubled(hidden_layer_sizes=(3,), max_iter=1).fit(X, y), Negative([("mlp", mlp)]).fit(X, y),
            GridSearchCV(mlp, {"alpha": [0.1]}, cv=2).fit(X, y), TransformedTargetRegressor(mlp).fit(X, y),
            make_pipeline(StandardScaler(), "passthrough", Same(hidden_layer_sizes=(3,), max_iter=1)).fit(X, y),
        ]  # fmt: skip
    for model, kind, message in (
        (models[0], ValueError, "Doubled has a predict of its own"),
        (models[1], ValueError, "Negative has a predict of its own"),
        (models[2], TypeError, "got GridSearchCV; it takes .*; try its best_estimator_"),
        (models[3], TypeError, "got TransformedTargetRegressor; it takes .*; try its regressor_"),
    ):
        with pytest.raises(kind, match=message):
            foxnn.from_sklearn(model)
    assert_close(foxnn.from_sklearn(models[4]).predict(X)[:, 0], models[4].predict(X), 1e-12)
