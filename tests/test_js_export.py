"""Promise: a network as a JavaScript module needs nothing and says what the network says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_c_export import ACTIVATIONS, assert_close, random_network

import foxnn

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs node")

_MAIN = """\
import { readFileSync } from "node:fs";
for (const [file, X] of JSON.parse(readFileSync(0, "utf8"))) {
    const { predict, nIn, nOut } = await import(file);
    console.log(JSON.stringify([nIn, nOut, X.map((x) => predict(x)), X.map((x) => predict(new Float64Array(x)))]));
}
"""


def run_js(networks: list[foxnn.NeuralNetwork], inputs: list[Any], folder: Path) -> list[Any]:
    """The outputs of each network for its inputs."""
    assert NODE is not None
    (folder / "main.mjs").write_text(_MAIN)
    work = []
    for i, (nn, X) in enumerate(zip(networks, inputs, strict=True)):
        nn.to_js(folder / f"net{i}.mjs")
        work.append([f"./net{i}.mjs", X.tolist()])
    process = subprocess.run(
        [NODE, "main.mjs"], cwd=folder, input=json.dumps(work), stdout=subprocess.PIPE, check=True, text=True
    )
    outputs = []
    for nn, line in zip(networks, process.stdout.splitlines(), strict=True):
        n_in, n_out, of_array, of_typed_array = json.loads(line)
        assert [n_in, n_out] == [nn.sizes[0], nn.sizes[-1]]
        assert of_array == of_typed_array
        outputs.append(np.array(of_array))
    return outputs


@needs_node
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_outputs(dtype: str, tolerance: float, tmp_path: Path) -> None:
    networks = [random_network(activation, dtype, seed) for activation in ACTIVATIONS for seed in (0, 1)]
    for nn in networks[::3]:
        nn.scale, nn.offset = 0.25, -0.5
    random = np.random.default_rng(2)
    inputs = [random.normal(size=(10, nn.sizes[0])).astype(dtype) for nn in networks]
    for nn, X, got in zip(networks, inputs, run_js(networks, inputs, tmp_path), strict=True):
        assert_close(got, nn.predict(X), tolerance)


@needs_node
def test_saturated(tmp_path: Path) -> None:
    """Where exp would overflow or the answer underflows; and both ways to the normal distribution."""
    names = [name for name in ACTIVATIONS if name not in ("exp", "sin", "cos")]
    networks = [foxnn.neural_network([2, 2], output=name, init=[np.eye(2)], dtype="float64") for name in names]
    X = np.array([[a, -a] for a in (0.0, 1e-20, 1e-3, 1.0, 2.9, 3.54, 6.5, 30.0, 100.0, 800.0, 1e6)])
    for nn, got in zip(networks, run_js(networks, [X] * len(networks), tmp_path), strict=True):
        np.testing.assert_allclose(got, nn.predict(X), rtol=1e-12, atol=1e-300)


@needs_node
def test_wrong_number_of_inputs(tmp_path: Path) -> None:
    assert NODE is not None
    foxnn.neural_network([3, 2]).to_js(tmp_path / "net.mjs")
    script = 'import { predict } from "./net.mjs"; predict([1, 2]);'
    (tmp_path / "main.mjs").write_text(script)
    process = subprocess.run([NODE, "main.mjs"], cwd=tmp_path, stderr=subprocess.PIPE, check=False, text=True)
    assert process.returncode != 0
    assert "RangeError: predict: got 2 inputs; it takes 3" in process.stderr
