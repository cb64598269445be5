"""Data larger than memory: batches from wherever they come train to the same bits as arrays do."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import foxnn

RNG = np.random.default_rng(3)
N, BATCH = 70, 16
X = RNG.standard_normal((N, 6)).astype(np.float32)
LABELS = RNG.integers(0, 3, N)
WEIGHTS = RNG.uniform(0.5, 2, N)
BATCHES = [(X[i : i + BATCH], LABELS[i : i + BATCH]) for i in range(0, N, BATCH)]
WEIGHTED = [(*batch, WEIGHTS[i * BATCH : (i + 1) * BATCH]) for i, batch in enumerate(BATCHES)]


class Batches:
    """A sequence as Keras has it: a length and items, nothing else."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches, self.epochs, self.read = batches, 0, []

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> Any:
        assert isinstance(i, int)
        self.read.append(i)
        return self.batches[i]

    def on_epoch_end(self) -> None:
        self.epochs += 1


class Loader:
    """An iterable, such as PyTorch's DataLoader."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


def network(**options: Any) -> foxnn.NeuralNetwork:
    options = {"activation": "tanh", "output": "softmax", "dropout": 0.3, "seed": 5, **options}
    return foxnn.neural_network([6, 20, 3], **options)


def weights(nn: foxnn.NeuralNetwork) -> bytes:
    return b"".join(layer.weights.tobytes() + layer.bias.tobytes() for layer in nn.layers)


def no_seconds(history: foxnn.History) -> list[dict[str, float]]:
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in history.epochs]


KINDS: dict[str, Callable[[list[Any]], dict[str, Any]]] = {
    "sequence": lambda b: {"X": Batches(b), "shuffle": False},
    "list": lambda b: {"X": b, "shuffle": False},
    "iterable": lambda b: {"X": Loader(b)},
    "function": lambda b: {"X": lambda: iter(b)},
    "generator": lambda b: {"X": (batch for _ in range(3) for batch in b), "steps_per_epoch": len(b)},
    "endless": lambda b: {"X": itertools.cycle(b), "steps_per_epoch": len(b)},
}


# ---- the same bits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batches", [BATCHES, WEIGHTED], ids=["plain", "weighted"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_as_arrays(kind: str, batches: list[Any], dtype: str, n_threads: int) -> None:
    """Weights and history, dropout and class weights included; with a schedule in steps."""
    rate = foxnn.schedules.Exponential(0.02, 0.9, steps=3)
    one, other = network(dtype=dtype), network(dtype=dtype, n_threads=n_threads)
    weight = None if batches is BATCHES else WEIGHTS
    expected = one.fit(
        X, LABELS, epochs=3, batch_size=BATCH, shuffle=False, sample_weight=weight, learning_rate=rate,
        class_weight={1: 2.5},
    )  # fmt: skip
    found = other.fit(epochs=3, learning_rate=rate, class_weight={1: 2.5}, **KINDS[kind](batches))
    assert weights(one) == weights(other)
    assert no_seconds(expected) == no_seconds(found)


def test_a_sequence_is_shuffled_by_batches() -> None:
    """In a new order every epoch, which seed and epoch tell."""
    batches = Batches([BATCHES[i % len(BATCHES)] for i in range(12)])
    one, other, third = network(), network(), network(seed=6)
    one.fit(batches, epochs=2)
    first, second = batches.read[:12], batches.read[12:]
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    assert list(range(12)) not in (first, second)
    assert batches.epochs == 2
    other.fit([batches.batches[i] for i in first], epochs=1, shuffle=False)
    other.fit([batches.batches[i] for i in second], epochs=1, shuffle=False)
    assert weights(one) == weights(other)
    batches.read.clear()
    third.fit(batches, epochs=1)
    assert batches.read != first


def test_batches_may_differ_in_size() -> None:
    """A step for each, whatever its size; the values are means over samples."""
    cuts = [0, 1, 40, 41, 70]
    batches = [(X[a:b], LABELS[a:b]) for a, b in itertools.pairwise(cuts)]
    one, other = network(dropout=0), network(dropout=0)
    history = one.fit(Loader(batches), epochs=1, optimizer="sgd", learning_rate=0.1)
    other.optimizer = foxnn.optimizers.SGD(0.1)
    losses = [other.train_on_batch(*batch) for batch in batches]
    assert weights(one) == weights(other)
    assert history["loss"][0] == pytest.approx(np.average(losses, weights=np.diff(cuts)), rel=1e-6)


@pytest.mark.parametrize("kind", ["sequence", "list", "iterable", "function"])
def test_validation_evaluation_and_prediction(kind: str) -> None:
    batches = KINDS[kind](WEIGHTED)["X"]
    nn = network()
    metrics = ["accuracy", "log_loss", "mae"]
    expected = nn.copy().fit(X, LABELS, epochs=2, validation_data=(X, LABELS, WEIGHTS), metrics=metrics)
    found = nn.copy().fit(X, LABELS, epochs=2, validation_data=batches, metrics=metrics)
    assert list(found) == list(expected)
    for name in set(found) - {"seconds"}:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)
    values = nn.evaluate(batches, metrics=metrics)
    assert values == pytest.approx(nn.evaluate(X, LABELS, WEIGHTS, metrics=metrics), rel=1e-12)
    if kind != "list":  # to predict, that is an array
        np.testing.assert_array_equal(nn.predict(batches), nn.predict(X))
        np.testing.assert_array_equal(nn.predict(Loader([x for x, *_ in WEIGHTED])), nn.predict(X))


def test_metrics_of_the_training_data() -> None:
    nn = network()
    history = nn.fit(Batches(BATCHES), epochs=1, metrics=["mae"])
    assert history["mae"][0] == pytest.approx(nn.evaluate(X, LABELS, metrics=["mae"])["mae"], rel=1e-12)


def test_accuracy_only_if_all_batches_have_one() -> None:
    """Numbers that happen to be 0 and 1 in one batch are no classes."""
    y = np.array([[0.0], [1.0], [0.3], [0.7]])
    nn = foxnn.neural_network([6, 1], output="linear", seed=0)
    batches = [(X[:2], y[:2]), (X[2:4], y[2:])]
    for order in (batches, batches[::-1]):
        history = nn.fit(order, epochs=1, shuffle=False, validation_data=Batches(order))
        assert list(history) == ["loss", "val_loss", "seconds"]


def test_a_pytorch_data_loader() -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(LABELS))
    one, other = network(), network()
    one.fit(torch.utils.data.DataLoader(data, batch_size=BATCH), epochs=2)
    other.fit(X, LABELS, epochs=2, batch_size=BATCH, shuffle=False)
    assert weights(one) == weights(other)
    images = torch.utils.data.TensorDataset(torch.from_numpy(X.reshape(N, 1, 2, 3)), torch.from_numpy(LABELS))
    np.testing.assert_array_equal(one.predict(torch.utils.data.DataLoader(images, batch_size=BATCH)), one.predict(X))
    with pytest.raises(ValueError, match="a single sample and its target"):
        one.fit(images)  # which needs a DataLoader


class Tensor:
    """Looks like one of PyTorch's."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)
        self.shape, self.ndim = self.array.shape, self.array.ndim

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array

    def __int__(self) -> int:
        return int(self.array)


