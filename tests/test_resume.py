"""A training that was stopped at any moment and goes on from its checkpoint ends with the same bits."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.io.native import _arrays, to_bytes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
CLASSES = (X.sum(1) > 0).astype(np.int64)
VALUES = np.tanh(X @ RNG.normal(size=(4, 2)))


def bits(nn: foxnn.NeuralNetwork) -> Any:
    """All that training changes, but for the time it took."""
    state = nn._optimizer_state
    return (
        [layer.get_array(name).tobytes() for _, layer, name in _arrays(nn)],
        [[a.tobytes() for s in range(_kept(nn)) for a in state.get(nn._core, i, s)] for i in range(len(nn.layers))],
        nn.predict(X[:, : nn.sizes[0]]).tobytes() if nn.sizes[0] == 4 else None,
        (state.t, nn.seed, nn.epoch, nn.scale, nn.offset, nn._rate, nn.stop_training),
        [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in nn.history.epochs],
    )


def _kept(nn: foxnn.NeuralNetwork) -> int:
    return int(foxnn._core.OPTIMIZERS[nn.optimizer.name]["n_state"])


class Stop(foxnn.Callback):
    """Stops training at one of its calls, as Ctrl-C would."""

    every = 1

    def __init__(self, at: str = "", number: int = 0) -> None:
        self.at, self.left = at, number

    def _call(self, name: str) -> None:
        if name == self.at:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    def on_epoch_begin(self, network: Any, epoch: int) -> None:
        self._call("on_epoch_begin")

    def on_batch_end(self, network: Any, epoch: int, batch: int, values: Any) -> None:
        self._call("on_batch_end")

    def on_progress(self, network: Any, epoch: int, done: int, values: Any) -> None:
        self._call("on_progress")

    def on_epoch_end(self, network: Any, epoch: int, values: Any) -> None:
        self._call("on_epoch_end")


def classifier(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network([4, 8, 8, 2], activation="relu", output="softmax", seed=3, **options)


def regressor(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network([4, 8, 2], activation="tanh", output="linear", dtype="float64", seed=3, **options)


def halving(epoch: int) -> float:
    return 0.02 * 0.5**epoch


def quartic(y_true: Any, y_pred: Any) -> Any:
    error = y_pred - y_true
    return (error**4).sum(1), 4 * error**3


class Change(foxnn.Callback):
    """Changes how the network trains, a little with every call."""

    every = 1

    def on_train_begin(self, network: Any, epochs: int, n_samples: Any) -> None:
        self.epochs = 0

    def on_epoch_begin(self, network: Any, epoch: int) -> None:
        self.epochs += 1
        network.layers[0].trainable = self.epochs > 2
        network.dropout = 0.1 * self.epochs

    def on_batch_end(self, network: Any, epoch: int, batch: int, values: Any) -> None:
        network.optimizer.learning_rate *= 0.9

    def on_epoch_end(self, network: Any, epoch: int, values: Any) -> None:
        network.optimizer.learning_rate *= 1.5

    def state(self) -> dict[str, Any]:
        return {"epochs": self.epochs}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epochs = state["epochs"]


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints are written as often as `checkpoint_every` says, however long it takes."""
    monkeypatch.setattr("foxnn.training.checkpoint._SHARE", np.inf)


