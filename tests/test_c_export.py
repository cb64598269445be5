"""Promise: a network as a C header compiles without a warning, needs only libm, and says what the network says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(GCC is None or sys.platform == "win32", reason="needs gcc and POSIX pipes")

_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#include "{header}"

int main(void) {{
    static {T} x[{n}][{n_in}], y[{n_out}];
    if (fread(x, sizeof x, 1, stdin) != 1) return EXIT_FAILURE;
    for (int i = 0; i < {n}; i++) {{
        {name}_predict(x[i], y);
        if (fwrite(y, sizeof y, 1, stdout) != 1) return EXIT_FAILURE;
    }}
    return EXIT_SUCCESS;
}}
"""


def random_network(activation: Any, dtype: str, seed: int = 0, **options: Any) -> foxnn.NeuralNetwork:
    """A small network in which an activation is at work in the hidden layers and the last one."""
    hidden = "tanh" if activation in ("softmax", "exp") else activation
    sizes = [[4, 7, 5, 3], [3, 2 if activation == "softmax" else 1], [6, 2, 9, 1, 2]][seed % 3]
    nn = foxnn.neural_network(sizes, activation=hidden, output=activation, dtype=dtype, seed=seed, **options)
    random = np.random.default_rng(seed)
    for layer in nn.layers:
        layer.bias = random.normal(size=layer.n_out) / 2
    return nn


def run_c(nn: foxnn.NeuralNetwork, X: Any, folder: Path, dtype: Any = None, name: str | None = None, *options: str,
          **more: Any) -> Any:  # fmt: skip
    """The outputs of the header, compiled with all warnings as errors."""
    assert GCC is not None
    dtype = np.dtype(dtype or nn.dtype)
    nn.to_c(folder / "net.h", name=name, dtype=dtype, **more)
    T = "float" if dtype == np.float32 else "double"
    main = _MAIN.format(header="net.h", T=T, n=len(X), n_in=nn.sizes[0], n_out=nn.sizes[-1], name=name or "net")
    (folder / "main.c").write_text(main)
    command = [GCC, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", *options, "main.c", "-o", "main", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    out = subprocess.run([folder / "main"], input=X.astype(dtype).tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(out, dtype).reshape(len(X), nn.sizes[-1])


def assert_close(got: Any, expected: Any, tolerance: float) -> None:
    """Relative to the largest output, as single ones may cancel out."""
    assert got.shape == expected.shape
    error = np.abs(got.astype(np.float64) - expected).max()
    assert error <= tolerance * (np.abs(expected).max() or 1)


ACTIVATIONS = [*foxnn.activations.names(), "foxnn_relu"]


@needs_gcc
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs(activation: str, dtype: str, tmp_path: Path) -> None:
    seed = ACTIVATIONS.index(activation) // 2 * 3  # sizes of several layers
    nn = random_network(activation, dtype, seed)
    X = np.random.default_rng(1).normal(size=(20, nn.sizes[0]))
    X = X.astype(dtype)
    assert_close(run_c(nn, X, tmp_path), nn.predict(X), 1e-6 if dtype == "float32" else 1e-12)


@needs_gcc
@pytest.mark.parametrize("seed", range(3))
def test_scale_offset_parameters_and_names(seed: int, tmp_path: Path) -> None:
    elu = foxnn.Activation("elu", alpha=0.3)
    nn = random_network(elu, "float64", seed)
    nn.scale, nn.offset = 0.25, -1.5
    nn.layers[0].activation = foxnn.Activation("leaky_relu", negative_slope=0.2)
    nn.layers[0].weights = np.where(np.arange(nn.layers[0].weights.size) % 2, 5e-324, 1e5).reshape(-1, nn.sizes[1])
    X = np.random.default_rng(1).normal(size=(20, nn.sizes[0]))
    assert_close(run_c(nn, X, tmp_path, name="_my_Net2"), nn.predict(X), 1e-12)


@needs_gcc
def test_in_the_other_number_type(tmp_path: Path) -> None:
    nn = random_network("sigmoid", "float64")
    X = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)
    assert_close(run_c(nn, X, tmp_path, "float32"), nn.predict(X), 1e-6)
    nn = random_network("sigmoid", "float32")
    assert_close(run_c(nn, X, tmp_path, "float64"), nn.predict(X), 1e-6)


@needs_gcc
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_saturated(activation: str, tmp_path: Path) -> None:
    """Where exp would overflow or the answer underflows."""
    if activation in ("exp", "sin", "cos"):
        pytest.skip("such arguments have no answer worth comparing")
    nn = foxnn.neural_network([2, 2], output=activation, init=[np.eye(2)], dtype="float64")
    X = np.array([[a, -a] for a in (0.0, 1e-20, 1e-3, 2.9, 6.5, 30.0, 100.0, 800.0, 1e6)])
    expected = nn.predict(X)
    got = run_c(nn, X, tmp_path)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-300)