def test_batches_in_lists_of_images_of_any_shape() -> None:
    """As PyTorch's DataLoader gives them: to train on, to evaluate, and, without their targets, to predict of."""
    images = X.reshape(N, 1, 2, 3)
    ends = range(0, N, 23)  # the last batch has a single sample
    loader = Loader([[Tensor(images[i : i + 23]), Tensor(LABELS[i : i + 23])] for i in ends])
    one, other = network(), network()
    one.fit(loader, epochs=2)
    other.fit(X, LABELS, epochs=2, batch_size=23, shuffle=False)
    assert weights(one) == weights(other)
    assert one.evaluate(loader) == pytest.approx(other.evaluate(X, LABELS), rel=1e-12)
    expected = other.predict(X)
    np.testing.assert_array_equal(one.predict(loader), expected)
    np.testing.assert_array_equal(one.predict(Loader([[Tensor(images[i : i + 23])] for i in ends])), expected)
    # Lists of samples are none of batches, and single samples are rows.
    np.testing.assert_array_equal(one.predict(Loader([list(images[:2]), list(images[2:3])])), expected[:3])
    np.testing.assert_array_equal(one.predict(iter(X)), expected)
    np.testing.assert_array_equal(one.predict(iter(zip(images, LABELS, strict=True))), expected)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_targets_as_wide_as_inputs_are_no_inputs(n: int) -> None:
    nn = foxnn.neural_network([2, 2], seed=0)
    np.testing.assert_array_equal(nn.predict(Loader([[X[:n, :2], X[:n, 2:4]]]))[:n], nn.predict(X[:n, :2]))


