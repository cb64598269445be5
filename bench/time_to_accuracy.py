"""Seconds of training until a network of 784-512-512-10 gets 97 %, 98 % and 98.4 % of MNIST's test images right.

All start with the same weights, and train by turns; evaluations are not counted.
"""

from __future__ import annotations

import threads  # isort: skip  # first: the libraries look at what it sets

import sys
import time
import warnings
from typing import Any

import numpy as np

import foxnn
import peers
import settings
import tables
import timing
from problems import Parameters, Problem

TARGETS = [0.97, 0.98, 0.984]
PEERS = ["foxnn", "numpy", "torch", "jax", "sklearn"]
SIZES, BATCH, RATE = [784, 512, 512, 10], 98, 1e-3
STEPS = 204  # between evaluations: a third of an epoch
EPOCHS, SEEDS = 30, 3  # epochs at most


def measure(given: settings.Settings) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X_train, y_train, X_test, y_test = foxnn.datasets.load_mnist(download=False)
    if len(X_train) < 60_000 and not given.quick:
        sys.exit("FOXNN_DATA_DIR has to name a folder with all of MNIST")
    epochs, seeds = (1, 1) if given.quick else (EPOCHS, SEEDS)
    modules = peers.load([name for name in PEERS if given.peers is None or name in given.peers])
    X, X_test = (np.float32(images) / np.float32(255) for images in (X_train, X_test))
    runs: dict[str, list[list[float | None]]] = {name: [] for name in modules}
    for seed in range(seeds):
        print(f"seed {seed + 1} of {seeds}", flush=True)
        problem = Problem(SIZES, BATCH, "cross_entropy", X, y_train, RATE, seed)
        for name, reached in _race(modules, problem, X_test, y_test, epochs).items():
            runs[name].append(reached)
    return {"targets": TARGETS, "epochs": epochs, "seeds": seeds, "seconds": {n: _medians(r) for n, r in runs.items()}}


def _race(
    modules: dict[str, Any], problem: Problem, X: np.ndarray, y: np.ndarray, epochs: int
) -> dict[str, list[float | None]]:
    """For each peer the seconds to each target; None if it took too many epochs."""
    racing = {name: module.train(problem) for name, module in modules.items()}
    for training in [module.train(problem) for module in modules.values()]:
        training.run(STEPS)  # compiles
    seconds = dict.fromkeys(modules, 0.0)
    reached: dict[str, list[float | None]] = {name: [None] * len(TARGETS) for name in modules}
    for _ in range(epochs * problem.steps_per_epoch // STEPS):
        for name, training in list(racing.items()):
            started = time.perf_counter()
            training.run(STEPS)
            seconds[name] += time.perf_counter() - started
            accuracy = _accuracy(training.parameters(), X, y)
            reached[name] = [
                seconds[name] if known is None and accuracy >= target else known
                for known, target in zip(reached[name], TARGETS, strict=True)
            ]
            if None not in reached[name]:
                del racing[name]
    return reached


def _accuracy(parameters: Parameters, X: np.ndarray, y: np.ndarray) -> float:
    for i, (weights, bias) in enumerate(parameters):
        X = X @ weights + bias
        if i + 1 < len(parameters):
            np.maximum(X, 0, out=X)
    return float(np.mean(X.argmax(axis=1) == y))


def _medians(runs: list[list[float | None]]) -> list[float | None]:
    """For each target the median over the seeds; None if most did not reach it."""
    by_target = [[np.inf if s is None else s for s in column] for column in zip(*runs, strict=True)]
    return [m if np.isfinite(m) else None for m in map(timing.median, by_target)]


def show(result: dict[str, Any]) -> str:
    header = ["", *(f"{target:.1%}" for target in result["targets"])]
    body = [
        [peers.LABELS.get(name, name), *("not reached" if s is None else tables.duration(s) for s in seconds)]
        for name, seconds in result["seconds"].items()
    ]
    about = (
        f"Training until this share of MNIST's test images is right, {'-'.join(map(str, SIZES))}, batch {BATCH}, "
        f"looked at every {STEPS} steps; median of {tables.count(result['seeds'], 'seed')}, at most "
        f"{tables.count(result['epochs'], 'epoch')}:"
    )
    return about + "\n\n" + tables.markdown(header, body)


if __name__ == "__main__":
    print(tables.count(threads.COUNT, "thread"))
    options = settings.from_command_line(__doc__)
    settings.finish(options, measure(options), show)
