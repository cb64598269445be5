"""Promise: `MLPClassifier` and `MLPRegressor` are estimators as scikit-learn wants them, train as its own do, and can
more: dropout, class weights, validation data, callbacks, schedules, several labels or outputs, sparse matrices."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

import foxnn

pytest.importorskip("sklearn")
sparse = pytest.importorskip("scipy.sparse")

from joblib import parallel_config  # noqa: E402
from sklearn import neural_network as sklearn_networks  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.exceptions import ConvergenceWarning, NotFittedError  # noqa: E402
from sklearn.inspection import permutation_importance  # noqa: E402
from sklearn.metrics import f1_score  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks  # noqa: E402

ESTIMATORS = [foxnn.MLPClassifier(max_iter=100), foxnn.MLPRegressor(max_iter=100)]
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
names = np.array(["setosa", "versicolor", "virginica"])[y]
several_labels = np.stack([y == 0, y > 0, X[:, 0] > 5.5], axis=1).astype(int)
several_outputs = np.stack([y, X[:, 0], X[:, 1] * y], axis=1)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Results do not depend on it, and such small work is done soonest without waiting for others."""
    with foxnn.num_threads(1):
        yield


# ---- scikit-learn's checks ----------------------------------------------------------------------------------------


@quiet
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_check(estimator: Any, check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # it would skip some without
    try:
        check(estimator)
    except SkipTest as error:
        pytest.fail(f"skipped: {error}")


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_as_many_checks_as_scikit_learns_own(name: str) -> None:
    ours, theirs = (
        [getattr(check, "func", check).__name__ for _, check in estimator_checks_generator(getattr(module, name)())]
        for module in (foxnn, sklearn_networks)
    )
    assert len(ours) >= len(theirs) > 50
    assert set(theirs) <= set(ours)


# ---- as scikit-learn's own ----------------------------------------------------------------------------------------


def parameters_of(model: Any) -> np.ndarray[Any, Any]:
    return np.concatenate([array.ravel() for array in [*model.coefs_, *model.intercepts_]])


@quiet
@pytest.mark.parametrize(
    "options",
    [
        {"solver": "sgd"},
        {"solver": "sgd", "nesterovs_momentum": False, "alpha": 1.0, "activation": "tanh"},
        {"solver": "sgd", "momentum": 0, "learning_rate": "invscaling", "activation": "logistic"},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2, "max_iter": 100},
        {"solver": "adam", "epsilon": 1e-12, "activation": "tanh", "alpha": 0.1},
        {"solver": "lbfgs", "max_iter": 5, "alpha": 1.0, "activation": "tanh"},
    ],
)
@pytest.mark.parametrize(
    ("name", "target", "weighted"),
    [
        ("MLPClassifier", y, False),
        ("MLPClassifier", y > 0, True),
        ("MLPClassifier", several_labels, False),
        ("MLPRegressor", y, True),
        ("MLPRegressor", several_outputs, False),
    ],
)
def test_trains_as_scikit_learns_own(options: dict[str, Any], name: str, target: Any, weighted: bool) -> None:
    if options["solver"] == "lbfgs" and target is several_outputs:
        target = target[:, 0]  # with several, scikit-learn's gradient is not that of its loss
    # All samples are one batch, as their order is all that the two do not have in common.
    weights = np.random.default_rng(0).integers(0, 4, len(X)) if weighted else None
    options = {"max_iter": 20, "hidden_layer_sizes": (8, 5), "random_state": 3, **options}
    ours, theirs = (
        getattr(module, name)(**options).fit(X, target, sample_weight=weights) for module in (foxnn, sklearn_networks)
    )
    np.testing.assert_allclose(parameters_of(ours), parameters_of(theirs), rtol=1e-5, atol=1e-7)
    for attribute in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    if options["solver"] != "lbfgs":
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
        assert ours.best_loss_ == pytest.approx(theirs.best_loss_)


@quiet
def test_parameters_are_those_of_scikit_learns_own_and_more() -> None:
    for name in ("MLPClassifier", "MLPRegressor"):
        ours, theirs = (getattr(module, name)().get_params() for module in (foxnn, sklearn_networks))
        assert theirs.items() <= ours.items()
        positions = [
            list(inspect.signature(getattr(module, name)).parameters)[:3] for module in (foxnn, sklearn_networks)
        ]
        assert positions[0] == positions[1]