PAIRS: dict[str, list[Any]] = {
    "images": list(zip(X.reshape(N, 2, 3), LABELS, strict=True)),
    "rows": list(zip(X, LABELS.tolist(), strict=True)),
    "one-hot": list(zip(X, np.eye(3)[LABELS], strict=True)),
    "lists": [[x.tolist(), int(label)] for x, label in zip(X, LABELS, strict=True)],
    "tensors": [(Tensor(x), Tensor(label)) for x, label in zip(X, LABELS, strict=True)],
}


@pytest.mark.parametrize("kind", PAIRS)
def test_pairs_of_single_samples_are_told_from_batches(kind: str) -> None:
    pairs, meant = PAIRS[kind], r"got a single sample and its target.*X, y = map\(np\.array, zip\(\*pairs\)\)"
    nn = network()
    before = weights(nn)
    for call in (
        lambda: nn.fit(pairs),
        lambda: nn.fit(iter(pairs), epochs=1),
        lambda: nn.fit(Batches(pairs)),
        lambda: nn.fit(X, LABELS, validation_data=[tuple(pair) for pair in pairs]),
        lambda: nn.evaluate(pairs),
        lambda: foxnn.find_learning_rate(nn, pairs),
    ):
        with pytest.raises(ValueError, match=meant):
            call()
        assert weights(nn) == before
    arrays = tuple(map(np.array, zip(*pairs, strict=True)))
    assert nn.fit(*arrays, epochs=1)["loss"] == pytest.approx(network().fit(X, LABELS, epochs=1)["loss"], rel=1e-6)


def test_scaling_inside_is_fitted_before() -> None:
    """Batches come one by one: a scaling is fitted to some of them first, and then it is as with arrays."""
    one, other = network(scale_inputs="standard"), network(scale_inputs="standard")
    with pytest.raises(ValueError, match="X: got batches for a network that is to be scaled; call fit_scaling"):
        other.fit(BATCHES, shuffle=False)
    assert other.epoch == 0
    other.fit_scaling(X)
    other.fit(BATCHES, epochs=2, shuffle=False)
    one.fit(X, LABELS, epochs=2, batch_size=BATCH, shuffle=False)
    assert weights(one) == weights(other)
    np.testing.assert_array_equal(other.predict(Batches(BATCHES)), one.predict(X))


# ---- callbacks ----------------------------------------------------------------------------------------------


def test_callbacks_hear_of_batches_and_may_stop() -> None:
    heard: list[Any] = []

    class Listen(foxnn.Callback):
        every = 2

        def on_train_begin(self, network: Any, epochs: int, n_samples: Any) -> None:
            heard.append(n_samples)

        def on_batch_end(self, network: Any, epoch: int, batch: int, values: dict[str, float]) -> None:
            heard.append((epoch, batch))
            network.stop_training = (epoch, batch) == (1, 1)

    nn = network()
    history = nn.fit(Batches(BATCHES), epochs=3, callbacks=[Listen()])
    assert heard == [None, (0, 1), (0, 3), (1, 1)]
    assert len(history["loss"]) == 2
    assert nn._optimizer_state.t == 5 + 2
    assert no_readers()