schedules = foxnn.schedules
#: A network, its data, and how it is trained: four epochs of five or seven steps.
TRAININGS: dict[str, tuple[Callable[[], Any], Any, Callable[[], dict[str, Any]]]] = {
    "plain": (classifier, CLASSES, lambda: {"optimizer": "sgd", "learning_rate": 0.1}),
    "dropout and Adam": (lambda: classifier(dropout=0.3), CLASSES, lambda: {"validation_split": 0.2}),
    "early stopping": (
        lambda: regressor(input_dropout=0.2),
        VALUES,
        lambda: {
            "validation_data": (X[:10] + 0.3, VALUES[:10]),
            "optimizer": "momentum",
            "learning_rate": 0.3,
            "callbacks": [foxnn.EarlyStopping(patience=1)],
        },
    ),
    "a rate for every step": (
        classifier,
        CLASSES,
        lambda: {"learning_rate": schedules.LinearWarmup(schedules.Cosine(0.05), epochs=1), "optimizer": "nesterov"},
    ),
    "a falling rate": (
        regressor,
        VALUES,
        lambda: {"learning_rate": schedules.Exponential(0.05, 0.3), "optimizer": "rmsprop"},
    ),
    "a rate that is reduced on a plateau": (
        classifier,
        CLASSES,
        lambda: {
            "learning_rate": schedules.ReduceOnPlateau(schedules.Exponential(0.05), patience=0, min_delta=0.5),
            "validation_split": 0.2,
            "optimizer": "adamw",
        },
    ),
    "a rate that is code": (classifier, CLASSES, lambda: {"learning_rate": halving, "optimizer": "adagrad"}),
    "weights and order": (
        classifier,
        CLASSES,
        lambda: {"sample_weight": np.arange(1.0, 51), "class_weight": "balanced", "shuffle": False, "scale": 0.5},
    ),
    "normalised layers": (
        lambda: foxnn.neural_network(
            [4, 8, foxnn.BatchNorm(), 8, foxnn.LayerNorm(), 2], output="softmax", dropout=0.1, seed=3
        ),
        CLASSES,
        lambda: {"validation_split": 0.2, "callbacks": [foxnn.EarlyStopping(patience=1)]},
    ),
    "scaled data and a loss of one's own": (
        lambda: regressor(scale_inputs="standard", scale_outputs="minmax", loss=quartic),
        5 * VALUES,
        lambda: {"validation_split": 0.2, "optimizer": "adam"},
    ),
    "a callback that changes things": (classifier, CLASSES, lambda: {"callbacks": [Change()]}),
}


def train(nn: foxnn.NeuralNetwork, y: Any, options: dict[str, Any], stop: Stop, first: bool = True) -> None:
    callbacks = options.pop("callbacks", [])
    callbacks = [stop, *callbacks] if first else [*callbacks, stop]
    nn.fit(X, y, epochs=4, batch_size=8, callbacks=callbacks, verbose=False, **options)


def stopped(nn: foxnn.NeuralNetwork, *arguments: Any, **options: Any) -> bool:
    try:
        train(nn, *arguments, **options)
    except KeyboardInterrupt:
        return True
    return False


@pytest.mark.parametrize("first", [True, False], ids=["before other callbacks", "after other callbacks"])
@pytest.mark.parametrize("at", ["on_epoch_begin", "on_batch_end", "on_progress", "on_epoch_end"])
@pytest.mark.parametrize("name", TRAININGS)
def test_stopped_anywhere_it_goes_on_to_the_same_bits(name: str, at: str, first: bool, tmp_path: Path) -> None:
    make, y, options = TRAININGS[name]
    reference = make()
    train(reference, y, options(), Stop(), first)
    path = tmp_path / "run.safetensors"
    number = 0
    while True:
        number += 1
        nn = make()
        with_checkpoint = {**options(), "checkpoint": path}
        if not stopped(nn, y, with_checkpoint, Stop(at, number), first):
            break
        assert path.exists()
        resumed = make()
        train(resumed, y, {**options(), "checkpoint": path, "resume": True}, Stop(), first)
        assert bits(resumed) == bits(reference), number
        path.unlink()
    assert number > {"on_batch_end": 10}.get(at, 2)
    assert bits(nn) == bits(reference)  # keeping a checkpoint changes nothing