def test_max_iter_warns_and_convergence_does_not() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
        foxnn.MLPClassifier(max_iter=3).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        foxnn.MLPClassifier(solver="lbfgs", max_iter=3).fit(X, y)
    model = foxnn.MLPClassifier(max_iter=1000, tol=1e-2, random_state=0).fit(X, y)
    assert model.n_iter_ < 1000


def test_wrong_parameters_are_named() -> None:
    for options in (
        {"solver": "adm"}, {"alpha": -1}, {"dropout": 1.0}, {"activation": "softmax"}, {"momentum": 1.0},
        {"input_dropout": 1.0}, {"input_noise": -1.0}, {"l1": -1.0}, {"max_norm": 0.0}, {"norm": "batchnorm"},
        {"clip_norm": 0.0}, {"clip_value": -1.0}, {"label_smoothing": 1.0}, {"metrics": 3}, {"callbacks": 3},
    ):  # fmt: skip
        (name,) = options
        with pytest.raises(ValueError, match=f"The '{name}' parameter of MLPClassifier must be"):
            foxnn.MLPClassifier(**options).fit(X, y)
    with pytest.raises(ValueError, match="activation: got 1 of them"):
        foxnn.MLPClassifier((4, 4), activation=["relu"]).fit(X, y)
    with pytest.raises(ValueError, match="norm: got 1 of them; it takes one for each of 2 hidden layers"):
        foxnn.MLPClassifier((4, 4), norm=["batch_norm"]).fit(X, y)
    with pytest.raises(TypeError, match="norm: got 3; it takes 'batch_norm'"):
        foxnn.MLPClassifier((4,), norm=[3]).fit(X, y)
    with pytest.raises(ValueError, match=r"norm: unknown name 'instance_norm'.*batch_norm, layer_norm"):
        foxnn.MLPClassifier((4,), norm=["instance_norm"]).fit(X, y)
    with pytest.raises(ValueError, match="max_norm: got 1 of them; it takes one for each of the 2 layers"):
        foxnn.MLPClassifier((4,), max_norm=[1.0]).fit(X, y)
    with pytest.raises(ValueError, match=r"clip_norm: got 1.0 besides an optimizer of its own, Adam\("):
        foxnn.MLPClassifier(clip_norm=1.0, solver=foxnn.optimizers.Adam()).fit(X, y)
    with pytest.raises(ValueError, match=r"clip_norm: got 1.0 besides clip_value=1.0"):
        foxnn.MLPClassifier(clip_norm=1.0, clip_value=1.0).fit(X, y)
    with pytest.raises(ValueError, match=r"label_smoothing: got 0.1 besides Loss\('cross_entropy'\)"):
        foxnn.MLPClassifier(label_smoothing=0.1, loss=foxnn.Loss("cross_entropy")).fit(X, y)
    with pytest.raises(ValueError, match="half_squared_error parameter: unknown name 'label_smoothing'"):
        foxnn.MLPClassifier(label_smoothing=0.1, loss="half_squared_error").fit(X, y)
    with pytest.raises(ValueError, match="metrics: unknown name 'f2'"):
        foxnn.MLPClassifier(metrics=["f2"]).fit(X, y)
    for options in (
        {"dropout": 0.5}, {"dropout": [0.5]}, {"input_dropout": 0.1}, {"input_noise": 0.1}, {"l1": 0.1},
        {"max_norm": 3.0}, {"clip_norm": 1.0}, {"clip_value": 1.0}, {"metrics": "f1"}, {"metrics": len},
        {"callbacks": [foxnn.Callback()]}, {"norm": "batch_norm"}, {"norm": [foxnn.BatchNorm()]},
    ):  # fmt: skip
        (name,) = options
        what = "batch normalisation" if name == "norm" else name
        with pytest.raises(ValueError, match=f'solver: got "lbfgs", which does without {what}'):
            foxnn.MLPClassifier((4,), solver="lbfgs", **options).fit(X, y)
    with pytest.raises(ValueError, match='solver: got "lbfgs", which does without validation data'):
        foxnn.MLPClassifier(solver="lbfgs").fit(X, y, X_val=X, y_val=y)
    with pytest.raises(NotFittedError):
        foxnn.MLPRegressor().predict(X)
    with pytest.raises(AttributeError, match="no weights yet"):
        foxnn.MLPRegressor().coefs_  # noqa: B018


