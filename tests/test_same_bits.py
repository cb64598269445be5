"""Promise: the same bits. Same seed and data give bit-identical networks, whatever the number of threads,
the batches of a prediction, the instruction set (if it fuses multiply-adds), pauses, or a copy in between."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_reference import one_hot

import foxnn

THREADS = (1, 2, 3, 8)
SETS = foxnn._core.config()["available"]


def fingerprint(nn: foxnn.NeuralNetwork) -> str:
    """Changes with any bit of any weight, bias or value of the history (the time taken left out)."""
    values = [(name, nn.history[name]) for name in nn.history if name != "seconds"]
    parameters = [array.tobytes() for array in nn.get_weights()]
    return hashlib.sha256(b"".join(parameters) + repr(values).encode()).hexdigest()


class Case:
    """A random network, its data and the way it is trained."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        pick = lambda *options: options[random.integers(len(options))]  # noqa: E731
        sizes = [int(n) for n in random.integers(1, pick(40, 160), random.integers(3, 5))]
        self.output, self.loss = pick(
            ("softmax", "cross_entropy"),
            ("sigmoid", "binary_cross_entropy"),
            ("exp", "poisson"),
            ("softplus", "poisson"),
            ("softmax", "mean_squared_error"),
            ("linear", "huber"),
            ("linear", "mean_absolute_error"),
            ("arctan", "half_squared_error"),
        )
        names = [name for name in foxnn.activations.names() if name not in ("softmax", "exp", "threshold")]
        self.options: dict[str, Any] = {
            "sizes": sizes,
            "activation": [str(name) for name in random.choice(names, len(sizes) - 2)],
            "output": self.output,
            "loss": self.loss,
            "dtype": pick("float32", "float64"),
            "dropout": pick(0.0, 0.3),
            "seed": seed,
        }
        more = np.random.default_rng([seed, 1])  # of its own, so that what it draws leaves the rest as it is
        maybe = lambda value: value if more.random() < 0.4 else None  # noqa: E731
        regularisers = {
            "input_noise": maybe(0.1),
            "input_dropout": maybe(0.2),
            "l1": maybe(1e-4),
            "l2": maybe(1e-3),
            "max_norm": maybe(0.5),
        }
        self.options |= {name: value for name, value in regularisers.items() if value is not None}
        if "cross_entropy" in self.loss and maybe(True):
            self.options["loss"] = foxnn.Loss(self.loss, label_smoothing=0.1)
        norms = [foxnn.BatchNorm(), foxnn.LayerNorm(), None]
        placed = [norms[more.integers(3)] if maybe(True) else None for _ in sizes[1:-1]]
        hidden = [part for pair in zip(sizes[1:-1], placed, strict=True) for part in pair if part]
        self.options["sizes"] = [sizes[0], *hidden, sizes[-1]]
        clip = [{}, {}, {"clip_value": 1e-3}, {"clip_norm": 0.1}][more.integers(4)]
        n = int(random.integers(100, 400))
        self.X = pick(
            lambda: random.normal(size=(n, sizes[0])),
            lambda: random.normal(size=(n, sizes[0])).astype(np.float32),
            lambda: random.integers(0, 256, (n, sizes[0]), dtype=np.uint8),
        )()
        labels = random.integers(sizes[-1], size=n)
        self.y = labels if self.loss == "cross_entropy" and sizes[-1] > 1 else one_hot(labels, sizes[-1])
        self.fit_options: dict[str, Any] = {
            "epochs": 2,
            "batch_size": max(2, int(random.integers(1, 200))) if seed % 4 else n + 1,
            "optimizer": foxnn.optimizers.get(pick(*foxnn.optimizers.names()), 1e-3, **clip),
            "sample_weight": pick(None, random.uniform(0, 2, n)),
            "shuffle": pick(True, True, False),
            "validation_split": pick(0.0, 0.2),
        }

    def network(self) -> foxnn.NeuralNetwork:
        return foxnn.neural_network(**self.options)

    def trained(self) -> foxnn.NeuralNetwork:
        nn = self.network()
        nn.fit(self.X, self.y, **self.fit_options)
        return nn

    def __repr__(self) -> str:
        return f"{self.options} {self.fit_options} X: {self.X.dtype} {self.X.shape}"


