"""Promise: threads may share a network. Those who predict and the one who trains take turns; a signal or a fork at any
moment leaves a network that can be used."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.data.read_ahead import read_ahead

_random = np.random.default_rng(0)
X, LABELS = _random.normal(size=(1000, 50)).astype(np.float32), _random.integers(3, size=1000)


def network(**options: Any) -> foxnn.NeuralNetwork:
    return foxnn.neural_network(**{"sizes": [50, 64, 64, 3], "output": "softmax", "seed": 1, **options})


@contextmanager
def meanwhile(*works: Callable[[], object]) -> Iterator[None]:
    """Threads that do these things again and again during the block; what goes wrong in them comes out of it."""
    stop, errors = threading.Event(), []

    def repeat(work: Callable[[], object]) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


# ---- turns --------------------------------------------------------------------------------------------------


def test_a_training_step_waits_for_one_prediction_of_each_reader() -> None:
    nn, readers = network(), 4
    predictions = [0] * readers

    def predict(reader: int) -> None:
        nn.predict(X)
        predictions[reader] += 1

    during = []
    with meanwhile(*(lambda reader=reader: predict(reader) for reader in range(readers))):
        deadline = time.perf_counter() + 10
        while len(during) < 50 and time.perf_counter() < deadline:
            before = sum(predictions)
            nn.train_on_batch(X[:32], LABELS[:32])
            during.append(sum(predictions) - before)
    # Of some steps the thread is slow to come back, and readers go on; with nothing to stop them it was hundreds.
    assert median(during) <= 2 * readers


def test_a_prediction_waits_for_a_few_milliseconds_of_fit() -> None:
    nn, waits = network(), []
    rows = np.arange(200_000) % len(X)
    with meanwhile(lambda: nn.fit(X[rows], LABELS[rows], epochs=1, batch_size=32, verbose=False)):
        deadline = time.perf_counter() + 10
        while time.perf_counter() < deadline:
            time.sleep(0.007)  # so that the training is in the midst of it
            started = time.perf_counter()
            nn.predict(X[:100])
            waits.append(time.perf_counter() - started)
            if len(waits) >= 20 and median(waits[-20:]) < 0.012:  # which a busy machine may put off
                return
    raise AssertionError(f"a prediction waits for {median(waits):.3f} s")


# ---- signals and forks --------------------------------------------------------------------------------------


def run_fault(name: str, number: int) -> str:
    """What one of the scripts in faults/ says; they are run for longer by hand."""
    script = Path(__file__).parent / "faults" / name
    run = subprocess.run([sys.executable, str(script), str(number)], capture_output=True, text=True, timeout=600)
    return run.stdout + run.stderr


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_a_network_is_usable_after_every_interrupt() -> None:
    number = int(os.environ.get("FOXNN_INTERRUPTS", "440"))
    said = run_fault("interrupts.py", number)
    assert f"{number} interrupts, 0 left a network unusable" in said, said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_use_and_train_a_network_that_other_threads_work_with() -> None:
    number = int(os.environ.get("FOXNN_FORKS", "20"))
    said = run_fault("forks.py", number)
    assert f"{number} children, 0 of them hung or failed" in said, said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_wait_for_a_thread_that_reads_ahead() -> None:
    items = read_ahead(iter(range(100)), 2)
    next(items)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            list(items)
        except RuntimeError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(items)) == 99


#: Another thread begins an import after foxnn has seen to the fork: what was registered first is run last.
IMPORT_WHILE_FORKING = """
import os, signal, sys, threading, time
import numpy as np

class SlowToFind:
    def find_spec(self, name, path=None, target=None):
        if name == "foxnn.metrics":
            time.sleep(0.3)

def import_something():
    threading.Thread(target=lambda: __import__("foxnn.schedules"), daemon=True).start()
    time.sleep(0.2)

os.register_at_fork(before=import_something)
import foxnn

nn = foxnn.neural_network([2, 1])
early = threading.Thread(target=lambda: __import__("foxnn.metrics"), daemon=True)  # and one has begun
sys.meta_path.insert(0, SlowToFind())
early.start()
time.sleep(0.1)
child = os.fork()
if child == 0:
    signal.alarm(10)
    nn.fit(np.zeros((4, 2)), np.zeros(4), metrics=["mae"], validation_split=0.5, verbose=False)
    os._exit(0)