def test_batches_from_anywhere_are_gone_through_again(tmp_path: Path) -> None:
    def batches() -> Iterator[Any]:
        return ((X[i : i + 7], CLASSES[i : i + 7]) for i in range(0, 50, 7))

    def fit(**options: Any) -> foxnn.NeuralNetwork:
        nn = classifier(dropout=0.3)
        nn.fit(batches, None, epochs=3, verbose=False, **options)
        return nn

    reference = fit()
    for number in (1, 8, 13, 24):
        path = tmp_path / f"run{number}.safetensors"
        with pytest.raises(KeyboardInterrupt):
            fit(callbacks=[Stop("on_batch_end", number)], checkpoint=path)
        assert bits(fit(callbacks=[Stop()], checkpoint=path, resume=True)) == bits(reference)
    with pytest.raises(ValueError, match="checkpoint: X is an iterator, which cannot be gone through"):
        classifier().fit(batches(), None, epochs=1, checkpoint=tmp_path / "other.safetensors")


class Batches:
    """A sequence of batches."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, i: int) -> Any:
        return X[7 * i : 7 * i + 7], CLASSES[7 * i : 7 * i + 7]


def mapped(folder: Path, dtype: str) -> Any:
    """A file of X; numbers other than uint8, float32 and float64 are converted batch by batch."""
    if not (folder / dtype).exists():
        np.memmap(folder / dtype, dtype, "w+", shape=X.shape)[:] = 10 * X
    return np.memmap(folder / dtype, dtype, "r", shape=X.shape)


@pytest.mark.parametrize("kind", ["sequence", "float32", "float16", ">i2"])
def test_data_larger_than_memory_goes_on_too(kind: str, tmp_path: Path) -> None:
    """Its order is drawn anew every epoch; what a thread has read ahead by then is read again."""

    def fit(**options: Any) -> foxnn.NeuralNetwork:
        nn = classifier(dropout=0.3)
        data = (Batches(), None) if kind == "sequence" else (mapped(tmp_path, kind), CLASSES)
        sizes = {} if kind == "sequence" else {"batch_size": 7, "validation_split": 0.2}
        nn.fit(*data, epochs=3, verbose=False, **sizes, **options)
        return nn

    reference = fit(callbacks=[Stop()])
    for number in (1, 4, 8, 9, 14):
        path = tmp_path / f"run{number}.safetensors"
        with pytest.raises(KeyboardInterrupt):
            fit(callbacks=[Stop("on_batch_end", number)], checkpoint=path)
        assert bits(fit(callbacks=[Stop()], checkpoint=path, resume=True)) == bits(reference), number
    assert bits(fit(callbacks=[Stop()], shuffle=False)) != bits(reference)


def test_stopped_again_and_again_it_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    make, y, options = TRAININGS["early stopping"]
    reference = make()
    train(reference, y, options(), Stop())
    nn, times = make(), 0
    while stopped(nn, y, {**options(), "checkpoint": tmp_path / "run.safetensors", "resume": True},
                  Stop("on_batch_end", 2)):  # fmt: skip
        times += 1
        if times % 2:
            nn = make()  # a new process; otherwise the same network, as in a notebook
    assert times > 5
    assert bits(nn) == bits(reference)


@pytest.mark.parametrize("threads", [(1, 2), (2, 1)])
def test_the_number_of_threads_may_be_another_one(threads: tuple[int, int], tmp_path: Path) -> None:
    inputs = np.random.default_rng(1).normal(size=(400, 200))
    targets = np.tanh(inputs[:, :20])

    def make(n_threads: int) -> foxnn.NeuralNetwork:
        return foxnn.neural_network([200, 300, 20], output="linear", dropout=0.2, seed=1, n_threads=n_threads)

    reference = make(1)
    reference.fit(inputs, targets, epochs=3, batch_size=64, callbacks=[Stop()], verbose=False)
    checkpoint = {"checkpoint": tmp_path / "run.safetensors", "verbose": False}
    with pytest.raises(KeyboardInterrupt):
        make(threads[0]).fit(
            inputs, targets, epochs=3, batch_size=64, callbacks=[Stop("on_batch_end", 10)], **checkpoint
        )
    nn = make(threads[1])
    nn.fit(inputs, targets, epochs=3, batch_size=64, callbacks=[Stop()], resume=True, **checkpoint)
    assert bits(nn) == bits(reference)
    assert nn.n_threads == threads[1]


# ---- at random moments ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """A signal after that time raises KeyboardInterrupt, whatever Python is doing then."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of files just opened
def test_interrupted_at_random_moments_it_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Most of them find the core at work; what it has done by then must not be lost, nor counted twice."""
    inputs = np.random.default_rng(1).normal(size=(3000, 20))
    targets = np.tanh(inputs[:, :5])
    path = tmp_path / "run.safetensors"

    def fit(nn: foxnn.NeuralNetwork, **options: Any) -> None:
        nn.fit(inputs, targets, epochs=40, batch_size=16, validation_split=0.1, verbose=False,
               callbacks=[foxnn.EarlyStopping(patience=40)], **options)  # fmt: skip

    def make() -> foxnn.NeuralNetwork:
        return foxnn.neural_network([20, 64, 64, 5], output="linear", dropout=0.1, seed=1)

    reference = make()
    started = time.perf_counter()
    fit(reference)
    seconds = time.perf_counter() - started
    interruptions = 0
    for _ in range(10):
        while True:
            nn = make()
            try:
                with interrupted_after(random.uniform(0.1, 0.6) * seconds):
                    fit(nn, checkpoint=path, resume=True)
                break
            except KeyboardInterrupt:
                interruptions += 1
        assert bits(nn) == bits(reference)
        path.unlink()
    assert interruptions >= 5


# ---- while files are being written ----------------------------------------------------------------------------


@contextlib.contextmanager
def interrupted_at(call: int, after: bool) -> Iterator[list[str]]:
    """KeyboardInterrupt before or after the n-th call of the operating system that has to do with writing a file."""
    heard: list[str] = []

    def hooked(name: str, real: Any) -> Any:
        def hook(*arguments: Any, **options: Any) -> Any:
            heard.append(name)
            now = len(heard) == call
            if now and not after:
                raise KeyboardInterrupt
            result = real(*arguments, **options)
            if now:
                if name == "open":
                    os.close(result)
                raise KeyboardInterrupt
            return result

        return hook

    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "fsync", "link", "chmod", "replace", "close"):
            patch.setattr(os, name, hooked(name, getattr(os, name)))
        yield heard


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("stopping", [False, True], ids=["plain", "early stopping"])
def test_interrupted_while_it_writes_the_same_call_goes_on_to_the_same_bits(
    stopping: bool, after: bool, tmp_path: Path
) -> None:
    """With the same network, which has been trained already when the last file is written."""

    def fit(nn: foxnn.NeuralNetwork, path: Path) -> None:
        callbacks = [foxnn.EarlyStopping("loss", patience=1, mode="max")] if stopping else []
        nn.fit(X, CLASSES, epochs=3, batch_size=8, verbose=False, callbacks=callbacks, checkpoint=path, resume=True)

    reference = classifier()
    fit(reference, tmp_path / "reference.safetensors")
    assert len(reference.history.epochs) == (2 if stopping else 3)
    call = 0
    while True:
        call += 1
        nn, path = classifier(), tmp_path / f"{call}.safetensors"
        with interrupted_at(call, after) as heard:
            try:
                fit(nn, path)
            except KeyboardInterrupt:
                pass
            else:
                break
        fit(nn, path)
        assert bits(nn) == bits(reference), (call, heard)
        assert foxnn.load(path).history.epochs == nn.history.epochs
    assert call > 8


class StopAtTheEnd(foxnn.Callback):
    """Changes the network when training ends, and is interrupted half-way, once."""

    def __init__(self, left: int) -> None:
        self.left = left

    def on_train_end(self, network: Any) -> None:
        for layer in network.layers:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            layer.weights = 2 * layer.weights


@pytest.mark.parametrize("number", [1, 2, 3])
def test_interrupted_in_what_callbacks_do_at_the_end(number: int, tmp_path: Path) -> None:
    def fit(nn: foxnn.NeuralNetwork, path: Path, left: int = 0) -> None:
        nn.fit(X, CLASSES, epochs=2, verbose=False, checkpoint=path, resume=True, callbacks=[StopAtTheEnd(left)])

    reference, nn = classifier(), classifier()
    fit(reference, tmp_path / "reference.safetensors")
    with pytest.raises(KeyboardInterrupt):
        fit(nn, tmp_path / "run.safetensors", number)
    fit(nn, tmp_path / "run.safetensors")
    assert bits(nn) == bits(reference)


#: Seconds of interruptions by signals; more of them: FOXNN_INTERRUPTS=60.
INTERRUPTS = float(os.environ.get("FOXNN_INTERRUPTS", "3"))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of files just opened
def test_signals_around_the_last_file_leave_the_same_bits(tmp_path: Path) -> None:
    def fit(nn: foxnn.NeuralNetwork, path: Path, then: Callable[[], None] = time.perf_counter) -> None:
        at_the_end = foxnn.callbacks.LambdaCallback(on_epoch_end=lambda *_: then())
        nn.fit(X, CLASSES, epochs=1, verbose=False, callbacks=[at_the_end], checkpoint=path, resume=True)

    reference = classifier()
    began: list[float] = []
    fit(reference, tmp_path / "reference.safetensors", lambda: began.append(time.perf_counter()))
    seconds = time.perf_counter() - began[0]
    interruptions, end = 0, time.monotonic() + INTERRUPTS
    path = tmp_path / "run.safetensors"
    while time.monotonic() < end:
        nn, after = classifier(), random.uniform(1e-5, seconds)
        try:
            with interrupted_after(60):
                fit(nn, path, lambda after=after: signal.setitimer(signal.ITIMER_REAL, after))
        except KeyboardInterrupt:
            interruptions += 1
        fit(nn, path)
        assert bits(nn) == bits(reference), interruptions
        path.unlink()
    assert interruptions >= 5


_TRAIN = """\
import os, random, signal, sys, time
import numpy as np, foxnn, foxnn.training.checkpoint

