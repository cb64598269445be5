"""Promise: it behaves. Ctrl-C, divergence, threads, fork and neighbours with threads of their own leave a usable
network; callbacks, early stopping and progress do what they say."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest
from numpy_reference import Network, Optimizer

import foxnn

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

_random = np.random.default_rng(0)
X, LABELS = _random.normal(size=(200, 10)), _random.integers(3, size=200)


def network(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network(**{"sizes": [10, 16, 3], "output": "softmax", "seed": 1, **options})


def same(one: foxnn.NeuralNetwork, other: foxnn.NeuralNetwork) -> bool:
    return all(
        np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias)
        for a, b in zip(one.layers, other.layers, strict=True)
    )


def finite(nn: foxnn.NeuralNetwork) -> bool:
    return all(np.isfinite(layer.weights).all() and np.isfinite(layer.bias).all() for layer in nn.layers)


def run_script(script: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


# ---- Ctrl-C -------------------------------------------------------------------------------------------------

INTERRUPTED = """
import signal, sys, numpy, foxnn
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
n, size = int(sys.argv[1]), int(sys.argv[2])
X, y = numpy.zeros((n, size), numpy.float32), numpy.arange(n) % 10
nn = foxnn.neural_network([size, 10 * size, 10], output="softmax", seed=0)
finished = []
class Tell(foxnn.Callback):
    def on_epoch_end(self, network, epoch, values):
        finished.append(values["loss"])
    def on_progress(self, network, epoch, done, values):
        print("going on", flush=True)
try:
    nn.fit(X, y, epochs=10**6, callbacks=[Tell()])
except KeyboardInterrupt:
    assert all(numpy.isfinite(layer.weights).all() for layer in nn.layers)
    assert [epoch["loss"] for epoch in nn.history.epochs] == finished
    assert numpy.isfinite(nn.predict(X[:100])).all()
    nn.fit(X[:100], y[:100], epochs=1)
    print("usable after", len(finished))
