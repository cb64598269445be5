"""What `fit` returns is a dict to read from, for whoever takes dicts: pandas, json, Keras's habits."""

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

X = np.arange(12.0).reshape(6, 2) / 12
LABELS = np.array([0, 1, 0, 1, 0, 1])


def trained() -> foxnn.neural_network:
    nn = foxnn.neural_network([2, 2], output="softmax", seed=0)
    nn.fit(X, LABELS, epochs=3, validation_data=(X, LABELS))
    return nn


@pytest.mark.parametrize("given", [lambda h: h, lambda h: h.history, lambda h: h.copy(), dict])
def test_a_frame_has_a_column_a_metric_and_a_row_an_epoch(given: Callable[[foxnn.History], Any]) -> None:
    pandas = pytest.importorskip("pandas")
    history = trained().history
    frame = pandas.DataFrame(given(history))
    assert list(frame.columns) == ["loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    assert frame.to_dict("records") == history.epochs
    assert set(frame.dtypes) == {np.dtype(np.float64)}


def test_a_frame_has_nan_where_an_epoch_has_no_value() -> None:
    pandas = pytest.importorskip("pandas")
    history = foxnn.History()
    assert pandas.DataFrame(history).shape == (0, 0)
    history.append({"loss": 1.0})
    history.append({"loss": 0.5, "val_loss": 2.0})
    frame = pandas.DataFrame(history)
    assert frame["loss"].tolist() == [1.0, 0.5]
    assert frame["val_loss"].isna().tolist() == [True, False]


def test_a_frame_of_a_history_from_a_file(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    nn = trained()
    nn.save(tmp_path / "net.safetensors")
    loaded = foxnn.load(tmp_path / "net.safetensors").history
    pandas.testing.assert_frame_equal(pandas.DataFrame(loaded), pandas.DataFrame(nn.history), check_exact=True)


def test_json_writes_all_of_a_history() -> None:
    history = trained().history
    plain = {name: [epoch[name] for epoch in history.epochs] for name in history.epochs[0]}
    assert json.loads(json.dumps(history)) == plain
    assert json.loads(json.dumps(history, indent=1, sort_keys=True)) == plain  # by another encoder
    assert json.dumps(foxnn.History()) == "{}"


def test_a_history_is_as_a_plain_dict_with_the_same_values() -> None:
    history = trained().history
    plain = dict(history)
    assert isinstance(history, dict)
    assert type(plain) is dict
    assert history == plain == history.history == {**history} == dict(**history) == {} | history == history | {}
    assert [*history.items()] == [*plain.items()]
    assert [*history.values()] == [*plain.values()]
    assert (history.get("loss"), history.get("nothing", 5)) == (plain["loss"], 5)
    assert ("loss" in history, "nothing" in history, len(history), bool(history)) == (True, False, 5, True)
    assert (foxnn.History() == {}, len(foxnn.History()), bool(foxnn.History())) == (True, 0, False)
    plain["loss"].clear()
    assert len(history["loss"]) == 3


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, foxnn.History.copy, lambda h: pickle.loads(pickle.dumps(h))]
)
def test_copies_of_a_history_are_independent(again: Callable[[foxnn.History], foxnn.History]) -> None:
    history = trained().history
    twin = again(history)
    assert type(twin) is foxnn.History
    assert twin == history
    twin.append({"loss": 0.0})
    assert (len(twin.epochs), len(history.epochs)) == (4, 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.update(loss=[]),
        lambda h: h.__setitem__("loss", []),
        lambda h: h.__delitem__("loss"),
        lambda h: h.pop("loss"),
        lambda h: h.popitem(),
        lambda h: h.clear(),
        lambda h: h.setdefault("other", []),
        lambda h: h.__ior__({"other": []}),
    ],
)
def test_what_changes_dicts_is_refused(change: Callable[[Any], object]) -> None:
    history = trained().history
    before = dict(history)
    with pytest.raises(TypeError, match=r"dict\(history\) is one to change"):
        change(history)
    assert history == before