# ---- beyond it ----------------------------------------------------------------------------------------------------


@quiet
def test_text_labels_and_scores() -> None:
    model = foxnn.MLPClassifier((16,), learning_rate_init=0.01, random_state=0).fit(X, names)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(X, names) > 0.95
    weights = model.predict(X) == names
    assert model.score(X, names, sample_weight=weights) == 1
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities)
    scores = np.exp(model.decision_function(X))
    np.testing.assert_allclose(scores / scores.sum(axis=1, keepdims=True), probabilities)


@quiet
def test_two_classes_and_one() -> None:
    two = foxnn.MLPClassifier((4,), max_iter=5, random_state=0).fit(X, y == 0)
    assert two.decision_function(X).shape == (150,)
    np.testing.assert_allclose(1 / (1 + np.exp(-two.decision_function(X))), two.predict_proba(X)[:, 1])
    one = foxnn.MLPClassifier((4,), max_iter=5).fit(X, ["all"] * 150)
    assert set(one.predict(X)) == {"all"}
    assert (one.predict_proba(X) == np.ones((150, 1))).all()


@quiet
@pytest.mark.parametrize("activation", ["gelu", ["relu", "mish"], foxnn.Activation("elu", alpha=0.5)])
def test_every_activation_also_by_layer(activation: Any) -> None:
    model = foxnn.MLPClassifier((8, 8), activation=activation, learning_rate_init=0.01, random_state=1).fit(X, y)
    assert clone(model).get_params()["activation"] == activation
    assert model.score(X, y) > 0.9


