"""``foxnn export``: what it writes, says and refuses."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.cli import main


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> foxnn.NeuralNetwork:
    monkeypatch.chdir(tmp_path)
    nn = foxnn.neural_network([2, 3, 1], activation=foxnn.Activation("elu", alpha=0.5), output="sigmoid", seed=0)
    nn.scale = 0.5
    nn.save("net.safetensors")
    return nn


@pytest.mark.parametrize(
    ("to", "ending", "content"),
    [("c", ".h", b"void net_predict(const float *x, float *y)"), ("js", ".mjs", b"function predict(x)"),
     ("txt", ".txt", b""), ("npz", ".npz", b"layers.0.weights"), ("onnx", ".onnx", b"foxnn")],
)  # fmt: skip
def test_formats(
    to: str, ending: str, content: bytes, model: foxnn.NeuralNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    if to == "onnx" and importlib.util.find_spec("onnx") is None:
        pytest.skip("needs the package onnx")
    if to == "txt":
        nn = foxnn.neural_network([2, 3, 1], seed=0)
        nn.save("net.safetensors")
    assert main(["export", "net.safetensors", "--to", to]) == 0
    written = Path("net" + ending).read_bytes()
    assert content in written
    assert capsys.readouterr().out.startswith(f"saved     net{ending} (")
    assert main(["export", "net.safetensors", "--to", to, "--output", "other" + ending]) == 0
    if to == "txt":
        np.testing.assert_array_equal(foxnn.load("other.txt").layers[0].weights, nn.layers[0].weights)
    assert sorted(p.name for p in Path().iterdir()) == sorted(["net.safetensors", "net" + ending, "other" + ending])


def test_weights_of_8_bits(model: foxnn.NeuralNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    """On the samples of a CSV file, whose other columns are named, or of a NumPy file; without any it says why not."""
    Path("data.csv").write_text("a;answer;b\n1;x;2\n-1;y;0.5\n0.25;x;0\n")
    assert main(["export", "net.safetensors", "--to", "c", "--weights", "int8"]) == 2
    assert "--samples on the command line" in capsys.readouterr().err
    assert not Path("net.h").exists()
    command = ["export", "net.safetensors", "--to", "c", "--weights", "int8", "--samples"]
    assert main([*command, "data.csv", "--ignore", "answer"]) == 0
    out = capsys.readouterr().out
    said = r"int8      changes outputs by at most .*, root mean square .*, on 3 samples\nsaved     net\.h \("
    assert re.match(said, out)
    text = Path("net.h").read_text()
    assert "int8_t net_weights_0" in text
    np.save("data.npy", [[1, 2], [-1, 0.5], [0.25, 0]])
    assert main([*command, "data.npy"]) == 0
    assert Path("net.h").read_text() == text
    model.scale_inputs = "standard"
    model.fit_scaling([[1, 2], [-1, 0.5]])
    model.save("net.safetensors")
    assert main(command[:-1]) == 0
    assert "on 1000 samples drawn from the distribution that scale_inputs has" in capsys.readouterr().out
    assert main([*command, "net.h"]) == 2
    assert "--output: got 'net.h', which is read here" in capsys.readouterr().err
    assert main(["export", "net.safetensors", "--to", "c", "--samples", "data.npy"]) == 2
    assert "--samples: only --weights int8 looks at them" in capsys.readouterr().err
    assert main(["export", "net.safetensors", "--to", "js", "--weights", "int8"]) == 2
    assert "--weights: got int8; only --to c takes it" in capsys.readouterr().err
    assert not Path("net.mjs").exists()


def test_arrays(model: foxnn.NeuralNetwork) -> None:
    model.to_npz("net.npz")
    with np.load("net.npz", allow_pickle=False) as arrays:
        for i, layer in enumerate(model.layers):
            np.testing.assert_array_equal(arrays[f"layers.{i}.weights"], layer.weights)
            np.testing.assert_array_equal(arrays[f"layers.{i}.bias"], layer.bias)
        assert json.loads(str(arrays["description"])) == {
            "activations": [{"name": "elu", "alpha": 0.5}, {"name": "sigmoid"}],
            "scale": 0.5,
            "offset": None,
        }


def test_refusals(
    model: foxnn.NeuralNetwork, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def error(*argv: str) -> str:
        assert main(["export", *argv]) == 2
        return capsys.readouterr().err

    assert "invalid choice: 'pickle'" in error("net.safetensors", "--to", "pickle")
    assert "--to" in error("net.safetensors")
    assert "none.safetensors" in error("none.safetensors", "--to", "c")
    assert "which is read here" in error("net.safetensors", "--to", "c", "--output", "net.safetensors")
    assert "ending in .txt" in error("net.safetensors", "--to", "txt", "--output", "net.dat")
    monkeypatch.setitem(sys.modules, "onnx", None)  # as if it were not installed
    assert "pip install foxnn[onnx]" in error("net.safetensors", "--to", "onnx")
    assert [p.name for p in Path().iterdir()] == ["net.safetensors"]


def test_what_tables_were_encoded_to_is_said(model: foxnn.NeuralNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    model.metadata["table"] = {}
    model.save("net.safetensors")
    assert main(["export", "net.safetensors", "--to", "c"]) == 0
    assert "as they were encoded for training" in capsys.readouterr().err


def test_samples_of_tables_and_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """A table is read as for training, and images that have a name need no file."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    towns = random.integers(0, 2, size=40)
    rows = [f"{area},{['Basel', 'Bern'][town]},{3 * area + town}" for area, town in enumerate(towns, 1000)]
    Path("homes.csv").write_text("\n".join(["area,city,price", *rows]))
    assert main(["train", "homes.csv", "--target", "price", "--epochs", "1", "--hidden", "4"]) == 0
    assert main(["export", "homes.safetensors", "--to", "c", "--weights", "int8", "--samples", "homes.csv"]) == 0
    assert "on 40 samples" in capsys.readouterr().out
    text = Path("homes.h").read_text()
    assert 'x[0]: ("area" - ' in text
    assert 'x[2]: "city=Bern"' in text
    nn = foxnn.neural_network([784, 4, 10], seed=0)
    nn.metadata["dataset"] = "mnist"
    nn.save("mnist.safetensors")
    for more in ([], ["--samples", "mnist"]):
        assert main(["export", "mnist.safetensors", "--to", "c", "--weights", "int8", *more]) == 0
        assert "on 1000 samples" in capsys.readouterr().out


