"""What callbacks cost that run once an epoch: microseconds of each call, at 784-512-512-10, batch 98.

An epoch of 60,000 samples takes 613 steps there, and no callback is to take more than a hundredth of that. Files are
written while the next epoch trains; what that takes of the processor has a row of its own.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import foxnn
from foxnn._background import Background

SIZES, BATCH, SAMPLES = [784, 512, 512, 10], 98, 60_000
STEPS = -(-SAMPLES // BATCH)


class _TimedBackground(Background):
    """The same, with the processor time of its thread."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def _run(self, work) -> None:
        super()._run(work)
        self.seconds.append(time.thread_time())  # of a thread that does nothing else


class _Timed(foxnn.Callback):
    """Another callback, with the time that its `on_epoch_end` takes."""

    def __init__(self, callback: foxnn.Callback) -> None:
        self.callback, self.seconds = callback, []
        self.on_train_begin, self.on_train_end = callback.on_train_begin, callback.on_train_end
        self.on_progress = callback.on_progress

    def on_epoch_end(self, network, epoch, values) -> None:
        started = time.perf_counter()
        self.callback.on_epoch_end(network, epoch, values)
        self.seconds.append(time.perf_counter() - started)


def measure(epochs: int = 20) -> dict[str, float]:
    """Median seconds of `on_epoch_end` of each callback, and of a training step."""
    network = foxnn.neural_network(SIZES, activation="relu", output="softmax", seed=0)
    rng = np.random.default_rng(0)
    steps = 40  # which take longer than a file
    X, y = rng.random((steps * BATCH, SIZES[0]), np.float32), rng.integers(SIZES[-1], size=steps * BATCH)
    with tempfile.TemporaryDirectory() as folder:
        keep = foxnn.callbacks.ModelCheckpoint(Path(folder) / "net.safetensors")
        keep._writing = writing = _TimedBackground()
        callbacks = {
            "EarlyStopping, every epoch the best": foxnn.EarlyStopping("loss", patience=epochs),
            "CSVLogger": foxnn.callbacks.CSVLogger(Path(folder) / "log.csv"),
            "LambdaCallback": foxnn.callbacks.LambdaCallback(on_epoch_end=lambda *_: None),
            "ModelCheckpoint (3 MB)": keep,
        }
        timed = {name: _Timed(callback) for name, callback in callbacks.items()}
        history = network.fit(X, y, epochs=epochs, batch_size=BATCH, callbacks=timed.values(), verbose=False)
    seconds = {name: statistics.median(callback.seconds) for name, callback in timed.items()}
    seconds["... and its thread, processor time"] = statistics.median(writing.seconds)
    return {**seconds, "step": statistics.median(history["seconds"]) / steps}


def show(seconds: dict[str, float]) -> list[list[str]]:
    """Rows of a table: each callback, its time, and its share of an epoch."""
    epoch = seconds["step"] * STEPS
    return [[name, f"{s * 1e6:.0f} us", f"{s / epoch:.3%}"] for name, s in seconds.items() if name != "step"]


if __name__ == "__main__":
    for row in show(measure()):
        print("  ".join(row))
