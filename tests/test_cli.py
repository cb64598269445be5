"""The command line: what it trains, says, writes and refuses, and how it ends."""

from __future__ import annotations

import csv
import importlib.metadata
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import foxnn
from foxnn.callbacks import Callback
from foxnn.cli import main, report, training_data
from foxnn.datasets import TableEncoder, load_csv, load_mnist_sample

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """In an empty folder, without the network, without MNIST but its sample, and with one thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FOXNN_DATA_DIR", raising=False)
    monkeypatch.setenv("FOXNN_CACHE_DIR", str(tmp_path / "no_cache"))
    monkeypatch.setenv("FOXNN_MIRROR", (tmp_path / "no_mirror").as_uri())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # for child processes
    with foxnn.num_threads(1):
        yield


@pytest.fixture
def foxnn_(capfd: pytest.CaptureFixture[str]) -> Any:
    """Run the command line in this process."""

    def run(*argv: object) -> Result:
        code = main([str(argument) for argument in argv])
        return Result(code, *capfd.readouterr())

    return run


def child(*argv: str, **options: Any) -> subprocess.Popen[str]:
    """Run the command line in a process of its own, where Ctrl-C does what it does in a shell."""
    if sys.platform != "win32":
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        [sys.executable, "-m", "foxnn", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def write_csv(name: str, header: list[str], rows: list[list[Any]]) -> Path:
    with open(name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return Path(name)


@pytest.fixture
def flowers() -> Path:
    """Three classes that size, of huge numbers, and colour tell apart."""
    rng = np.random.default_rng(0)
    colours = {"cat": "red", "dog": "red", "æsel": "blue"}
    rows = []
    for i in range(90):
        name = list(colours)[i % 3]
        rows.append([5e6 + 1e3 * (name == "cat") + rng.normal(0, 50), rng.normal(0, 1e-3), colours[name], name])
    return write_csv("flowers.csv", ["size", "noise", "colour", "species"], rows)


@pytest.fixture
def homes() -> Path:
    """Prices, of huge numbers, that depend on area and city."""
    rng = np.random.default_rng(1)
    rows = []
    for i in range(120):
        area, city = rng.uniform(40, 200), ["Bern", "Basel"][i % 2]
        rows.append([f"{area:.1f}", city, f"{2e6 + 1e4 * area + 5e5 * (city == 'Bern'):.2f}"])
    return write_csv("homes.csv", ["area", "city", "price"], rows)


def answers(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def shown(text: str, name: str) -> float:
    """The number after a name in what was printed."""
    found = re.search(rf"(?<!\w){re.escape(name)} (-?[0-9.]+(?:e[-+]?\d+)?)", text)
    assert found, f"{name!r} is not in {text!r}"
    return float(found.group(1))


def assert_same_weights(left: foxnn.NeuralNetwork, right: foxnn.NeuralNetwork) -> None:
    assert left.sizes == right.sizes
    for a, b in zip(left.layers, right.layers, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)
        np.testing.assert_array_equal(a.bias, b.bias)


# --------------------------------------------------------------------------------------------------
# Training on images
# --------------------------------------------------------------------------------------------------


def test_train_mnist_trains_the_network_of_the_title(foxnn_: Any) -> None:
    result = foxnn_("train", "mnist", "--epochs", 1)
    assert result.code == 0
    X_train, y_train, X_test, y_test = load_mnist_sample()
    twin = foxnn.neural_network([784, 512, 512, 10], activation="relu", output="softmax", seed=0)
    twin.fit(X_train, y_train, epochs=1, batch_size=98, optimizer="adam", verbose=False)
    network = foxnn.load("mnist.safetensors")
    assert_same_weights(network, twin)
    assert network.loss == "cross_entropy"
    assert network.metadata == {"dataset": "mnist"}
    values = network.evaluate(X_test, y_test)
    assert re.search(r"^test +accuracy", result.out, re.MULTILINE)
    assert f"accuracy {values['accuracy']:.4f}, loss {values['loss']:.4f} (1,000 images)" in result.out
    assert "6,000 images to train on, 1,000 to test with" in result.out
    assert len(re.findall(r"^epoch 1/1  loss \d", result.out, re.MULTILINE)) == 1


def test_that_only_the_sample_is_there_is_said_in_one_line(foxnn_: Any) -> None:
    result = foxnn_("train", "mnist", "--epochs", 1, "--hidden", 4, "--quiet")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert result.err.startswith("foxnn: warning: this is only the sample of MNIST")
    assert "FOXNN_DATA_DIR" in result.err


def test_fashion_mnist_is_another_set(foxnn_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = load_mnist_sample()
    turned = sample._replace(X_test=sample.X_test[:500], y_test=sample.y_test[:500])
    monkeypatch.setattr("foxnn.datasets.load_fashion_mnist", lambda: turned)
    result = foxnn_("train", "fashion-mnist", "--epochs", 1, "--hidden", 4)
    assert (result.code, result.err) == (0, "")
    assert "(500 images)" in result.out
    assert foxnn.load("fashion-mnist.safetensors").metadata == {"dataset": "fashion-mnist"}
    assert "(500 images)" in foxnn_("evaluate", "fashion-mnist.safetensors", "fashion-mnist").out


def test_evaluate_mnist_gives_what_training_gave(foxnn_: Any) -> None:
    trained = foxnn_("train", "mnist", "--epochs", 1, "--hidden", 8, "--quiet").out
    assert trained.split(maxsplit=1) == ["test", foxnn_("evaluate", "mnist.safetensors", "mnist").out]


def test_a_network_for_images_reads_pixels_from_tables(foxnn_: Any) -> None:
    assert foxnn_("train", "mnist", "--epochs", 1, "--hidden", 8, "--quiet").code == 0
    X, y = load_mnist_sample()[2:]
    header = ["label", *(f"pixel{i}" for i in range(784))]
    write_csv("digits.csv", header, [[label, *pixels] for label, pixels in zip(y[:50], X[:50], strict=True)])
    network = foxnn.load("mnist.safetensors")
    result = foxnn_("predict", "mnist.safetensors", "digits.csv", "--ignore", "label")
    assert [int(row["class"]) for row in answers(result.out)] == network.predict(X[:50]).argmax(axis=1).tolist()
    result = foxnn_("evaluate", "mnist.safetensors", "digits.csv", "--target", "label")
    assert shown(result.out, "accuracy") == pytest.approx(network.evaluate(X[:50], y[:50])["accuracy"], abs=5e-5)
    write_csv("scaled.csv", header, [[0, *([0.5] * 784)]])
    result = foxnn_("predict", "mnist.safetensors", "scaled.csv", "--ignore", "label")
    assert result.code == 2
    assert "0 to 255" in result.err


# --------------------------------------------------------------------------------------------------
# Training on tables
# --------------------------------------------------------------------------------------------------


def test_a_table_of_classes(foxnn_: Any, flowers: Path) -> None:
    result = foxnn_("train", flowers, "--target", "species", "--epochs", 40)
    assert (result.code, result.err) == (0, "")
    assert "classification: 3 classes of 'species'" in result.out
    assert "65 rows to train on, 7 to validate on, 18 to test with" in result.out
    assert "(18 rows)" in result.out
    assert shown(result.out.split("test ")[-1], "accuracy") > 0.9
    network = foxnn.load("flowers.safetensors")
    assert network.sizes == [4, 64, 64, 3]
    assert network.layers[-1].activation == "softmax"

    evaluated = foxnn_("evaluate", "flowers.safetensors", flowers)
    predicted = foxnn_("predict", "flowers.safetensors", flowers)
    truth = [row["species"] for row in answers(flowers.read_text("utf-8"))]
    rows = answers(predicted.out)
    assert list(rows[0]) == ["species"]
    right = np.mean([row["species"] == label for row, label in zip(rows, truth, strict=True)])
    assert right > 0.9
    assert shown(evaluated.out, "accuracy") == pytest.approx(right, abs=5e-5)
    assert "(90 rows)" in evaluated.out


def test_a_table_of_numbers(foxnn_: Any, homes: Path) -> None:
    result = foxnn_("train", homes, "--target", "price", "--epochs", 60)
    assert (result.code, result.err) == (0, "")
    assert "regression of 'price'" in result.out
    assert shown(result.out, "R^2") > 0.95

    evaluated = foxnn_("evaluate", "homes.safetensors", homes).out
    predicted = [float(row["price"]) for row in answers(foxnn_("predict", "homes.safetensors", homes).out)]
    truth = np.array([float(row["price"]) for row in answers(homes.read_text())])
    squares = np.mean((predicted - truth) ** 2)
    assert shown(evaluated, "RMSE") == pytest.approx(np.sqrt(squares), rel=1e-4)
    assert shown(evaluated, "R^2") == pytest.approx(1 - squares / truth.var(), abs=1e-4)
    assert shown(evaluated, "R^2") > 0.95


def test_what_is_held_out_teaches_nothing(foxnn_: Any, homes: Path) -> None:
    """Not even the means: they and the deviations are those of the rows that are left."""
    assert foxnn_("train", homes, "--target", "price", "--epochs", 1, "--test", "0.5", "--seed", 3).code == 0
    network = foxnn.load("homes.safetensors")
    stored = network.metadata["table"]
    table = load_csv(homes, target="price", dtype="float64")
    rest, test = training_data._split(training_data.Part(table.X, table.y), 0.5, 3, training_data._TEST_SHUFFLE)
    assert len(test.X) == 60
    assert stored["mean"] == pytest.approx([rest.X[:, 0].mean(), 0, 0])
    assert stored["deviation"] == pytest.approx([rest.X[:, 0].std(), 1, 1])
    assert stored["target_mean"] == pytest.approx(rest.y.mean())
    assert stored["target_deviation"] == pytest.approx(rest.y.std())
    # And what docs/command_line.md says about using such a network in Python.
    X = TableEncoder.from_json(stored["encoder"]).transform(homes, dtype="float64")
    outputs = network.predict((X - stored["mean"]) / stored["deviation"])
    prices = stored["target_mean"] + stored["target_deviation"] * outputs[:, 0]
    lines = foxnn_("predict", "homes.safetensors", homes).out.split()
    assert [float(text) for text in lines[1:]] == pytest.approx(prices.tolist(), rel=1e-6)


@given(st.integers(2, 200), st.floats(0, 0.99), st.integers(0, 2**64))
def test_splits_leave_nothing_out_and_nothing_twice(n: int, share: float, seed: int) -> None:
    X = np.arange(n)
    if max(1, round(share * n)) >= n and share:
        with pytest.raises(ValueError, match="too few samples"):
            training_data._split(training_data.Part(X, X), share, seed, 1)
        return
    kept, held = training_data._split(training_data.Part(X, X), share, seed, 1)
    assert sorted([*kept.X, *held.X]) == X.tolist()
    assert (kept.y == kept.X).all()
    assert (held.y == held.X).all()
    assert len(held.X) == (max(1, round(share * n)) if share else 0)


def test_constant_and_extreme_columns(foxnn_: Any) -> None:
    rows = [[0.1, i * 1e-310, i, i % 2 + 0.5] for i in range(40)]
    write_csv("t.csv", ["constant", "tiny", "x", "y"], rows)
    assert foxnn_("train", "t.csv", "--target", "y", "--task", "regression", "--epochs", 2).code == 0
    assert foxnn.load("t.safetensors").metadata["table"]["deviation"][:2] == [1.0, 1.0]
    assert foxnn_("predict", "t.safetensors", "t.csv").code == 0
    write_csv("huge.csv", ["x", "y"], [[(-1) ** i * 1.7e308, i + 0.5] for i in range(40)])
    result = foxnn_("train", "huge.csv", "--target", "y", "--epochs", 2)
    assert result.code == 2
    assert "'x': the numbers are too large" in result.err


def test_columns_are_found_by_name(foxnn_: Any, flowers: Path) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 3, "--quiet").code == 0
    rows = answers(flowers.read_text("utf-8"))
    write_csv(
        "other.csv",
        ["kind", "colour", "serial", "noise", "size"],
        [[row["species"], row["colour"], i, row["noise"], row["size"]] for i, row in enumerate(rows)],
    )
    same = foxnn_("predict", "flowers.safetensors", flowers)
    assert foxnn_("predict", "flowers.safetensors", "other.csv") == same
    same = foxnn_("evaluate", "flowers.safetensors", flowers)
    assert foxnn_("evaluate", "flowers.safetensors", "other.csv", "--target", "kind") == same
    result = foxnn_("evaluate", "flowers.safetensors", "other.csv")
    assert result.code == 2
    assert "no column 'species'" in result.err


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
def test_probabilities(foxnn_: Any, flowers: Path, loss: str) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 3, "--loss", loss).code == 0
    plain = answers(foxnn_("predict", "flowers.safetensors", flowers).out)
    for row, expected in zip(
        answers(foxnn_("predict", "flowers.safetensors", flowers, "--probabilities").out), plain, strict=True
    ):
        species = row.pop("species")
        assert species == expected["species"]
        assert list(row) == ["P(cat)", "P(dog)", "P(æsel)"]
        values = {name: float(value) for name, value in row.items()}
        assert sum(values.values()) == pytest.approx(1, abs=1e-4)
        assert max(values, key=values.__getitem__) == f"P({species})"


def test_numbers_may_be_classes(foxnn_: Any) -> None:
    write_csv("t.csv", ["x", "y"], [[i, 7 if i < 30 else -3] for i in range(60)])
    result = foxnn_("train", "t.csv", "--target", "y", "--epochs", 60)
    assert "classification: 2 classes of 'y'" in result.out
    said = foxnn_("predict", "t.safetensors", "t.csv").out.split()
    assert said[:2] == ["y", "7"]
    assert said[-1] == "-3"


def test_counts_are_learnt_as_they_are_by_poisson(foxnn_: Any) -> None:
    rng = np.random.default_rng(0)
    write_csv("t.csv", ["x", "n"], [[x, rng.poisson(np.exp(2 * x))] for x in rng.uniform(0, 2, 200)])
    argv = ("train", "t.csv", "--target", "n", "--task", "regression", "--loss", "poisson", "--epochs", 30)
    assert foxnn_(*argv).code == 0
    network = foxnn.load("t.safetensors")
    assert network.layers[-1].activation == "exp"
    assert network.metadata["table"]["target_deviation"] == 1.0
    assert all(float(row["n"]) > 0 for row in answers(foxnn_("predict", "t.safetensors", "t.csv").out))


def test_options_of_tables(foxnn_: Any) -> None:
    rows = [[i, f"{i % 3}.5", 1000 + i % 2, "nothing", i % 2] for i in range(40)]
    with open("t.csv", "w", encoding="utf-8") as file:
        file.writelines(";".join(map(str, row)) + "\n" for row in [["id", "a,b", "zip", "junk", "y"], *rows])
    argv = ("train", "t.csv", "--target", "y", "--ignore", "id, junk", "--text-columns", "zip", "--delimiter", ";")
    result = foxnn_(*argv, "--task", "regression", "--test", 0, "--validation", 0, "--epochs", 1)
    assert (result.code, result.err) == (0, "")
    assert "40 rows to train on\n" in result.out
    assert "regression of 'y'" in result.out
    assert "2, which make 3 inputs" in result.out
    assert "\ntest" not in result.out
    encoder = TableEncoder.from_json(foxnn.load("t.safetensors").metadata["table"]["encoder"])
    assert encoder.feature_names == ("a,b", "zip=1000", "zip=1001")


# --------------------------------------------------------------------------------------------------
# Options of training
# --------------------------------------------------------------------------------------------------


def test_schedules(foxnn_: Any, flowers: Path) -> None:
    """Over the epochs that are asked for, from the rate that is asked for."""
    argv = ["train", flowers, "--target", "species", "--epochs", 4, "--early-stopping", 0, "--learning-rate", 0.02]
    for name, schedule in (("cosine", foxnn.schedules.Cosine(0.02)), ("one-cycle", foxnn.schedules.OneCycle(0.02))):
        result = foxnn_(*argv, "--schedule", name)
        assert (result.code, result.err) == (0, "")
        network = foxnn.load("flowers.safetensors")
        assert network.optimizer.learning_rate == schedule
        rates = network.history["learning_rate"]
        assert len(rates) == 4
        assert rates[-1] < rates[1] <= 0.02
        assert f"learning_rate {rates[1]:.4g}" in result.out
    assert foxnn_(*argv, "--schedule", "constant").code == 0
    assert foxnn.load("flowers.safetensors").optimizer.learning_rate == 0.02


def test_options_of_the_network(foxnn_: Any, flowers: Path) -> None:
    argv = ["train", flowers, "--target", "species", "--hidden", "6,5", "--activation", "tanh,elu"]
    argv += ["--dropout", 0.25, "--dtype", "float64", "--init", "zeros", "--seed", 7, "--epochs", 3]
    argv += ["--optimizer", "sgd", "--learning-rate", 0.125, "--loss", "mse", "--output", "net.safetensors"]
    assert foxnn_(*argv).code == 0
    network = foxnn.load("net.safetensors")
    assert network.sizes == [4, 6, 5, 3]
    assert [str(layer.activation) for layer in network.layers] == ["tanh", "elu(alpha=1)", "sigmoid"]
    assert network.dropout == [0.25, 0.25]
    assert network.dtype == np.float64
    assert network.seed == 7
    assert len(network.history["loss"]) == 3
    assert network.optimizer == foxnn.optimizers.SGD(0.125)
    assert network.loss == "mean_squared_error"
    assert not network.layers[0].weights.any()  # zeros stay zeros where nothing tells units apart
    assert not Path("flowers.safetensors").exists()


def test_normalisation_and_regularisation(foxnn_: Any, flowers: Path) -> None:
    argv = ["train", flowers, "--target", "species", "--hidden", "6,5", "--epochs", 2, "--norm", "batch", "--l1", 1e-5]
    argv += ["--l2", 1e-3, "--max-norm", 2.5, "--input-noise", 0.125, "--input-dropout", 0.25]
    argv += ["--label-smoothing", 0.1, "--optimizer", "adamw", "--weight-decay", 0.02, "--clip-norm", 0.5]
    result = foxnn_(*argv)
    assert (result.code, result.err) == (0, "")
    assert "training  cross_entropy, label_smoothing 0.1, l1 1e-05, l2 0.001, AdamW(" in result.out
    network = foxnn.load("flowers.safetensors")
    assert [layer.norm for layer in network.layers] == [foxnn.BatchNorm(), foxnn.BatchNorm(), None]
    assert (network.l1, network.l2, network.max_norm) == (1e-5, 1e-3, [2.5, 2.5, 2.5])
    assert (network.input_noise, network.input_dropout) == (0.125, 0.25)
    assert network.loss == foxnn.Loss("cross_entropy", label_smoothing=0.1)
    assert network.optimizer == foxnn.optimizers.AdamW(weight_decay=0.02, clip_norm=0.5)
    said = foxnn_("info", "flowers.safetensors").out
    assert re.search(r"inputs +\(4,\) +noise 0.125, dropout 0.25\n", said)
    assert re.search(r"0 dense +\(6,\) +42  batch_norm relu, max_norm 2.5\n", said)
    assert re.search(r"2 dense +\(3,\) +18  softmax, max_norm 2.5\n", said)
    assert "loss      cross_entropy, label_smoothing 0.1, l1 1e-05, l2 0.001" in said

    argv = ["train", flowers, "--target", "species", "--hidden", "6", "--epochs", 2, "--norm", "layer"]
    argv += ["--optimizer", "nesterov", "--momentum", 0.5, "--clip-value", 0.01, "--loss", "bce"]
    assert foxnn_(*argv, "--label-smoothing", 0.2).code == 0
    network = foxnn.load("flowers.safetensors")
    assert [layer.norm for layer in network.layers] == [foxnn.LayerNorm(), None]
    assert network.optimizer == foxnn.optimizers.Nesterov(momentum=0.5, clip_value=0.01)
    assert network.loss == foxnn.Loss("binary_cross_entropy", label_smoothing=0.2)


def test_balanced_classes(foxnn_: Any) -> None:
    """Rare classes count as much as others: nothing but how often they come tells these apart."""
    write_csv("t.csv", ["x", "y"], [[0, "rare" if i % 10 == 0 else "often"] for i in range(200)])
    argv = ("train", "t.csv", "--target", "y", "--hidden", "none", "--epochs", 300, "--test", 0, "--validation", 0)
    for options, share in (((), 0.1), (("--class-weight", "balanced"), 0.5)):
        assert foxnn_(*argv, "--batch-size", 200, "--optimizer", "sgd", "--learning-rate", 0.5, *options).code == 0
        row = answers(foxnn_("predict", "t.safetensors", "t.csv", "--probabilities").out)[0]
        assert float(row["P(rare)"]) == pytest.approx(share, abs=1e-3)


@pytest.mark.parametrize(
    "option",
    [
        *(("--seed", 1), ("--batch-size", 7), ("--activation", "tanh"), ("--init", "orthogonal"), ("--norm", "batch")),
        *(("--norm", "layer"), ("--dropout", 0.5), ("--input-dropout", 0.5), ("--input-noise", 0.1), ("--l1", 0.1)),
        *(("--l2", 0.1), ("--max-norm", 0.1), ("--label-smoothing", 0.1), ("--clip-norm", 1e-9)),
        *(("--clip-value", 1e-9), ("--class-weight", "balanced")),
    ],
)
def test_an_option_makes_another_network_and_the_same_one_every_time(
    foxnn_: Any, flowers: Path, option: tuple[str, object]
) -> None:
    argv = ("train", flowers, "--target", "species", "--epochs", 2, "--hidden", 8, "--quiet", "--output")
    assert foxnn_(*argv, "a.safetensors").code == 0
    assert foxnn_(*argv, "b.safetensors", *option).code == 0
    assert foxnn_(*argv, "c.safetensors", *option).code == 0
    a, b, c = (foxnn.load(f"{name}.safetensors") for name in "abc")
    assert_same_weights(b, c)
    assert not np.array_equal(a.layers[0].weights, b.layers[0].weights)


def test_no_hidden_layer(foxnn_: Any, homes: Path) -> None:
    assert foxnn_("train", homes, "--target", "price", "--hidden", "none", "--epochs", 1).code == 0
    assert foxnn.load("homes.safetensors").sizes == [3, 1]


def test_threads_are_used_and_change_nothing(foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(report.EpochLines, "on_epoch_end", lambda *_: seen.append(foxnn.get_num_threads()))
    argv = ("train", flowers, "--target", "species", "--epochs", 2, "--hidden", 8, "--output")
    assert foxnn_(*argv, "a.safetensors", "--threads", 2).code == 0
    assert foxnn_(*argv, "b.safetensors").code == 0
    assert seen == [2, 2, 1, 1]
    assert_same_weights(foxnn.load("a.safetensors"), foxnn.load("b.safetensors"))


def test_early_stopping_goes_back_to_the_best(foxnn_: Any, homes: Path) -> None:
    argv = ("train", homes, "--target", "price", "--early-stopping", 2, "--learning-rate", 0.05, "--test", 0.3)
    result = foxnn_(*argv)
    network = foxnn.load("homes.safetensors")
    losses = network.history["val_loss"]
    assert 3 <= len(losses) < 100
    best = int(np.argmin(losses))
    assert len(losses) == best + 3
    assert f"epoch {best + 1} of {len(losses)} (val_loss {losses[best]:.4f})" in result.out
    assert foxnn_(*argv, "--epochs", best + 1, "--output", "best.safetensors").code == 0
    assert_same_weights(network, foxnn.load("best.safetensors"))


def test_validation_without_early_stopping(foxnn_: Any) -> None:
    argv = ("train", "mnist", "--hidden", 4, "--epochs", 2, "--validation", 0.25, "--seed", 3)
    result = foxnn_(*argv)
    assert "4,500 images to train on, 1,500 to validate on, 1,000 to test with" in result.out
    network = foxnn.load("mnist.safetensors")
    images = training_data.Part(*load_mnist_sample()[:2])
    held = training_data._split(images, 0.25, 3, training_data._VALIDATION_SHUFFLE)[1]
    assert network.history["val_loss"][1] == network.evaluate(*held)["loss"]
    assert "\nbest" not in result.out
    assert "val_loss" in result.out


def test_quiet_prints_the_result_only(foxnn_: Any, flowers: Path) -> None:
    result = foxnn_("train", flowers, "--target", "species", "--epochs", 2, "--quiet")
    assert result.err == ""
    assert re.fullmatch(r"test +accuracy [0-9.]+, loss [0-9.]+ \(18 rows\)\n", result.out)


def test_terminals_get_a_bar_and_pipes_get_lines(foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    argv = ("train", flowers, "--target", "species", "--epochs", 12, "--early-stopping", 0)
    result = foxnn_(*argv)
    assert result.err == ""
    assert re.findall(r"^epoch +(\d+)/12 ", result.out, re.MULTILINE) == [str(i) for i in range(1, 13)]
    monkeypatch.setattr("foxnn.callbacks.progress_bar.sys.stderr.isatty", lambda: True)
    result = foxnn_(*argv)
    assert "epoch 12/12" in result.err
    assert "epoch 12/12" not in result.out
    assert foxnn_(*argv, "--quiet").err == ""


# --------------------------------------------------------------------------------------------------
# Predicting
# --------------------------------------------------------------------------------------------------


def test_predictions_go_to_a_file(foxnn_: Any, flowers: Path) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 2, "--quiet").code == 0
    Path("out.csv").write_text("old")
    before = set(os.listdir())
    result = foxnn_("predict", "flowers.safetensors", flowers, "--output", "out.csv")
    assert result == Result(0, "", "")
    assert set(os.listdir()) == before
    assert Path("out.csv").read_bytes().decode("utf-8") == foxnn_("predict", "flowers.safetensors", flowers).out


def test_a_failed_prediction_leaves_the_old_file(foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 2, "--quiet").code == 0
    Path("out.csv").write_text("old")

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "replace", fail)
    result = foxnn_("predict", "flowers.safetensors", flowers, "--output", "out.csv")
    assert result == Result(2, "", "foxnn: error: the disk is gone\n")
    assert Path("out.csv").read_text() == "old"
    assert sorted(os.listdir()) == ["flowers.csv", "flowers.safetensors", "out.csv"]


def test_a_network_made_in_python_takes_columns_in_their_order(foxnn_: Any) -> None:
    network = foxnn.neural_network([2, 5, 3], activation="tanh", output="softmax", seed=0)
    network.save("classes.safetensors")
    X = np.array([[0.5, -1], [2, 0.25], [-3, 1]])
    rows = [[f"name {i}", *x, y] for i, (x, y) in enumerate(zip(X, [0, 2, 2], strict=True))]
    write_csv("t.csv", ["name", "b", "a", "y"], rows)
    said = answers(foxnn_("predict", "classes.safetensors", "t.csv", "--ignore", "name,y").out)
    assert [int(row["class"]) for row in said] == network.predict(X).argmax(axis=1).tolist()
    result = foxnn_("evaluate", "classes.safetensors", "t.csv", "--target", "y", "--ignore", "name")
    values = network.evaluate(X, [0, 2, 2])
    assert result.out == f"accuracy {values['accuracy']:.4f}, loss {values['loss']:.4f} (3 rows)\n"

    network = foxnn.neural_network([2, 5, 2], activation="tanh", output="linear", seed=0)
    network.save("numbers.safetensors")
    said = answers(foxnn_("predict", "numbers.safetensors", "t.csv", "--ignore", "name,y").out)
    got = [[float(row["output_0"]), float(row["output_1"])] for row in said]
    np.testing.assert_array_equal(np.float32(got), network.predict(X))

    result = foxnn_("predict", "numbers.safetensors", "t.csv", "--ignore", "name")
    assert result.code == 2
    assert "t.csv has 3 columns for the 2 inputs" in result.err


def test_onnx_files_of_networks_trained_on_tables_read_these_tables(foxnn_: Any, flowers: Path) -> None:
    """The columns as they are encoded for the network, which the file knows; not as they are."""
    pytest.importorskip("onnx")
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 20).code == 0
    assert foxnn_("export", "flowers.safetensors", "--to", "onnx").code == 0
    assert foxnn.from_onnx("flowers.onnx").metadata == foxnn.load("flowers.safetensors").metadata
    for command in (("predict", flowers, "--probabilities"), ("evaluate", flowers)):
        command, *more = command
        expected, got = (foxnn_(command, f"flowers.{ending}", *more) for ending in ("safetensors", "onnx"))
        assert (got.code, got.err) == (0, "")
        if command == "predict":
            rows, others = answers(expected.out), answers(got.out)
            assert [row.pop("species") for row in rows] == [row.pop("species") for row in others]
            for row, other in zip(rows, others, strict=True):
                probabilities, others_ = ([float(p) for p in shares.values()] for shares in (row, other))
                np.testing.assert_allclose(others_, probabilities, atol=1e-5)
        else:
            assert got.out.split(",")[0] == expected.out.split(",")[0]
    assert "'species'" in foxnn_("info", "flowers.onnx").out


def test_that_columns_are_taken_in_their_order_is_said(foxnn_: Any) -> None:
    """By a network that does not know what it was trained on, of whatever format."""
    foxnn.neural_network([2, 2], output="softmax", seed=0).save("net.safetensors")
    write_csv("t.csv", ["a", "b", "y"], [[1, 2, 0], [2, 3, 1]])
    note = "note: net.safetensors does not say what its inputs are; it gets these columns as they are: 'a', 'b'"
    assert foxnn_("predict", "net.safetensors", "t.csv", "--ignore", "y").err == f"foxnn: {note}\n"
    assert foxnn_("evaluate", "net.safetensors", "t.csv", "--target", "y").err == f"foxnn: {note}\n"


@pytest.mark.parametrize("name", ["net.keras", "net.H5", "net.hdf5"])
def test_files_of_keras_are_read_by_it(name: str, foxnn_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = foxnn.neural_network([2, 3, 1], seed=0)
    Path(name).write_bytes(b"a model")

    def read(path: str) -> foxnn.NeuralNetwork:
        assert path == name
        return network

    monkeypatch.setattr(foxnn, "from_keras", read)
    assert "0 dense  (3,)" in foxnn_("info", name).out
    assert foxnn_("export", name, "--to", "c").code == 0
    assert Path("net.h").exists()
    write_csv("t.csv", ["a", "b"], [[1, 2]])
    np.testing.assert_array_equal(
        np.float32(answers(foxnn_("predict", name, "t.csv").out)[0]["output"]), network.predict([[1, 2]]).item()
    )


def test_files_that_hold_no_whole_network_are_refused(foxnn_: Any) -> None:
    foxnn.neural_network([2, 3, 1]).to_npz("net.npz")
    write_csv("t.csv", ["a", "b"], [[1, 2]])
    for arguments in (("info", "net.npz"), ("export", "net.npz", "--to", "c"), ("predict", "net.npz", "t.csv")):
        result = foxnn_(*arguments)
        assert (result.code, result.out) == (2, "")
        assert "net.npz: no network of foxnn, but what nn.to_npz wrote for other programs" in result.err
        assert "nn.save" in result.err


def test_predictions_are_finite_or_refused(foxnn_: Any) -> None:
    foxnn.neural_network([1, 1], output="linear", init=[[[1e30]]]).save("net.safetensors")
    write_csv("t.csv", ["x"], [[1], [1e20]])
    result = foxnn_("predict", "net.safetensors", "t.csv")
    assert result.code == 2
    assert "t.csv, line 3" in result.err
    write_csv("t.csv", ["x", "y"], [[1, 1], [1e20, 1]])
    result = foxnn_("evaluate", "net.safetensors", "t.csv", "--target", "y")
    assert result.code == 2
    assert "not finite" in result.err


# --------------------------------------------------------------------------------------------------
# Info, help, versions
# --------------------------------------------------------------------------------------------------


def test_info_of_a_network(foxnn_: Any, flowers: Path) -> None:
    argv = ("train", flowers, "--target", "species", "--epochs", 3, "--hidden", "8,7", "--dropout", 0.5, "--seed", 9)
    assert foxnn_(*argv, "--optimizer", "nesterov").code == 0
    result = foxnn_("info", "flowers.safetensors")
    assert (result.code, result.err) == (0, "")
    network = foxnn.load("flowers.safetensors")
    for expected in (
        f"{network.summary()}\n",
        "0 dense  (8,)                  40  relu, dropout 0.5\n",
        "2 dense  (3,)                  24  softmax\n",
        "127 parameters of float32",
        "cross_entropy",
        "Nesterov(learning_rate=0.01, momentum=0.9)",
        "seed      9",
        "3 epochs",
        f"best val_loss {min(network.history['val_loss']):.4g}",
        "classification: 3 classes of 'species'",
        "'size': numbers",
        "'colour': 'blue', 'red'",
        "'cat', 'dog', 'æsel'",
    ):
        assert expected in result.out


def test_info_of_anything_else_in_the_metadata(foxnn_: Any) -> None:
    network = foxnn.neural_network([2, 1], seed=0)
    network.metadata = {"author": "\x1b[31mme", "long": "x" * 10_000}
    network.save("net.safetensors")
    result = foxnn_("info", "net.safetensors")
    assert '"author": "\\u001b[31mme"' in result.out
    assert max(map(len, result.out.splitlines())) < 300
    assert "none that the file knows of" in result.out


def test_info_of_foxnn_1_0_text(foxnn_: Any) -> None:
    foxnn.neural_network([2, 3, 1], seed=0).save("net.txt")
    result = foxnn_("info", "net.txt")
    assert result.code == 0
    assert "0 dense  (3,)                   9  sigmoid\n" in result.out


def test_info_without_a_file_is_about_foxnn(foxnn_: Any, capfd: pytest.CaptureFixture[str]) -> None:
    foxnn.show_config()
    expected = capfd.readouterr().out
    assert foxnn_("info") == Result(0, expected, "")


def test_version(foxnn_: Any) -> None:
    assert foxnn_("--version") == Result(0, f"foxnn {foxnn.__version__}\n", "")


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "info"])
def test_help(foxnn_: Any, command: str) -> None:
    result = foxnn_(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert f"usage: foxnn {command}" in result.out
    assert "%" not in result.out  # argparse takes % in a help text for a format


def test_help_of_all(foxnn_: Any) -> None:
    result = foxnn_("--help")
    assert (result.code, result.err) == (0, "")
    assert "foxnn train mnist" in result.out
    assert foxnn_() == result


def test_metrics_of_classes(foxnn_: Any, flowers: Path) -> None:
    """Of each epoch's validation samples, in what is printed and in the history, and of the test; by their names."""
    metrics = pytest.importorskip("sklearn.metrics")
    wanted = "f1,confusion_matrix, balanced_accuracy"
    result = foxnn_("train", flowers, "--target", "species", "--epochs", 30, "--metrics", wanted)
    assert (result.code, result.err) == (0, "")
    history = foxnn.load("flowers.safetensors").history
    last = result.out.split("epoch ")[-2]
    for name in ("val_f1", "val_balanced_accuracy"):
        assert shown(last, name) == pytest.approx(history[name][-1], abs=5e-5)
    assert history["val_confusion_matrix"][-1].sum() == 7
    test = result.out.split("test ")[-1]
    matrix = np.array(
        [[int(cell) for cell in row.split()] for row in test.split("confusion_matrix\n")[1].splitlines()[:3]]
    )
    assert matrix.sum() == 18
    recall = np.diag(matrix) / matrix.sum(axis=1)
    assert shown(test, "accuracy") == pytest.approx(np.trace(matrix) / 18, abs=5e-5)
    assert shown(test, "balanced_accuracy") == pytest.approx(recall.mean(), rel=1e-5)
    evaluated = foxnn_("evaluate", "flowers.safetensors", flowers, "--metrics", "top_k_accuracy,accuracy,f1").out
    assert shown(evaluated, "top_k_accuracy") == 1
    said = [row["species"] for row in answers(foxnn_("predict", "flowers.safetensors", flowers).out)]
    truth = [row["species"] for row in answers(flowers.read_text("utf-8"))]
    assert shown(evaluated, "f1") == pytest.approx(metrics.f1_score(truth, said, average="macro"), rel=1e-5)
    assert evaluated.count(" accuracy ") + evaluated.startswith("accuracy ") == 1
    without = foxnn_("evaluate", "flowers.safetensors", flowers).out
    assert "f1" not in without


