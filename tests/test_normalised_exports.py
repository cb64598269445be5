"""Promise: a network with normalisation says the same in every form that it can be exported to, and is refused where
there is no form for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_c_export import assert_close, needs_gcc, run_c
from test_js_export import needs_node, run_js

import foxnn

X = np.random.default_rng(0).normal(size=(20, 4))
BATCH, LAYER = [foxnn.BatchNorm(epsilon=0.01)], [foxnn.BatchNorm(), foxnn.LayerNorm(epsilon=0.1)]
both = pytest.mark.parametrize("norms", [BATCH, LAYER], ids=["batch", "layer"])


def network(norms: list[Any], dtype: str = "float64", **options: Any) -> foxnn.NeuralNetwork:
    options = {"activation": ["tanh", "relu", "gelu"], "output": "softmax", **options}
    nn = foxnn.neural_network([4, 17, norms[0], 6, 5, norms[-1], 3], dtype=dtype, seed=0, **options)
    random = np.random.default_rng(1)
    for layer in nn.layers:
        layer.bias = random.normal(size=layer.n_out)
        for name in layer.norm.array_names if layer.norm else ():
            setattr(layer.norm, name, random.uniform(0.5, 2, layer.n_out))
    nn.scale, nn.offset = 0.5, 0.25
    return nn


@needs_gcc
@both
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c(norms: list[Any], dtype: str, tmp_path: Path) -> None:
    nn = network(norms, dtype)
    assert_close(run_c(nn, X, tmp_path), nn.predict(X), 1e-5 if dtype == "float32" else 1e-12)


@needs_node
@both
def test_javascript(norms: list[Any], tmp_path: Path) -> None:
    nn = network(norms)
    assert_close(run_js([nn], [X], tmp_path)[0], nn.predict(X), 1e-12)


@both
def test_onnx(norms: list[Any], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from test_onnx import run_onnx

    nn = network(norms)
    nn.to_onnx(tmp_path / "net.onnx")
    assert_close(run_onnx(tmp_path / "net.onnx", X.astype(np.float32)), nn.predict(X), 1e-5)
    back = foxnn.from_onnx(tmp_path / "net.onnx")
    assert [layer.norm for layer in back.layers] == [None, None, None if norms is BATCH else LAYER[1], None]
    assert_close(back.predict(X), nn.predict(X), 1e-5)


@both
def test_pytorch(norms: list[Any]) -> None:
    """As modules of its own, so that it can be trained on there."""
    torch = pytest.importorskip("torch")
    nn = network(norms)
    module = nn.to_torch()
    kinds = [type(part).__name__ for part in module]
    last = "BatchNorm1d" if norms is BATCH else "LayerNorm"
    assert kinds[:3] == ["Linear", "BatchNorm1d", "Tanh"]
    assert kinds[5:8] == ["Linear", last, "GELU"]
    assert module[1].momentum == nn.layers[0].norm.momentum
    with torch.no_grad():
        assert_close(module(torch.from_numpy(X)).numpy(), nn.predict(X), 1e-12)


@both
def test_from_pytorch_and_back(norms: list[Any]) -> None:
    """Batch normalisation has gone into the weights then."""
    torch = pytest.importorskip("torch")
    module = network(norms).to_torch()
    nn = foxnn.from_torch(module)
    assert [layer.norm for layer in nn.layers] == [None, None, None if norms is BATCH else LAYER[1], None]
    with torch.no_grad():
        assert_close(nn.predict(X), module(torch.from_numpy(X)).numpy(), 1e-12)


def test_layer_normalisation_of_pytorch_elsewhere_is_refused() -> None:
    torch = pytest.importorskip("torch")
    linear, norm, relu = torch.nn.Linear(3, 3), torch.nn.LayerNorm(3), torch.nn.ReLU()
    for parts in ([norm, linear], [linear, relu, norm, linear], [linear, norm, norm, linear], [linear, norm],
                  [linear, torch.nn.LayerNorm((2, 3)), linear]):  # fmt: skip
        with pytest.raises(ValueError, match="LayerNorm"):
            foxnn.from_torch(torch.nn.Sequential(*parts))


def test_npz_and_text_and_scikit_learn(tmp_path: Path) -> None:
    """Batch normalisation is in their weights."""
    nn = network(BATCH)
    nn.to_npz(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as arrays:
        factor = nn.layers[0].norm.gamma / np.sqrt(nn.layers[0].norm.running_variance + 0.01)
        np.testing.assert_allclose(arrays["layers.0.weights"], nn.layers[0].weights * factor, rtol=1e-14)
        assert not [name for name in arrays if "gamma" in name]
    text = network(BATCH, activation="tanh", output="sigmoid")
    text.scale = text.offset = None
    with pytest.warns(UserWarning, match="does not keep batch normalisation, which stays in the weights"):
        text.save(tmp_path / "net.txt")
    assert_close(foxnn.load(tmp_path / "net.txt").predict(X), text.predict(X), 1e-14)
    pytest.importorskip("sklearn")
    plain = network(BATCH, activation="tanh", output="linear")
    assert_close(plain.to_sklearn().predict(X), plain.predict(X), 1e-12)


def test_npz_keeps_layer_normalisation(tmp_path: Path) -> None:
    """With what it takes to compute it in NumPy."""
    nn = network(LAYER, activation="tanh", output="linear")
    nn.to_npz(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz", allow_pickle=False) as arrays:
        norms = json.loads(str(arrays["description"]))["norms"]
        x = 0.5 * X + 0.25
        for i, norm in enumerate(norms):
            x = x @ arrays[f"layers.{i}.weights"] + arrays[f"layers.{i}.bias"]
            if norm is not None:
                x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + norm["epsilon"])
                x = x * arrays[f"layers.{i}.gamma"] + arrays[f"layers.{i}.beta"]
            x = np.tanh(x) if i + 1 < len(norms) else x
    assert norms == [None, None, {"name": "layer_norm", "epsilon": 0.1}, None]
    assert_close(x, nn.predict(X), 1e-12)


@pytest.mark.parametrize("form", ["txt", "sklearn"])
def test_layer_normalisation_is_refused_where_there_is_no_form_for_it(form: str, tmp_path: Path) -> None:
    pytest.importorskip({"sklearn": "sklearn"}.get(form, "numpy"))
    nn = network(LAYER, activation="tanh")
    nn.scale = nn.offset = None
    path = tmp_path / f"net.{form}"
    write = {"txt": lambda: nn.save(path), "sklearn": nn.to_sklearn}[form]
    with pytest.raises(ValueError, match=r"layer 2: has LayerNorm\(epsilon=0.1\)"):
        write()
    assert not path.exists()


def test_exporting_changes_nothing() -> None:
    from foxnn.io._layers import folded

    nn = network(BATCH)
    before = nn.get_weights()
    twin = folded(nn, "ONNX")
    twin.layers[0].weights = 0.0
    twin.fit(X, [0, 1] * 10, epochs=1)
    assert all(np.array_equal(a, b) for a, b in zip(nn.get_weights(), before, strict=True))
    assert nn.layers[0].norm == BATCH[0]