def test_the_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    network().fit(Batches(BATCHES), epochs=2, verbose=True)
    assert "140/140" in capsys.readouterr().err


# ---- the thread that reads ----------------------------------------------------------------------------------


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("foxnn")]


def no_readers() -> bool:
    deadline = time.monotonic() + 10
    while readers() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not readers()


def test_a_sequence_is_read_in_a_thread_ahead_of_training() -> None:
    """By a few batches, no more; and the thread is gone when training is."""
    ahead: list[int] = []
    threads: set[str] = set()
    batches = Batches(BATCHES * 4)

    class Slow(foxnn.Callback):
        every = 1

        def on_batch_end(self, network: Any, epoch: int, batch: int, values: dict[str, float]) -> None:
            deadline = time.monotonic() + 10
            while len(batches.read) < min(batch + 4, 20) and time.monotonic() < deadline:
                time.sleep(0.001)
            ahead.append(len(batches.read) - (batch + 1))
            threads.update(thread.name for thread in readers())

    network().fit(batches, epochs=1, callbacks=[Slow()])
    assert max(ahead) <= 5
    assert ahead[0] >= 3
    assert threads == {"foxnn: reading ahead"}
    assert no_readers()


def test_an_error_of_the_reader_is_raised_in_fit() -> None:
    """As it is, with its traceback; the network has learned from the batches before."""

    class Broken(Batches):
        def __getitem__(self, i: int) -> Any:
            if i == 3:
                raise OSError("the disk is gone")
            return super().__getitem__(i)

    nn, other = network(), network()
    with pytest.raises(OSError, match="the disk is gone") as caught:
        nn.fit(Broken(BATCHES), epochs=2, shuffle=False)
    assert "raise OSError(" in "".join(traceback.format_exception(caught.value))
    other.fit(BATCHES[:3], epochs=1, shuffle=False)
    assert weights(nn) == weights(other)
    assert no_readers()
    nn.fit(Batches(BATCHES), epochs=1)


def test_an_error_in_training_ends_the_reader() -> None:
    """Even while it waits for a place for the batch that it has read."""
    batches = Batches(BATCHES * 5)

    def fail(*_: Any) -> None:
        deadline = time.monotonic() + 10
        while len(batches.read) < 5 and time.monotonic() < deadline:  # one trained on, three waiting, one in hand
            time.sleep(0.001)
        time.sleep(0.05)
        raise KeyError("mine")

    callback = foxnn.callbacks.LambdaCallback(every=1, on_batch_end=fail)
    with pytest.raises(KeyError, match="mine"):
        network().fit(batches, callbacks=[callback])
    assert no_readers()


def test_generators_are_read_where_fit_is_called_and_no_further_than_needed() -> None:
    """Nothing is lost of an endless generator: the next fit goes on where this one ended."""
    seen: list[tuple[int, str]] = []

    def endless() -> Iterator[Any]:
        for i in itertools.count():
            seen.append((i, threading.current_thread().name))
            yield BATCHES[i % len(BATCHES)]

    generator = endless()
    one, other = network(), network()
    one.fit(generator, epochs=2, steps_per_epoch=3)
    assert [i for i, _ in seen] == list(range(6))
    one.fit(generator, epochs=1, steps_per_epoch=4)
    assert {name for _, name in seen} == {threading.current_thread().name}
    assert [i for i, _ in seen] == list(range(10))
    order = iter([BATCHES[i % len(BATCHES)] for i in range(10)])
    other.fit(order, epochs=2, steps_per_epoch=3)
    other.fit(order, epochs=1)
    assert weights(one) == weights(other)