foxnn.training.checkpoint._SHARE = np.inf
inputs = np.random.default_rng(1).normal(size=(2000, 20))
targets = np.tanh(inputs[:, :5])

def train(path, name):
    nn = foxnn.neural_network([20, 48, 5], output="linear", dropout=0.1, seed=1)
    nn.fit(inputs, targets, epochs=30, batch_size=8, validation_split=0.1, verbose=False, checkpoint=path,
           checkpoint_every=0, resume=True, learning_rate=foxnn.schedules.Cosine(1e-3))
    del nn.history.epochs[:]
    nn.save(name, optimizer=True)

train("reference_run.safetensors", "reference.safetensors")  # which brings in the modules
os.remove("reference_run.safetensors")
started = time.perf_counter()
train("reference_run.safetensors", "reference.safetensors")
seconds = time.perf_counter() - started
kills = 0
while True:
    training = os.fork()
    if training == 0:
        train("run.safetensors", "resumed.safetensors")
        os._exit(0)
    deadline = time.perf_counter() + random.uniform(0, 0.6 * seconds)
    while (ended := os.waitpid(training, os.WNOHANG))[0] == 0 and time.perf_counter() < deadline:
        time.sleep(0.001)
    if ended[0]:
        break
    os.kill(training, signal.SIGKILL)
    os.waitpid(training, 0)
    kills += 1