def test_metrics_of_numbers_are_in_the_units_of_the_target(foxnn_: Any, homes: Path) -> None:
    """In the result; epochs have those of the standardised target, as their losses are."""
    assert foxnn_("train", homes, "--target", "price", "--epochs", 20, "--metrics", "mae").code == 0
    history = foxnn.load("homes.safetensors").history
    assert 0 < history["val_mae"][-1] < 1
    evaluated = foxnn_("evaluate", "homes.safetensors", homes, "--metrics", "mae,mse").out
    predicted = [float(row["price"]) for row in answers(foxnn_("predict", "homes.safetensors", homes).out)]
    truth = np.array([float(row["price"]) for row in answers(homes.read_text())])
    assert shown(evaluated, "mae") == pytest.approx(np.abs(predicted - truth).mean(), rel=1e-4)
    assert shown(evaluated, "mse") == pytest.approx(shown(evaluated, "RMSE") ** 2, rel=1e-4)


def test_metrics_without_scikit_learn(foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    result = foxnn_("train", flowers, "--target", "species", "--metrics", "f1")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert 'pip install "foxnn[sklearn]"' in result.err
    assert not Path("flowers.safetensors").exists()


# --------------------------------------------------------------------------------------------------
# Errors
# --------------------------------------------------------------------------------------------------

TRAIN = "train flowers.csv --target species "


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trian", "invalid choice: 'trian'"),
        ("train", "data: got none; it takes mnist"),
        ("train mnist --epoch 3", "unrecognized arguments: --epoch 3 (see foxnn train --help)"),
        ("train mnits", "did you mean 'mnist'?"),
        ("train nowhere.csv --target x", "no file 'nowhere.csv'"),
        ("train mnist --target x", "--target is for tables"),
        ("train mnist --test 0.1", "--test is for tables"),
        ("train mnist --text-columns x", "--text-columns is for tables"),
        ("train fashion-mnist", "cannot download"),
        ("train flowers.csv", "--target is missing; it takes one of the columns of flowers.csv: 'size', 'noise'"),
        ("train flowers.csv --target nothing", "'nothing'"),
        ("train broken.csv --target a", "broken.csv, line 3: 3 cells"),
        ("train . --target x", "Is a directory" if sys.platform != "win32" else "denied"),
        (TRAIN + "--task regression", "is a text"),
        (TRAIN + "--ignore nothing", "'nothing'"),
        (TRAIN + "--delimiter ;;", "one character"),
        (TRAIN + "--test 1", "--test: got '1'; it takes a number of at least 0 and below 1"),
        (TRAIN + "--validation nan", "--validation: got 'nan'"),
        (TRAIN + "--test 0.999", "too few samples (90)"),
        (TRAIN + "--hidden 8,x", "--hidden: got '8,x'"),
        (TRAIN + "--hidden 8,0", "--hidden: got '8,0'"),
        (TRAIN + "--activation rleu", "did you mean 'relu'?"),
        (TRAIN + "--activation relu,tanh,relu", "activation: got 3"),
        (TRAIN + "--optimizer adma", "did you mean 'adam'?"),
        (TRAIN + "--learning-rate x", "--learning-rate: got 'x'; it takes a number of at least 0"),
        (TRAIN + "--learning-rate -1", "--learning-rate: got '-1'"),
        (TRAIN + "--momentum 1", "--momentum: got '1'"),
        (TRAIN + "--momentum 0.5", "--momentum: got 0.5 with --optimizer adam; it is for momentum, nesterov"),
        (TRAIN + "--optimizer sgd --weight-decay 0.5", "--weight-decay: got 0.5 with --optimizer sgd; it is for adamw"),
        (TRAIN + "--clip-norm 0", "--clip-norm: got '0'; it takes a number above 0"),
        (TRAIN + "--clip-value inf", "--clip-value: got 'inf'; it takes a number above 0"),
        (TRAIN + "--clip-norm 1 --clip-value 1", "--clip-value: not allowed with argument --clip-norm"),
        (TRAIN + "--norm group", "--norm: invalid choice: 'group'"),
        (TRAIN + "--norm layer --hidden none", "--norm is for hidden layers"),
        (TRAIN + "--dropout 0.5 --hidden none", "--dropout is for hidden layers"),
        (TRAIN + "--norm batch --batch-size 1", "--batch-size: got a batch of one sample"),
        (TRAIN + "--dropout 1", "--dropout: got '1'; it takes a number of at least 0 and below 1"),
        (TRAIN + "--input-dropout -0.1", "--input-dropout: got '-0.1'"),
        (TRAIN + "--input-noise nan", "--input-noise: got 'nan'; it takes a number of at least 0"),
        (TRAIN + "--l1 -1", "--l1: got '-1'"),
        (TRAIN + "--l2 1e400", "--l2: got '1e400'"),
        (TRAIN + "--max-norm 0", "--max-norm: got '0'; it takes a number above 0"),
        (TRAIN + "--label-smoothing 1", "--label-smoothing: got '1'"),
        (TRAIN + "--loss mse --label-smoothing 0.1", "--label-smoothing: got 0.1 with the loss 'mean_squared_error'"),
        (TRAIN + "--class-weight 3", "--class-weight: invalid choice: '3'"),
        ("train homes.csv --target price --label-smoothing 0.1", "it is for binary_cross_entropy, cross_entropy"),
        ("train homes.csv --target price --class-weight balanced", "--class-weight is for classes; 'price'"),
        (TRAIN + "--init x", "init: unknown name 'x'"),
        (TRAIN + "--loss x", "loss: unknown name 'x'"),
        (TRAIN + "--dtype float16", "dtype: unknown name 'float16'"),
        (TRAIN + "--metrics f2", "metrics: unknown name 'f2'"),
        (TRAIN + "--metrics mae,mae", "metrics: the name 'mae' is taken"),
        ("train homes.csv --target price --metrics accuracy", "metrics: 'accuracy' is for classes"),
        ("evaluate plain.safetensors mnist --metrics f2", "metrics: unknown name 'f2'"),
        (TRAIN + "--epochs 0", "--epochs: got '0'"),
        (TRAIN + "--batch-size x", "--batch-size: got 'x'"),
        (TRAIN + "--seed -1", "--seed: got '-1'"),
        (TRAIN + "--threads 0", "--threads: got '0'"),
        (TRAIN + "--early-stopping 3 --validation 0", "--early-stopping needs samples"),
        (TRAIN + "--output net.txt", "--output: got 'net.txt'"),
        (TRAIN + "--output nowhere/net.safetensors", "cannot write 'nowhere"),
        (TRAIN + "--output folder.safetensors", "is a folder"),
        (TRAIN + "--optimizer sgd --learning-rate 1e30", "Nothing was saved"),
        ("train homes.csv --target price --loss bce", "'bce' is for classes"),
        ("train homes.csv --target price --loss poisson --optimizer sgd", "no longer finite"),
        ("evaluate nowhere.safetensors mnist", "nowhere.safetensors: No such file"),
        ("evaluate broken.safetensors mnist", "broken.safetensors: "),
        ("evaluate plain.safetensors mnist", "takes 2 inputs"),
        ("evaluate plain.safetensors nowhere.csv --target x", "no file 'nowhere.csv'"),
        ("evaluate plain.safetensors homes.csv", "--target names the column"),
        ("evaluate plain.safetensors homes.csv --target nothing", "no column 'nothing'"),
        ("evaluate plain.safetensors flowers.csv --target size --ignore noise", "is not a number"),
        ("evaluate plain.safetensors mnist --ignore x", "--ignore is for tables"),
        ("predict plain.safetensors", "required: data"),
        ("predict plain.safetensors homes.csv --ignore nothing", "no column 'nothing'"),
        ("predict plain.safetensors pairs.csv --probabilities", "does not tell classes apart"),
        ("predict plain.safetensors pairs.csv --output pairs.csv", "which is read here"),
        ("predict plain.safetensors pairs.csv --output plain.safetensors", "which is read here"),
        ("predict plain.safetensors pairs.csv --output nowhere/out.csv", "cannot write"),
        ("predict plain.safetensors pairs.csv --output folder.safetensors", "is a folder"),
        ("info broken.safetensors", "broken.safetensors: "),
        ("info nowhere.txt", "nowhere.txt: No such file"),
        ("info homes.csv", "homes.csv"),
        ("info plain.safetensors more", "unrecognized arguments: more (see foxnn info --help)"),
    ],
)  # fmt: skip
def test_errors_are_one_line(foxnn_: Any, flowers: Path, homes: Path, line: str, message: str) -> None:
    network = foxnn.neural_network([2, 1], output="linear", seed=0)
    network.save("plain.safetensors")
    Path("broken.safetensors").write_bytes(Path("plain.safetensors").read_bytes()[:-3])
    Path("broken.csv").write_text("a,b\n1,2\n1,2,3\n")
    Path("pairs.csv").write_text("a,b\n1,2\n")
    Path("folder.safetensors").mkdir()
    Path("no_cache", "fashion-mnist").mkdir(parents=True)
    before = {name: os.stat(name).st_mtime_ns for name in os.listdir()}
    result = foxnn_(*line.split())
    assert result.code == 2
    errors = [text for text in result.err.splitlines() if not text.startswith(("foxnn: warning: ", "foxnn: note: "))]
    assert len(errors) == 1, result.err
    assert errors[0].startswith("foxnn: error: ")
    assert message in errors[0]
    assert {name: os.stat(name).st_mtime_ns for name in os.listdir()} == before


