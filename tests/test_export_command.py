"""``foxnn export``: what it writes, says and refuses."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

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
    [("c", ".h", b"void net_predict(const float *x, float *y)"), ("js", ".mjs", b"export function predict(x)"),
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
    assert main(["export", "net.safetensors", "--to", "c", "--weights", "int8"]) == 0
    out = capsys.readouterr().out
    assert re.match(r"int8      changes outputs by at most 0\.0\d+, root mean square .*\nsaved     net\.h \(", out)
    assert b"int8_t net_weights_0" in Path("net.h").read_bytes()
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