INTERRUPTED = """
import signal, threading, time, numpy, foxnn
signal.signal(signal.SIGINT, signal.default_int_handler)
class Slow:
    def __len__(self): return 1000
    def __getitem__(self, i):
        if i == 3:
            print("waiting", flush=True)
            time.sleep(60)
        return numpy.ones((4, 2)), numpy.ones(4)
nn = foxnn.neural_network([2, 1], seed=0)
try:
    nn.fit(Slow(), epochs=1, shuffle=False)
except KeyboardInterrupt:
    nn.fit(numpy.ones((4, 2)), numpy.ones(4), epochs=1)
    print("usable", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_while_waiting_for_a_batch() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (output, process.returncode) == ("usable\n", 0), errors


# ---- what cannot be -----------------------------------------------------------------------------------------

NARROW, SPOILT = (X[:, :5], LABELS), (X * np.float32(np.nan), LABELS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"X": X}, "y: got none; it may be left out only if X gives batches"),
        ({"X": X.tolist()}, "y: got none"),
        ({"X": list(X)}, "y: got none"),
        ({"X": [[0, 1], [1, 0]]}, "y: got none"),  # pairs of numbers are no batches
        ({"X": (X, LABELS)}, "y: got none"),
        ({"X": 5}, "X: got int without y; it takes arrays X and y, or a sequence"),
        ({"X": []}, "X: got no batches"),
        ({"X": Loader([])}, "X: it ran out after 0 batches; it takes at least one"),
        ({"X": Batches([X])}, r"batch 0 of X: got ndarray; it takes \(X, y\)"),
        ({"X": Batches([(X, LABELS[:-1])])}, "batch 0 of X: y: got shape"),
        ({"X": [(X, LABELS), NARROW], "shuffle": False}, r"batch 1 of X: X: got an array of shape \(70, 5\)"),
        ({"X": [(X, LABELS), SPOILT], "shuffle": False}, "batch 1 of X: X: got nan in row 0"),
        ({"X": BATCHES, "batch_size": 32}, "batch_size: got 32, but X gives batches as they are"),
        ({"X": BATCHES, "sample_weight": WEIGHTS}, "sample_weight: got [^;]* but X gives batches"),
        ({"X": BATCHES, "validation_split": 0.5}, "validation_split: got 0.5, but X gives batches"),
        ({"X": BATCHES, "class_weight": "balanced"}, "class_weight: got 'balanced' with batches"),
        ({"X": BATCHES, "steps_per_epoch": 2}, "steps_per_epoch: got 2, but X has 5 batches"),
        ({"X": X, "y": LABELS, "steps_per_epoch": 2}, "steps_per_epoch: got 2 with arrays"),
        ({"X": iter(BATCHES)}, "epochs: got 10 with an iterator.*steps_per_epoch"),
        ({"X": iter(BATCHES), "epochs": 1, "metrics": ["mae"]}, "metrics: got some with an iterator"),
        ({"X": BATCHES, "validation_data": iter(BATCHES)}, "validation_data: got list_iterator; it takes"),
        ({"X": BATCHES, "validation_data": [(X, LABELS), (X, LABELS[1:])]}, "batch 1 of validation_data: y: got"),
        ({"X": Loader(BATCHES), "learning_rate": foxnn.schedules.Cosine(0.1)}, "how many steps the training takes"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        network().fit(**options)
    assert no_readers()


def test_an_iterator_that_ends_too_early() -> None:
    with pytest.raises(ValueError, match="X: it ran out after 2 batches; it takes 3 an epoch"):
        network().fit(iter(BATCHES), epochs=2, steps_per_epoch=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_one_row_under_batch_normalisation(kind: str) -> None:
    """Left over, it is trained on as the last one of arrays is; but one after the other is refused, as there."""

    def normalised() -> foxnn.NeuralNetwork:
        return foxnn.neural_network([6, 20, foxnn.BatchNorm(), 3], "relu", "softmax", seed=5)

    cuts = [*range(0, 64, BATCH), 64, 65]
    batches = [(X[a:b], LABELS[a:b]) for a, b in itertools.pairwise(cuts)]
    one, other = normalised(), normalised()
    expected = one.fit(X[:65], LABELS[:65], epochs=3, batch_size=BATCH, shuffle=False)
    found = other.fit(epochs=3, **KINDS[kind](batches))
    assert len(batches[-1][0]) == 1
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    assert no_seconds(expected) == no_seconds(found)

    singles = [(X[i : i + 1], LABELS[i : i + 1]) for i in range(5)]
    with pytest.raises(ValueError, match="X: got a batch of one sample; batch normalisation takes at least two"):
        normalised().fit(epochs=1, **KINDS[kind](singles))
    assert no_readers()
    network().fit(epochs=1, **KINDS[kind](singles))


def test_a_batch_of_one_row_may_come_anywhere_in_a_shuffled_epoch() -> None:
    batches = [(X[a:b], LABELS[a:b]) for a, b in itertools.pairwise([0, 16, 32, 48, 64, 65])]
    nn = foxnn.neural_network([6, 20, foxnn.BatchNorm(), 3], "relu", "softmax", seed=5)
    nn.fit(Batches(batches), epochs=10)
    assert nn.layers[0].norm.running_variance.min() > 0


# ---- memory-mapped files ------------------------------------------------------------------------------------

MAPPED = """
import resource, sys, numpy, foxnn
path, kind = sys.argv[1:]
width = 256
n = 150_000_000 // (width * numpy.dtype(kind).itemsize)
X = numpy.memmap(path, kind, "r", shape=(n, width))
y = numpy.arange(n) % 3
nn = foxnn.neural_network([width, 8, 3], output="softmax", seed=0)
nn.fit(X[:200], y[:200], epochs=1, validation_data=(X[:200], y[:200]))  # whatever is allocated once is by now
with open("/proc/self/status") as status:
    [data] = [int(line.split()[1]) << 10 for line in status if line.startswith("VmData")]