@pytest.mark.parametrize(
    "options",
    [
        *("--output nowhere/net.safetensors", "--output net.h5", "--activation rleu", "--optimizer adma"),
        *("--dropout 2", "--metrics f2", "--momentum 0.5", "--loss mse --label-smoothing 0.1"),
        *("--norm batch --batch-size 1", "--norm batch --hidden none"),
    ],
)
def test_errors_come_before_minutes_of_loading(foxnn_: Any, monkeypatch: pytest.MonkeyPatch, options: str) -> None:
    def load(*_: object) -> None:
        pytest.fail("loaded")

    monkeypatch.setattr(training_data, "load_images", load)
    assert foxnn_("train", "mnist", *options.split()).code == 2


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_folders_that_cannot_be_written(foxnn_: Any, flowers: Path) -> None:
    os.mkdir("locked", 0o500)
    result = foxnn_("train", flowers, "--target", "species", "--output", "locked/net.safetensors")
    assert result.code == 2
    assert "cannot write" in result.err


def test_a_new_text_in_a_column_is_refused(foxnn_: Any, flowers: Path) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 1, "--quiet").code == 0
    write_csv("new.csv", ["size", "noise", "colour"], [[1, 2, "red"], [1, 2, "green"]])
    result = foxnn_("predict", "flowers.safetensors", "new.csv")
    assert result.code == 2
    assert "new.csv, line 3, column 'colour': 'green'" in result.err
    assert foxnn_("predict", "flowers.safetensors", flowers, "--ignore", "size").code == 2


