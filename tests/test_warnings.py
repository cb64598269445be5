"""Promise: a warning names the user's own line, whatever of foxnn, of contextlib and of scikit-learn lies between."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import foxnn
from foxnn import _atomic
from foxnn._background import Background
from foxnn.callbacks import model_checkpoint

X = np.linspace(-1, 1, 20).reshape(-1, 1)


def network() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([1, 2, 1], output="linear", seed=0)


def full(*_: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def no_thread(_: Any) -> NoReturn:
    raise RuntimeError("can't start new thread")


def of_this_file(warns: Callable[[], object], message: str) -> None:
    with pytest.warns(Warning, match=message) as caught:
        warns()
    assert {Path(warning.filename) for warning in caught} == {Path(__file__)}


class Interrupt(foxnn.Callback):
    def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
        raise KeyboardInterrupt


def test_of_a_checkpoint_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_atomic, "replace_file", full)
    monkeypatch.setattr(_atomic, "write_or_rescue", lambda path, pieces: None)  # at the end, there is room again
    options: dict[str, Any] = {"checkpoint": tmp_path / "run.safetensors", "checkpoint_every": 0}
    of_this_file(lambda: network().fit(X, X, epochs=2, **options), "cannot write the checkpoint")


def test_of_callbacks_that_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_checkpoint, "replace_file", full)
    keep = foxnn.callbacks.ModelCheckpoint(tmp_path / "net.safetensors")
    of_this_file(lambda: network().fit(X, X, epochs=2, callbacks=[keep]), "cannot write .*net")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_of_a_log_on_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "log.csv").symlink_to("/dev/full")
    log = foxnn.callbacks.CSVLogger(tmp_path / "log.csv")
    of_this_file(lambda: network().fit(X, X, epochs=2, callbacks=[log]), "cannot write .*log")


def test_of_a_file_written_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> NoReturn:
        raise OSError(errno.EBUSY, "Device or resource busy")

    nn, path = network(), tmp_path / "net.safetensors"
    nn.save(path)
    monkeypatch.setattr(os, "replace", busy)
    of_this_file(lambda: nn.save(path), "written in place")


def test_of_threads_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    of_this_file(lambda: Background().start(bool), "does without a thread")
    of_this_file(lambda: network().fit([(X, X), (X, X)], epochs=1), "does without a thread")


def test_of_estimators_also_in_a_pipeline() -> None:
    pytest.importorskip("sklearn")
    from sklearn.pipeline import make_pipeline

    def fit(**options: Any) -> None:
        model = foxnn.MLPRegressor(hidden_layer_sizes=(2,), random_state=0, **options)
        model.fit(X, X[:, 0])
        make_pipeline(model).fit(X, X[:, 0])

    of_this_file(lambda: fit(max_iter=2), "Maximum iterations")
    of_this_file(lambda: fit(max_iter=500, batch_size=100, tol=1.0), "larger than the 20 samples")
    of_this_file(lambda: fit(callbacks=[Interrupt()]), "interrupted by user")


def test_of_a_user_whose_folder_has_a_name_like_foxnns() -> None:
    name = f"{Path(foxnn.__file__).parent}_of_mine.py"
    code = compile("nn.fit(X, [9.0] * 20, epochs=1)", name, "exec")
    nn = foxnn.neural_network([1, 2, 1], output="tanh")
    with pytest.warns(UserWarning, match="targets go from") as caught:
        exec(code, {"__name__": "foxnn_of_mine", "nn": nn, "X": X})
    assert [warning.filename for warning in caught] == [name]
