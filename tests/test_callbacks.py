"""Callbacks: what they hear and when, that they change no bits, what they write, and that they may fail."""

from __future__ import annotations

import copy
import csv
import errno
import math
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn._atomic import replace_file
from foxnn.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ProgressBar,
    model_checkpoint,
)

RNG = np.random.default_rng(1)
X = RNG.standard_normal((70, 5))
LABELS = RNG.integers(0, 3, 70)
BATCH, STEPS = 16, 5


def network() -> foxnn.NeuralNetwork:
    return foxnn.neural_network([5, 9, 3], activation="tanh", output="softmax", dropout=0.2, dtype="float64", seed=2)


def weights(nn: foxnn.NeuralNetwork) -> bytes:
    return b"".join(layer.weights.tobytes() + layer.bias.tobytes() for layer in nn.layers)


class Script(Callback):
    """Puts values into the history in place of those that there are."""

    def __init__(self, name: str, values: list[float]) -> None:
        self.name, self.values = name, values

    def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
        values[self.name] = self.values[epoch]


# ---- after every k batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("every", [1, 2, 3, 5, 7])
def test_every_k_batches_without_a_trace(every: int, shuffle: bool) -> None:
    """They are told after batches k, 2k, .. of each epoch, with the means so far; all bits are as without them."""
    plain, other = network(), network()
    expected = plain.fit(X, LABELS, epochs=3, batch_size=BATCH, shuffle=shuffle)
    heard: list[tuple[int, int, float]] = []
    listener = LambdaCallback(
        every=every, on_batch_end=lambda nn, epoch, batch, values: heard.append((epoch, batch, values["loss"]))
    )
    found = other.fit(X, LABELS, epochs=3, batch_size=BATCH, shuffle=shuffle, callbacks=[listener])
    told = [batch for batch in range(STEPS) if (batch + 1) % every == 0]
    assert [(epoch, batch) for epoch, batch, _ in heard] == [(e, b) for e in range(3) for b in told]
    assert weights(plain) == weights(other)
    assert (expected["loss"], expected["accuracy"]) == (found["loss"], found["accuracy"])
    if every in (1, 5):
        assert [loss for _, batch, loss in heard if batch == STEPS - 1] == found["loss"]


def test_means_so_far() -> None:
    """Of the batches of this epoch, weighted by their sizes."""
    heard: list[float] = []
    listener = LambdaCallback(every=1, on_batch_end=lambda nn, epoch, batch, values: heard.append(values["loss"]))
    nn, twin = network(), network()
    nn.dropout = twin.dropout = 0
    nn.fit(X, LABELS, epochs=1, batch_size=BATCH, shuffle=False, optimizer="sgd", callbacks=[listener])
    twin.optimizer = foxnn.optimizers.SGD()
    cuts = range(0, 70, BATCH)
    losses = [twin.train_on_batch(X[i : i + BATCH], LABELS[i : i + BATCH]) for i in cuts]
    sizes = [len(X[i : i + BATCH]) for i in cuts]
    for i in range(STEPS):
        assert heard[i] == pytest.approx(np.average(losses[: i + 1], weights=sizes[: i + 1]), rel=1e-12)


def test_several_periods_at_once() -> None:
    heard: list[tuple[int, int]] = []
    listeners = [
        LambdaCallback(every=k, on_batch_end=lambda nn, e, batch, v, k=k: heard.append((k, batch))) for k in (2, 3)
    ]
    network().fit(X[:64], LABELS[:64], epochs=1, batch_size=8, callbacks=listeners)
    assert heard == [(2, 1), (3, 2), (2, 3), (2, 5), (3, 5), (2, 7)]


def test_stop_at_once() -> None:
    """The epoch ends early, and is in the history with the values that it has."""

    def stop(nn: Any, epoch: int, batch: int, values: dict[str, float]) -> None:
        seen.append(dict(values))
        nn.stop_training = epoch == 1

    seen: list[dict[str, float]] = []
    nn = network()
    listener = LambdaCallback(every=2, on_batch_end=stop)
    history = nn.fit(X, LABELS, epochs=5, batch_size=BATCH, callbacks=[listener], validation_data=(X, LABELS))
    assert len(history["loss"]) == 2
    assert history["loss"][1] == seen[-1]["loss"]
    assert history["val_loss"][1] == nn.evaluate(X, LABELS)["loss"]
    assert nn._optimizer_state.t == STEPS + 2
    assert len(nn.fit(X, LABELS, epochs=3)["loss"]) == 3