@pytest.mark.parametrize("seed", range(30))
def test_any_number_of_threads(seed: int) -> None:
    case = Case(seed)
    prints, outputs = set(), set()
    for threads in THREADS:
        with foxnn.num_threads(threads):
            nn = case.trained()
            prints.add(fingerprint(nn))
            outputs.add(nn.predict(case.X).tobytes() + repr(nn.evaluate(case.X, case.y)).encode())
    nn = foxnn.neural_network(**case.options, n_threads=5)
    nn.fit(case.X, case.y, **case.fit_options)
    assert prints == {fingerprint(nn)}, case
    assert len(outputs) == 1, case


def test_many_threads_are_at_work() -> None:
    """So that the other tests have something to find: threads of the process, before and after training."""
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("needs Linux's /proc to count threads")
    script = """
import os, sys, numpy, foxnn
count = lambda: len(os.listdir("/proc/self/task"))
before = count()
with foxnn.num_threads(int(sys.argv[1])):
    nn = foxnn.neural_network([128, 128, 10], seed=0)
    X = numpy.ones((1000, 128), numpy.float32)
    if sys.argv[2] == "fit":
        nn.fit(X, numpy.zeros(1000, int), epochs=1, batch_size=64)
    else:
        nn.predict(X)
print(count() - before)
"""
    for threads in THREADS:
        for work in ("fit", "predict"):
            run = subprocess.run(
                [sys.executable, "-c", script, str(threads), work], capture_output=True, text=True, timeout=60
            )
            assert run.returncode == 0, run.stderr
            assert int(run.stdout) == threads - 1, work


def test_gradients_for_any_number_of_threads() -> None:
    random = np.random.default_rng(0)
    nn = foxnn.neural_network([150, 130, 70], activation="gelu", output="softmax", seed=1)
    X, y = random.normal(size=(500, 150)), random.integers(70, size=500)
    found = set()
    for threads in THREADS:
        with foxnn.num_threads(threads):
            loss, gradients = nn.loss_and_gradients(X, y)
        found.add((loss, *(part.tobytes() for pair in gradients for part in pair)))
    assert len(found) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("norms", [[], [foxnn.BatchNorm()]])
