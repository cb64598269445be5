"""Promise: what FoxNN 1.0 could do works, under its names, on its files, with its numbers; its mistakes do not."""

from __future__ import annotations

import copy
import doctest
import itertools
import json
import os
import re
import signal
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foxnn
from foxnn.foxnn_1_0.settings import NAMES

FILES = Path(__file__).parent / "data" / "foxnn_1_0"
VECTORS = json.loads((FILES / "vectors.json").read_text())
ACTIVATIONS = ["sigmoid", "sinusoid", "gaussian", "relu", "identity_x", "tan_h", "arctan", "elu"]


def parameters(nn: foxnn.NeuralNetwork) -> list[Any]:
    return [part for layer in nn.layers for part in (layer.weights, layer.bias)]


def same(a: foxnn.NeuralNetwork, b: foxnn.NeuralNetwork) -> bool:
    pairs = zip(parameters(a), parameters(b), strict=True)
    return a.dtype == b.dtype and all(np.array_equal(p, q) for p, q in pairs)


def furthest(a: foxnn.NeuralNetwork, b: foxnn.NeuralNetwork) -> float:
    return float(max(np.abs(p - q).max() for p, q in zip(parameters(a), parameters(b), strict=True)))


def rows(inputs: Any, out: Any, **options: Any) -> foxnn.train_data:
    data = foxnn.train_data(**options)
    data.add_data(inputs, out)
    return data


def xor() -> foxnn.train_data:
    return rows([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]])


def random_data(n: int, n_in: int, n_out: int) -> foxnn.train_data:
    random = np.random.default_rng(3)
    return rows(random.normal(size=(n, n_in)), random.uniform(0.1, 0.9, (n, n_out)))


# ---- what it computed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS["networks"], ids=lambda v: v["file"])
@pytest.mark.parametrize("kind", ["txt", "safetensors"])
def test_outputs_of_its_networks(vector: dict[str, Any], kind: str, tmp_path: Path) -> None:
    nn = foxnn.load(FILES / vector["file"])
    if kind == "safetensors":
        nn.save(tmp_path / "net.safetensors")
        nn = foxnn.load(tmp_path / "net.safetensors")
    assert nn.dtype == np.float64
    assert nn.sizes == vector["sizes"]
    layers = [nn.get_layer(i) for i in range(len(nn.layers))]
    assert [layer.get_name_activation_function() for layer in layers] == vector["activations"]
    assert [list(layer.activation.parameters.values()) for layer in layers] == vector["parameters"]
    assert [(layer.get_N_w(), layer.get_N_n()) for layer in layers] == list(
        zip(nn.sizes[:-1], nn.sizes[1:], strict=True)
    )
    np.testing.assert_allclose(nn.predict(vector["inputs"]), vector["outputs"], rtol=0, atol=1e-12)
    for x, expected in zip(vector["inputs"], vector["outputs"], strict=True):
        np.testing.assert_allclose(nn.get_out(x), expected, rtol=0, atol=1e-12)
    narrow = foxnn.load(FILES / vector["file"], dtype="float32")
    np.testing.assert_allclose(narrow.predict(vector["inputs"]), vector["outputs"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("vector", VECTORS["networks"], ids=lambda v: v["only_scale_file"])
def test_its_files_with_weights_only(vector: dict[str, Any], tmp_path: Path) -> None:
    full = foxnn.load(FILES / vector["file"])
    bare = foxnn.neural_network(FILES / vector["only_scale_file"], True)
    assert same(full, bare)
    assert [str(layer.activation) for layer in bare.layers] == ["sigmoid"] * len(bare.layers)
    for i, (name, values) in enumerate(zip(vector["activations"], vector["parameters"], strict=True)):
        bare.get_layer(i).set_activation_function(name, values)
    np.testing.assert_allclose(bare.predict(vector["inputs"]), vector["outputs"], rtol=0, atol=1e-12)
    for layer in bare.layers:
        layer.activation = "sigmoid"
    bare.save(tmp_path / "bare.txt", only_scale=True)
    assert same(foxnn.neural_network(tmp_path / "bare.txt", only_scale=True), bare)


@pytest.mark.parametrize("vector", VECTORS["sgd"], ids=lambda v: v["before"])
@pytest.mark.parametrize("kind", ["txt", "safetensors"])
def test_its_full_batch_steps(vector: dict[str, Any], kind: str, tmp_path: Path) -> None:
    nn = foxnn.neural_network(FILES / vector["before"])
    nn.train_on_file(FILES / vector["data"], vector["speed"], vector["iterations"], 0)
    nn.save(tmp_path / f"after.{kind}")
    assert furthest(foxnn.load(tmp_path / f"after.{kind}"), foxnn.load(FILES / vector["after"])) < 1e-12


def test_its_initial_weights() -> None:
    old = foxnn.neural_network([50, 40, 10], init="foxnn", seed=1)
    values = np.concatenate([p.ravel() for p in parameters(old)])
    assert values.min() < -0.99
    assert values.max() > 0.99
    assert abs(values).max() <= 1
    assert abs(old.layers[0].bias).max() > 0.5
    assert abs(foxnn.neural_network([50, 40, 10]).layers[0].bias).max() == 0  # the default start is Glorot's


# ---- its scripts ------------------------------------------------------------------------------------------------


def test_a_script_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)

    data = foxnn.train_data()
    data.add_data([0, 0], [0])
    data.add_data([0, 1], [1])
    data.add_data([1, 0], [1])
    data.add_data([1, 1], [0])
    nn = foxnn.neural_network([2, 8, 1])
    nn.seed = 2
    nn.settings.n_threads = 2
    nn.settings.set_mode("Adam")
    nn.train(data, 0.05, 3000)
    for i in range(data.size()):
        assert abs(nn.get_out(data.get(i))[0] - data.get(i).out[0]) < 0.3
    error = nn.testing(data)
    nn.save("xor.txt")
    data.save("xor_data.txt")
    loaded = foxnn.neural_network("xor.txt")
    loaded.train_on_file("xor_data.txt", 0.01, 2000, 2)
    assert loaded.testing(foxnn.train_data("xor_data.txt")) < error
    loaded.print_info()

    assert loaded.n_threads == 2
    printed = capsys.readouterr().out
    assert re.search(r"^error = \d\.\d+e[-+]\d\d n_true = \d/4$", printed, re.M)
    assert "layer 1 n_in = 8 n_out = 1 activation_function = sigmoid\n" in printed
    assert "settings_optimization.mode = Adam\n" in printed


def test_the_page_about_it_runs() -> None:
    page = Path(__file__).parents[1] / "docs" / "foxnn_1_0.md"
    code = re.search(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    assert code is not None
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(code[1], {}, page.name, str(page), 0))
    assert runner.summarize(verbose=False) == (0, 10)


def test_one_class_under_both_names() -> None:
    assert foxnn.neural_network is foxnn.NeuralNetwork
    assert isinstance(foxnn.layer(2, 1), foxnn.Layer)


# ---- mathematics ------------------------------------------------------------------------------------------------


def test_thresholds_are_subtracted(tmp_path: Path) -> None:
    (tmp_path / "net.txt").write_text("1  1  3 2.0 3.0 0.5")
    nn = foxnn.neural_network(tmp_path / "net.txt", only_scale=True)
    nn.get_layer(0).set_activation_function("identity_x")
    assert nn.get_out([1, 10]) == [2 + 30 - 0.5]
    nn.save(tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_text().split()[-4:] == [
        "3", "2.0000000000000000e+00", "3.0000000000000000e+00", "5.0000000000000000e-01",
    ]  # fmt: skip
    chain = foxnn.neural_network([1, 2], init=[[[1, 1]]], output="linear", dtype="float64")
    chain.next_layer(foxnn.layer([[2, 3, 0.5]]))
    chain.get_layer(1).set_activation_function("identity_x")
    assert chain.get_out([10]) == [20 + 30 - 0.5]


def test_gradients_are_sums_and_batches_of_one_by_default() -> None:
    # out = w x + b, targets 1: at w = b = 0 the error is -1 for each row, so the sum over 4 rows of x = 1 is -4.
    def one_step(*size: int) -> float:
        nn = foxnn.neural_network([1, 1], output="linear", init="zeros", dtype="float64")
        nn.train(rows([[1]] * 4, [[1]] * 4), 0.125, 1, *size)
        return float(nn.layers[0].weights[0, 0])

    assert [one_step(), one_step(1), one_step(2), one_step(4), one_step(0), one_step(9)] == [
        0.125, 0.125, 0.25, 0.5, 0.5, 0.5,
    ]  # fmt: skip


ROOT = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sinusoid": np.sin,
    "gaussian": lambda x: np.exp(-x * x),
    "relu": lambda x: np.maximum(x, 0),
    "identity_x": lambda x: x,
    "tan_h": np.tanh,
    "arctan": np.arctan,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_its_activations(name: str) -> None:
    nn = foxnn.neural_network([1, 1], init=[[[1]]], dtype="float64")
    nn.get_layer(0).set_activation_function(name)
    assert nn.get_layer(0).get_name_activation_function() == name
    x = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(nn.predict(x)[:, 0], ROOT[name](x), atol=1e-14, rtol=1e-14)


class Reference:
    """Its optimizers as published, for one linear neuron without inputs' help: the gradient of row x is out - y."""

    def __init__(self, mode: str, speed: float, forget_after: int = 0, **hyper: float) -> None:
        self.mode, self.speed, self.forget_after, self.hyper = mode, speed, forget_after, hyper
        self.p = np.zeros(2)  # weight, bias
        self.forget()

    def forget(self) -> None:
        self.t, self.m, self.v = 0, np.zeros(2), np.zeros(2)

    def step(self, x: Any, y: Any) -> None:
        if self.forget_after and self.t == self.forget_after:
            self.forget()
        error = self.p[0] * x + self.p[1] - y
        g = np.array([(error * x).sum(), error.sum()])
        self.t += 1
        if self.mode == "Adam":
            b1, b2, epsilon = (self.hyper[k] for k in ("betta_1", "betta_2", "epsilon"))
            self.m = b1 * self.m + (1 - b1) * g
            self.v = b2 * self.v + (1 - b2) * g * g
            mean, square = self.m / (1 - b1**self.t), self.v / (1 - b2**self.t)
            self.p = self.p - self.speed * mean / (np.sqrt(square) + epsilon)
        elif self.mode == "Nesterov":
            before, gamma = self.m, self.hyper["gamma"]
            self.m = gamma * self.m - self.speed * g
            self.p = self.p - gamma * before + (1 + gamma) * self.m
        else:
            self.p = self.p - self.speed * g


@pytest.mark.parametrize("mode", ["SGD", "Adam", "Nesterov"])
@pytest.mark.parametrize("calls", [[23], [1] * 23, [5, 7, 11]], ids=["one", "many", "some"])
@pytest.mark.parametrize("forget_after", [0, 4, 1000])
def test_modes_follow_the_papers_and_keep_their_state_between_calls(
    mode: str, calls: list[int], forget_after: int
) -> None:
    x, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.5, -2.0])
    nn = foxnn.neural_network([1, 1], output="linear", init="zeros", dtype="float64")
    optimization = nn.settings.settings_optimization
    nn.settings.set_mode(mode)
    optimization.adam.set_betta_1(0.8)
    optimization.adam.set_betta_2(0.95)
    optimization.adam.set_epsilon(1e-4)
    optimization.adam.step_to_zero_after_n = forget_after
    optimization.nesterov.set_gamma(0.6)
    reference = Reference(mode, 0.03, forget_after if mode == "Adam" else 0,
                          betta_1=0.8, betta_2=0.95, epsilon=1e-4, gamma=0.6)  # fmt: skip
    for steps in calls:
        nn.train(rows(x[:, None], y[:, None]), 0.03, steps, 0)
        for _ in range(steps):
            reference.step(x, y)
    np.testing.assert_allclose([nn.layers[0].weights[0, 0], nn.layers[0].bias[0]], reference.p, atol=1e-13)


