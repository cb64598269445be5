"""Promise: 200 random networks go through each format and say what they said before."""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_c_export import GCC, needs_gcc
from test_js_export import needs_node, run_js

import foxnn
from foxnn.data.scaling import from_json

N = 200
ALL = (*foxnn.activations.names(), "foxnn_relu")
OF_1_0 = ("sigmoid", "sin", "gaussian", "relu", "foxnn_relu", "linear", "tanh", "arctan", "elu")
OF_TORCH = tuple(name for name in ALL if name not in ("sin", "cos", "gaussian", "arctan", "exp", "threshold"))
OF_KERAS = (*OF_TORCH, "exp")
OF_SKLEARN = ("sigmoid", "tanh", "relu", "linear")
LOSSES = [foxnn.Loss("huber", delta=0.3), "half_squared_error", "mean_squared_error", "mean_absolute_error"]


def random_activation(random: np.random.Generator, names: Sequence[str]) -> foxnn.Activation:
    name = random.choice(names)
    parameters = {"elu": {"alpha": random.random()}, "leaky_relu": {"negative_slope": random.random()}}
    return foxnn.Activation(str(name), **parameters.get(str(name), {}))


def random_network(seed: int, names: tuple[str, ...], same: bool = False, plain: bool = False) -> foxnn.NeuralNetwork:
    """Any sizes, activations among the names (the `same` for all hidden layers), dtype, and what else a network has.

    A `plain` one takes its inputs as they are, and normalises nothing, as does one of the `same`.
    """
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 13, size=random.integers(2, 6)).tolist()
    hidden_names = [name for name in names if name != "softmax"]
    hidden = [random_activation(random, hidden_names) for _ in sizes[1:-1]]
    norms = [[foxnn.BatchNorm()], [foxnn.LayerNorm(0.01)], [], []] if not plain and not same else [[]] * 4
    nn = foxnn.neural_network(
        [sizes[0], *(item for size in sizes[1:-1] for item in (size, *norms[random.integers(4)])), sizes[-1]],
        activation=hidden[:1] * len(hidden) if same else hidden,
        output=random_activation(random, [name for name in names if name != "softmax" or sizes[-1] > 1]),
        loss=LOSSES[random.integers(len(LOSSES))],
        dropout=[float(rate) for rate in random.choice([0, 0, 0.25, 0.7], size=len(hidden))],
        dtype=str(random.choice(["float32", "float64"])),
        seed=seed,
    )
    for layer in nn.layers:
        layer.bias = random.normal(size=layer.n_out) / 2
        for name in () if layer.norm is None else layer.norm.array_names:
            setattr(layer.norm, name, random.uniform(0.5, 1.5, size=layer.n_out))
    if not plain and random.random() < 0.5:
        nn.scale, nn.offset = float(random.uniform(0.1, 1)), float(random.normal())
    if not plain and random.random() < 0.5:
        nn.scale_inputs = [None, "standard", "minmax"][random.integers(3)]
        if nn.layers[-1].activation == "linear" or names == ALL:  # other libraries have no layer for others
            nn.scale_outputs = ["standard", "minmax", None][random.integers(3)]
        if nn.scale_inputs or nn.scale_outputs:
            X, y = (random.normal(size=(20, n)) * random.uniform(0.5, 5, size=n) for n in (sizes[0], sizes[-1]))
            nn.fit_scaling(X + random.normal(size=sizes[0]), y + random.normal(size=sizes[-1]))
    nn.metadata = {"seed": seed, "text": "é\n", "list": [1, None, {"a": 0.1}]}
    nn.epoch = int(random.integers(1000))
    return nn


@cache
def networks(names: tuple[str, ...], same: bool = False, plain: bool = False) -> list[foxnn.NeuralNetwork]:
    return [random_network(seed, names, same, plain) for seed in range(N)]


def inputs(nn: foxnn.NeuralNetwork, n: int = 5) -> Any:
    return np.random.default_rng(nn.seed).normal(size=(n, nn.sizes[0])).astype(nn.dtype)


def assert_same_outputs(got: Any, nn: foxnn.NeuralNetwork) -> None:
    """To 1e-6 in float32, to 1e-12 in float64; of the largest, if that is more than 1."""
    assert_near(np.asarray(got), nn.predict(inputs(nn)), 1e-6 if nn.dtype == np.float32 else 1e-12)


def assert_near(got: Any, expected: Any, tolerance: float) -> None:
    assert got.shape == expected.shape
    assert np.abs(got.astype(np.float64) - expected).max() <= tolerance * max(np.abs(expected).max(), 1.0)