@needs_gcc
@pytest.mark.parametrize("weights", ["float", "int8"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_activation_without_undefined_behaviour(weights: str, dtype: str, tmp_path: Path) -> None:
    """With warnings of conversions too; the sanitizers end the process with an error."""
    networks = [random_network(activation, dtype, seed) for seed, activation in enumerate(ACTIVATIONS)]
    for nn in networks[::2]:
        nn.scale, nn.offset = 0.5, -1.0
    for nn in (networks[0], networks[-1], *networks[1:-1:5]):
        X = np.random.default_rng(1).normal(size=(5, nn.sizes[0])).astype(dtype)
        got = run_c(nn, X, tmp_path, None, None, "-Wconversion", "-Wshadow", "-fsanitize=undefined,address",
                    "-fno-sanitize-recover=all", weights=weights)  # fmt: skip
        assert np.isfinite(got).all()


# ---- weights of 8 bits ----------------------------------------------------------------------------------------------


def rounded(nn: foxnn.NeuralNetwork) -> foxnn.NeuralNetwork:
    """A network whose weights are what integers in [-127, 127] and a scale for each column can hold."""
    twin = nn.copy()
    for layer in twin.layers:
        scales = np.abs(layer.weights).max(axis=0) / 127
        layer.weights = np.round(layer.weights / np.where(scales, scales, 1)) * scales
    return twin


@needs_gcc
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(4))
def test_int8(dtype: str, seed: int, tmp_path: Path) -> None:
    """The outputs are those of the rounded weights, and what that costs is what is reported."""
    nn = random_network("tanh" if seed % 2 else "softmax", dtype, seed)
    if seed > 1:
        nn.scale, nn.offset = 0.25, 3.0
    weights = nn.layers[0].weights
    weights[:, 1:2] = 0.0  # a unit that has no largest weight
    nn.layers[0].weights = weights
    X = np.random.default_rng(1).normal(0, 3, size=(40, nn.sizes[0])).astype(dtype)
    error = nn.to_c(tmp_path / "net.h", weights="int8", samples=X)
    got = run_c(nn, X, tmp_path, weights="int8", samples=X)
    tolerance = 1e-6 if dtype == "float32" else 1e-12
    assert_close(got, rounded(nn).predict(X), tolerance)
    difference = got.astype(np.float64) - nn.predict(X)
    assert 0 < error.max == pytest.approx(np.abs(difference).max(), rel=1e-2)
    assert error.rms == pytest.approx(np.sqrt((difference**2).mean()), rel=1e-2)
    assert error.largest == np.abs(nn.predict(X)).max()
    assert error.n_samples == 40
    comment = (tmp_path / "net.h").read_text().partition("*/")[0]
    assert f"{error}." in comment
    assert "40 samples" in comment


def test_int8_without_samples_draws_what_the_network_reads_as_normal_numbers(tmp_path: Path) -> None:
    nn = random_network("tanh", "float64")
    plain = nn.to_c(tmp_path / "net.h", weights="int8")
    assert plain.n_samples == 1000
    assert "on 1000 samples drawn from a normal distribution" in (tmp_path / "net.h").read_text()
    nn.scale, nn.offset = 0.001, 7.0
    scaled = nn.to_c(tmp_path / "net.h", weights="int8")
    np.testing.assert_allclose(scaled[:3], plain[:3], rtol=1e-6)
    assert nn.to_c(tmp_path / "net.h", weights="int8", samples=np.zeros(4)).n_samples == 1


@needs_gcc
@pytest.mark.parametrize(("dtype", "weights"), [("float32", "float"), ("float64", "float"), ("float32", "int8")])
def test_sizes_in_the_comment(dtype: str, weights: str, tmp_path: Path) -> None:
    """The constants are as many bytes as said: as many as the object file keeps of them."""
    assert GCC is not None
    nn = foxnn.neural_network([30, 40, 10], "relu", dtype=dtype)
    nn.to_c(tmp_path / "net.h", dtype=dtype, weights=weights)
    size = {"float32": 4, "float64": 8}[dtype]
    expected = 1600 * size + 50 * size if weights == "float" else 1600 + 2 * 50 * size
    assert f" * Constants: {expected} bytes.\n" in (tmp_path / "net.h").read_text()
    use = "extern int use(const void *); int use(const void *p) { return p == net_weights_0; }"
    (tmp_path / "size.c").write_text(f'#include "net.h"\n{use}')
    subprocess.run([GCC, "-std=c99", "-fkeep-static-consts", "-c", "size.c"], cwd=tmp_path, check=True)
    names = subprocess.run(["nm", "-S", "size.o"], cwd=tmp_path, stdout=subprocess.PIPE, check=True, text=True).stdout
    sizes = [int(line.split()[1], 16) for line in names.splitlines() if " r net_" in line]
    assert sum(sizes) == expected


def test_what_int8_does_not_take(tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    with pytest.raises(ValueError, match=r"weights: unknown name 'int4'.*; it takes one of: float, int8"):
        nn.to_c(tmp_path / "net.h", weights="int4")
    with pytest.raises(ValueError, match="samples: got some, but only weights='int8'"):
        nn.to_c(tmp_path / "net.h", samples=[[1, 2]])
    with pytest.raises(ValueError, match="3"):
        nn.to_c(tmp_path / "net.h", weights="int8", samples=[[1, 2, 3]])
    assert list(tmp_path.iterdir()) == []


def test_refusals_leave_nothing(tmp_path: Path) -> None:
    nn = foxnn.neural_network([1, 1], init=1e300, dtype="float64")
    with pytest.raises(ValueError, match="1e\\+300 is more than float32"):
        nn.to_c(tmp_path / "net.h", dtype="float32")
    with pytest.raises(ValueError, match="dtype: unknown name 'int8'"):
        nn.to_c(tmp_path / "net.h", dtype="int8")
    for name in ("2x", "a-b", "", "float", "é"):
        with pytest.raises(ValueError, match="an identifier of C"):
            nn.to_c(tmp_path / "net.h", name=name)
    assert list(tmp_path.iterdir()) == []


def test_name_follows_the_file(tmp_path: Path) -> None:
    nn = foxnn.neural_network([1, 1])
    for file, name in (("my net.h", "my_net"), ("2nd.h", "net_2nd"), ("float.h", "net_float")):
        nn.to_c(tmp_path / file)
        assert f"void {name}_predict(const float *x, float *y)" in (tmp_path / file).read_text()
