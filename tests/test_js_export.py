"""Promise: a network as a JavaScript module needs nothing and says what the network says."""

from __future__ import annotations

import base64
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


@needs_node
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_script_for_pages_opened_from_disk(dtype: str, tmp_path: Path) -> None:
    """It makes one variable, after the file or the name, of any letters, and says what the module says."""
    assert NODE is not None
    nn = random_network("gelu", dtype)
    X = np.random.default_rng(0).normal(size=(5, 4))
    expected = run_js([nn], [X], tmp_path)[0]
    for file, name, variable in (("net.mjs", None, "net"), ("größe.mjs", None, "gru00f6u00dfe"),
                                 ("class.mjs", None, "net_class"), ("a b.mjs", "ours", "ours")):  # fmt: skip
        nn.to_js(tmp_path / file, script=True, name=name)
        script = f"""
            const before = new Set(Object.getOwnPropertyNames(globalThis));
            const text = require("node:fs").readFileSync({json.dumps(file[:-4] + ".js")}, "utf8");
            require("node:vm").runInThisContext(text);
            const made = Object.getOwnPropertyNames(globalThis).filter((key) => !before.has(key));
            console.log(JSON.stringify([made, {variable}.nIn, {json.dumps(X.tolist())}.map({variable}.predict)]));
        """
        (tmp_path / "page.cjs").write_text(script)
        run = subprocess.run([NODE, "page.cjs"], cwd=tmp_path, stdout=subprocess.PIPE, check=True, text=True)
        made, n_in, got = json.loads(run.stdout)
        assert (made, n_in) == ([variable], 4)
        np.testing.assert_array_equal(got, expected)


def test_types_are_where_typescript_looks_for_them(tmp_path: Path) -> None:
    nn = foxnn.neural_network([3, 2])
    for file, types in (("a.mjs", "a.d.mts"), ("b.js", "b.d.ts")):
        nn.to_js(tmp_path / file, types=True)
        text = (tmp_path / types).read_text()
        for exported in (
            "const nIn: number;",
            "const nOut: number;",
            "function predict(x: ArrayLike<number>): number[];",
        ):
            assert f"export {exported}" in text


@pytest.mark.skipif(shutil.which("tsc") is None, reason="needs tsc (npm install typescript)")
def test_types_are_what_typescript_takes(tmp_path: Path) -> None:
    foxnn.neural_network([3, 2]).to_js(tmp_path / "a.mjs", types=True)
    use = 'import {{ nIn, predict }} from "./a.mjs";\nconst y: number[] = predict({});\n'
    for argument, is_taken in (("[nIn]", True), ("new Float32Array(nIn)", True), ("nIn", False)):
        (tmp_path / "use.mts").write_text(use.format(argument))
        command = ["tsc", "--noEmit", "--strict", "--module", "nodenext", "use.mts"]
        run = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=False, text=True)
        assert (run.returncode == 0) == is_taken, run.stdout


def test_weights_are_base64(tmp_path: Path) -> None:
    nn = foxnn.neural_network([300, 200], seed=0)
    nn.to_js(tmp_path / "net.mjs")
    text = (tmp_path / "net.mjs").read_text()
    assert len(text) < 60_200 * 4 * 4 / 3 + 5000
    assert base64.b64encode(nn.layers[0].weights.T.tobytes()).decode() in text


def test_names_that_do_not_fit(tmp_path: Path) -> None:
    nn = foxnn.neural_network([3, 2])
    for path, options, words in (
        ("net.js", {"script": True}, r"it takes a name ending in \.mjs, and the script beside it gets \.js"),
        ("net.cjs", {"types": True}, r"it takes a name ending in \.mjs or \.js"),
        ("net.mjs", {"name": "a"}, "only a script has one"),
        ("net.mjs", {"name": "a-b", "script": True}, "it takes an identifier"),
        ("net.mjs", {"name": "class", "script": True}, "it takes an identifier"),
    ):
        with pytest.raises(ValueError, match=words):
            nn.to_js(tmp_path / path, **options)
    (tmp_path / "net.js").mkdir()
    with pytest.raises(OSError, match="net"):
        nn.to_js(tmp_path / "net.mjs", script=True)
    assert [file.name for file in tmp_path.iterdir()] == ["net.js"]


_RACE = """\
import { predict } from "./net.mjs";
const random = (n, T) => Float64Array.from({ length: n }, () => Math.random() - 0.5);
const sizes = [784, 64, 64, 10], x = random(784);
const layers = sizes.slice(1).map((n, i) => ({ w: Float32Array.from(random(n * sizes[i])), y: new Float64Array(n) }));
function plain(x) {
    for (const { w, y } of layers) {
        const n = y.length;
        y.fill(0);
        for (let i = 0; i < x.length; i++) {
            const v = x[i], row = i * n;
            for (let j = 0; j < n; j++) y[j] += v * w[row + j];
        }
        for (let j = 0; j < n; j++) y[j] = y[j] < 0 ? 0 : y[j];
        x = y;
    }
    return Array.from(x);
}
const best = { plain: Infinity, ours: Infinity };
for (let turn = 0; turn < 60; turn++)
    for (const [name, f] of [["plain", plain], ["ours", predict]]) {
        const start = performance.now();
        for (let k = 0; k < 50; k++) f(x);
        best[name] = Math.min(best[name], performance.now() - start);
    }
console.log(best.ours / best.plain);
"""


@needs_node
def test_as_fast_as_a_plain_loop_over_typed_arrays(tmp_path: Path) -> None:
    """By turns, the best of each; with room for a busy machine."""
    assert NODE is not None
    foxnn.neural_network([784, 64, 64, 10], "relu", "relu", seed=0).to_js(tmp_path / "net.mjs")
    (tmp_path / "race.mjs").write_text(_RACE)
    ratios = []
    for _ in range(3):
        run = subprocess.run([NODE, "race.mjs"], cwd=tmp_path, stdout=subprocess.PIPE, check=True, text=True)
        ratios.append(float(run.stdout))
        if ratios[-1] < 1.2:
            return
    raise AssertionError(f"times that of a plain loop: {ratios}")