"""


@posix_only
@pytest.mark.parametrize(("n", "size", "epochs"), [(500, 10, "many"), (300_000, 100, "none")])
def test_ctrl_c(n: int, size: int, epochs: str) -> None:
    """During short epochs, and in the middle of a long one."""
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(n), str(size)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _ in range(2):
            assert process.stdout is not None
            assert process.stdout.readline() == "going on\n"
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert time.monotonic() - sent < 5
    assert process.returncode == 0, errors
    *_, last = output.splitlines()
    assert last.startswith("usable after ")
    finished = int(last.split()[-1])
    assert finished >= 1 if epochs == "many" else finished == 0


# ---- divergence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
def test_divergence_keeps_the_last_finite_weights(optimizer: str) -> None:
    """The weights before the step whose loss is not finite, as a plain reference has them."""
    T = X[:, :3]
    nn = network(activation="linear", output="linear", dtype="float64")
    reference, follow = Network(nn), Optimizer(optimizer, 10.0)
    steps = 0
    with np.errstate(over="ignore", invalid="ignore"):
        while np.isfinite(reference.losses(X, T)).all():
            follow.step(reference.parameters, reference.gradients(X, T, np.ones(len(X))))
            steps += 1
    assert steps > 3
    assert all(np.isfinite(array).all() for array in reference.parameters)
    with pytest.raises(foxnn.DivergenceError, match="learning rate 10"):
        nn.fit(X, T, epochs=1000, batch_size=len(X), optimizer=optimizer, learning_rate=10.0, shuffle=False)
    assert len(nn.history["loss"]) == steps
    for layer, W, b in zip(nn.layers, reference.W, reference.b, strict=True):
        np.testing.assert_allclose(layer.weights, W, rtol=1e-6)
        np.testing.assert_allclose(layer.bias, b, rtol=1e-6)
    assert nn.history["loss"][-1] > nn.history["loss"][0]


@pytest.mark.parametrize(("dtype", "x", "t"), [("float32", 1e25, 1e15), ("float64", 1e160, 1e150)])
@pytest.mark.parametrize("optimizer", foxnn.optimizers.names())
def test_updates_that_are_not_finite_are_not_made(optimizer: str, dtype: str, x: float, t: float) -> None:
    """The loss is finite and so are the gradients of biases, but those of weights are not."""
    nn = foxnn.neural_network([2, 3], output="linear", init="zeros", dtype=dtype)
    reference, follow = Network(nn), Optimizer(optimizer, 0.1)
    with pytest.raises(foxnn.DivergenceError, match="update"):
        nn.fit([[x, x]], [[t, t, t]], optimizer=optimizer, learning_rate=0.1)
    assert len(nn.history["loss"] if nn.history else []) == 0
    assert not nn.layers[0].weights.any()
    follow.step(reference.b, [np.full(3, -t)])
    np.testing.assert_allclose(nn.layers[0].bias, reference.b[0], rtol=1e-6)
    nn.fit(X[:, :2], X[:, :3], optimizer=optimizer, epochs=2, learning_rate=1e-3)
    assert finite(nn)


def test_after_divergence_training_can_go_on() -> None:
    T = X[:, :3]
    nn = network(output="linear", activation="linear")
    events = []

    class Last(foxnn.Callback):
        def on_train_end(self, network: foxnn.NeuralNetwork) -> None:
            events.append("end")

    with pytest.raises(foxnn.DivergenceError):
        nn.fit(X, T, epochs=1000, optimizer="sgd", learning_rate=100.0, callbacks=[Last()])
    assert events == ["end"]
    assert finite(nn)
    assert issubclass(foxnn.DivergenceError, ArithmeticError)
    with pytest.raises(foxnn.DivergenceError):
        nn.loss_and_gradients(X, T * 1e38)
    for layer in nn.layers:
        layer.weights = layer.bias = 0.1
    assert nn.fit(X, T, epochs=20, optimizer="adam", learning_rate=0.01)["loss"][-1] < 1


def test_early_stopping_brings_the_best_weights_back_after_divergence() -> None:
    T = X[:, :3]
    nn = network(output="linear", activation="linear", dtype="float64")
    best = nn.copy()
    best.fit(X, T, epochs=1, optimizer="sgd", learning_rate=10.0, shuffle=False, batch_size=200)
    stop = foxnn.EarlyStopping(patience=10**6)
    with pytest.raises(foxnn.DivergenceError):
        nn.fit(
            X, T, epochs=1000, optimizer="sgd", learning_rate=10.0, shuffle=False, batch_size=200, callbacks=[stop]
        )  # fmt: skip
    assert stop.best_epoch == 0
    assert same(nn, best)


# ---- threads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[10, 16, 3], [10, 400, 300, 3]])
def test_concurrent_predictions(sizes: list[int]) -> None:
    nn, outputs, errors = network(sizes=sizes), {}, []
    data = np.tile(X, (3, 1)).astype(np.float32)
    expected = nn.predict(data)

    def work(number: int) -> None:
        try:
            outputs[number] = [nn.predict(data) for _ in range(5)] + [
                np.concatenate([nn.predict(data[i : i + 1]) for i in range(len(data))])
            ]
        except BaseException as error:  # seen by the main thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert len(outputs) == 8
    assert all(np.array_equal(output, expected) for found in outputs.values() for output in found)


class Waiting(foxnn.Callback):
    """Holds training up after its first epoch until it is told to go on."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_epoch_end(self, network: foxnn.NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        self.reached.set()
        assert self.go_on.wait(60)


def test_concurrent_training_of_one_network_raises() -> None:
    nn, expected, waiting = network(), network(), Waiting()
    thread = threading.Thread(target=lambda: nn.fit(X, LABELS, epochs=3, callbacks=[waiting]))
    thread.start()
    assert waiting.reached.wait(60)
    for attempt in (
        lambda: nn.fit(X, LABELS, optimizer="sgd"),
        lambda: nn.partial_fit(X, LABELS),
        lambda: nn.train_on_batch(X, LABELS),
    ):
        with pytest.raises(RuntimeError, match="being trained"):
            attempt()
    assert nn.predict(X).shape == (200, 3)  # this is allowed
    waiting.go_on.set()
    thread.join(60)
    expected.fit(X, LABELS, epochs=3)
    assert same(nn, expected)
    nn.fit(X, LABELS, epochs=1)