print(kills, ended[1], sorted(set(os.listdir()) - {name for name in os.listdir() if name.startswith(".foxnn-")}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_moments_it_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    kills = 0
    for attempt in range(4):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        run = subprocess.run([sys.executable, "-c", _TRAIN], cwd=folder, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        killed, status, files = run.stdout.split(maxsplit=2)
        assert (status, files.strip()) == (
            "0", "['reference.safetensors', 'reference_run.safetensors', 'resumed.safetensors', 'run.safetensors']"
        )  # fmt: skip
        assert (folder / "resumed.safetensors").read_bytes() == (folder / "reference.safetensors").read_bytes()
        kills += int(killed)
    assert kills > 0


# ---- what is refused, and what is not lost -----------------------------------------------------------------------


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """The checkpoint of a training that was interrupted in its second epoch."""
    path = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit_on(path, callbacks=[foxnn.EarlyStopping(), Stop("on_batch_end", 9)])
    return path


def fit_on(path: Path, nn: foxnn.NeuralNetwork | None = None, **options: Any) -> foxnn.NeuralNetwork:
    nn = classifier() if nn is None else nn
    inputs, targets = options.pop("X", X), options.pop("y", CLASSES)
    defaults = {"epochs": 4, "batch_size": 8, "callbacks": [foxnn.EarlyStopping(), Stop()], "verbose": False,
                "validation_data": (X[:9], CLASSES[:9])}  # fmt: skip
    nn.fit(inputs, targets, checkpoint=path, **{**defaults, **options})
    return nn


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"X": X + 1e-6}, "the training data are not those"),
        ({"X": X.astype(np.float32)}, "the training data are not those"),
        ({"y": 1 - CLASSES}, "the training data are not those"),
        ({"sample_weight": np.ones(50)}, "the training data are not those"),
        ({"X": X[:-1], "y": CLASSES[:-1]}, r"samples to train on: got 49; .* began with 50"),
        ({"validation_data": (X[:9], 1 - CLASSES[:9])}, "the validation data are not those"),
        ({"validation_data": None}, "the validation data are not those"),
        ({"epochs": 5}, r"epochs: got 5; .* began with 4"),
        ({"batch_size": 9}, r"batch_size: got 9; .* began with 8"),
        ({"shuffle": False}, r"shuffle: got False; .* began with True"),
        ({"optimizer": "sgd"}, r"optimizer: got \{'name': 'sgd'"),
        ({"learning_rate": 0.5}, r"optimizer: got .*0\.5"),
        ({"callbacks": []}, r"callbacks: got \[\]; .* began with \['EarlyStopping', 'Stop'\]"),
        ({"scale": 2.0}, r"scale: got 2\.0; .* began with None"),
        ({"nn": lambda: classifier(dropout=0.5)}, r"dropout: got \[0\.5, 0\.5\]; .* began with \[0\.0, 0\.0\]"),
        ({"nn": lambda: classifier(l2=0.5)}, r"l2: got 0\.5; .* began with None"),
        ({"nn": lambda: foxnn.neural_network([4, 8, 2], output="softmax")}, r"sizes: got \[4, 8, 2\]"),
        ({"nn": lambda: foxnn.neural_network([4, 8, 8, 2], activation="relu", output="softmax", seed=4)},
         "seed: got 4; .* has 3"),
    ],
)  # fmt: skip
def test_other_arguments_are_refused(interrupted: Path, options: dict[str, Any], message: str) -> None:
    before = interrupted.read_bytes()
    nn = options.pop("nn", classifier)()
    weights = to_bytes(nn)
    with pytest.raises(ValueError, match=f"^resume: {message}"):
        fit_on(interrupted, nn, resume=True, **options)
    assert to_bytes(nn) == weights
    assert interrupted.read_bytes() == before


