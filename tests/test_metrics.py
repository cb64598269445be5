"""Metrics: scikit-learn's values, with weights, in `evaluate` and in `fit`, for every kind of target."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.metrics import Metric

sk = pytest.importorskip("sklearn.metrics")

RNG = np.random.default_rng(11)
N = 40
X = RNG.standard_normal((N, 4))
WEIGHTS = RNG.uniform(0, 2, N)
LABELS = RNG.integers(0, 3, N)
SIDES = RNG.integers(0, 2, N)
SEVERAL = RNG.integers(0, 2, (N, 3))
VALUES = RNG.standard_normal((N, 2))


def network(n_out: int, output: str, loss: str) -> foxnn.NeuralNetwork:
    init = [RNG.standard_normal((4, n_out))]
    return foxnn.neural_network([4, n_out], output=output, loss=loss, init=init, dtype="float64", seed=0)


CLASSIFIER = network(3, "softmax", "cross_entropy")
BINARY = network(1, "sigmoid", "binary_cross_entropy")
TWO = network(2, "softmax", "cross_entropy")
MULTILABEL = network(3, "sigmoid", "binary_cross_entropy")
REGRESSOR = network(2, "linear", "half_squared_error")
ONE_HOT = np.eye(3)[LABELS]
P, Q, R, M, V = (nn.predict(X) for nn in (CLASSIFIER, BINARY, TWO, MULTILABEL, REGRESSOR))
C, D, E = P.argmax(axis=1), (Q[:, 0] > 0.5).astype(int), R.argmax(axis=1)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    ("nn", "y", "metric", "expected"),
    [
        (CLASSIFIER, LABELS, "accuracy", lambda w: sk.accuracy_score(LABELS, C, sample_weight=w)),
        (CLASSIFIER, ONE_HOT, "accuracy", lambda w: sk.accuracy_score(LABELS, C, sample_weight=w)),
        (BINARY, SIDES, "accuracy", lambda w: sk.accuracy_score(SIDES, D, sample_weight=w)),
        (MULTILABEL, SEVERAL, "accuracy", lambda w: sk.accuracy_score(SEVERAL, M > 0.5, sample_weight=w)),
        (CLASSIFIER, LABELS, "balanced_accuracy", lambda w: sk.balanced_accuracy_score(LABELS, C, sample_weight=w)),
        (CLASSIFIER, LABELS, Metric("top_k_accuracy", k=2),
         lambda w: sk.top_k_accuracy_score(LABELS, P, k=2, sample_weight=w)),
        (CLASSIFIER, LABELS, "precision", lambda w: sk.precision_score(LABELS, C, average="macro", sample_weight=w)),
        (CLASSIFIER, LABELS, "recall", lambda w: sk.recall_score(LABELS, C, average="macro", sample_weight=w)),
        (CLASSIFIER, ONE_HOT, "f1", lambda w: sk.f1_score(LABELS, C, average="macro", sample_weight=w)),
        (CLASSIFIER, LABELS, Metric("f1", average="weighted"),
         lambda w: sk.f1_score(LABELS, C, average="weighted", sample_weight=w)),
        (CLASSIFIER, LABELS, Metric("f1", average="micro"),
         lambda w: sk.f1_score(LABELS, C, average="micro", sample_weight=w)),
        (BINARY, SIDES, "precision", lambda w: sk.precision_score(SIDES, D, sample_weight=w)),
        (TWO, SIDES, "f1", lambda w: sk.f1_score(SIDES, E, sample_weight=w)),
        (MULTILABEL, SEVERAL, "f1", lambda w: sk.f1_score(SEVERAL, M > 0.5, average="macro", sample_weight=w)),
        (BINARY, SIDES, "auc", lambda w: sk.roc_auc_score(SIDES, Q[:, 0], sample_weight=w)),
        (TWO, SIDES, "auc", lambda w: sk.roc_auc_score(SIDES, R[:, 1], sample_weight=w)),
        (CLASSIFIER, LABELS, "auc",
         lambda w: np.mean([sk.roc_auc_score(c == LABELS, P[:, c], sample_weight=w) for c in range(3)])),
        (MULTILABEL, SEVERAL, "auc", lambda w: sk.roc_auc_score(SEVERAL, M, sample_weight=w)),
        (CLASSIFIER, LABELS, "log_loss", lambda w: sk.log_loss(LABELS, P, sample_weight=w)),
        (BINARY, SIDES, "log_loss", lambda w: sk.log_loss(SIDES, Q[:, 0], sample_weight=w)),
        (CLASSIFIER, LABELS, "confusion_matrix", lambda w: sk.confusion_matrix(LABELS, C, sample_weight=w)),
        (BINARY, SIDES, "confusion_matrix", lambda w: sk.confusion_matrix(SIDES, D, sample_weight=w)),
        (REGRESSOR, VALUES, "mse", lambda w: sk.mean_squared_error(VALUES, V, sample_weight=w)),
        (REGRESSOR, VALUES, "mae", lambda w: sk.mean_absolute_error(VALUES, V, sample_weight=w)),
        (REGRESSOR, VALUES, "r2", lambda w: sk.r2_score(VALUES, V, sample_weight=w)),
        (CLASSIFIER, LABELS, "mse", lambda w: sk.mean_squared_error(ONE_HOT, P, sample_weight=w)),
    ],
)  # fmt: skip
def test_scikit_learn_has_the_same_values(nn: Any, y: Any, metric: Any, expected: Any, weights: Any) -> None:
    """In `evaluate`, and in `fit` of the validation data."""
    name = metric if isinstance(metric, str) else metric.name
    found = nn.evaluate(X, y, weights, metrics=[metric])[name]
    np.testing.assert_allclose(found, expected(weights), rtol=1e-12, atol=1e-14)
    validation = (X, y) if weights is None else (X, y, weights)
    history = nn.copy().fit(
        X, y, epochs=1, optimizer="sgd", learning_rate=0.0, validation_data=validation, metrics=[metric]
    )
    np.testing.assert_array_equal(history[f"val_{name}"][0], found)
    assert name not in history or name == "accuracy"


def test_accuracy_and_loss_are_the_cores() -> None:
    for nn, y in ((CLASSIFIER, LABELS), (BINARY, SIDES), (MULTILABEL, SEVERAL)):
        plain, more = nn.evaluate(X, y, WEIGHTS), nn.evaluate(X, y, WEIGHTS, metrics=["accuracy", "log_loss"])
        assert more["accuracy"] == pytest.approx(plain["accuracy"], rel=1e-14)
        assert more["log_loss"] == pytest.approx(plain["loss"], rel=1e-12)


def test_of_the_training_data_if_there_are_no_others() -> None:
    nn = CLASSIFIER.copy()
    history = nn.fit(X, LABELS, epochs=2, metrics=["f1", "mae"])
    assert list(history) == ["loss", "accuracy", "f1", "mae", "seconds"]
    assert history["f1"][-1] == nn.evaluate(X, LABELS, metrics="f1")["f1"]


def test_of_the_samples_held_out() -> None:
    nn = CLASSIFIER.copy()
    history = nn.fit(X, LABELS, epochs=1, sample_weight=WEIGHTS, validation_split=0.25, metrics=["r2"])
    _, held = __import__("foxnn.data.samples").data.samples.split(nn.seed, N, 0.25)
    expected = nn.evaluate(X[held], LABELS[held], WEIGHTS[held], metrics=["r2"])
    assert history["val_r2"][-1] == expected["r2"]
    assert history["val_loss"][-1] == expected["loss"]


# ---- functions ----------------------------------------------------------------------------------------------


def test_what_functions_get() -> None:
    seen: list[Any] = []

    def look(y_true: Any, y_pred: Any) -> float:
        seen.append((y_true, y_pred))
        return 1.5

    for nn, y in ((CLASSIFIER, LABELS), (BINARY, SIDES), (REGRESSOR, VALUES), (CLASSIFIER, ONE_HOT)):
        assert nn.evaluate(X, y, metrics=[look])["look"] == 1.5
    shapes = [(np.shape(a), np.shape(b)) for a, b in seen]
    assert shapes == [((N,), (N, 3)), ((N,), (N,)), ((N, 2), (N, 2)), ((N, 3), (N, 3))]
    for (truth, found), (y, outputs) in zip(
        seen, [(LABELS, P), (SIDES, Q[:, 0]), (VALUES, V), (ONE_HOT, P)], strict=True
    ):
        np.testing.assert_array_equal(truth, y)
        np.testing.assert_array_equal(found, outputs)
    seen.clear()
    CLASSIFIER.evaluate(X, ONE_HOT, metrics=[Metric(look, on="classes")])
    np.testing.assert_array_equal(seen[0], [LABELS, C])


def test_weights_of_functions() -> None:
    def third(y_true: Any, y_pred: Any, w: Any) -> float:
        return -1.0 if w is None else float(w.sum())

    def named(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
        return -1.0 if sample_weight is None else float(sample_weight.sum())

    def none(y_true: Any, y_pred: Any, scale: float = 3.0) -> float:
        return scale

    assert CLASSIFIER.evaluate(X, LABELS, metrics=[third, named, none]).items() >= {
        "third": -1.0, "named": -1.0, "none": 3.0
    }.items()  # fmt: skip
    total = float(WEIGHTS.sum())
    found = CLASSIFIER.evaluate(X, LABELS, WEIGHTS, metrics=[third, named])
    assert (found["third"], found["named"]) == (total, total)
    with pytest.raises(ValueError, match="metrics: 'none' takes no sample_weight"):
        CLASSIFIER.evaluate(X, LABELS, WEIGHTS, metrics=[none])


def test_scikit_learns_functions_work_as_they_are() -> None:
    found = REGRESSOR.evaluate(X, VALUES, WEIGHTS, metrics=[sk.median_absolute_error, sk.explained_variance_score])
    assert found["median_absolute_error"] == sk.median_absolute_error(VALUES, V, sample_weight=WEIGHTS)
    kappa = Metric(sk.cohen_kappa_score, name="kappa", mode="max", on="classes")
    assert CLASSIFIER.evaluate(X, LABELS, metrics=kappa)["kappa"] == sk.cohen_kappa_score(LABELS, C)


# ---- who uses them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("monitor", "mode"), [("val_f1", "auto"), ("val_mae", "auto"), ("val_mine", "max")])
def test_early_stopping_goes_by_them(monitor: str, mode: str) -> None:
    nn = CLASSIFIER.copy()
    stop = foxnn.EarlyStopping(monitor, patience=2, mode=mode)
    mine = Metric(lambda y_true, y_pred: float(np.sin(y_pred.sum() * 9)), name="mine")
    history = nn.fit(
        X, LABELS, epochs=30, validation_data=(X, LABELS), metrics=["f1", "mae", mine], callbacks=[stop],
        learning_rate=0.5,
    )  # fmt: skip
    best = min if monitor == "val_mae" else max
    assert stop.best == best(history[monitor])
    if monitor != "val_mine":
        assert nn.evaluate(X, LABELS, metrics=["f1", "mae"])[monitor[4:]] == stop.best


def test_unknown_direction() -> None:
    with pytest.raises(ValueError, match=r"mode: whether 'val_mine' should be small or large.*'min' or 'max'"):
        CLASSIFIER.copy().fit(
            X, LABELS, validation_data=(X, LABELS), metrics=[Metric(lambda a, b: 1.0, name="mine")],
            callbacks=[foxnn.EarlyStopping("val_mine")],
        )  # fmt: skip


def test_reduce_on_plateau_goes_by_them() -> None:
    values = iter([1.0, 1.0, 1.0, 0.5])
    constant = Metric(lambda y_true, y_pred: next(values), name="constant")
    schedule = foxnn.schedules.ReduceOnPlateau(0.1, monitor="val_constant", mode="min", patience=0, factor=0.5)
    history = CLASSIFIER.copy().fit(
        X, LABELS, epochs=4, validation_data=(X, LABELS), learning_rate=schedule, metrics=[constant]
    )
    assert history["learning_rate"] == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_matrices_in_the_history(tmp_path: Any, capsys: Any) -> None:
    """Shown nowhere that wants numbers, and saved."""
    nn = CLASSIFIER.copy()
    log = foxnn.callbacks.CSVLogger(tmp_path / "log.csv", separator=";")
    history = nn.fit(X, LABELS, epochs=2, metrics=["confusion_matrix"], verbose=True, callbacks=[log])
    matrix = history["confusion_matrix"][-1]
    assert matrix.shape == (3, 3)
    assert matrix.sum() == N
    assert "confusion" not in repr(history)
    nn.save(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(foxnn.load(tmp_path / "net.safetensors").history["confusion_matrix"][-1], matrix)
    assert (tmp_path / "log.csv").read_text().splitlines()[2].split(";")[3] == str(matrix.tolist())


# ---- what cannot be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nn", "y", "metrics", "message"),
    [
        (CLASSIFIER, LABELS, ["auk"], "metrics: unknown name 'auk' .did you mean 'auc'.*balanced_accuracy"),
        (CLASSIFIER, LABELS, ["f1", "f1"], "metrics: the name 'f1' is taken"),
        (CLASSIFIER, LABELS, [Metric(lambda a, b: 1.0, name="loss")], "metrics: the name 'loss' is taken"),
        (REGRESSOR, VALUES, ["f1"], "metrics: 'f1' is for classes, but the targets are not classes"),
        (REGRESSOR, VALUES, ["log_loss"], "metrics: 'log_loss' is for classes"),
        (MULTILABEL, SEVERAL, ["confusion_matrix"], "metrics: 'confusion_matrix' is for one class a sample"),
        (BINARY, SIDES, ["top_k_accuracy"], "metrics: 'top_k_accuracy' is for one class of several"),
    ],
)
def test_metrics_that_make_no_sense(nn: Any, y: Any, metrics: Any, message: str) -> None:
    """Said before anything is trained."""
    nn = nn.copy()
    with pytest.raises(ValueError, match=message):
        nn.evaluate(X, y, metrics=metrics)
    with pytest.raises(ValueError, match=message):
        nn.fit(X, y, metrics=metrics)
    assert nn.epoch == 0


def test_options_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match="f1 option: unknown name 'k'; it takes one of: average"):
        Metric("f1", k=3)
    with pytest.raises(ValueError, match=r"average: unknown name 'mean'.*macro, micro, weighted"):
        Metric("f1", average="mean")
    with pytest.raises(ValueError, match="k: got 0"):
        Metric("top_k_accuracy", k=0)
    with pytest.raises(ValueError, match="on: unknown name 'labels'"):
        Metric(max, on="labels")
    with pytest.raises(TypeError, match="metrics: got 3; it takes names, functions"):
        CLASSIFIER.evaluate(X, LABELS, metrics=[3])
    with pytest.raises(TypeError, match=r"metrics: 'text' returned .*it takes a number"):
        CLASSIFIER.evaluate(X, LABELS, metrics=[Metric(lambda a, b: "good", name="text")])


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The basics work, and the others say what to install."""
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    basic = ["accuracy", Metric("top_k_accuracy", k=2), "log_loss", "mse", "mae"]
    assert set(CLASSIFIER.evaluate(X, LABELS, metrics=basic)) == {
        "loss", "accuracy", "top_k_accuracy", "log_loss", "mse", "mae"
    }  # fmt: skip
    for name in ("f1", "auc", "confusion_matrix", "r2"):
        with pytest.raises(ImportError, match=r"foxnn\[sklearn\]"):
            CLASSIFIER.evaluate(X, LABELS, metrics=[name])


def test_classes_that_are_missing() -> None:
    """Numbers or NaN, and no warnings: validation data may lack a class, and a network may never say it."""
    y = np.zeros(N, np.int64)
    names = ["f1", "precision", "recall", "balanced_accuracy", "auc", "r2"]
    found = CLASSIFIER.evaluate(X, y, metrics=names)
    assert np.isnan(found["auc"])
    assert found["balanced_accuracy"] == found["accuracy"]
    assert 0 <= found["f1"] <= 1
    BINARY.evaluate(X[:1], SIDES[:1], metrics=names)