def test_concurrent_training_of_several_networks() -> None:
    nets = [network(seed=seed, sizes=[10, 100, 100, 3], dropout=0.2) for seed in range(6)]
    threads = [threading.Thread(target=lambda nn=nn: nn.fit(X, LABELS, epochs=5, batch_size=100)) for nn in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed, nn in enumerate(nets):
        expected = network(seed=seed, sizes=[10, 100, 100, 3], dropout=0.2)
        expected.fit(X, LABELS, epochs=5, batch_size=100)
        assert same(nn, expected)


def test_predictions_during_training() -> None:
    nn, stop, seen = network(sizes=[10, 200, 3]), threading.Event(), []

    def watch() -> None:
        while not stop.is_set():
            seen.append(bool(np.isfinite(nn.predict(X)).all() and np.isfinite(nn.layers[0].weights).all()))

    thread = threading.Thread(target=watch)
    thread.start()
    nn.fit(X, LABELS, epochs=100)
    stop.set()
    thread.join(60)
    assert seen
    assert all(seen)


@pytest.mark.parametrize("work", ["fit", "predict", "evaluate", "train_on_batch"])
def test_other_threads_go_on_meanwhile(work: str) -> None:
    """The GIL is released: another thread gets through many steps while a single call computes, on one core, so that
    the other thread has one too."""
    n = 30_000
    nn = network(sizes=[300, 300, 3], n_threads=1)
    data, labels = np.ones((n, 300), np.float32), np.zeros(n, int)
    calls = {
        "fit": lambda: nn.fit(data, labels, epochs=1),
        "predict": lambda: nn.predict(data),
        "evaluate": lambda: nn.evaluate(data, labels),
        "train_on_batch": lambda: nn.train_on_batch(data, labels),
    }
    stop, steps = threading.Event(), [0]

    def count() -> None:
        while not stop.is_set():
            steps[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = steps[0]
        calls[work]()
        meanwhile = steps[0] - before
    finally:
        stop.set()
        thread.join(60)
    assert meanwhile > 20


FORK = """
import os, numpy, foxnn
foxnn.set_num_threads(2)
X, y = numpy.random.default_rng(0).normal(size=(2000, 64)).astype("float32"), numpy.arange(2000) % 10
nn = foxnn.neural_network([64, 128, 10], output="softmax", seed=0)
nn.fit(X, y, epochs=1, batch_size=200)  # with two threads
outputs = nn.predict(X)
twin = nn.copy()
"""


@needs_fork
def test_after_fork_the_child_works() -> None:
    run_script(
        FORK
        + """
child = os.fork()
if child == 0:
    try:
        assert foxnn.get_num_threads() >= 1
        assert (nn.predict(X) == outputs).all()
        nn.fit(X, y, epochs=1, batch_size=200)
        twin.fit(X, y, epochs=1, batch_size=200, callbacks=())
        assert (nn.predict(X) == twin.predict(X)).all()
        if os.fork() == 0:  # and its own child, too
            os._exit(0 if (nn.predict(X) == twin.predict(X)).all() else 1)
        assert os.wait()[1] == 0
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0
nn.fit(X, y, epochs=1, batch_size=200)  # the parent goes on, with its threads
assert foxnn.get_num_threads() == 2
"""
    )


@needs_fork
def test_multiprocessing_with_fork() -> None:
    script = """
import multiprocessing
def work(seed):
    other = foxnn.neural_network([64, 128, 10], output="softmax", seed=seed)
    other.fit(X, y, epochs=1, batch_size=200)
    return float(nn.predict(X).sum()), other.history["loss"]
with multiprocessing.get_context("fork").Pool(2) as pool:
    results = pool.map(work, range(4))
assert results == [work(seed) for seed in range(4)]
"""
    run_script(FORK + script)


def test_limits_of_threadpoolctl() -> None:
    pytest.importorskip("threadpoolctl")
    script = """
import threadpoolctl, foxnn
foxnn.set_num_threads(2)
with threadpoolctl.threadpool_limits(1):
    print(foxnn.get_num_threads())
print(foxnn.get_num_threads())
foxnn.set_num_threads(None)
with threadpoolctl.threadpool_limits(1, user_api="openmp"):
    print(foxnn.get_num_threads())
"""
    assert run_script(script, OMP_NUM_THREADS="2").split() == ["1", "2", "1"]


@pytest.mark.parametrize("n", [1, 3])
def test_omp_num_threads(n: int) -> None:
    assert run_script("import foxnn; print(foxnn.get_num_threads())", OMP_NUM_THREADS=str(n)) == str(n)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
def test_cpu_affinity() -> None:
    script = """
import os
os.environ.pop("OMP_NUM_THREADS", None)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import foxnn
print(foxnn.get_num_threads())
"""
    assert run_script(script) == "1"


def test_num_threads() -> None:
    default = foxnn.get_num_threads()
    with foxnn.num_threads(3):
        assert foxnn.get_num_threads() == 3
        with foxnn.num_threads(1):
            assert foxnn.get_num_threads() == 1
        assert foxnn.get_num_threads() == 3
        with pytest.raises(KeyError), foxnn.num_threads(2):
            raise KeyError
        assert foxnn.get_num_threads() == 3
    assert foxnn.get_num_threads() == default


# ---- history and callbacks ----------------------------------------------------------------------------------


class Recorder(foxnn.Callback):
    def __init__(self, events: list[Any], name: str = "") -> None:
        self.events, self.name = events, name

    def on_train_begin(self, network: Any, epochs: int, n_samples: int) -> None:
        self.events.append((self.name, "begin", epochs, n_samples))

    def on_epoch_begin(self, network: Any, epoch: int) -> None:
        self.events.append((self.name, "epoch", epoch))

    def on_progress(self, network: Any, epoch: int, done: int, values: dict[str, float]) -> None:
        self.events.append((self.name, "progress", epoch, done))

    def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
        self.events.append((self.name, "epoch end", epoch, dict(values)))
        assert network.history.epochs[epoch] == values

    def on_train_end(self, network: Any) -> None:
        self.events.append((self.name, "end"))


def test_order_of_callbacks() -> None:
    events: list[Any] = []
    nn = network()
    history = nn.fit(X, LABELS, epochs=2, callbacks=[Recorder(events, "a"), Recorder(events, "b")])
    assert [event[0] for event in events] == ["a", "b"] * (len(events) // 2)
    own = [event[1:] for event in events if event[0] == "a"]
    assert own[0] == ("begin", 2, 200)
    assert own[-1] == ("end",)
    kinds = [event[0] for event in own if event[0] != "progress"]
    assert kinds == ["begin", "epoch", "epoch end", "epoch", "epoch end", "end"]
    assert [event[2] for event in own if event[0] == "progress"][-1] == 200
    assert history.epochs == [event[2] for event in own if event[0] == "epoch end"]


@pytest.mark.parametrize("where", ["on_train_begin", "on_epoch_begin", "on_progress", "on_epoch_end", "on_train_end"])
def test_an_error_in_a_callback_is_the_users(where: str) -> None:
    class Failing(foxnn.Callback):
        pass

    def fail(*_: Any) -> None:
        raise KeyError("mine")

    setattr(Failing, where, fail)
    nn, events = network(), []
    stop = foxnn.EarlyStopping()
    with pytest.raises(KeyError, match="mine"):
        nn.fit(X, LABELS, epochs=2, callbacks=[Recorder(events), Failing(), stop])
    assert events[-1] == ("", "end")
    assert finite(nn)
    nn.fit(X, LABELS, epochs=1)  # it is not thought to be in training still


def test_callbacks_may_look_and_stop_but_not_train() -> None:
    found: list[Any] = []

    class Curious(foxnn.Callback):
        def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
            found.append(network.evaluate(X, LABELS)["loss"])
            found.append(network.copy().predict(X).shape)
            with pytest.raises(RuntimeError):
                network.fit(X, LABELS)
            if epoch == 1:
                network.stop_training = True

    nn = network()
    history = nn.fit(X, LABELS, epochs=10, callbacks=[Curious()], validation_data=(X, LABELS))
    assert len(history["loss"]) == 2
    assert found[0] == history["val_loss"][0]
    assert len(nn.fit(X, LABELS, epochs=3)["loss"]) == 3  # it was for that training only


def test_history() -> None:
    nn = network()
    history = nn.fit(X, LABELS, epochs=3)
    assert history is nn.history
    assert list(history) == ["loss", "accuracy", "seconds"]
    assert len(history) == 3
    assert dict(history)["loss"] == history["loss"] == [epoch["loss"] for epoch in history.epochs]
    assert all(isinstance(value, float) for epoch in history.epochs for value in epoch.values())
    assert min(history["seconds"]) > 0
    assert "3 epochs" in repr(history)
    with pytest.raises(KeyError, match="loss, accuracy, seconds"):
        history["val_loss"]
    assert "accuracy" not in nn.copy().fit(X, X[:, :3] ** 2 / 9, epochs=1) or nn.loss == "cross_entropy"
    regression = network(output="linear")
    assert list(regression.fit(X, X[:, :3], epochs=1, validation_data=(X, X[:, :3]))) == [
        "loss", "val_loss", "seconds",
    ]  # fmt: skip


class Script(foxnn.Callback):
    """Pretends that an epoch's values were others."""

    def __init__(self, name: str, values: list[float]) -> None:
        self.name, self.values, self.weights = name, values, []

    def on_epoch_end(self, network: Any, epoch: int, values: dict[str, float]) -> None:
        values[self.name] = self.values[epoch]
        self.weights.append(network.copy())


@pytest.mark.parametrize(
    ("monitor", "options", "values", "epochs", "best"),
    [
        (None, {"patience": 2}, [5, 4, 4.5, 4.4, 1], 4, 1),
        (None, {"patience": 2}, [5, 4, 3, 2, 1], 5, 4),
        (None, {"patience": 1}, [5, 5, 1, 1, 1], 2, 0),
        (None, {"patience": 2, "min_delta": 1.5}, [5, 4, 3, 2.9, 2.8], 5, 2),
        ("accuracy", {"patience": 2}, [0.5, 0.6, 0.6, 0.55, 0.9], 4, 1),
        ("val_accuracy", {"patience": 3}, [0.5, 0.6, 0.5, 0.5, 0.7], 5, 4),
        ("loss", {"patience": 2}, [3, float("nan"), 2.5, 2.6, 2.7], 5, 2),
        ("loss", {"patience": 2}, [float("nan")] * 5, 5, 4),
    ],
)
def test_early_stopping(monitor: Any, options: dict[str, Any], values: list[float], epochs: int, best: int) -> None:
    script = Script(monitor or "val_loss", values)
    stop = foxnn.EarlyStopping(monitor, **options)
    nn = network()
    history = nn.fit(X, LABELS, epochs=5, validation_data=(X, LABELS), callbacks=[script, stop])
    assert len(history["loss"]) == epochs
    assert stop.best_epoch == best
    assert stop.best == values[best] or values[best] != values[best]
    assert same(nn, script.weights[best])
    keep = foxnn.EarlyStopping(monitor, restore_best=False, **options)
    other = network()
    other.fit(X, LABELS, epochs=5, validation_data=(X, LABELS), callbacks=[Script(script.name, values), keep])
    assert same(other, script.weights[epochs - 1])


def test_early_stopping_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"monitor: got 'val_loss'.*loss, accuracy"):
        network().fit(X, LABELS, callbacks=[foxnn.EarlyStopping("val_loss")])


def test_validation_split() -> None:
    """The same samples for the same seed, others for another; none of them is trained on."""
    nets = [network(seed=seed) for seed in (1, 1, 2)]
    for nn in nets:
        nn.fit(X, LABELS, epochs=2, validation_split=0.25)
    first, again, another = (nn.history["val_loss"] for nn in nets)
    assert first == again != another
    nn = network(init="zeros", activation="linear", output="linear", sizes=[200, 3])
    nn.fit(np.eye(200), np.ones((200, 3)), epochs=3, validation_split=0.25)
    assert (nn.layers[0].weights == 0).all(axis=1).sum() == 50


# ---- progress -----------------------------------------------------------------------------------------------


def test_progress_is_silent_where_no_one_looks(capsys: pytest.CaptureFixture[str]) -> None:
    network().fit(X, LABELS, epochs=2)
    network().fit(X, LABELS, epochs=2, verbose=False)
    assert capsys.readouterr() == ("", "")


def test_progress_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    network().fit(X, LABELS, epochs=2, verbose=True, validation_data=(X, LABELS))
    out, err = capsys.readouterr()
    assert out == ""
    for part in ("epoch 2/2", "100%", "400/400", "samples", "loss=", "accuracy=", "val_loss=", "val_accuracy="):
        assert part in err, part


@posix_only
@pytest.mark.parametrize(("verbose", "shown"), [("'auto'", True), ("False", False)])
def test_progress_in_a_terminal(verbose: str, shown: bool) -> None:
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 120, 0, 0))
    script = f"""
import foxnn
nn = foxnn.neural_network([1, 1])
nn.fit([1, 2, 3], [0, 0.5, 1], epochs=2, verbose={verbose})
"""
    run = subprocess.run([sys.executable, "-c", script], stdout=theirs, stderr=theirs, timeout=60, check=False)
    os.write(theirs, b"END")
    text = b""
    while b"END" not in text:
        text += os.read(ours, 1000)
    os.close(ours)
    os.close(theirs)
    assert run.returncode == 0, text.decode()
    assert (b"epoch 2/2" in text) == shown
    assert shown or text == b"END"