def test_the_networks_are_of_every_kind() -> None:
    """What is not among them is not tested here."""
    found = networks(ALL)
    assert {layer.activation.name for nn in found for layer in nn.layers[:-1]} == {*ALL} - {"softmax"}
    assert {nn.layers[-1].activation.name for nn in found} == {*ALL}
    assert {len(nn.layers) for nn in found} == {1, 2, 3, 4}
    assert {nn.dtype.name for nn in found} == {"float32", "float64"}
    for name in ("scale", "input_scaling", "output_scaling"):
        assert {getattr(nn, name) is None for nn in found} == {True, False}, name
    assert any(any(nn.dropout) for nn in found)
    assert {type(layer.norm).__name__ for nn in found for layer in nn.layers} == {"BatchNorm", "LayerNorm", "NoneType"}


def test_native(tmp_path: Path) -> None:
    for nn in networks(ALL):
        if nn.seed % 3 == 0:  # with something to remember
            nn.optimizer = foxnn.optimizers.Adam(1e-3)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "activation: the derivative")
                nn.train_on_batch(inputs(nn), np.full((5, nn.sizes[-1]), 0.25))
        nn.save(tmp_path / "net.safetensors", optimizer=True)
        back = foxnn.load(tmp_path / "net.safetensors")
        assert repr(back) == repr(nn)
        for layer, same in zip(nn.layers, back.layers, strict=True):
            assert layer.weights.tobytes() == same.weights.tobytes()
            assert layer.bias.tobytes() == same.bias.tobytes()
            assert layer.activation == same.activation
        assert back.predict(inputs(nn)).tobytes() == nn.predict(inputs(nn)).tobytes()
        for name in ("sizes", "dtype", "loss", "dropout", "seed", "epoch", "scale", "offset", "metadata"):
            assert getattr(back, name) == getattr(nn, name), name
        for name in ("input_scaling", "output_scaling"):
            assert str(getattr(back, name)) == str(getattr(nn, name))
        back.save(tmp_path / "again.safetensors", optimizer=True)
        assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "net.safetensors").read_bytes()


@pytest.mark.filterwarnings("ignore:.*does not keep:UserWarning")  # what is compared is what it keeps
def test_text_of_1_0(tmp_path: Path) -> None:
    for nn in networks(OF_1_0, plain=True):
        nn.settings.n_print, nn.settings.part_for_test = nn.seed, nn.seed / 1000
        nn.settings.auto_save_name_file = f"a name {nn.seed}"
        nn.save(tmp_path / "net.txt")
        back = foxnn.load(tmp_path / "net.txt", dtype=nn.dtype)
        for layer, same in zip(nn.layers, back.layers, strict=True):
            assert layer.weights.tobytes() == same.weights.tobytes()
            assert (layer.bias + 0.0).tobytes() == (same.bias + 0.0).tobytes()
            assert same.activation == ("foxnn_relu" if layer.activation == "relu" else layer.activation)
        assert back.settings.as_dict() == nn.settings.as_dict()
        assert back.predict(inputs(nn)).tobytes() == nn.predict(inputs(nn)).tobytes()


def test_weights_only_of_1_0(tmp_path: Path) -> None:
    for nn in networks(("sigmoid",), plain=True):
        nn.save(tmp_path / "net.txt", only_scale=True)
        back = foxnn.load(tmp_path / "net.txt", only_scale=True, dtype=nn.dtype)
        assert back.predict(inputs(nn)).tobytes() == nn.predict(inputs(nn)).tobytes()


def test_numpy(tmp_path: Path) -> None:
    for nn in networks(ALL):
        nn.to_npz(tmp_path / "net.npz")
        with np.load(tmp_path / "net.npz", allow_pickle=False) as arrays:
            description = json.loads(str(arrays["description"]))
            given = [(arrays[f"layers.{i}.weights"], arrays[f"layers.{i}.bias"]) for i in range(len(nn.layers))]
            norms = [
                norm and foxnn.LayerNorm(norm["epsilon"]) for norm in description.get("norms", [None] * len(given))
            ]
            learnt = {i: (arrays[f"layers.{i}.gamma"], arrays[f"layers.{i}.beta"]) for i, n in enumerate(norms) if n}
        sizes = [
            nn.sizes[0],
            *(part for n, norm in zip(nn.sizes[1:], norms, strict=True) for part in (n, norm) if part),
        ]
        *hidden, output = [foxnn.Activation(**activation) for activation in description["activations"]]
        back = foxnn.neural_network(sizes, hidden, output, LOSSES[0], init=given, dtype=given[0][0].dtype)
        for i, (gamma, beta) in learnt.items():
            back.layers[i].norm.gamma, back.layers[i].norm.beta = gamma, beta
        back.scale, back.offset = description["scale"], description["offset"]
        for outputs, name in enumerate(("scale_inputs", "scale_outputs")):
            from_json(back, outputs, description.get(name))
        assert_same_outputs(back.predict(inputs(nn)), nn)


