"""Promise: names of other libraries are taken where they mean the same, and answered with foxnn's where not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

PAGE = Path(__file__).resolve().parents[1] / "docs" / "names.md"


def lines() -> list[tuple[str, str, str, list[str]]]:
    """Of the table in docs/names.md: where, a name of others, whether it is taken ("=" or "see"), and ours."""
    if not PAGE.exists():
        return []
    rows = re.findall(r"^\| (.+?) +\| (.+?) +\| (=|see) (.+?) +\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    found = []
    for where, there, how, here in rows:
        ours = re.findall(r"`([^`]+)`", here)
        found += [(where, name, how, ours) for name in re.findall(r"`([^`]+)`", there)]
    return found


def metric_of(name: str) -> str:
    metric = foxnn.metrics.Metric(name)
    assert metric.name == name  # as the user will look for it in the history
    return next(own for own, (compute, _) in foxnn.metrics._BY_NAME.items() if compute is metric._compute)


def init_of(name: str) -> str:
    given, own = (foxnn.neural_network([3, 4, 2], init=init, seed=0).parameters for init in (name, INITS[name]))
    return INITS[name] if (given == own).all() else "something else"


INITS = {name: ours[0] for where, name, how, ours in lines() if where == "init" and how == "="}

VALUES: dict[str, Callable[[str], str]] = {
    "activation": lambda name: foxnn.neural_network([2, 2, 2], activation=name).layers[0].activation.name,
    "loss": lambda name: foxnn.Loss.of(name).name,
    "metric": metric_of,
    "init": lambda name: init_of(name) if name in INITS else str(foxnn.neural_network([1, 1], init=name)),
    "optimizer": lambda name: foxnn.optimizers.get(name).name,
}


@pytest.mark.parametrize(("where", "name", "how", "ours"), [line for line in lines() if line[0] in VALUES])
def test_the_table_of_values(where: str, name: str, how: str, ours: list[str]) -> None:
    if how == "=":
        assert VALUES[where](name) == ours[0]
        return
    with pytest.raises(ValueError, match=re.escape(ours[0])) as raised:
        VALUES[where](name)
    assert str(raised.value).startswith(f"{where.replace('metric', 'metrics')}: got {name!r}; foxnn has ")


@pytest.mark.parametrize(
    ("give", "near"),
    [
        (lambda: foxnn.neural_network([2, 2, 2], activation="LeekyReLU"), "leaky_relu"),
        (lambda: foxnn.Loss("MeanSquaredEror"), "mean_squared_error"),
        (lambda: foxnn.metrics.Metric("f1score2"), "f1_score"),
        (lambda: foxnn.neural_network([1, 1], init="kaimin"), "kaiming"),
        (lambda: foxnn.optimizers.get("RMSpropp"), "rmsprop"),
    ],
)
def test_the_nearest_name_is_found_in_any_spelling(give: Callable[[], Any], near: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{near}'"):
        give()


def test_a_name_in_another_spelling_is_equal_to_it() -> None:
    nn = foxnn.neural_network([2, 2, 2], activation="ReLU", output="softmax")
    assert nn.layers[0].activation == "RELU"
    assert nn.layers[0].activation != "PReLU"
    assert nn.loss == "CategoricalCrossentropy"
    assert nn.loss != "CrossEntropyLoss"


def test_the_root_of_the_mean_squared_error() -> None:
    nn = foxnn.neural_network([1, 2], output="linear", init=[[[1.0, 2.0]]])
    x, y = np.array([[1.0], [2.0]]), np.array([[1.0, 0.0], [0.0, 4.0]])
    found = nn.evaluate(x, y, metrics=["RMSE", "mse"])
    assert found["RMSE"] == pytest.approx(np.sqrt(found["mse"])) == pytest.approx(np.sqrt((0 + 4 + 4 + 0) / 4))


def test_a_metric_under_another_name_is_watched_the_right_way() -> None:
    x = np.linspace(-1, 1, 40)
    nn = foxnn.neural_network([1, 4, 1], seed=0)
    stop = foxnn.EarlyStopping("val_acc", patience=2)
    history = nn.fit(
        x, x > 0, validation_data=(x, x > 0), epochs=20, metrics=["acc"], callbacks=[stop], learning_rate=0.1
    )
    assert stop.best == max(history["val_acc"])
    assert history["val_acc"] == history["val_accuracy"]


def test_estimators_take_them_too() -> None:
    pytest.importorskip("sklearn")
    x = np.linspace(-1, 1, 40)[:, None]
    names = {"activation": "ReLU", "max_iter": 5, "random_state": 0, "tol": 0.0}
    own = {**names, "activation": "relu"}
    with pytest.warns(Warning, match="Maximum iterations"):
        models = [foxnn.MLPRegressor(loss, **n).fit(x, x[:, 0]) for loss, n in (("L1", names), ("mae", own))]
    with pytest.warns(Warning, match="Maximum iterations"):
        models += [foxnn.MLPRegressor(loss, **own).fit(x, x[:, 0]) for loss in ("SquaredError", "squared_error")]
    predictions = [model.predict(x) for model in models]
    assert (predictions[0] == predictions[1]).all()
    assert (predictions[2] == predictions[3]).all()