@quiet
@pytest.mark.parametrize("solver", ["rmsprop", "AdamW", foxnn.optimizers.Nesterov(0.05)])
def test_every_optimizer(solver: Any) -> None:
    if solver == "AdamW":
        solver = foxnn.optimizers.AdamW(0.01)
    model = foxnn.MLPClassifier((16,), solver=solver, learning_rate_init=0.01, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


@quiet
def test_schedules() -> None:
    rates = []

    class Rates(foxnn.Callback):
        def on_epoch_begin(self, network: Any, epoch: int) -> None:
            rates.append(network.optimizer.learning_rate)

    solver = foxnn.optimizers.SGD(1.0)
    model = foxnn.MLPRegressor(
        solver=solver, learning_rate=lambda epoch: 0.1 / (epoch + 1), max_iter=3, callbacks=[Rates()]
    )
    model.fit(X, y)
    assert rates == [0.1, 0.05, 0.1 / 3]
    assert solver.learning_rate == 1.0


@quiet
def test_dropout_is_reproducible_and_none_in_prediction() -> None:
    models = [foxnn.MLPClassifier((32,), dropout=0.5, random_state=0, max_iter=20).fit(X, y) for _ in range(2)]
    plain = foxnn.MLPClassifier((32,), random_state=0, max_iter=20).fit(X, y)
    assert (parameters_of(models[0]) == parameters_of(models[1])).all()
    assert (parameters_of(models[0]) != parameters_of(plain)).any()
    assert (models[0].predict_proba(X) == models[0].predict_proba(X)).all()


# What foxnn's own networks are given for each parameter; "norm" stands among their sizes.
OWN = {
    "input_dropout": (0.3, lambda nn: nn.input_dropout),
    "input_noise": (0.5, lambda nn: nn.input_noise),
    "l1": (0.01, lambda nn: nn.l1),
    "max_norm": ([0.5, None, 1.0], lambda nn: nn.max_norm),
    "norm": (["batch_norm", foxnn.LayerNorm(1e-3)], lambda nn: [layer.norm for layer in nn.layers[:-1]]),
    "clip_norm": (0.1, lambda nn: nn.optimizer.clip_norm),
    "clip_value": (0.01, lambda nn: nn.optimizer.clip_value),
    "label_smoothing": (0.2, lambda nn: nn.loss.parameters["label_smoothing"]),
}


@quiet
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name in OWN
        for kind in ("MLPClassifier", "MLPRegressor")
        if (name, kind) != ("label_smoothing", "MLPRegressor")
    ],
)
def test_trains_as_a_network_with_these_options(name: str, kind: str) -> None:
    """All that the two do not have in common is how weights start, and how samples are put in order."""
    target = names if kind == "MLPClassifier" else several_outputs
    value, of_network = OWN[name]
    options = {"hidden_layer_sizes": (6, 5), "alpha": 0.0, "random_state": 0, "shuffle": False, "batch_size": 50}
    model = getattr(foxnn, kind)(max_iter=1, **options, **{name: value}).fit(X, target)
    assert clone(model).get_params()[name] == value
    start = getattr(foxnn, kind)(max_iter=1, solver="sgd", learning_rate_init=1e-300, momentum=0, **options)
    start.fit(X, target)  # which goes nowhere

    twin = model.network_
    found = of_network(twin)
    assert found == ([foxnn.BatchNorm(), foxnn.LayerNorm(1e-3)] if name == "norm" else value)
    assert (of_network(start.network_) != found) if name != "label_smoothing" else True
    sizes = [4, 6, foxnn.BatchNorm(), 5, foxnn.LayerNorm(1e-3), 3] if name == "norm" else [4, 6, 5, 3]
    nn = foxnn.neural_network(
        sizes, "relu", "softmax" if kind == "MLPClassifier" else "linear", dtype="float64", seed=twin.seed,
        init=list(zip(start.coefs_, start.intercepts_, strict=True)),
        loss=foxnn.Loss("cross_entropy", label_smoothing=value) if name == "label_smoothing" else None,
        **({name: value} if name in ("input_dropout", "input_noise", "l1", "max_norm") else {}),
    )  # fmt: skip
    clips = {name: value} if name.startswith("clip") else {}
    nn.fit(
        X, y if kind == "MLPClassifier" else several_outputs,
        epochs=1, batch_size=50, shuffle=False, optimizer=foxnn.optimizers.Adam(**clips),
    )  # fmt: skip
    for ours, theirs in zip(model.network_.get_weights(), nn.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    plain = getattr(foxnn, kind)(max_iter=1, **options).fit(X, target)
    assert (parameters_of(model) != parameters_of(plain)).any()


@quiet
def test_penalties_and_clipping_are_in_units_of_the_loss() -> None:
    """Of several labels, where foxnn's networks take the mean over the outputs, and scikit-learn's sum."""
    options = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "alpha": 0, "max_iter": 1, "random_state": 0}
    start, step = (foxnn.MLPClassifier(learning_rate_init=rate, **options) for rate in (1e-300, 0.1))
    start.fit(X, several_labels)
    gradient = (parameters_of(start) - parameters_of(step.fit(X, several_labels))) / 0.1
    norm = float(np.linalg.norm(gradient))
    clipped = clone(step).set_params(clip_norm=norm / 4).fit(X, several_labels)
    np.testing.assert_allclose((parameters_of(start) - parameters_of(clipped)) / 0.1, gradient / 4, rtol=1e-9)
    penalised = clone(step).set_params(l1=0.5).fit(X, several_labels)
    expected = parameters_of(step) - 0.1 * 0.5 * np.r_[np.sign(start.coefs_[0]).ravel(), np.zeros(3)]
    np.testing.assert_allclose(parameters_of(penalised), expected, rtol=1e-9)
    assert penalised.loss_ == pytest.approx(step.loss_ + 0.5 * np.abs(start.coefs_[0]).sum())