resource.setrlimit(resource.RLIMIT_DATA, (data + (64 << 20),) * 2)  # memory that no file is behind
try:
    numpy.ones(80 << 20, numpy.uint8)
    raise SystemExit("there is no limit")
except MemoryError:
    pass
nn.fit(X, y, epochs=1, batch_size=1000, validation_data=(X, y))
nn.evaluate(X, y)
nn.predict(X)
print("fits", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and RLIMIT_DATA")
@pytest.mark.parametrize("kind", ["uint8", "float32", "float16"])
def test_a_mapped_file_is_not_read_into_memory(kind: str, tmp_path: Any) -> None:
    """Training, evaluation and prediction of a file of 150 MB in 64 MB."""
    path = tmp_path / "X.bin"
    with open(path, "wb") as file:
        file.truncate(150_000_000)  # zeros, which take no place on the disk
    result = subprocess.run([sys.executable, "-c", MAPPED, str(path), kind], capture_output=True, text=True)
    assert (result.stdout, result.returncode) == ("fits\n", 0), result.stderr


@pytest.mark.parametrize(
    ("kind", "header"),
    [("uint8", 1), ("float32", 128), ("float64", 128), ("float32", 3), ("float16", 0), ("int16", 0), (">f4", 0)],
)
def test_a_mapped_file_trains_to_the_same_bits(kind: str, header: int, tmp_path: Any) -> None:
    """Whether its numbers are read as they are or converted batch by batch; as they are not after 3 bytes."""
    data = (X * 20 + 100).astype(kind)
    mapped = np.memmap(tmp_path / "X.bin", kind, "w+", offset=header, shape=data.shape)
    mapped[:] = data
    options: dict[str, Any] = {"epochs": 2, "batch_size": BATCH, "validation_split": 0.2, "sample_weight": WEIGHTS}
    one, other = network(), network()
    expected, found = one.fit(data, LABELS, **options), other.fit(mapped, LABELS, **options)
    assert weights(one) == weights(other)
    for epoch, same in zip(no_seconds(expected), no_seconds(found), strict=True):
        assert epoch == pytest.approx(same, rel=1e-12)
    np.testing.assert_array_equal(one.predict(data), one.predict(mapped))
    assert one.evaluate(data, LABELS) == pytest.approx(one.evaluate(mapped, LABELS), rel=1e-12)