def test_inputs_cut_into_tiles(norms: list[Any], dtype: str) -> None:
    """Those of large batches are, but not once there has been an even larger one. It must not show."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(1100, 37)).astype(dtype), random.integers(10, size=1100)
    found = set()
    for threads in THREADS:
        for larger_before in (False, True):
            nn = foxnn.neural_network([37, 261, *norms, 300, 10], dropout=0.2, dtype=dtype, seed=1)
            with foxnn.num_threads(threads):
                if larger_before:
                    nn.loss_and_gradients(X, y)
                nn.fit(X[:500], y[:500], epochs=2, batch_size=180)
            found.add(fingerprint(nn))
    assert len(found) == 1


@pytest.mark.parametrize("seed", range(100, 120))
def test_predictions_of_any_number_of_rows(seed: int) -> None:
    case = Case(seed)
    nn, X = case.network(), case.X
    for layer in nn.layers:
        layer.bias = np.random.default_rng(seed).normal(size=layer.n_out)
    if X.dtype == np.uint8:
        X = X.astype(case.options["dtype"]) / 255
    whole = nn.predict(X)
    with foxnn.num_threads(1):
        assert np.array_equal(np.concatenate([nn.predict(X[i : i + 1]) for i in range(len(X))]), whole)
        if X.shape[1] > 1:
            assert np.array_equal(np.stack([nn(row) for row in X]), whole)
    for block in (2, 3, 7, 16, 95, 96, 97, 200):
        parts = [nn.predict(X[i : i + block]) for i in range(0, len(X), block)]
        assert np.array_equal(np.concatenate(parts), whole), block
    for threads in THREADS:
        with foxnn.num_threads(threads):
            assert np.array_equal(nn.predict(np.concatenate([X] * 4)), np.concatenate([whole] * 4))


# ---- instruction sets: this file, run as a script, trains and writes down what came out ------------------


def weights_of_cases(seeds: range) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for seed in seeds:
        case = Case(seed)
        nn = case.trained()
        for index, layer in enumerate(nn.layers):
            results[f"{seed} {index} weights"], results[f"{seed} {index} bias"] = layer.weights, layer.bias
        results[f"{seed} outputs"] = nn.predict(case.X)
        results[f"{seed} loss"] = np.array(nn.history["loss"])
    return results


@pytest.fixture(scope="module")
def by_instruction_set(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    results = {}
    for name in SETS:
        path = tmp_path_factory.mktemp("sets") / f"{name}.npz"
        run = subprocess.run(
            [sys.executable, __file__, str(path)],
            env={**os.environ, "FOXNN_ISA": name},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr
        with np.load(path) as arrays:
            results[name] = dict(arrays)
    return results


def test_instruction_sets_with_fused_multiply_adds(by_instruction_set: dict[str, dict[str, Any]]) -> None:
    fused = [result for name, result in by_instruction_set.items() if name != "baseline"]
    for result in fused[1:]:
        for name, values in result.items():
            assert values.tobytes() == fused[0][name].tobytes(), name


def test_baseline_is_close(by_instruction_set: dict[str, dict[str, Any]]) -> None:
    first, *others = by_instruction_set.values()
    for result in others:
        for name, values in result.items():
            single = result[f"{name.split()[0]} outputs"].dtype == np.float32
            tolerance = 5e-3 if single else 1e-9
            assert np.abs(values - first[name]).max() <= tolerance * max(1, np.abs(first[name]).max()), name


def test_an_instruction_set_that_is_not_there_is_an_error() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import foxnn"],
        env={**os.environ, "FOXNN_ISA": "mmx"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert "'mmx'" in run.stderr
    assert all(name in run.stderr for name in SETS)


# ---- the same training, gone about in other ways --------------------------------------------------------


@pytest.mark.parametrize("seed", range(200, 212))
def test_a_copy_goes_on_with_the_same_bits(seed: int) -> None:
    case = Case(seed)
    nn = case.trained()
    others = [nn.copy(), pickle.loads(pickle.dumps(nn))]
    for network in (nn, *others):
        network.fit(case.X, case.y, **case.fit_options)
    assert {fingerprint(other) for other in others} == {fingerprint(nn)}


@pytest.mark.parametrize("seed", range(300, 312))
def test_two_fits_of_one_epoch_are_one_fit_of_two(seed: int) -> None:
    case = Case(seed)
    once, twice = case.trained(), case.network()
    losses = []
    for _ in range(2):
        losses += twice.fit(case.X, case.y, **{**case.fit_options, "epochs": 1})["loss"]
    assert losses == once.history["loss"]
    once.history = twice.history
    assert fingerprint(once) == fingerprint(twice)


@pytest.mark.parametrize("seed", range(400, 412))
def test_pauses_change_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python takes over after every single step instead of twenty times a second."""
    case = Case(seed)
    expected = case.trained()
    monkeypatch.setattr("foxnn.training.loop.CHUNK_SECONDS", 1e-9)
    assert fingerprint(case.trained()) == fingerprint(expected)


def test_a_seed_is_everything() -> None:
    for seed in range(3):
        case = Case(seed)
        case.options |= {"seed": None, "dropout": 0.5}
        first = case.trained()
        case.options["seed"] = first.seed
        assert fingerprint(case.trained()) == fingerprint(first)
        case.options["seed"] = first.seed + 1
        assert fingerprint(case.trained()) != fingerprint(first)


if __name__ == "__main__":
    np.savez(sys.argv[1], **weights_of_cases(range(500, 530)))