def test_an_interrupted_training_is_not_overwritten(interrupted: Path) -> None:
    before = interrupted.read_bytes()
    with pytest.raises(FileExistsError, match="was interrupted in epoch 2 of 4; resume=True goes on with it"):
        fit_on(interrupted)
    assert interrupted.read_bytes() == before


def test_a_damaged_checkpoint_is_refused(interrupted: Path) -> None:
    whole = interrupted.read_bytes()
    interrupted.write_bytes(whole[:-7])
    for resume in (True, False):
        with pytest.raises(foxnn.FileFormatError, match=r"run\.safetensors: damaged"):
            fit_on(interrupted, resume=resume)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    classifier().save(tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match="holds a network, but no training that could go on"):
        fit_on(tmp_path / "net.safetensors", resume=True)
    with pytest.raises(ValueError, match=r"checkpoint: got 'run\.ckpt'; it takes the name of a file that ends in"):
        fit_on("run.ckpt")
    with pytest.raises(ValueError, match="resume: got True without a checkpoint"):
        classifier().fit(X, CLASSES, resume=True)
    with pytest.raises(ValueError, match="checkpoint_every: got 5 without a checkpoint=FILE"):
        classifier().fit(X, CLASSES, checkpoint_every=5)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    ("at", "number"), [("on_batch_end", 13), ("on_batch_end", 19), ("on_epoch_begin", 3), ("on_epoch_end", 2), ("", 0)]
)
def test_the_same_call_goes_on_though_a_callback_has_changed_the_rate_of_its_optimizer(
    at: str, number: int, given: bool, tmp_path: Path
) -> None:
    """Of one that is given in the call, and of the network's own."""

    class Slower(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: Any) -> None:
            network.learning_rate = network.learning_rate / 2

    def fit(nn: foxnn.NeuralNetwork, path: Path, stop: Stop) -> None:
        nn.fit(
            X, CLASSES, epochs=4, batch_size=8, callbacks=[Slower(), stop], checkpoint=path, resume=True,
            optimizer=nn.optimizer if given else None,
        )  # fmt: skip

    expected, nn = (classifier() for _ in range(2))
    for each in (expected, nn):
        each.optimizer = foxnn.optimizers.Momentum(0.5)
    fit(expected, tmp_path / "whole.safetensors", Stop())
    with contextlib.suppress(KeyboardInterrupt):
        fit(nn, tmp_path / "run.safetensors", Stop(at, number))
    assert nn.learning_rate < 0.5
    fit(nn, tmp_path / "run.safetensors", Stop())
    assert bits(nn) == bits(expected)
    assert nn.learning_rate == expected.learning_rate == 0.5 / 16
    nn.learning_rate = 0.25  # and that's another one
    with pytest.raises(ValueError, match=r"resume: optimizer: got .*0\.25"):
        fit(nn, tmp_path / "run.safetensors", Stop())