def test_several_files(model: foxnn.NeuralNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    def saved(*argv: str) -> list[str]:
        assert main(["export", "net.safetensors", *argv]) == 0
        return re.findall(r"saved     (\S+) ", capsys.readouterr().out)

    assert saved("--to", "c", "--output", "a.c") == ["a.c", "a.h"]
    assert saved("--to", "js", "--types", "--script") == ["net.mjs", "net.d.mts", "net.js"]
    assert main(["export", "net.safetensors", "--to", "onnx", "--types"]) == 2
    assert "--types: only --to js takes it" in capsys.readouterr().err
    Path("net.h").mkdir()
    assert main(["export", "net.safetensors", "--to", "c", "--output", "net.c"]) == 2
    assert not Path("net.c").exists()


def test_models_of_onnx(model: foxnn.NeuralNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command takes them."""
    pytest.importorskip("onnx")
    model.to_onnx("model.onnx")
    assert main(["export", "model.onnx", "--to", "c"]) == 0
    assert "void model_predict" in Path("model.h").read_text()
    capsys.readouterr()
    assert main(["info", "model.onnx"]) == 0
    out = capsys.readouterr().out
    assert "\n13 parameters of float32\n" in out
    assert "1 dense  (1,)                   4  sigmoid\n" in out
    for unknown in ("loss", "optimizer", "seed", "training"):  # the file does not say, nor do we make it up
        assert f"\n{unknown}" not in out
    Path("data.csv").write_text("a,b,y\n1,2,0\n3,4,1\n")
    assert main(["predict", "model.onnx", "data.csv", "--ignore", "y"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "output"
    assert main(["evaluate", "model.onnx", "data.csv", "--target", "y"]) == 0
    Path("bad.onnx").write_bytes(b"no model")
    assert main(["info", "bad.onnx"]) == 2
    assert "bad.onnx: damaged, or not an ONNX file" in capsys.readouterr().err


def test_info_says_what_is_scaled(model: foxnn.NeuralNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    model.scale_inputs = "minmax"
    model.save("net.safetensors")
    assert main(["info", "net.safetensors"]) == 0
    assert "scaling   inputs minmax, not fitted yet" in capsys.readouterr().out