def test_another_mode_or_hyper_parameter_starts_anew() -> None:
    data = random_data(6, 2, 1)

    def trained(between: Callable[[foxnn.NeuralNetwork], None]) -> foxnn.NeuralNetwork:
        nn = foxnn.neural_network([2, 3, 1], seed=0)
        nn.settings.set_mode("Adam")
        nn.train(data, 0.01, 5, 0)
        between(nn)
        nn.train(data, 0.01, 5, 0)
        return nn

    def there_and_back(nn: foxnn.NeuralNetwork) -> None:
        nn.settings.set_mode("SGD")
        nn.settings.set_mode("Adam")

    def with_a_step(nn: foxnn.NeuralNetwork) -> None:
        nn.settings.set_mode("SGD")
        nn.train(data, 0.0, 1, 0)
        nn.settings.set_mode("Adam")

    kept = trained(lambda nn: None)
    assert same(kept, trained(there_and_back))
    assert not same(kept, trained(with_a_step))
    assert not same(kept, trained(lambda nn: nn.settings.settings_optimization.adam.set_betta_1(0.5)))


# ---- which rows, in which order ---------------------------------------------------------------------------------


def trained_rows(monkeypatch: pytest.MonkeyPatch, nn: foxnn.NeuralNetwork, *arguments: Any) -> list[int]:
    """The rows that `train` hands to the core, in order."""
    from foxnn.foxnn_1_0 import training

    seen: list[int] = []
    run = training.run_steps

    def spy(network: Any, samples: Any, order: Any, *rest: Any, **options: Any) -> Any:
        seen.extend(order.tolist())
        return run(network, samples, order, *rest, **options)

    monkeypatch.setattr(training, "run_steps", spy)
    nn.train(*arguments)
    monkeypatch.setattr(training, "run_steps", run)
    return seen


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_every_pass_takes_each_row_once_in_a_new_order(monkeypatch: pytest.MonkeyPatch, dropout: float) -> None:
    nn = foxnn.neural_network([2, 4, 1], seed=1, dropout=dropout)
    seen = trained_rows(monkeypatch, nn, random_data(10, 2, 1), 0.1, 30)
    passes = [tuple(seen[i : i + 10]) for i in range(0, 30, 10)]
    assert all(sorted(p) == list(range(10)) for p in passes)
    assert len(set(passes)) == 3
    assert nn.epoch == 3
    again = trained_rows(monkeypatch, nn, random_data(10, 2, 1), 0.1, 5)  # half a pass; the next call begins another
    more = trained_rows(monkeypatch, nn, random_data(10, 2, 1), 0.1, 5)
    assert nn.epoch == 5
    assert tuple(again) not in [p[:5] for p in passes]
    assert again != more


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_mini_batches_are_all_of_the_same_size(monkeypatch: pytest.MonkeyPatch, dropout: float) -> None:
    nn = foxnn.neural_network([2, 4, 1], seed=1, dropout=dropout)
    seen = trained_rows(monkeypatch, nn, random_data(10, 2, 1), 0.1, 7, 4)  # passes of 2 batches, 2 rows left out
    assert len(seen) == 28
    for i in range(0, 24, 8):
        assert len(set(seen[i : i + 8])) == 8
    assert set(seen) == set(range(10))