def test_without_a_file_training_begins(tmp_path: Path) -> None:
    nn, other = fit_on(tmp_path / "run.safetensors", resume=True), classifier()
    fit_on(tmp_path / "other.safetensors", other)
    assert bits(nn) == bits(other)


def test_a_complete_training_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    reference = fit_on(path, epochs=8)
    stop = foxnn.EarlyStopping()

    class Fail(Stop):
        def on_train_begin(self, *_: Any) -> None:
            raise AssertionError

    Fail.__name__ = "Stop"
    nn = fit_on(path, epochs=8, callbacks=[stop, Fail()], resume=True)
    assert bits(nn) == bits(reference)
    assert stop.best == min(reference.history["val_loss"])
    fit_on(path, epochs=2)  # without resume, it is overwritten like any file
    assert len(foxnn.load(path).history.epochs) == 2


def test_a_checkpoint_is_a_network_like_any_other(interrupted: Path) -> None:
    nn = foxnn.load(interrupted)
    assert (nn.sizes, nn.epoch, len(nn.history.epochs)) == ([4, 8, 8, 2], 1, 1)
    assert nn._optimizer_state.t == 9
    nn.fit(X, CLASSES, epochs=1, verbose=False)
    nn.save(interrupted)
    assert b'\\"training\\"' not in interrupted.read_bytes()


def test_a_network_without_a_seed_gets_that_of_the_checkpoint(tmp_path: Path) -> None:
    def make() -> foxnn.NeuralNetwork:
        return foxnn.neural_network([4, 8, 2], output="softmax", dropout=0.5)

    path, copy = tmp_path / "run.safetensors", tmp_path / "copy.safetensors"
    for callback in (Stop("on_batch_end", 9),):
        with pytest.raises(KeyboardInterrupt):
            fit_on(path, make(), callbacks=[callback], validation_data=None, validation_split=0.2)
    copy.write_bytes(path.read_bytes())
    first, second = (
        fit_on(file, make(), callbacks=[Stop()], validation_data=None, validation_split=0.2, resume=True)
        for file in (path, copy)
    )
    assert bits(first) == bits(second)
    assert first.seed == foxnn.load(path).seed