@quiet
@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm", [None, foxnn.BatchNorm(momentum=0.3)]])
def test_normalised_networks_in_all_that_an_estimator_does(norm: Any) -> None:
    options = {"hidden_layer_sizes": (8, 6), "norm": norm, "learning_rate_init": 0.02, "random_state": 0}
    model = foxnn.MLPClassifier(max_iter=60, early_stopping=True, n_iter_no_change=60, **options).fit(X, names)
    assert model.score(X, names) > 0.9
    scores = np.exp(model.decision_function(X))
    np.testing.assert_allclose(scores / scores.sum(axis=1, keepdims=True), model.predict_proba(X), rtol=1e-9)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (twin.predict_proba(X) == model.predict_proba(X)).all()
    before = model.predict_proba(X)
    model.coefs_[0] = model.coefs_[0] * 2
    assert (model.predict_proba(X) != before).any()
    warm = foxnn.MLPClassifier(max_iter=3, warm_start=True, **options).fit(X, names)
    first = warm.network_
    warm.set_params(solver="sgd", learning_rate_init=1e-300, max_iter=1).fit(X, names)
    for layer, was in zip(warm.network_.layers, first.layers, strict=True):
        for name in layer.parameter_names:  # the running moments have moved on
            np.testing.assert_array_equal(layer.get_array(name), was.get_array(name))
    with pytest.raises(ValueError, match=r"norm: got None to go on from a network that has \["):
        warm.set_params(norm=None).fit(X, names)
    if norm == "layer_norm":
        assert foxnn.MLPClassifier((8,), norm=norm, solver="lbfgs", random_state=0).fit(X, names).score(X, names) > 0.97


@quiet
def test_metrics_are_in_the_history() -> None:
    """Of the training data, or of validation data if there are any; weights count."""

    def share_of_first(y_true: Any, y_pred: Any, sample_weight: Any) -> float:
        return float(np.average(y_pred.argmax(axis=1) == 0, weights=sample_weight))

    weights = np.where(y == 0, 3.0, 1.0)
    model = foxnn.MLPClassifier((8,), max_iter=3, metrics=["f1", share_of_first], random_state=0)
    model.fit(X, names, sample_weight=weights)
    assert list(model.history_["f1"])[-1] == pytest.approx(
        f1_score(names, model.predict(X), average="macro", sample_weight=weights, zero_division=0)
    )
    share = np.average(model.predict(X) == "setosa", weights=weights)
    assert model.history_["share_of_first"][-1] == pytest.approx(share)
    assert len(model.history_["f1"]) == 3
    watched = foxnn.MLPRegressor(hidden_layer_sizes=(8,), max_iter=3, metrics="mae", random_state=0)
    watched.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert watched.history_["val_mae"][-1] == pytest.approx(np.abs(watched.predict(X[1::2]) - y[1::2]).mean())
    assert "mae" not in watched.history_
    with pytest.raises(AttributeError, match="no history yet"):
        foxnn.MLPRegressor().history_  # noqa: B018


@quiet
def test_class_weight_is_sample_weight() -> None:
    options = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 10}
    by_class = foxnn.MLPClassifier(class_weight={"setosa": 2, "versicolor": 0.5}, **options).fit(X, names)
    by_sample = foxnn.MLPClassifier(**options).fit(X, names, sample_weight=np.array([2, 0.5, 1])[y])
    assert (parameters_of(by_class) == parameters_of(by_sample)).all()
    rare = np.flatnonzero((y == 0) | (np.arange(150) % 10 == 0))
    balanced = foxnn.MLPClassifier((8,), class_weight="balanced", random_state=0, learning_rate_init=0.05)
    assert balanced.fit(X[rare], y[rare]).score(X, y) > 0.8
    with pytest.raises(ValueError, match="class_weight: got"):
        foxnn.MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


@quiet
def test_own_validation_data() -> None:
    train, held = np.arange(150) % 3 > 0, np.arange(150) % 3 == 0
    model = foxnn.MLPClassifier((16,), early_stopping=True, max_iter=50, random_state=0)
    model.fit(X[train], names[train], X_val=X[held], y_val=names[held])
    assert model.score(X[held], names[held]) == model.best_validation_score_ == max(model.validation_scores_)
    watched = foxnn.MLPRegressor(hidden_layer_sizes=(16,), max_iter=7, random_state=0)
    watched.fit(X[train], several_outputs[train], X_val=X[held], y_val=several_outputs[held])
    assert len(watched.validation_scores_) == 7
    assert watched.score(X[held], several_outputs[held]) == pytest.approx(watched.validation_scores_[-1])
    with pytest.raises(ValueError, match="X_val, y_val"):
        model.fit(X, names, X_val=X)
    with pytest.raises(ValueError, match="classes not in"):
        model.fit(X, names, X_val=X[:1], y_val=["tulip"])