def test_masks_of_dropout_differ_between_passes() -> None:
    def trained(*calls: int) -> foxnn.NeuralNetwork:
        nn = foxnn.neural_network([2, 32, 1], seed=1, dropout=0.5)
        for steps in calls:
            nn.train(rows([1, 2], [0.5]), 0.1, steps)
        return nn

    assert same(trained(3), trained(1, 1, 1))
    weights = [trained(steps).layers[1].weights for steps in range(4)]
    learned = [tuple((after != before).ravel()) for before, after in itertools.pairwise(weights)]
    assert len(set(learned)) == 3  # of one row, the units that learn are those that the mask kept


def test_the_callers_data_stays_as_it_is() -> None:
    data = random_data(20, 3, 2)
    inputs, outputs = data.inputs.copy(), data.outputs.copy()
    nn = foxnn.neural_network([3, 4, 2])
    nn.settings.n_print, nn.settings.part_for_test = 50, 0.25
    nn.train(data, 0.1, 100)
    data.get_part(5)
    data.get_part_for_test(5)
    np.testing.assert_array_equal(data.inputs, inputs)
    np.testing.assert_array_equal(data.outputs, outputs)


@pytest.mark.parametrize("size", [1, 3, 0])
def test_rows_held_out_are_never_trained_on(monkeypatch: pytest.MonkeyPatch, size: int, capsys: Any) -> None:
    nn = foxnn.neural_network([2, 1], seed=4)
    nn.settings.n_print, nn.settings.part_for_test = 10, 0.29
    data = random_data(100, 2, 1)
    tested = []
    monkeypatch.setattr(nn, "_test", lambda inputs, targets: tested.append((inputs, targets)))
    seen = set(trained_rows(monkeypatch, nn, data, 0.01, 200, size)) | set(
        trained_rows(monkeypatch, nn, data, 0.01, 200, size)
    )
    assert len(seen) == 71
    others = sorted(set(range(100)) - seen)
    assert len(tested) == 40
    for inputs, targets in tested:
        np.testing.assert_array_equal(inputs, data.inputs[others])
        np.testing.assert_array_equal(targets, data.outputs[others])
    eye = rows(np.eye(100), np.ones((100, 1)))  # input i tells whether row i was trained on
    other = foxnn.neural_network([100, 1], init="zeros", seed=4)
    other.settings.n_print, other.settings.part_for_test = 10, 0.29
    other.train(eye, 0.1, 300, size)
    assert np.flatnonzero(other.layers[0].weights == 0).tolist() == others
    nn.settings.n_print = 0  # nothing is tested, so nothing is held out
    assert set(trained_rows(monkeypatch, nn, data, 0.01, 200)) == set(range(100))


def test_same_seed_same_bits_whatever_the_threads() -> None:
    def trained(seed: int, threads: int) -> foxnn.NeuralNetwork:
        nn = foxnn.neural_network([20, 64, 3], seed=seed)
        nn.settings.n_threads = threads
        nn.settings.set_mode("Adam")
        nn.train(random_data(100, 20, 3), 0.01, 60, 25)
        nn.random_mutation(0.1)
        nn.get_layer(0).smart_mutation(0.1)
        return nn

    assert same(trained(1, 1), trained(1, 2))
    assert not same(trained(1, 1), trained(2, 1))


def test_a_step_may_be_of_any_number_of_calls(capsys: Any) -> None:
    """Prints, saves and forgetting cut training into pieces; the result is the same."""
    data = random_data(30, 2, 1)

    def trained(n_print: int) -> foxnn.NeuralNetwork:
        nn = foxnn.neural_network([2, 4, 1], seed=3)
        nn.settings.set_mode("Adam")
        nn.settings.set_part_for_test(0)
        nn.settings.n_print = n_print
        nn.train(data, 0.01, 100, 4)
        return nn

    assert same(trained(0), trained(7))


# ---- what it printed, tested and saved --------------------------------------------------------------------------


def test_testing_returns_and_prints_the_error(capsys: Any) -> None:
    nn = foxnn.neural_network([1, 2], init=[[[1, 2]]], output="linear", dtype="float64")
    data = rows([[1], [2], [3]], [[1, 2], [2.005, 4.25], [0, 6]])
    assert nn.testing(data) == pytest.approx((0.255 + 3) / 3)
    assert capsys.readouterr().out == f"error = {(0.255 + 3) / 3:.15e} n_true = 1/3\n"
    nn.settings.min_error = 0.25
    nn.testing(data)
    assert capsys.readouterr().out.endswith("n_true = 2/3\n")


def test_outputs_are_hardened() -> None:
    nn = foxnn.neural_network([1, 3], init=[[[1, 3, 2]]], output="linear")
    assert nn.get_out([0.25]) == [0.25, 0.75, 0.5]
    assert nn.get_out(foxnn.one_train_data([0.25], [0])) == [0.25, 0.75, 0.5]
    nn.settings.one_if_value_greater_intermediate_value = 1
    assert nn.get_out([0.25]) == [0, 1, 1]
    nn.settings.intermediate_value = 0.6
    assert nn.get_out([0.25]) == [0, 1, 0]
    nn.settings.max_on_last_layer = True
    assert nn.get_out([0.25]) == [0, 1, 0]
    assert nn.get_out([-1]) == [1, 0, 0]
    assert nn.get_out([0]) == [1, 0, 0]
    assert nn.predict([[0.25]]).tolist() == [[0.25, 0.75, 0.5]]
    assert all(type(v) is float for v in nn.get_out([1]))
    assert nn.testing(rows([[0.25], [-1]], [[0, 1, 0], [0, 1, 0]])) == 1.0


def test_training_prints_every_n_iterations(capsys: Any) -> None:
    nn = foxnn.neural_network([2, 1], seed=0)
    nn.settings.n_print = 40
    nn.train(random_data(30, 2, 1), 0.1, 100, 5)
    lines = capsys.readouterr().out.splitlines()
    progress = [line for line in lines if line.startswith("train progressbar: ")]
    assert [re.sub(r"\d\.\d{3}$", "T", line.removeprefix("train progressbar: ")) for line in progress] == [
        "40/40 (100%) train_time = T", "40/40 (100%) train_time = T", "20/20 (100%) train_time = T",
    ]  # fmt: skip
    assert [line for line in lines if line.startswith("iteration")] == [f"iteration = {n}" for n in (40, 80, 100)]
    assert sum("n_true = " in line and line.endswith("/3") for line in lines) == 3
    nn.settings.n_print = 0
    nn.train(random_data(30, 2, 1), 0.1, 100, 5)
    assert capsys.readouterr().out == ""


def test_training_saves_every_n_iterations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = random_data(8, 2, 1)
    nn = foxnn.neural_network([2, 1], seed=0, dtype="float64")
    nn.train(data, 0.1, 10)
    assert list(tmp_path.iterdir()) == []
    twin = nn.copy()
    nn.settings.auto_save_iteration = 6
    nn.train(data, 0.1, 16, 8)
    twin.train(data, 0.1, 12, 8)
    assert same(foxnn.load("auto_save.txt"), twin)
    nn.settings.auto_save_name_file = "auto save.safetensors"
    nn.train(data, 0.1, 6, 8)
    assert same(foxnn.load("auto save.safetensors"), nn)
    assert sorted(os.listdir()) == ["auto save.safetensors", "auto_save.txt"]
    nn.layers[0].activation = "softplus"  # a text file cannot hold it: known before the first step
    nn.settings.auto_save_name_file = "auto_save.txt"
    before = nn.copy()
    with pytest.raises(ValueError, match="softplus"):
        nn.train(data, 0.1, 6, 8)
    assert same(nn, before)