def test_that_a_checkpoint_cannot_be_written_does_not_end_the_training(often: None, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    class Remove(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: Any) -> None:
            if epoch == 1:
                (folder / "run.safetensors").unlink()
                folder.rmdir()
            if epoch == 3:
                folder.mkdir()

    with pytest.warns(RuntimeWarning, match=r"cannot write the checkpoint .*run\.safetensors"):
        nn = fit_on(folder / "run.safetensors", callbacks=[Remove()], checkpoint_every=0)
    assert len(nn.history.epochs) == 4
    assert foxnn.load(folder / "run.safetensors").history.epochs == nn.history.epochs


def test_a_training_that_diverges_leaves_the_checkpoint_before(often: None, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    with pytest.raises(foxnn.DivergenceError):
        foxnn.neural_network([4, 2], output="linear").fit(
            X, VALUES, epochs=100, optimizer="sgd", learning_rate=halfway_to_infinity, checkpoint=path,
            checkpoint_every=0, verbose=False)  # fmt: skip
    assert all(np.isfinite(layer.weights).all() for layer in foxnn.load(path).layers)
    assert len(foxnn.load(path).history.epochs) == 3


def halfway_to_infinity(epoch: int) -> float:
    return 0.01 if epoch < 3 else 1e38


def test_what_callbacks_write_goes_on_too(tmp_path: Path) -> None:
    def callbacks(name: str, stop: Stop) -> list[foxnn.Callback]:
        best = foxnn.callbacks.ModelCheckpoint(tmp_path / f"best_{name}.safetensors", save_best_only=True)
        return [foxnn.callbacks.CSVLogger(tmp_path / f"{name}.csv"), stop, best]

    def rows(name: str) -> list[list[str]]:
        lines = [line.split(",") for line in (tmp_path / f"{name}.csv").read_text().splitlines()]
        seconds = lines[0].index("seconds")
        return [line[:seconds] + line[seconds + 1 :] for line in lines]

    reference = fit_on(tmp_path / "reference_run.safetensors", callbacks=callbacks("reference", Stop()))
    for number in range(1, 5):
        path = tmp_path / f"run{number}.safetensors"
        with pytest.raises(KeyboardInterrupt):
            fit_on(path, callbacks=callbacks("log", Stop("on_epoch_end", number)))
        nn = fit_on(path, callbacks=callbacks("log", Stop()), resume=True)
        assert bits(nn) == bits(reference)
        assert rows("log") == rows("reference")
        best, expected = (foxnn.load(tmp_path / f"best_{name}.safetensors") for name in ("log", "reference"))
        assert best.epoch == expected.epoch


def test_a_state_of_nonsense_is_refused(interrupted: Path) -> None:
    from foxnn._atomic import atomic_write
    from foxnn.io.native import to_pieces, training_from_file

    network, training = training_from_file(interrupted)
    assert training is not None
    early_stopping, stop = training["state"]["callbacks"]
    other_weights = [{**early_stopping["weights"][0], "bias": np.ones(7)}, *early_stopping["weights"][1:]]
    for change in ({"epoch": -1}, {"next": "x"}, {"sums": [1.0]}, {"steps": None}, {"network_epoch": 1.5},
                   {"epoch": 3}, {"is_begun": 1}, {"rate": -1.0}, {"first_step": 99}, {"schedules": [{"scale": 1}]},
                   {"callbacks": [early_stopping]}, {"callbacks": [{}, stop]}, {"callbacks": [1, 2]},
                   {"callbacks": [{**early_stopping, "best": "x"}, stop]},
                   {"callbacks": [{**early_stopping, "weights": other_weights}, stop]}):  # fmt: skip
        nn = classifier()
        before = to_bytes(nn)
        damaged = {**training, "state": {**training["state"], **change}}
        with atomic_write(interrupted) as file:
            file.writelines(to_pieces(network, optimizer=True, training=damaged))
        with pytest.raises(foxnn.FileFormatError, match=r"run\.safetensors: the state of the training does not make"):
            fit_on(interrupted, nn, resume=True)
        assert to_bytes(nn) == before
    assert json.dumps(training["arguments"])