def test_callbacks_see_validation_and_may_stop() -> None:
    stop = foxnn.EarlyStopping("val_loss", patience=2)
    model = foxnn.MLPRegressor(hidden_layer_sizes=(4,), callbacks=[stop], learning_rate_init=0.3, random_state=0)
    model.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert model.n_iter_ == stop.best_epoch + 3 < 200


@quiet
def test_several_labels_also_in_partial_fit() -> None:
    model = foxnn.MLPClassifier((16,), learning_rate_init=0.02, random_state=0)
    for _ in range(100):
        model.partial_fit(X, several_labels, classes=[0, 1, 2])
    assert model.score(X, several_labels) > 0.9
    assert model.predict_proba(X).shape == (150, 3)


@quiet
@pytest.mark.parametrize("loss", ["huber", "mae", foxnn.Loss("huber", delta=2)])
def test_other_losses(loss: Any) -> None:
    model = foxnn.MLPRegressor(loss, (16,), learning_rate_init=0.01, random_state=0).fit(X, several_outputs)
    assert model.score(X, several_outputs) > 0.8


@quiet
def test_float32_is_kept_and_sparse_is_the_same() -> None:
    for model in (
        foxnn.MLPClassifier((8,), max_iter=5, random_state=0),
        foxnn.MLPRegressor(random_state=0, max_iter=5),
    ):
        single = X.astype(np.float32)
        dense = clone(model).fit(single, y)
        assert {array.dtype for array in [*dense.coefs_, *dense.intercepts_]} == {np.dtype(np.float32)}
        for container in (sparse.csr_matrix, sparse.csc_array):
            other = clone(model).fit(container(single), y)
            assert (parameters_of(other) == parameters_of(dense)).all()
            assert (other.predict(container(single)) == dense.predict(single)).all()
    assert dense.predict(single).dtype == np.float32


@quiet
def test_the_same_bits_for_any_number_of_threads() -> None:
    results = []
    for n in (1, 2):
        with foxnn.num_threads(n):
            model = foxnn.MLPClassifier((64, 64), batch_size=50, max_iter=5, dropout=0.1, random_state=0)
            results.append(parameters_of(model.fit(X.astype(np.float32), y)))
    assert (results[0] == results[1]).all()


@quiet
def test_sparse_indicator_matrix() -> None:
    model = foxnn.MLPClassifier((8,), max_iter=20, random_state=0)
    dense = clone(model).fit(X, several_labels).predict(X)
    assert (clone(model).fit(X, sparse.csr_matrix(several_labels)).predict(X).toarray() == dense).all()
    with pytest.raises(ValueError, match="indicator matrix of 3 labels"):
        model.fit(X, several_labels).partial_fit(X, several_labels[:, :2])


@quiet
def test_samples_of_no_weight_count_for_nothing() -> None:
    weights = (np.arange(150) >= 60).astype(float)
    options = {"hidden_layer_sizes": (8,), "batch_size": 30, "shuffle": False, "max_iter": 5, "solver": "sgd"}
    models = [foxnn.MLPRegressor(alpha=0, momentum=0, random_state=0, **options) for _ in range(2)]
    models[0].fit(X, y, sample_weight=weights)
    models[1].fit(X[60:], y[60:])
    np.testing.assert_allclose(parameters_of(models[0]), parameters_of(models[1]), rtol=1e-12)


@quiet
def test_warm_start_goes_on() -> None:
    model = foxnn.MLPClassifier((8,), solver="sgd", momentum=0, max_iter=5, warm_start=True, random_state=0)
    twice = parameters_of(model.fit(X, names).fit(X, names))
    at_once = foxnn.MLPClassifier((8,), solver="sgd", momentum=0, max_iter=10, random_state=0).fit(X, names)
    np.testing.assert_allclose(twice, parameters_of(at_once), rtol=1e-9)
    assert len(model.loss_curve_) == 10
    assert model.n_iter_ == 5
    with pytest.raises(ValueError, match="hidden_layer_sizes: got"):
        model.set_params(hidden_layer_sizes=(9,)).fit(X, names)