@pytest.mark.parametrize("where", ["on_train_begin", "on_epoch_begin", "on_batch_end", "on_epoch_end", "on_train_end"])
def test_an_error_leaves_the_network_usable(where: str) -> None:
    ended: list[int] = []

    class Failing(Callback):
        every = 2

        def on_train_end(self, network: Any) -> None:
            ended.append(1)

    def fail(*_: Any) -> None:
        raise KeyError("mine")

    failing = Failing()
    setattr(failing, where, fail)
    nn = network()
    with pytest.raises(KeyError, match="mine"):
        nn.fit(X, LABELS, callbacks=[Failing(), failing, Failing()])
    assert len(ended) == (2 if where == "on_train_end" else 3)  # all are told of the end
    twin = nn.copy()
    assert nn.fit(X, LABELS, epochs=2)["loss"] == twin.fit(X, LABELS, epochs=2)["loss"]


def test_lambda_callback_takes_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"LambdaCallback: unknown name 'on_epoch_ends'.*did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="on_epoch_end: got 3"):
        LambdaCallback(on_epoch_end=3)  # type: ignore[arg-type]
    for options in ({"on_batch_end": print}, {"every": 3}):
        with pytest.raises(ValueError, match="every: got"):
            LambdaCallback(**options)  # type: ignore[arg-type]

    class Odd(Callback):
        every = -1

    with pytest.raises(ValueError, match="every of Odd: got -1"):
        network().fit(X, LABELS, callbacks=[Odd()])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(restore_best="no"), "restore_best: got 'no'; it takes True or False"),
        (lambda: EarlyStopping(patience=0), "patience: got 0; it takes an integer of at least 1"),
        (lambda: EarlyStopping(mode="up"), "mode: unknown name 'up'; it takes one of: min, max, auto"),
        (lambda: EarlyStopping(monitor=3), "monitor: got 3; it takes the name of a value"),
        (lambda: ModelCheckpoint(3), "path: got 3; it takes the name of a file"),
        (lambda: ModelCheckpoint("net", save_best_only="no"), "save_best_only: got 'no'; it takes True or False"),
        (lambda: ModelCheckpoint("net", period=0), "period: got 0; it takes an integer of at least 1"),
        (lambda: ModelCheckpoint("net", period=2, save_best_only=True), "period: got 2 with save_best_only"),
        (lambda: CSVLogger(None), "path: got None; it takes the name of a file"),
        (lambda: CSVLogger("log", append="no"), "append: got 'no'; it takes True or False"),
    ],
)
def test_options_that_are_none(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_one_progress_bar_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    network().fit(X, LABELS, epochs=2, callbacks=[ProgressBar()], verbose=True)
    error = capsys.readouterr().err
    assert "epoch 2/2" in error
    assert error.strip().count("\n") == 0


# ---- early stopping -----------------------------------------------------------------------------------------


def test_early_stopping_by_a_function_of_the_network() -> None:
    values = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    asked: list[bytes] = []

    def score(nn: foxnn.NeuralNetwork) -> float:
        asked.append(weights(nn))
        return next(values)

    nn = network()
    stop = EarlyStopping(score, patience=2, mode="max")
    history = nn.fit(X, LABELS, epochs=5, callbacks=[stop])
    assert (len(history["loss"]), stop.best, stop.best_epoch) == (4, 0.5, 1)
    assert weights(nn) == asked[1]
    with pytest.raises(ValueError, match="mode: got 'auto' with a function"):
        EarlyStopping(score)


def test_early_stopping_minimises_and_maximises() -> None:
    for mode, best in (("min", 2), ("max", 1)):
        stop = EarlyStopping("odd", patience=5, mode=mode)
        network().fit(X, LABELS, epochs=4, callbacks=[Script("odd", [3.0, 4.0, 1.0, 2.0]), stop])
        assert stop.best_epoch == best


# ---- model checkpoint ---------------------------------------------------------------------------------------


def test_checkpoints_are_the_networks_of_their_epochs(tmp_path: Path) -> None:
    seen: list[bytes] = []
    note = LambdaCallback(on_epoch_end=lambda nn, epoch, values: seen.append(weights(nn)))
    keep = ModelCheckpoint(tmp_path / "new folder" / "net-{epoch:02d}-{val_loss:.3f}.safetensors", period=2)
    nn = network()
    history = nn.fit(X, LABELS, epochs=5, validation_data=(X, LABELS), callbacks=[note, keep])
    names = [f"net-{epoch:02d}-{history['val_loss'][epoch - 1]:.3f}.safetensors" for epoch in (2, 4)]
    assert sorted(path.name for path in (tmp_path / "new folder").iterdir()) == names
    assert keep.last_path == str(tmp_path / "new folder" / names[1])
    for name, epoch in zip(names, (2, 4), strict=True):
        assert weights(foxnn.load(tmp_path / "new folder" / name)) == seen[epoch - 1]


@pytest.mark.parametrize(("mode", "saved"), [("min", [0, 2, 4]), ("max", [0, 1])])
def test_save_best_only(mode: str, saved: list[int], tmp_path: Path) -> None:
    """Over several trainings, too: the best one ever stays."""
    script = Script("odd", [3.0, 4.0, 1.0, 2.0, 0.5])
    keep = ModelCheckpoint(tmp_path / "{epoch}.safetensors", "odd", save_best_only=True, mode=mode)
    nn = network()
    nn.fit(X, LABELS, epochs=5, callbacks=[script, keep])
    assert sorted(int(path.stem) - 1 for path in tmp_path.iterdir()) == saved
    assert keep.best == script.values[saved[-1]]
    before = sorted(path.read_bytes() for path in tmp_path.iterdir())
    nn.fit(X, LABELS, epochs=1, callbacks=[Script("odd", [3.5]), keep])
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == before


def test_checkpoint_names_that_do_not_exist(tmp_path: Path) -> None:
    nn = network()
    keep = ModelCheckpoint(tmp_path / "net-{val_los}.safetensors")
    with pytest.raises(ValueError, match=r"path: got .*'val_los'.*loss, accuracy, seconds, epoch"):
        nn.fit(X, LABELS, epochs=1, callbacks=[keep])
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"monitor: got 'val_loss'; this training has: loss.*validation_split"):
        nn.fit(X, LABELS, epochs=1, callbacks=[ModelCheckpoint(tmp_path / "x", "val_loss", save_best_only=True)])