@pytest.mark.parametrize(
    "damage",
    [
        {"mean": [0.0, 0.0]},
        {"mean": "0000"},
        {"mean": [0.0, 0.0, 0.0, None]},
        {"mean": [0.0, 0.0, 0.0, 10**400]},
        {"mean": [0.0, 0.0, 0.0, True]},
        {"deviation": [1.0, 1.0, 1.0, 0.0]},
        {"deviation": [1.0, 1.0, 1.0, -1.0]},
        {"deviation": [1.0]},
        {"target_mean": None},
        {"target_deviation": 0},
        {"encoder": []},
        {"encoder": {"columns": [], "target": None}},
        {"further": 1},
    ],
)
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_damaged_metadata_is_refused(foxnn_: Any, flowers: Path, command: str, damage: dict[str, Any]) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 1, "--quiet").code == 0
    network = foxnn.load("flowers.safetensors")
    network.metadata["table"].update(damage)
    network.save("flowers.safetensors")
    result = foxnn_(command, "flowers.safetensors", flowers)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("foxnn: error: flowers.safetensors: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    "damage", [{"metadata": []}, {"scale": "1"}, {"offset": 10**400}, {"scale": True}, {"history": [{"loss": "x"}]}]
)
@pytest.mark.parametrize("command", ["info", "predict", "evaluate"])
def test_damaged_descriptions_are_refused(foxnn_: Any, command: str, damage: dict[str, Any]) -> None:
    Path("t.csv").write_text("x,y\n1,1\n")
    tensors = {f"layers.0.{name}": array for name, array in (("weights", np.ones((1, 1))), ("bias", np.ones(1)))}
    foxnn.neural_network([1, 1], dtype="float64").save("net.safetensors")
    data = Path("net.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["foxnn"]
    description = {**json.loads(header), **damage, "format": 1}  # which had no checksum
    del description["sha256"]
    text = json.dumps(description)
    Path("net.safetensors").write_bytes(safetensors.numpy.save(tensors, metadata={"foxnn": text}))
    table = {"info": [], "predict": ["t.csv", "--ignore", "y"], "evaluate": ["t.csv", "--target", "y"]}
    result = foxnn_(command, "net.safetensors", *table[command])
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("foxnn: error: net.safetensors: ")
    assert result.err.count("\n") == 1


def test_histories_may_have_infinity_and_nan(foxnn_: Any) -> None:
    network = foxnn.neural_network([1, 1])
    network.history.append({"loss": math.nan, "val_loss": math.inf, "seconds": 1.0})
    network.save("net.safetensors")
    assert "loss nan, val_loss inf" in foxnn_("info", "net.safetensors").out


def test_metadata_of_another_network_is_refused(foxnn_: Any, flowers: Path) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 1, "--quiet").code == 0
    other = foxnn.neural_network([4, 2], output="softmax")
    other.metadata = foxnn.load("flowers.safetensors").metadata
    other.save("other.safetensors")
    result = foxnn_("predict", "other.safetensors", flowers)
    assert result.code == 2
    assert "3 outputs" in result.err