def test_interrupted_training_is_kept() -> None:
    class Interrupt(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
            if epoch == 2:
                raise KeyboardInterrupt

    model = foxnn.MLPRegressor(callbacks=[Interrupt()])
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert model.predict(X).shape == (150,)


# ---- weights, files and copies ------------------------------------------------------------------------------------


@quiet
def test_weights_can_be_replaced() -> None:
    model = foxnn.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0).fit(X, y)
    model.coefs_[-1] = np.zeros((4, 1))
    model.intercepts_ = [model.intercepts_[0], np.array([7.0])]
    assert (model.predict(X) == 7).all()
    assert (pickle.loads(pickle.dumps(model)).predict(X) == 7).all()
    with pytest.raises(ValueError, match="read-only"):
        model.fit(X, y).coefs_[0][:] = 0


@quiet
def test_the_network_can_be_had() -> None:
    model = foxnn.MLPClassifier((4,), max_iter=5, random_state=0).fit(X, names)
    network = model.network_
    assert (network.predict(X) == model.predict_proba(X)).all()
    network.layers[0].weights = 0
    assert (model.coefs_[0] != 0).any()


@quiet
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_go_on_as_the_original_would(duplicate: Any) -> None:
    model = foxnn.MLPClassifier((8,), max_iter=5, random_state=0).fit(X, names)
    before = parameters_of(model)
    twin = duplicate(model)
    assert (parameters_of(twin) == before).all()
    twin.partial_fit(X, names)
    assert (parameters_of(model) == before).all()
    model.partial_fit(X, names)
    assert (parameters_of(model) == parameters_of(twin)).all()
    assert twin.t_ == model.t_


@quiet
def test_diverging_is_an_error_with_advice() -> None:
    model = foxnn.MLPRegressor(solver="sgd", learning_rate_init=1e6, activation="identity")
    with pytest.raises(ValueError, match=r"non-finite parameter weights.*smaller learning rate"):
        model.fit(X * 1e3, y)


