"""Promise: threads may share a network. Those who predict and the one who trains take turns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import numpy as np

import foxnn

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