@POSIX  # elsewhere there are no such names
def test_messages_do_not_control_the_terminal(foxnn_: Any) -> None:
    Path("no\x1b[31m\ntable").write_text("a\n1,2\n")
    result = foxnn_("train", "no\x1b[31m\ntable", "--target", "a")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "\x1b" not in result.err


# --------------------------------------------------------------------------------------------------
# Ctrl-C, pipes, processes
# --------------------------------------------------------------------------------------------------


def test_ctrl_c_saves_the_epochs_that_are_complete(foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: Callback, network: foxnn.NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(report.EpochLines, "on_epoch_end", interrupt)
    result = foxnn_("train", flowers, "--target", "species")
    assert result.code == 130
    assert result.err.startswith("foxnn: interrupted after 3 of 100 epochs")
    assert "flowers.safetensors" in result.err
    assert result.err.count("\n") == 1
    assert len(foxnn.load("flowers.safetensors").history["loss"]) == 3
    assert foxnn_("predict", "flowers.safetensors", flowers).code == 0


EVERYTHING = (
    "--norm batch --dropout 0.2 --input-dropout 0.1 --input-noise 0.1 --l1 1e-4 --l2 1e-3 --max-norm 2 "
    "--label-smoothing 0.1 --class-weight balanced --optimizer nesterov --momentum 0.8 --clip-norm 0.1 "
    "--schedule one-cycle"
)


@pytest.mark.parametrize(("epoch", "options"), [(0, "--dropout 0.2"), (2, "--dropout 0.2"), (2, EVERYTHING)])
def test_an_interrupted_training_goes_on(
    foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch, epoch: int, options: str
) -> None:
    command = ("train", flowers, "--target", "species", "--epochs", 6, *options.split())
    assert foxnn_(*command, "--output", "whole.safetensors").code == 0

    def interrupt(self: Callback, network: foxnn.NeuralNetwork, now: int, values: dict[str, float]) -> None:
        if now == epoch:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(report.EpochLines, "on_epoch_end", interrupt)
        assert foxnn_(*command).code == 130
    checkpoint = Path("flowers.checkpoint.safetensors")
    assert checkpoint.exists()
    for other, message in (
        (("--epochs", 7), "epochs: got 7"),
        (("--l2", 0.5), "l2: got 0.5"),
        (("--norm", "layer"), "norms: got"),
        (("--clip-norm", 3), "optimizer: got"),
    ):
        result = foxnn_(*command, *other, "--resume")
        assert (result.code, message in result.err) == (2, True), result.err
    assert foxnn_(*command, "--resume").code == 0
    assert not checkpoint.exists()
    for one, other in zip(
        foxnn.load("flowers.safetensors").layers, foxnn.load("whole.safetensors").layers, strict=True
    ):
        np.testing.assert_array_equal(one.weights, other.weights)
    result = foxnn_(*command, "--resume")
    assert result.code == 2
    assert "--resume: there is no training to go on with" in result.err


def test_a_checkpoint_knows_its_command(foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("train", flowers, "--target", "species", "--epochs", 6, "--seed", 5, "--hidden", "7", "--threads", 2)
    command += ("--output",)
    threads: list[int] = []
    assert foxnn_(*command, "whole.safetensors").code == 0

    def interrupt(self: Callback, network: foxnn.NeuralNetwork, now: int, values: dict[str, float]) -> None:
        if now == 2:
            raise KeyboardInterrupt

    def interrupted(*arguments: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(report.EpochLines, "on_epoch_end", interrupt)
            assert foxnn_(*arguments).code == 130

    interrupted(*command, "begun.safetensors")
    assert foxnn.load("begun.safetensors").metadata.keys() == {"table"}
    checkpoint = "begun.checkpoint.safetensors"
    for again, message in (
        (("--epochs", 7), "epochs: got 7"),
        (("--seed", 0), "seed: got 0"),
        (("--hidden", "9"), r"sizes: got [4, 9, 3]"),
        (("--output", "begun.txt"), "it takes a name that ends in .safetensors"),
    ):
        result = foxnn_("train", "--resume", checkpoint, *again)
        assert (result.code, message in result.err) == (2, True), result.err
    interrupted("train", "--resume", checkpoint, "--epochs", 6)
    Path(checkpoint).rename("moved.checkpoint.safetensors")
    with monkeypatch.context() as patch:
        patch.setattr(report.EpochLines, "on_epoch_end", lambda *_: threads.append(foxnn.get_num_threads()))
        assert foxnn_("train", "--resume", "moved.checkpoint.safetensors").code == 0
    assert set(threads) == {2}
    assert not Path("moved.checkpoint.safetensors").exists()
    moved, whole = foxnn.load("moved.safetensors"), foxnn.load("whole.safetensors")
    assert moved.metadata == whole.metadata
    for one, other in zip(moved.layers, whole.layers, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)


def test_what_is_no_checkpoint_is_not_resumed(foxnn_: Any, flowers: Path) -> None:
    foxnn.neural_network([4, 3]).save("net.safetensors")
    nn = foxnn.neural_network([4, 3])
    nn.metadata["command"] = ["predict", "net.safetensors"]
    nn.save("other.safetensors")
    for file in ("net.safetensors", "other.safetensors"):
        result = foxnn_("train", "--resume", file)
        assert (result.code, result.err) == (2, f"foxnn: error: --resume: '{file}' is no checkpoint of foxnn train\n")
    assert "none.safetensors" in foxnn_("train", "--resume", "none.safetensors").err
    assert "data: got none; it takes mnist" in foxnn_("train").err
    result = foxnn_("train", "--target", "species", "--resume", flowers)  # the flag, and the data after it
    assert "there is no training to go on with: 'flowers.checkpoint.safetensors' is not there" in result.err


def test_ctrl_c_before_an_epoch_is_complete_keeps_the_old_file(
    foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    Path("flowers.safetensors").write_text("old")
    monkeypatch.setattr(report.EpochLines, "on_epoch_begin", interrupt)
    result = foxnn_("train", flowers, "--target", "species")
    assert result.code == 130
    assert result.err == "foxnn: interrupted before the first epoch was complete; --resume goes on\n"
    assert Path("flowers.safetensors").read_text() == "old"


def test_ctrl_c_elsewhere(foxnn_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training_data, "load_images", interrupt)
    result = foxnn_("train", "mnist")
    assert (result.code, result.err) == (130, "foxnn: interrupted\n")


@POSIX
def test_sigint_of_a_process() -> None:
    with child("train", "mnist", "--hidden", "16", "--epochs", "100000") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for text in process.stdout:  # every line comes as soon as it is printed
            if text.startswith("epoch      2/100000"):
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        errors = process.stderr.read().splitlines()
    assert process.returncode == 130
    assert len([line for line in errors if "warning" not in line]) == 1
    assert "mnist.safetensors" in errors[-1]
    done = int(re.search(r"after (\d+) of 100000 epochs", errors[-1]).group(1))  # type: ignore[union-attr]
    assert done == len(foxnn.load("mnist.safetensors").history["loss"]) >= 2


@POSIX
@pytest.mark.filterwarnings("default")
def test_warnings_are_one_line(foxnn_: Any, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In foxnn's words, and without a line of its sources."""

    replace = os.replace

    def busy(source: Any, target: Any) -> None:
        if Path(target).name == "flowers.safetensors":
            raise OSError(16, "Device or resource busy")
        replace(source, target)

    Path("flowers.safetensors").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", busy)
    shown = warnings.showwarning
    result = foxnn_("train", flowers, "--target", "species", "--epochs", 1)
    assert result.code == 0
    assert result.err.startswith("foxnn: warning: flowers.safetensors: written in place, since it is a mount point")
    assert result.err.count("\n") == 1
    assert warnings.showwarning is shown


@POSIX
def test_a_broken_pipe_is_silent(foxnn_: Any) -> None:
    foxnn.neural_network([1, 1]).save("net.safetensors")
    Path("t.csv").write_text("x\n" + "0.5\n" * 50_000)
    with child("predict", "net.safetensors", "t.csv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "output\n"
        process.stdout.close()
        assert process.stderr.read().splitlines()[1:] == []  # the first line says which columns it takes
    assert process.returncode == 141


def test_texts_that_stdout_cannot_write(foxnn_: Any, flowers: Path) -> None:
    assert foxnn_("train", flowers, "--target", "species", "--epochs", 1, "--quiet").code == 0
    with child("info", "flowers.safetensors", env={**os.environ, "PYTHONIOENCODING": "ascii"}) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert r"'cat', 'dog', '\xe6sel'" in out


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "foxnn", "info"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 2
    assert result.stderr.startswith("foxnn: error: ")
    assert result.stderr.count("\n") == 1


def test_python_m_foxnn() -> None:
    with child("--version") as process:
        assert process.communicate() == (f"foxnn {foxnn.__version__}\n", "")
    assert process.returncode == 0
    with child("train", "nowhere.csv", "--target", "x") as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err.startswith("foxnn: error: there is no file 'nowhere.csv'")


def test_the_installed_command_is_main() -> None:
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="foxnn")
    assert entry.load() is main


def test_importing_foxnn_imports_no_command_line() -> None:
    code = "import foxnn, sys; print([name for name in ('argparse', 'foxnn.cli') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