@quiet
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_attributes_that_there_are_not(estimator: Any) -> None:
    model = clone(estimator).set_params(hidden_layer_sizes=(4,), max_iter=2)
    for name, near in (
        ("hidden_layer_size", "hidden_layer_sizes"),
        ("lr", "learning_rate_init"),
        ("epochs", "max_iter"),
    ):
        with pytest.raises(
            AttributeError, match=f"^{type(model).__name__} has no attribute '{name}'; did you mean '{near}'"
        ):
            setattr(model, name, 3)
    model.fit(X, y)
    for twin in (clone(model), copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        with pytest.raises(AttributeError, match="did you mean 'alpha'"):
            twin.alpah = 1
        twin.alpha = 1  # a parameter
        twin.n_features_in_ = 4  # what scikit-learn's functions set
        twin._own = 2


def test_estimators_derived_from_these_may_have_attributes() -> None:
    class Mine(foxnn.MLPRegressor):
        def __init__(self, extra: int = 1, alpha: float = 0.0) -> None:
            super().__init__(alpha=alpha)
            self.extra = extra
            self.note = "mine"

    assert clone(Mine(extra=3)).get_params() == {"extra": 3, "alpha": 0.0}


# ---- in scikit-learn's tools --------------------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search(backend: str) -> None:
    pipeline = make_pipeline(StandardScaler(), foxnn.MLPClassifier((8,), max_iter=30, random_state=0))
    grid = [
        {"mlpclassifier__alpha": [1e-4, 1e-1], "mlpclassifier__solver": ["adam", "lbfgs"]},
        {"mlpclassifier__norm": [None, "batch_norm", foxnn.LayerNorm()], "mlpclassifier__max_norm": [None, 1.0]},
    ]
    with parallel_config(backend=backend):
        search = GridSearchCV(pipeline, grid, n_jobs=2, cv=2, error_score="raise").fit(X, names)
    serial = GridSearchCV(pipeline, grid, cv=2).fit(X, names)
    assert (search.cv_results_["mean_test_score"] == serial.cv_results_["mean_test_score"]).all()
    assert search.score(X, names) > 0.8


@quiet
def test_workers_of_joblib_do_not_share_the_cores_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker thread trains and predicts with one thread, a worker process with its share of them."""
    from joblib import Parallel, delayed

    threads: list[Any] = []
    predict = foxnn.NeuralNetwork.predict

    def spy(network: foxnn.NeuralNetwork, X: Any, **options: Any) -> Any:
        predicting.append(network.n_threads)
        return predict(network, X, **options)

    predicting: list[Any] = []
    monkeypatch.setattr(foxnn.NeuralNetwork, "predict", spy)

    class Threads(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
            threads.append(network.n_threads)

    def train() -> None:
        model = foxnn.MLPRegressor(hidden_layer_sizes=(4,), max_iter=1, callbacks=[Threads()]).fit(X, y)
        model.predict(X)
        model.predict(sparse.csr_matrix(X))

    Parallel(n_jobs=2, backend="threading")(delayed(train)() for _ in range(2))
    train()
    assert threads == [1, 1, None]
    assert predicting == [1] * 4 + [None] * 2
    for share in (1, 2):
        with parallel_config(backend="loky", inner_max_num_threads=share):
            found = Parallel(n_jobs=2)(delayed(foxnn.get_num_threads)() for _ in range(2))
        assert max(found) <= share


@quiet
def test_other_tools() -> None:
    model = foxnn.MLPClassifier((8,), learning_rate_init=0.02, max_iter=60, random_state=0)
    assert cross_val_score(model, X, names, cv=3).mean() > 0.9
    calibrated = CalibratedClassifierCV(model, cv=2).fit(X, names)
    assert calibrated.score(X, names) > 0.9
    importance = permutation_importance(model.fit(X, names), X, names, n_repeats=2, random_state=0)
    assert importance.importances_mean.argmax() in (2, 3)
    regressor = foxnn.MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", random_state=0)
    regressor = TransformedTargetRegressor(regressor, func=np.log1p, inverse_func=np.expm1)
    assert regressor.fit(X, y).score(X, y) > 0.9


@quiet
def test_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    pipeline = make_pipeline(
        StandardScaler(), foxnn.MLPClassifier((8,), learning_rate_init=0.02, max_iter=60, random_state=0)
    )
    pipeline.set_output(transform="pandas").fit(frame, pandas.Series(names))
    assert pipeline[-1].feature_names_in_.tolist() == list("abcd")
    assert pipeline.score(frame, names) > 0.8
    with pytest.raises(ValueError, match="feature names"):
        pipeline[-1].predict(frame[["b", "a", "c", "d"]])


# ---- scikit-learn stays optional ----------------------------------------------------------------------------------


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_importing_foxnn_does_not_import_scikit_learn() -> None:
    code = """
        import sys, foxnn
        print("sklearn" in sys.modules, "MLPClassifier" in dir(foxnn), foxnn.MLPClassifier.__name__)
    """
    assert run_python(code) == "False True MLPClassifier"


def test_without_scikit_learn_the_error_names_the_extra() -> None:
    code = """
        import sys
        sys.modules["sklearn"] = None
        import foxnn
        try:
            foxnn.MLPRegressor
        except ImportError as error:
            print(error)
    """
    assert run_python(code) == 'foxnn.MLPRegressor needs scikit-learn 1.6 or later: pip install "foxnn[sklearn]"'


@pytest.mark.parametrize("estimator", [foxnn.MLPClassifier, foxnn.MLPRegressor])
def test_samples_held_out_without_any_weight_are_refused(estimator: Any) -> None:
    """They have no score."""
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = (X[:, 0] > 0).astype(int)
    model = estimator(hidden_layer_sizes=(4,), early_stopping=True, random_state=0, max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        model.fit(X, y)
    held = model._split(np.arange(40), y, None)[3][0]
    weights = np.ones(40)
    weights[held] = 0
    with pytest.raises(ValueError, match="sample_weight: got only zeros for the samples held out"):
        model.fit(X, y, sample_weight=weights)
    weights[held[0]] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        model.fit(X, y, sample_weight=weights)