def test_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the package onnx")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for nn in networks(ALL):
        nn.to_onnx(tmp_path / "net.onnx")
        data = (tmp_path / "net.onnx").read_bytes()
        onnx.checker.check_model(data, full_check=True)
        X = inputs(nn).astype(np.float32)
        got = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]).run(None, {"x": X})[0]
        assert_near(got, nn.predict(X), 1e-6)
        back = foxnn.from_onnx(tmp_path / "net.onnx")
        assert back.sizes == nn.sizes
        assert_near(back.predict(X), nn.predict(X), 1e-6)


_C_MAIN = """\
#include <stdio.h>
{includes}
int main(void) {{
    static double x[16], y[16];
{calls}
    return 0;
}}
"""


@needs_gcc
def test_c(tmp_path: Path) -> None:
    """All headers in one program: their names do not meet."""
    assert GCC is not None
    found = networks(ALL)
    calls = []
    for i, nn in enumerate(found):
        nn.to_c(tmp_path / f"net{i}.h")
        T, n_in, n_out = "float" if nn.dtype == np.float32 else "double", nn.sizes[0], nn.sizes[-1]
        calls.append(f"    for (int k = 0; k < 5; k++) {{\n"
                     f"        if (fread(x, sizeof({T}), {n_in}, stdin) != {n_in}) return 1;\n"
                     f"        net{i}_predict(({T} *)(void *)x, ({T} *)(void *)y);\n"
                     f"        fwrite(y, sizeof({T}), {n_out}, stdout);\n    }}")  # fmt: skip
    includes = "\n".join(f'#include "net{i}.h"' for i in range(N))
    (tmp_path / "main.c").write_text(_C_MAIN.format(includes=includes, calls="\n".join(calls)))
    command = [GCC, "-std=c99", "-O0", "-Wall", "-Wextra", "-Werror", "-pedantic", "main.c", "-o", "main", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    given = b"".join(inputs(nn).tobytes() for nn in found)
    out = subprocess.run([tmp_path / "main"], input=given, stdout=subprocess.PIPE, check=True).stdout
    for nn in found:
        size = 5 * nn.sizes[-1] * nn.dtype.itemsize
        assert_same_outputs(np.frombuffer(out[:size], nn.dtype).reshape(5, -1), nn)
        out = out[size:]
    assert out == b""


@needs_node
def test_javascript(tmp_path: Path) -> None:
    found = networks(ALL)
    for nn, got in zip(found, run_js(found, [inputs(nn) for nn in found], tmp_path), strict=True):
        assert_same_outputs(got, nn)


def test_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="needs the package torch")
    for nn in networks(OF_TORCH):
        module = nn.to_torch()
        with torch.no_grad():
            assert_same_outputs(module(torch.from_numpy(inputs(nn))), nn)
        back = foxnn.from_torch(module)
        assert (back.sizes, back.dtype, back.dropout) == (nn.sizes, nn.dtype, nn.dropout)
        assert_same_outputs(back.predict(inputs(nn)), nn)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:network. is of float64")  # as Keras on PyTorch warns
def test_keras() -> None:
    test_keras = pytest.importorskip("test_keras", reason="needs Keras 3 and a backend")
    with test_keras.float64():
        for nn in networks(OF_KERAS):
            model = nn.to_keras()
            got = test_keras.run_keras(model, inputs(nn))
            # JAX's tanh of float64 is no better; PyTorch adds in another order, and in float32.
            assert_near(got, nn.predict(inputs(nn)), 1e-6 if test_keras.multiplies_in("float64") else 3e-6)
            back = foxnn.from_keras(model)
            assert (back.sizes, back.dtype, back.dropout) == (nn.sizes, nn.dtype, nn.dropout)
            assert_same_outputs(back.predict(inputs(nn)), nn)


def test_scikit_learn() -> None:
    pytest.importorskip("sklearn", reason="needs the package scikit-learn")
    for nn in networks((*OF_SKLEARN, "softmax", "exp"), same=True):
        *hidden, output = [layer.activation.name for layer in nn.layers]
        fits = output in ("softmax", "sigmoid", "linear", "exp") and not {*hidden} - {*OF_SKLEARN}
        if not fits or (output, nn.sizes[-1]) == ("softmax", 1):
            with pytest.raises(ValueError, match=r"scikit-learn's|softmax of one number"):
                nn.to_sklearn()
            continue
        mlp = nn.to_sklearn()
        probabilities = hasattr(mlp, "predict_proba")
        got = mlp.predict_proba(inputs(nn)) if probabilities else mlp.predict(inputs(nn)).reshape(5, -1)
        assert_same_outputs(got[:, -nn.sizes[-1] :], nn)
        back = foxnn.from_sklearn(mlp)
        assert_same_outputs(back.predict(inputs(nn)) if output != "softmax" or nn.sizes[-1] > 2 else got, nn)