@pytest.mark.parametrize("ending", ["safetensors", "txt"])
def test_training_goes_on_while_a_checkpoint_is_written(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file holds the network as it was at the end of the epoch, and is there before `fit` returns."""
    went_on, done = threading.Event(), []

    def slowly(path: Any, pieces: Any) -> None:
        done.append(went_on.wait(20))
        time.sleep(0.02)
        replace_file(path, pieces)

    monkeypatch.setattr(model_checkpoint, "replace_file", slowly)
    seen: list[bytes] = []
    later = LambdaCallback(
        every=STEPS,
        on_batch_end=lambda nn, epoch, batch, values: went_on.set() if epoch == 1 else None,
        on_epoch_end=lambda nn, epoch, values: seen.append(weights(nn)),
    )
    keep = ModelCheckpoint(tmp_path / f"net-{{epoch}}.{ending}")
    nn = foxnn.neural_network([5, 9, 3], activation="tanh", output="sigmoid", dtype="float64", seed=2)
    nn.fit(X, LABELS, epochs=2, batch_size=BATCH, callbacks=[keep, later])
    assert done == [True, True]
    assert [weights(foxnn.load(tmp_path / f"net-{epoch}.{ending}")) for epoch in (1, 2)] == seen
    assert seen[0] != seen[1]
    assert copy.deepcopy(keep).last_path == str(tmp_path / f"net-2.{ending}")  # as scikit-learn's clone does


@pytest.mark.parametrize("failing", [1, 4])
def test_checkpoints_that_cannot_be_written_are_a_warning(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next epoch, or at the end; what is said to be the best is what is there."""

    def full(path: Any, pieces: Any) -> None:
        if Path(path).stem == str(failing):
            raise OSError(errno.ENOSPC, "no space")
        replace_file(path, pieces)

    monkeypatch.setattr(model_checkpoint, "replace_file", full)
    keep = ModelCheckpoint(tmp_path / "{epoch}.safetensors", "odd", save_best_only=True, mode="min")
    nn = network()
    with pytest.warns(RuntimeWarning, match=rf"cannot write .*{failing}\.safetensors: .*no space; training goes on"):
        nn.fit(X, LABELS, epochs=4, callbacks=[Script("odd", [4.0, 3.0, 2.0, 1.0]), keep])
    assert len(nn.history.epochs) == 4
    assert [int(path.stem) for path in sorted(tmp_path.iterdir())] == [n for n in (1, 2, 3, 4) if n != failing]
    assert (keep.best, keep.last_path) == {
        1: (1.0, str(tmp_path / "4.safetensors")), 4: (2.0, str(tmp_path / "3.safetensors")),
    }[failing]  # fmt: skip
    monkeypatch.undo()
    nn.fit(X, LABELS, epochs=1, callbacks=[Script("odd", [0.5]), keep])  # and that's over
    assert keep.best == 0.5


# ---- CSV ----------------------------------------------------------------------------------------------------


def rows(path: Path, separator: str = ",") -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def test_csv_holds_the_history(tmp_path: Path) -> None:
    """Exactly, and each row as soon as its epoch is over."""
    path = tmp_path / "new folder" / "log.csv"
    lines: list[int] = []
    count = LambdaCallback(on_epoch_end=lambda *_: lines.append(len(path.read_text().splitlines())))
    nn = network()
    history = nn.fit(
        X, LABELS, epochs=3, validation_data=(X, LABELS), learning_rate=foxnn.schedules.Cosine(0.1),
        callbacks=[CSVLogger(path, separator=";"), count],
    )  # fmt: skip
    assert lines == [2, 3, 4]
    found = rows(path, ";")
    assert [int(row.pop("epoch")) for row in found] == [1, 2, 3]
    assert [{name: float(value) for name, value in row.items()} for row in found] == history.epochs


def test_csv_goes_on(tmp_path: Path) -> None:
    """Appended to if asked for; a last line cut short, as by a crash, is left out."""
    path = tmp_path / "log.csv"
    nn = network()
    history = nn.fit(X, LABELS, epochs=2, callbacks=[CSVLogger(path)])["loss"]
    path.write_bytes(path.read_bytes() + b"3,0.1")
    history += nn.fit(X, LABELS, epochs=2, callbacks=[CSVLogger(path, append=True)])["loss"]
    assert [row["epoch"] for row in rows(path)] == ["1", "2", "3", "4"]
    assert [float(row["loss"]) for row in rows(path)] == history
    with pytest.raises(ValueError, match=r"columns epoch, loss, accuracy, seconds; this training has .*val_loss"):
        nn.fit(X, LABELS, epochs=1, validation_data=(X, LABELS), callbacks=[CSVLogger(path, append=True)])
    assert len(rows(path)) == 4
    nn.fit(X, LABELS, epochs=1, callbacks=[CSVLogger(path)])
    assert [row["epoch"] for row in rows(path)] == ["1"]


def test_csv_refuses_other_files(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("name,age\nada,36\n")
    with pytest.raises(ValueError, match=r"path: .*is no file of CSVLogger"):
        network().fit(X, LABELS, epochs=1, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text() == "name,age\nada,36\n"
    with pytest.raises(ValueError, match="separator: got ''"):
        CSVLogger(path, separator="")


# ---- TensorBoard --------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_its_files(tmp_path: Path) -> None:
    """TensorBoard's own reader finds the values of all epochs, and the distributions of weights."""
    pytest.importorskip("tensorboardX")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    nn = foxnn.neural_network([5, 9, foxnn.LayerNorm(), 3], activation="tanh", output="softmax", seed=2)
    board = foxnn.callbacks.TensorBoard(tmp_path / "logs", histograms=True)
    history = nn.fit(X, LABELS, epochs=3, validation_data=(X, LABELS), callbacks=[board])
    for run, names in {"train": ["loss", "accuracy", "seconds"], "validation": ["loss", "accuracy"]}.items():
        events = accumulator.EventAccumulator(str(tmp_path / "logs" / run))
        events.Reload()
        assert sorted(events.Tags()["scalars"]) == sorted(names)
        for name in names:
            scalars = events.Scalars(name)
            assert [scalar.step for scalar in scalars] == [1, 2, 3]
            expected = history[name if run == "train" else f"val_{name}"]
            np.testing.assert_allclose([scalar.value for scalar in scalars], expected, rtol=1e-6)  # in float32
        if run == "train":
            tags = [f"layers.{i}.{part}" for i, layer in enumerate(nn.layers) for part in layer.array_names]
            assert "layers.0.gamma" in tags
            assert sorted(events.Tags()["histograms"]) == sorted(tags)
            last = events.Histograms("layers.1.weights")[-1].histogram_value
            assert last.num == 27
            assert math.isclose(last.max, nn.layers[1].weights.max(), rel_tol=1e-6)


def test_tensorboard_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install foxnn\[tensorboard\]"):
        foxnn.callbacks.TensorBoard()