status = os.waitpid(child, 0)[1]
import foxnn.training.loop
print("the child's status:", status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_wait_for_a_thread_that_imports() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", IMPORT_WHILE_FORKING],  # 3.12 warns of such forks
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (run.stdout, run.stderr, run.returncode) == ("the child's status: 0\n", "", 0)


# ---- snapshots ----------------------------------------------------------------------------------------------

SIZES = [200, 300, 300, 3]
ONES = [(np.ones(shape), np.ones(shape[1])) for shape in pairwise(SIZES)]


def all_numbers(nn: foxnn.NeuralNetwork) -> set[float]:
    return {float(number) for array in nn.get_weights() for number in np.unique(array)}


READINGS: dict[str, Callable[[foxnn.NeuralNetwork, Path], tuple[set[float], float | None]]] = {
    "get_weights": lambda nn, _: (all_numbers(nn), None),
    "parameters": lambda nn, _: ({float(number) for number in np.unique(nn.parameters)}, None),
    "copy": lambda nn, _: (all_numbers(twin := nn.copy()), twin._optimizer_state.t),
    "pickle": lambda nn, _: (all_numbers(twin := pickle.loads(pickle.dumps(nn))), twin._optimizer_state.t),
    "save": lambda nn, path: (
        nn.save(path, optimizer=True),
        twin := foxnn.load(path),
        (all_numbers(twin), twin._optimizer_state.t),
    )[-1],
    "to_npz": lambda nn, path: (
        nn.to_npz(path.with_suffix(".npz")),
        (npz := np.load(path.with_suffix(".npz"))),
        ({float(n) for name in npz.files if name != "description" for n in np.unique(npz[name])}, None),
    )[-1],
}


@pytest.mark.parametrize("reading", READINGS)
def test_what_is_read_while_another_thread_trains_is_of_one_step(reading: str, tmp_path: Path) -> None:
    """Each step takes one from all parameters, so that in every step they are all the same."""
    nn = network(sizes=SIZES, init="zeros", dtype="float64", output="linear")
    nn.optimizer = foxnn.optimizers.SGD(1.0)
    nn.apply_gradients(ONES)
    with meanwhile(lambda: nn.apply_gradients(ONES)):
        deadline, seen = time.perf_counter() + 0.5, set()
        while time.perf_counter() < deadline or len(seen) < 2:
            numbers, steps = READINGS[reading](nn, tmp_path / "net.safetensors")
            assert len(numbers) == 1
            seen |= numbers
            if steps is not None:
                assert numbers == {-steps}


@pytest.mark.parametrize("writing", ["set_weights", "parameters", "copy_weights"])
def test_nobody_sees_half_of_what_is_assigned(writing: str) -> None:
    nn = network(sizes=SIZES, init=0.0)
    others = [network(sizes=SIZES, init="zeros") for _ in range(2)]
    for number, other in enumerate(others):
        other.parameters = np.full(other.n_parameters, float(number))
    given = {
        "set_weights": [other.get_weights() for other in others],
        "parameters": [other.parameters for other in others],
        "copy_weights": others,
    }[writing]

    def write() -> None:
        for value in given:
            setattr(nn, writing, value) if writing == "parameters" else getattr(nn, writing)(value)

    nn.parameters = others[0].parameters
    with meanwhile(write):
        deadline, seen = time.perf_counter() + 0.5, set()
        while time.perf_counter() < deadline or len(seen) < 2:
            numbers = all_numbers(nn)
            assert len(numbers) == 1
            seen |= numbers


def test_no_call_finds_two_networks_while_layers_come_and_go() -> None:
    said = run_fault("surgery.py", 3)
    assert " 0 of them mixed up" in said, said


def test_jacobians_are_had_while_another_thread_trains() -> None:
    nn = network()
    with meanwhile(lambda: nn.fit(X, LABELS, epochs=5, batch_size=32, verbose=False)):
        for _ in range(5):
            assert nn.jacobian(X[:2]).shape == (2, 3, 50)
            assert len(nn.layer_outputs(X)) == 3


@pytest.mark.parametrize(
    "work",
    [
        "nn.fit(X, Y, epochs=9, verbose=False)",
        "nn.train_on_batch(X, Y)",
        "nn.predict(X)",
        "nn.evaluate(X, Y)",
        "nn.apply_gradients(nn.backward(nn.forward(X)))",
        "nn.copy()",
        "nn.parameters = nn.parameters",
    ],
)
def test_python_can_be_left_while_daemon_threads_work(work: str) -> None:
    script = f"""
import threading, time, numpy as np, foxnn
X, Y = np.ones((3000, 20), np.float32), np.ones((3000, 300), np.float32)
nn = foxnn.neural_network([20, 300, 300], output="tanh")
begun = threading.Event()
def work():
    while True:
        try:
            {work}
        except RuntimeError:  # the other one trains
            continue
        begun.set()
for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
print("left")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "left\n", ""), run.stderr


def test_a_vector_of_gradients_is_of_the_layers_that_took_the_parameters() -> None:
    nn, changes = network(output="tanh"), []

    def loss(y_true: Any, y_pred: Any) -> tuple[float, Any]:
        if changes:
            nn.insert(*changes.pop())  # as another thread might, at the worst moment
        return float(((y_pred - y_true) ** 2).mean()), 2 * (y_pred - y_true) / y_pred.size

    nn.loss = loss
    zeros = np.zeros((1000, 3), np.float32)
    nn.train_on_batch(X, zeros)
    changes.append((1, 8, "tanh"))
    with pytest.raises(RuntimeError, match="another thread has changed the layers"):
        nn.loss_and_gradient(nn.parameters, X, zeros)
    assert nn.loss_and_gradient(nn.parameters, X, zeros)[1].shape == nn.parameters.shape