def test_ctrl_c_stops_training() -> None:
    nn = foxnn.neural_network([2, 4, 1])
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
    timer = threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    started = time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt):
            nn.train(xor(), 0.01, 10**12)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert time.perf_counter() - started < 5
    nn.train(xor(), 0.01, 10)


# ---- layers and mutations ---------------------------------------------------------------------------------------


def test_next_layer_appends() -> None:
    whole = foxnn.neural_network([2, 3, 4, 1], init="foxnn", seed=2, dtype="float64")
    whole.get_layer(1).set_activation_function("elu", [0.5])
    nn = foxnn.neural_network([2, 3], seed=2, dtype="float64")
    nn.layers[0].weights, nn.layers[0].bias = whole.layers[0].weights, whole.layers[0].bias
    data = random_data(6, 2, 3)
    nn.settings.set_mode("Adam")
    nn.train(data, 0.0, 3)  # makes a trainer and a state, of which nothing may be left
    nn.next_layer(whole.get_layer(1))
    threshold_last = np.vstack([whole.layers[2].weights, -whole.layers[2].bias]).T
    nn.next_layer(foxnn.layer(threshold_last.tolist()))
    assert same(nn, whole)
    assert nn.sizes == [2, 3, 4, 1]
    assert nn.n_parameters == whole.n_parameters
    assert nn.layers[1].activation == foxnn.Activation("elu", alpha=0.5)
    nn.epoch = 0
    whole.settings.set_mode("Adam")
    for each in (nn, whole):
        each.train(random_data(6, 2, 1), 0.01, 9, 2)
    assert same(nn, whole)
    nn.next_layer(foxnn.layer(1, 2, seed=0))
    assert nn.predict([[0, 1]]).shape == (1, 2)
    nn.dropout = [0.5, 0.0, 0.5]
    assert same(nn.copy(), nn)


def test_a_layer_by_itself() -> None:
    layer = foxnn.layer(3, 2, seed=1)
    assert (layer.get_N_w(), layer.get_N_n(), layer.get_name_activation_function()) == (3, 2, "sigmoid")
    assert np.array_equal(layer.weights, foxnn.layer(3, 2, seed=1).weights)
    assert not np.array_equal(layer.weights, foxnn.layer(3, 2).weights)
    assert abs(foxnn.layer(30, 20, init="foxnn").bias).max() > 0.5
    given = foxnn.layer([[1, 2, 3, 0.5], [4, 5, 6, -0.25]])
    assert given.weights.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert given.bias.tolist() == [-0.5, 0.25]
    given.set_activation_function("relu")
    assert given.get_name_activation_function() == "relu"
    before = given.weights
    nn = foxnn.neural_network([1, 3])
    nn.next_layer(given)
    nn.random_mutation(1.0)  # what was appended is a copy
    assert np.array_equal(given.weights, before)


def test_random_mutation_adds_up_to_speed() -> None:
    nn = foxnn.neural_network([30, 40], init=2.0, seed=0, dtype="float64")
    nn.random_mutation(0.5)
    for part, centre in zip(parameters(nn), (2.0, 0.0), strict=True):
        moves = part - centre
        assert np.abs(moves).max() <= 0.5
        assert np.abs(moves).max() > 0.45
        assert np.abs(moves.mean()) < 0.15
        assert len(np.unique(moves)) == moves.size


def test_smart_mutation_moves_in_proportion() -> None:
    weights = np.array([[-4.0, 0.0, 1.0]] * 200)
    nn = foxnn.neural_network([200, 3], init=[weights], seed=0, dtype="float64")
    nn.smart_mutation(-0.25)
    moves = np.abs(nn.layers[0].weights - weights)
    assert moves[:, 1].max() == 0
    assert 0.9 < moves[:, 0].max() <= 1
    assert 0.22 < moves[:, 2].max() <= 0.25
    before = nn.copy()
    nn.smart_mutation(0)
    assert same(nn, before)


def test_mutations_repeat_with_the_seed_and_never_among_copies(tmp_path: Path) -> None:
    def family(seed: int) -> list[foxnn.NeuralNetwork]:
        parent = foxnn.neural_network([3, 2], init="zeros", seed=seed, dtype="float64")
        members = [parent, parent.copy(), copy.deepcopy(parent), copy.copy(parent), foxnn.neural_network(parent)]
        members.append(members[1].copy())
        for member in members:
            member.random_mutation(1.0)
        parent.save(tmp_path / "parent.safetensors")
        loaded = foxnn.load(tmp_path / "parent.safetensors")
        loaded.layers[0].weights = loaded.layers[0].bias = 0
        loaded.random_mutation(1.0)
        return [*members, loaded]

    first = family(7)
    assert all(same(a, b) for a, b in zip(first, family(7), strict=True))
    assert not any(same(a, b) for i, a in enumerate(first) for b in first[:i])
    assert not any(same(a, b) for a, b in zip(first, family(8), strict=True))
    layer = foxnn.layer(3, 2, seed=7)
    layer.random_mutation(0.5)
    twin = foxnn.layer(3, 2, seed=7)
    twin.random_mutation(0.5)
    assert np.array_equal(layer.weights, twin.weights)


# ---- settings ---------------------------------------------------------------------------------------------------

DEFAULTS = {
    "n_threads": 1, "n_print": 0, "min_error": 0.01, "max_on_last_layer": 0,
    "one_if_value_greater_intermediate_value": 0, "intermediate_value": 0.5, "part_for_test": 0.1,
    "auto_save_name_file": "auto_save.txt", "auto_save_iteration": 0, "correct_summation": 0, "betta_1": 0.9,
    "betta_2": 0.999, "epsilon": 1e-8, "step_to_zero_after_n": 1000, "gamma": 0.9, "mode": "SGD",
}  # fmt: skip
CHANGED = {
    "n_threads": 3, "n_print": 7, "min_error": 0.1, "max_on_last_layer": 1,
    "one_if_value_greater_intermediate_value": 1, "intermediate_value": -0.1, "part_for_test": 1 / 3,
    "auto_save_name_file": 'C:\\my "nets"\\a  b.txt', "auto_save_iteration": 11, "correct_summation": 1,
    "betta_1": 0.1, "betta_2": 0.2, "epsilon": 1e-3, "step_to_zero_after_n": 5, "gamma": 0.3, "mode": "Nesterov",
}  # fmt: skip


def setting(nn: foxnn.NeuralNetwork, name: str) -> Any:
    return getattr(nn.settings._owner(name), name)


def test_settings_have_its_defaults_and_reach_every_file_and_copy(tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    assert {name: setting(nn, name) for name in NAMES} == DEFAULTS
    assert tuple(DEFAULTS) == NAMES
    assert nn.n_threads is None
    nn.settings.update(CHANGED)
    nn.save(tmp_path / "net.txt")
    nn.save(tmp_path / "net.safetensors")
    for other in (
        foxnn.load(tmp_path / "net.txt"), foxnn.load(tmp_path / "net.safetensors"), nn.copy(), copy.deepcopy(nn),
    ):  # fmt: skip
        assert {name: setting(other, name) for name in NAMES} == CHANGED
        assert other.n_threads == 3
        other.settings.n_print = 1
        other.settings.settings_optimization.adam.betta_1 = 0.7
    assert {name: setting(nn, name) for name in NAMES} == CHANGED


def test_its_default_of_one_thread_is_no_wish(tmp_path: Path) -> None:
    nn = foxnn.load(FILES / "net_0.txt")
    assert nn.settings.n_threads == 1
    assert nn.n_threads is None
    nn.settings.n_threads = 1
    assert nn.n_threads == 1
    assert nn.copy().n_threads == 1
    assert foxnn.neural_network([2, 1], n_threads=2).settings.n_threads == 2


@pytest.mark.parametrize("n", [2**31, 10**30])
def test_more_threads_than_there_can_be(n: int, tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    with pytest.raises(ValueError, match=f"n_threads: got {n}; .* at most 2147483647"):
        nn.n_threads = n
    with pytest.raises(ValueError, match=rf"settings\.n_threads: got {n}; .* at most 2147483647"):
        nn.settings.n_threads = n
    nn.n_threads = 7
    nn.save(tmp_path / "net.txt")
    text = (tmp_path / "net.txt").read_text()
    assert text.startswith("7\n")
    (tmp_path / "net.txt").write_text(f"{n}{text[1:]}")
    with pytest.raises(foxnn.FileFormatError, match=r"line 1: .*n_threads"):
        foxnn.load(tmp_path / "net.txt")


def test_print_settings(capsys: Any) -> None:
    foxnn.neural_network([2, 1]).settings.print_settings()
    printed = capsys.readouterr().out
    for name, value in DEFAULTS.items():
        assert re.search(rf"^(\S+\.)?{name} = {re.escape(str(value))}$", printed, re.M), name


@pytest.mark.parametrize(("given", "kept"), [(-3, 0), (0, 0), (0.25, 0.25), (1, 1), (7, 1)])
def test_part_for_test_is_clamped(given: float, kept: float) -> None:
    settings = foxnn.neural_network([2, 1]).settings
    settings.set_part_for_test(given)
    assert settings.part_for_test == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_threads", 0), ("n_threads", 1.5), ("n_threads", "2"), ("n_print", -1), ("min_error", -0.1),
        ("min_error", float("nan")), ("max_on_last_layer", 2), ("max_on_last_layer", "yes"),
        ("one_if_value_greater_intermediate_value", -1), ("intermediate_value", float("inf")),
        ("part_for_test", 1.5), ("auto_save_name_file", ""), ("auto_save_name_file", None), ("auto_save_iteration", -1),
        ("correct_summation", 0.5), ("betta_1", 1), ("betta_1", -0.1), ("betta_2", 1), ("epsilon", 0), ("gamma", 1),
        ("step_to_zero_after_n", -1), ("mode", "adam"), ("mode", "nonsense"), ("mode", None),
    ],
)  # fmt: skip
def test_settings_that_do_not_exist_change_nothing(name: str, value: Any) -> None:
    nn = foxnn.neural_network([2, 1])
    owner = nn.settings._owner(name)
    before = nn.settings.as_dict()
    with pytest.raises(
        (ValueError, TypeError), match=rf"{name}: (got|unknown name) {re.escape(repr(value))}.*it takes"
    ):
        setattr(owner, name, value)
    assert nn.settings.as_dict() == before
    with pytest.raises((ValueError, TypeError)):
        nn.settings.update({"n_print": 5, name: value})
    assert nn.settings.as_dict() == before


def test_misspelt_settings_are_errors() -> None:
    settings = foxnn.neural_network([2, 1]).settings
    with pytest.raises(AttributeError, match=r"unknown name 'n_thread' \(did you mean 'n_threads'\?\)"):
        settings.n_thread = 4
    with pytest.raises(AttributeError, match="beta_1"):
        settings.settings_optimization.adam.beta_1 = 0.5
    with pytest.raises(AttributeError):
        settings.settings_optimization.adam = None
    with pytest.raises(ValueError, match="did you mean 'Adam'"):
        settings.set_mode("adam")
    with pytest.raises(ValueError, match="unknown name 'n_prints'"):
        settings.update({"n_prints": 1})


def test_settings_set_through_methods() -> None:
    optimization = foxnn.neural_network([2, 1]).settings.settings_optimization
    optimization.adam.set_betta_1(0.5)
    optimization.adam.set_betta_2(0.25)
    optimization.adam.set_epsilon(0.125)
    optimization.nesterov.set_gamma(0.75)
    optimization.set_mode("Nesterov")
    adam = optimization.adam
    assert (adam.betta_1, adam.betta_2, adam.epsilon) == (0.5, 0.25, 0.125)
    assert (optimization.nesterov.gamma, optimization.mode) == (0.75, "Nesterov")


# ---- data -------------------------------------------------------------------------------------------------------


def test_add_data_in_every_way() -> None:
    data = foxnn.train_data()
    data.reserve(3)
    data.add_data([1, 2], [3])
    data.add_data(np.array([[4, 5], [6, 7]], dtype=np.uint8), [[8], [9]])
    data.add_data(foxnn.one_train_data([10, 11], [12]))
    data.add_data(np.arange(6.0).reshape(2, 3).T, np.arange(6.0)[::2, None])
    data.add_data(data)
    data.add_data(foxnn.train_data())
    expected = [[1, 2], [4, 5], [6, 7], [10, 11], [0, 3], [1, 4], [2, 5]] * 2
    assert data.inputs.tolist() == expected
    assert data.outputs[:, 0].tolist() == [3, 8, 9, 12, 0, 2, 4] * 2
    assert data.size() == len(data) == 14
    assert data.get(3) == foxnn.one_train_data([10, 11], [12]) == data[3]
    assert [row.out for row in data][:2] == [[3.0], [8.0]]
    data.shrink_to_fit()
    assert data.inputs.tolist() == expected
    copied = foxnn.train_data(data)
    copied.add_data([0, 0], [0])
    assert data.size() == 14


def test_parts_of_data() -> None:
    data = rows(np.arange(50)[:, None], np.arange(50)[:, None] + 100, seed=3)

    def values(part: foxnn.train_data) -> list[float]:
        assert np.array_equal(part.outputs, part.inputs + 100)
        return part.inputs[:, 0].tolist() if part.size() else []

    everything = list(range(50))
    for n in (0, 50, 51):
        assert values(data.get_part(n)) == everything
    first, second = values(data.get_part(20)), values(data.get_part(20))
    assert len(set(first)) == len(set(second)) == 20
    assert first != second
    assert sorted(first) != first
    again = rows(data.inputs, data.outputs, seed=3)
    assert (values(again.get_part(20)), values(again.get_part(20))) == (first, second)
    assert values(data.get_first_n(3)) == [0, 1, 2]
    assert values(data.get_first_n(99)) == everything
    assert values(data.get_first_n(0)) == []
    assert values(data.get_part_for_test(0)) == []
    assert values(data.get_part_for_test(99)) == everything
    assert len(set(values(data.get_part_for_test(7)))) == 7


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2, 3], [1]), ValueError, "input: got 3 numbers a row; this data takes 2"),
        (([1, 2], [1, 2]), ValueError, "out: got 2 numbers a row; this data takes 1"),
        (([[1, 2], [3, 4]], [[1]]), ValueError, "out: got an array of shape"),
        (([[1, 2], [3, 4]], [1, 2]), ValueError, "out: got an array of shape"),
        (([[1, 2], [3]], [[1], [2]]), ValueError, "input: got rows of different lengths"),
        (([], [1]), ValueError, "input: got 0 numbers"),
        (([1, 2], 1), ValueError, "out: got an array of shape"),
        (([1, 2], []), ValueError, "out: got 0 numbers"),
        (([1, float("nan")], [1]), ValueError, "input: got nan in row 0, column 1"),
        (([[1, 2], [3, 4]], [[1], [float("inf")]]), ValueError, "out: got inf in row 1, column 0"),
        ((["a", "b"], [1]), TypeError, "input: got"),
        (([1, 2],), TypeError, "out: got nothing"),
        ((foxnn.one_train_data([1, 2], [3]), [1]), TypeError, "out: got"),
        ((foxnn.one_train_data([1], [3]),), ValueError, "input: got 1 numbers a row"),
        ((np.zeros((1, 1, 1)), [1]), ValueError, "input: got an array of shape"),
    ],
)
def test_data_that_does_not_fit_is_refused(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    data = rows([1, 2], [3])
    with pytest.raises(error, match=re.escape(message)):
        data.add_data(*arguments)
    assert (data.inputs.tolist(), data.outputs.tolist()) == ([[1, 2]], [[3]])
    with pytest.raises(IndexError, match="this data has 1 row, counted from 0"):
        data.get(1)
    with pytest.raises(IndexError):
        data.get(-1)


# ---- text files -------------------------------------------------------------------------------------------------

hard_numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.sampled_from([0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, -0.0, 1e22]),
)


@settings(max_examples=40)
@given(st.lists(hard_numbers, min_size=6, max_size=6))
def test_text_is_exact(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    folder = tmp_path_factory.mktemp("exact")
    nn = foxnn.neural_network([2, 2], init=[(np.reshape(numbers[:4], (2, 2)), np.array(numbers[4:]))], dtype="float64")
    nn.save(folder / "net.txt")
    assert same(foxnn.load(folder / "net.txt"), nn)
    data = rows(np.reshape(numbers, (2, 3)), np.reshape(numbers[:4], (2, 2)))
    data.save(folder / "data.txt")
    loaded = foxnn.train_data(folder / "data.txt")
    np.testing.assert_array_equal(loaded.inputs, data.inputs)
    np.testing.assert_array_equal(loaded.outputs, data.outputs)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_activation_goes_there_and_back(name: str, dtype: str, tmp_path: Path) -> None:
    nn = foxnn.neural_network([3, 4, 2], init="foxnn", dtype=dtype)
    nn.get_layer(0).set_activation_function(name, [0.3] if name == "elu" else [])
    nn.save(tmp_path / "net.txt")
    loaded = foxnn.neural_network(tmp_path / "net.txt", dtype=dtype)
    assert same(loaded, nn)
    assert [layer.activation for layer in loaded.layers] == [layer.activation for layer in nn.layers]
    assert loaded.get_layer(0).get_name_activation_function() == name
    assert loaded.loss == "half_squared_error"


def test_modern_activations_get_its_names(tmp_path: Path) -> None:
    modern = ["sigmoid", "sin", "gaussian", "relu", "linear", "tanh", "arctan", "elu"]
    nn = foxnn.neural_network([2] * 9, activation=modern[:-1], output=modern[-1])
    nn.save(tmp_path / "net.txt")
    loaded = foxnn.load(tmp_path / "net.txt")
    assert [loaded.get_layer(i).get_name_activation_function() for i in range(8)] == ACTIVATIONS
    np.testing.assert_allclose(loaded.predict([[0.5, 1]]), nn.predict([[0.5, 1]]), atol=1e-6)


def test_what_text_cannot_hold_is_refused(tmp_path: Path) -> None:
    def refused(nn: foxnn.NeuralNetwork, message: str, only_scale: bool = False) -> None:
        (tmp_path / "net.txt").write_text("old")
        with pytest.raises(ValueError, match=message):
            nn.save(tmp_path / "net.txt", only_scale)
        assert (tmp_path / "net.txt").read_text() == "old"
        assert os.listdir(tmp_path) == ["net.txt"]

    refused(foxnn.neural_network([2, 3], output="softmax"), "layer 0 has softmax; .*safetensors")
    refused(foxnn.neural_network([2, 3, 1], activation="gelu"), "layer 0 has gelu")
    refused(foxnn.neural_network([2, 3, 1], output="linear"), "only_scale.*layer 1 has linear", only_scale=True)
    scaled = foxnn.neural_network([2, 1])
    scaled.scale = 2.0
    refused(scaled, "scale and offset")


def test_names_with_spaces(tmp_path: Path) -> None:
    text = (FILES / "net_0.txt").read_text()
    file = tmp_path / "net.txt"
    for name in ("my nets/auto save.txt", "a 0 0", "0 1 2.txt", "x  y", "сеть 1.txt", 'say "hi".txt'):
        file.write_text(text.replace("auto_save.txt", name), encoding="utf-8")  # as 1.0 wrote it
        nn = foxnn.load(file)
        assert nn.settings.auto_save_name_file == name
        nn.save(file)
        assert foxnn.load(file).settings.auto_save_name_file == name
        assert same(foxnn.load(file), foxnn.load(FILES / "net_0.txt"))
    for name in ('"', '" "', "\\", "a\\ b", "tab\tnew\nline", "a.txt", 'a"b', " "):
        nn.settings.auto_save_name_file = name
        nn.save(file)
        assert foxnn.load(file).settings.auto_save_name_file == name
    nn.settings.auto_save_name_file = "my net.txt"
    nn.save(file)
    assert '\n"my net.txt"\n' in file.read_text()


def test_white_space_does_not_matter(tmp_path: Path) -> None:
    for source, load in (("net_3.txt", foxnn.load), ("sgd_3_data.txt", foxnn.train_data)):
        words = (FILES / source).read_text().split()
        for i, text in enumerate((" ".join(words), "\r\n".join(words) + "\r\n", "\n\n \t" + "\t \n".join(words))):
            (tmp_path / f"{i}{source}").write_bytes(text.encode())
        loaded: list[Any] = [load(tmp_path / f"{i}{source}") for i in range(3)]
        if isinstance(loaded[0], foxnn.NeuralNetwork):
            assert all(same(nn, foxnn.load(FILES / source)) for nn in loaded)
        else:
            assert all(np.array_equal(data.inputs, loaded[0].inputs) for data in loaded)


LOADERS: dict[str, Callable[[Path], Any]] = {
    "net_3.txt": foxnn.load,
    "net_2_only_scale.txt": lambda path: foxnn.load(path, only_scale=True),
    "sgd_2_data.txt": foxnn.train_data,
}


@pytest.mark.parametrize("source", LOADERS)
def test_a_file_cut_off_anywhere_is_refused(source: str, tmp_path: Path) -> None:
    words = (FILES / source).read_text().split()
    file = tmp_path / source
    for n in range(len(words)):
        file.write_text("\n".join(words[:n]))
        with pytest.raises(foxnn.FileFormatError, match=rf"{source}: line \d+: ") as error:
            LOADERS[source](file)
        assert "too short to hold" in str(error.value) or f"line {max(n, 1)}: the file ends where" in str(error.value)
    file.write_text("\n".join([*words, "", "1.5"]))
    with pytest.raises(foxnn.FileFormatError, match=rf"line {len(words) + 2}: got '1.5' where the file should end"):
        LOADERS[source](file)


@pytest.mark.parametrize("source", LOADERS)
@pytest.mark.parametrize("bad", ["x", "nan", "-inf", "1e999", "1_0", "0x1p3", "--1", "\x00", "é", "1,5", "9" * 5000])
def test_a_bad_value_anywhere_is_refused_and_its_line_named(source: str, bad: str, tmp_path: Path) -> None:
    words = (FILES / source).read_text().split()
    file = tmp_path / source
    for n in range(0, len(words), 1 if bad == "x" else 7):
        if source == "net_3.txt" and words[n] == "auto_save.txt":
            continue
        file.write_text("\n".join([*words[:n], bad, *words[n + 1 :]]), encoding="utf-8")
        where = rf"{source}: line {n + 1}: " if len(bad) < 5000 else f"{source}: "
        with pytest.raises(foxnn.FileFormatError, match=where):
            LOADERS[source](file)


@pytest.mark.parametrize(
    ("source", "changes", "message"),
    [
        ("net_3.txt", {17: "swish"}, "line 18: layer 0: unknown activation 'swish'; it takes sigmoid, "),
        ("net_3.txt", {17: "sigmoid"}, "layer 0 parameters: got 1 of them; 'sigmoid' takes none"),
        ("net_3.txt", {19: "-0.5"}, "layer 0 elu alpha: got -0.5"),
        ("net_3.txt", {15: "Momentum"}, "line 16: .*mode: unknown name 'Momentum'"),
        ("net_3.txt", {0: "0"}, "line 1: settings.n_threads: got 0; it takes an integer of at least 1"),
        ("net_3.txt", {21: "7"}, "line 30: layer 0 neuron 1: number of weights and threshold: got '-3.3"),
        ("net_3.txt", {28: "7"}, "line 29: layer 0 neuron 1: says that it has 7 numbers; 5 inputs take 5 weights and a "
         "threshold, 6 numbers"),
        ("net_3.txt", {20: "1000000000000"}, "line 23: .*numbers belong here, and the file is too short to hold them"),
        ("net_3.txt", {16: "0"}, "line 17: n_layers: got '0'; it takes an integer of at least 1"),
        ("net_2_only_scale.txt", {2: "1"}, "line 3: layer 0 neuron 0: number of weights and threshold: got '1'"),
        ("net_2_only_scale.txt", {19: "6"}, "line 20: layer 1 neuron 0: says that it has 6 numbers; 4 inputs take 4"),
        ("sgd_2_data.txt", {0: "999999999999999999"}, "numbers belong here, and the file is too short to hold them"),
        ("sgd_2_data.txt", {0: "0"}, "line 1: n_rows: got '0'"),
        ("sgd_2_data.txt", {1: "-2"}, "line 2: n_inputs: got '-2'"),
        ("sgd_2_data.txt", {0: "9"}, "line 31: got '.*' where the file should end"),
    ],
)  # fmt: skip
def test_damage_is_described(source: str, changes: dict[int, str], message: str, tmp_path: Path) -> None:
    words = (FILES / source).read_text().split()
    for n, word in changes.items():
        words[n] = word
    (tmp_path / "file").write_text("\n".join(words))
    with pytest.raises(foxnn.FileFormatError, match=message):
        LOADERS[source](tmp_path / "file")


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(foxnn.FileFormatError, match="only_scale=True"):
        foxnn.load(FILES / "net_0_only_scale.txt")
    with pytest.raises(foxnn.FileFormatError):
        foxnn.load(FILES / "net_0.txt", only_scale=True)
    with pytest.raises(foxnn.FileFormatError):
        foxnn.load(FILES / "vectors.json")
    with pytest.raises(foxnn.FileFormatError):
        foxnn.train_data(FILES / "net_0.txt")
    with pytest.raises(FileNotFoundError):
        foxnn.neural_network(tmp_path / "none.txt")
    (tmp_path / "wide.txt").write_text("1 1 2 1e300 0")
    with pytest.raises(foxnn.FileFormatError, match="1e\\+300, which is more than float32"):
        foxnn.neural_network(tmp_path / "wide.txt", True, dtype="float32")
    (tmp_path / "blank.txt").write_text(" " * 100_000 + (FILES / "net_0.txt").read_text())
    with pytest.raises(foxnn.FileFormatError):
        foxnn.load(tmp_path / "blank.txt")


def test_values_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from foxnn.foxnn_1_0 import values

    expected = foxnn.train_data(FILES / "sgd_0_data.txt")
    words = (FILES / "sgd_0_data.txt").read_text().split()
    (tmp_path / "bad").write_text("\n".join([*words[:20], "bad", *words[21:]]))
    for block in (1, 2, 3, 7, 23, 24, 1000):
        monkeypatch.setattr(values, "_BLOCK", block)
        data = foxnn.train_data(FILES / "sgd_0_data.txt")
        np.testing.assert_array_equal(data.inputs, expected.inputs)
        np.testing.assert_array_equal(data.outputs, expected.outputs)
        assert same(foxnn.load(FILES / "net_1.txt"), foxnn.load(FILES / "net_1.txt"))
        with pytest.raises(foxnn.FileFormatError, match=r"line 21: .* got 'bad'"):
            foxnn.train_data(tmp_path / "bad")


def test_large_data_needs_little_more_than_itself(tmp_path: Path) -> None:
    data = rows(np.random.default_rng(0).normal(size=(1000, 200)), np.ones((1000, 1)))
    tracemalloc.start()
    data.save(tmp_path / "data.txt")
    _, saving = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    loaded = foxnn.train_data(tmp_path / "data.txt")
    _, loading = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = 1000 * 201 * 8
    assert (tmp_path / "data.txt").stat().st_size > 2.5 * size
    assert saving < size
    assert loading < 2.5 * size  # a block of the file as bytes, words and numbers
    np.testing.assert_array_equal(loaded.inputs, data.inputs)


# ---- its mistakes -----------------------------------------------------------------------------------------------


def unchanged(nn: foxnn.NeuralNetwork) -> Callable[[], bool]:
    before = nn.copy(), nn.epoch, nn.settings.as_dict(), nn.optimizer
    return lambda: same(nn, before[0]) and (nn.epoch, nn.settings.as_dict(), nn.optimizer) == before[1:]


WRONG_CALLS: list[tuple[str, Callable[[foxnn.NeuralNetwork], Any], type[Exception], str]] = [
    ("short input", lambda nn: nn.get_out([1]), ValueError, "input: got 1 numbers; it takes a list of 2 numbers"),
    ("long input", lambda nn: nn.get_out([1, 2, 3]), ValueError, "input: got 3 numbers"),
    ("many inputs", lambda nn: nn.get_out([[1, 2]]), ValueError, "input: got an array of shape (1, 2)"),
    ("nan input", lambda nn: nn.get_out([1, float("nan")]), ValueError, "input: got nan"),
    ("huge input", lambda nn: nn.get_out([1, 1e300]), ValueError, "got inf"),
    ("text input", lambda nn: nn.get_out(["1", "2"]), TypeError, "input: got"),
    ("no layer", lambda nn: nn.get_layer(2), IndexError, "this network has 2 layers, counted from 0"),
    ("negative layer", lambda nn: nn.get_layer(-1), IndexError, "got -1"),
    ("half a layer", lambda nn: nn.get_layer(0.5), TypeError, "float"),
    ("activation", lambda nn: nn.get_layer(0).set_activation_function("tanh"), ValueError,
     "activation: unknown name 'tanh' (did you mean 'tan_h'?); it takes one of: sigmoid, sinusoid, gaussian, relu"),
    ("parameters", lambda nn: nn.get_layer(0).set_activation_function("relu", [1]), ValueError,
     "parameters: got 1 of them; 'relu' takes none"),
    ("two alphas", lambda nn: nn.get_layer(0).set_activation_function("elu", [1, 2]), ValueError,
     "parameters: got 2 of them; 'elu' takes a list of at most 1 (alpha)"),
    ("alpha", lambda nn: nn.get_layer(0).set_activation_function("elu", [-1]), ValueError, "elu alpha: got -1"),
    ("no list", lambda nn: nn.get_layer(0).set_activation_function("elu", 1.0), TypeError, "parameters: got 1.0"),
    ("layer width", lambda nn: nn.next_layer(foxnn.layer(2, 1)), ValueError, "layer: got one of 2 inputs; it takes 1"),
    ("not a layer", lambda nn: nn.next_layer([[1, 2]]), TypeError, "layer: got [[1, 2]]; it takes a foxnn.layer"),
    ("layer too large", lambda nn: nn.next_layer(foxnn.layer([[1e300, 0]])), ValueError, "float32 can hold"),
    ("no rows", lambda nn: nn.train(foxnn.train_data(), 0.1, 1), ValueError, "data_for_train: got no rows"),
    ("row widths", lambda nn: nn.train(rows([1], [1]), 0.1, 1), ValueError,
     "data_for_train: got rows of 1 inputs and 1 outputs; this network takes 2 and 1"),
    ("out widths", lambda nn: nn.train(rows([1, 2], [1, 2]), 0.1, 1), ValueError, "got rows of 2 inputs and 2 outputs"),
    ("a list", lambda nn: nn.train([[1, 2]], 0.1, 1), TypeError, "data_for_train: got list; it takes foxnn.train_data"),
    ("speed", lambda nn: nn.train(xor(), -0.1, 1), ValueError, "speed: got -0.1"),
    ("nan speed", lambda nn: nn.train(xor(), float("nan"), 1), ValueError, "speed: got nan"),
    ("iterations", lambda nn: nn.train(xor(), 0.1, -1), ValueError, "max_iteration: got -1"),
    ("float iterations", lambda nn: nn.train(xor(), 0.1, 1.5), TypeError, "max_iteration: got 1.5"),
    ("batch", lambda nn: nn.train(xor(), 0.1, 1, -1), ValueError, "size_train_batch: got -1"),
    ("test of nothing", lambda nn: nn.testing(foxnn.train_data()), ValueError, "data: got no rows"),
    ("test widths", lambda nn: nn.testing(rows([1, 2], [1, 2])), ValueError, "data: got rows of 2 inputs and 2"),
    ("mutation", lambda nn: nn.random_mutation(float("inf")), ValueError, "speed: got inf"),
    ("large mutation", lambda nn: nn.random_mutation(1e300), ValueError, "float32 can hold"),
    ("mode", lambda nn: nn.settings.set_mode("nonsense"), ValueError,
     "mode: unknown name 'nonsense'; it takes one of: SGD, Adam, Nesterov"),
    ("file", lambda nn: nn.train_on_file(FILES / "net_0.txt", 0.1, 1), foxnn.FileFormatError, "line 2: n_inputs"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), [w[1:] for w in WRONG_CALLS], ids=[w[0] for w in WRONG_CALLS])
def test_what_is_wrong_raises_and_changes_nothing(
    call: Callable[[foxnn.NeuralNetwork], Any], error: type[Exception], message: str
) -> None:
    nn = foxnn.neural_network([2, 3, 1], seed=0)
    nn.train(xor(), 0.1, 3)
    as_it_was = unchanged(nn)
    with pytest.raises(error, match=re.escape(message)):
        call(nn)
    nn.settings._mutations.value = 0
    assert as_it_was()


@pytest.mark.parametrize("sizes", [[], [2], [2, 0], [2, -1, 1], [2, 1.5], ["a", "b"], None, 3])
def test_wrong_lists_make_no_network(sizes: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="sizes"):
        foxnn.neural_network(sizes)


@pytest.mark.parametrize("arguments", [(), (2,), (0, 1), (2, 0), ([1, 2, 3],), ([[1]],), ([[1, 2], [3]],), ([[]],)])
def test_wrong_lists_make_no_layer(arguments: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"n_in|n_neurons"):
        foxnn.layer(*arguments)


def test_testing_everything_leaves_nothing_to_train_on() -> None:
    nn = foxnn.neural_network([2, 1])
    nn.settings.n_print = 1
    nn.settings.set_part_for_test(1)
    with pytest.raises(ValueError, match="part_for_test: 1 of 4 rows leaves nothing to train on"):
        nn.train(xor(), 0.1, 1)


def test_the_first_step_of_adam_is_of_its_full_length() -> None:
    """1.0 divided 0 by 0 there."""
    nn = foxnn.neural_network([1, 1], output="linear", init="zeros", dtype="float64")
    nn.settings.set_mode("Adam")
    nn.train(rows([1], [1e-3]), 0.25, 1)
    assert nn.layers[0].weights.item() == pytest.approx(0.25, rel=1e-4)


def derivative(name: str, at: float, values: tuple[float, ...] = ()) -> float:
    """Of an activation, from a step of SGD: with x = 1 and error 1 the weight moves by it."""
    nn = foxnn.neural_network([1, 1], init=[[[at]]], dtype="float64")
    nn.get_layer(0).set_activation_function(name, values)
    nn.train(rows([1], [nn.get_out([1])[0] - 1]), 2.0**-20, 1)
    return float(at - nn.layers[0].weights.item()) * 2**20


def test_derivatives_are_right_where_they_were_not_and_where_it_chose() -> None:
    assert derivative("elu", 2.0, (0.5,)) == pytest.approx(1)
    assert derivative("elu", -1.0, (0.5,)) == pytest.approx(0.5 * np.exp(-1))
    assert derivative("relu", 0.0) == pytest.approx(1)
    assert derivative("relu", -1.0) == 0
    assert derivative("relu", 1.0) == pytest.approx(1)


def test_relu_from_a_file_has_its_derivative_too() -> None:
    nn = foxnn.load(FILES / "net_1.txt")
    nn.layers[0].weights = nn.layers[0].bias = 0
    before = nn.layers[0].bias
    nn.train(rows([0] * 4, [0] * 3), 0.1, 1)
    assert not np.array_equal(nn.layers[0].bias, before)


def test_tan_h_is_right_far_out() -> None:
    nn = foxnn.neural_network([1, 1], init=[[[1]]])
    nn.get_layer(0).set_activation_function("tan_h")
    assert [nn.get_out([x])[0] for x in (-800, -1e30, 800)] == [-1, -1, 1]


def test_divergence_leaves_finite_weights() -> None:
    nn = foxnn.neural_network([2, 3, 1], output="linear", activation="linear", seed=0)
    with pytest.raises(foxnn.DivergenceError):
        nn.train(rows([[1e3, 2e3], [3e3, -1e3]], [[1e3], [0]]), 10.0, 1000)
    assert all(np.isfinite(p).all() for p in parameters(nn))


def test_one_training_at_a_time() -> None:
    nn = foxnn.neural_network([2, 1])
    with nn._exclusively():
        for call in (lambda: nn.train(xor(), 0.1, 1), lambda: nn.next_layer(foxnn.layer(1, 1))):
            with pytest.raises(RuntimeError, match="being trained already"):
                call()
    nn.next_layer(foxnn.layer(1, 1))
    nn.train(xor(), 0.1, 1)


def test_predicting_goes_on_while_layers_are_appended() -> None:
    nn = foxnn.neural_network([4, 4])
    widths, stop = set(), threading.Event()

    def predict() -> None:
        while not stop.is_set():
            widths.add(nn.predict(np.ones((3, 4))).shape[1])

    thread = threading.Thread(target=predict)
    thread.start()
    for width in (40, 400, 4, 800):
        nn.next_layer(foxnn.layer(nn.sizes[-1], width))
    stop.set()
    thread.join()
    assert widths <= {4, 40, 400, 800}


def test_a_softmax_cannot_be_followed() -> None:
    nn = foxnn.neural_network([2, 3], output="softmax")
    with pytest.raises(ValueError, match="softmax"):
        nn.next_layer(foxnn.layer(3, 1))
    assert nn.sizes == [2, 3]


def test_seeds_and_threads_for_a_network_from_a_file() -> None:
    nn = foxnn.neural_network(FILES / "net_0.txt", seed=3, n_threads=2)
    assert (nn.seed, nn.n_threads, nn.settings.n_threads) == (3, 2, 2)
    with pytest.raises(ValueError, match="n_threads: got 0"):
        foxnn.neural_network([2, 1], n_threads=0)
