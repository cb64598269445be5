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

SANITIZERS = ("-Wconversion", "-Wshadow", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")

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
        samples = {"samples": X} if weights == "int8" else {}
        got = run_c(nn, X, tmp_path, None, None, *SANITIZERS, weights=weights, **samples)
        assert np.isfinite(got).all()


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
    for file, name in (("my net.h", "my_net"), ("2nd.h", "net_2nd"), ("float.h", "net_float"),
                       ("größe.h", "gru00f6u00dfe"), ("grüße.h", "gru00fcu00dfe"), ("网络.h", "u7f51u7edc"),
                       ("o\u0308.h", "u00f6"), (".h", "_h")):  # fmt: skip
        nn.to_c(tmp_path / file)
        assert f"void {name}_predict(const float *x, float *y)" in (tmp_path / file).read_text()


@needs_gcc
def test_networks_that_share_a_name_are_never_taken_for_each_other(tmp_path: Path) -> None:
    """Two files of one name in one program: an error that says so, and no error if they are the same network."""
    assert GCC is not None
    for folder in "ab":
        (tmp_path / folder).mkdir()
        foxnn.neural_network([2, 3, 1], seed=ord(folder)).to_c(tmp_path / folder / "net.h")
    foxnn.neural_network([2, 3, 1], seed=0).to_c(tmp_path / "größe.h")
    foxnn.neural_network([2, 3, 1], seed=1).to_c(tmp_path / "grüße.h")
    foxnn.neural_network([2, 3, 1], seed=2).to_c(tmp_path / "NET.h")

    def compiled(*headers: str) -> tuple[int, str]:
        text = "".join(f'#include "{header}"\n' for header in headers) + "int main(void) { return 0; }\n"
        (tmp_path / "main.c").write_text(text)
        command = [str(GCC), "-std=c99", "-Wall", "-Wextra", "-Werror", "main.c", "-o", "main", "-lm"]
        done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, check=False, text=True)
        return done.returncode, done.stderr

    code, error = compiled("a/net.h", "b/net.h")
    assert code != 0
    assert "Two different networks are called net" in error
    assert compiled("a/net.h", "a/net.h", "größe.h", "grüße.h", "NET.h") == (0, "")
    shutil.copy(tmp_path / "a" / "net.h", tmp_path / "copy.h")
    assert compiled("a/net.h", "copy.h") == (0, "")


@needs_gcc
@pytest.mark.parametrize("weights", ["float", "int8"])
def test_a_pair_of_files_has_the_weights_once(weights: str, tmp_path: Path) -> None:
    """In a program of three files, in C and in C++; and nothing is left of half a pair."""
    assert GCC is not None
    nn = random_network("tanh", "float32")
    X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    options: dict[str, Any] = {"weights": weights} | ({"samples": X} if weights == "int8" else {})
    nn.to_c(tmp_path / "net.c", **options)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.c", "net.h"]
    T = "float"
    main = _MAIN.format(header="net.h", T=T, n=len(X), n_in=4, n_out=3, name="net")
    other = '#include "net.h"\nvoid f(float *y);\nvoid f(float *y) { net_predict(y, y + 4); }\n'
    (tmp_path / "main.c").write_text(main)
    (tmp_path / "other.c").write_text(other)
    flags = ["-Wall", "-Wextra", "-Wconversion", "-Wmissing-prototypes", "-Werror", "-pedantic"]
    command = [GCC, "-std=c99", *flags, "main.c", "other.c", "net.c", "-o", "main", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    out = subprocess.run([tmp_path / "main"], input=X.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    alone = tmp_path / "alone"
    alone.mkdir()
    np.testing.assert_array_equal(np.frombuffer(out, np.float32).reshape(20, 3), run_c(nn, X, alone, **options))
    names = subprocess.run(["nm", tmp_path / "main"], stdout=subprocess.PIPE, check=True, text=True).stdout
    assert names.count("net_weights_0") == 1
    (tmp_path / "main.cpp").write_text(main.replace("EXIT_FAILURE", "1"))
    subprocess.run([GCC, "-std=c99", "-c", "net.c"], cwd=tmp_path, check=True)
    if shutil.which("g++"):
        flags.remove("-Wmissing-prototypes")
        subprocess.run(["g++", *flags, "main.cpp", "net.o", "-o", "main2", "-lm"], cwd=tmp_path, check=True)
        again = subprocess.run([tmp_path / "main2"], input=X.tobytes(), stdout=subprocess.PIPE, check=True).stdout
        assert again == out
    (tmp_path / "lost.h").mkdir()
    with pytest.raises(OSError, match=r"lost\.h"):
        nn.to_c(tmp_path / "lost.c", **options)
    assert not (tmp_path / "lost.c").exists()


@pytest.mark.parametrize("compiler", ["g++", "clang", "clang++"])
@pytest.mark.parametrize("weights", ["float", "int8"])
def test_other_compilers_warn_of_nothing(compiler: str, weights: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    nn = foxnn.neural_network([4, 7, foxnn.LayerNorm(), 5, 6, 3], ["tanh", "gelu", "relu"], "softmax", seed=0,
                              scale_inputs="standard")  # fmt: skip
    nn.fit_scaling(np.random.default_rng(0).normal(size=(20, 4)))
    nn.to_c(tmp_path / "net.h", weights=weights)
    source = tmp_path / ("main.cpp" if compiler.endswith("++") else "main.c")
    source.write_text('#include "net.h"\nint main(void) { float x[4] = {0}, y[3]; net_predict(x, y); return 0; }\n')
    standard = [] if compiler.endswith("++") else ["-std=c99"]
    flags = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-pedantic"]
    subprocess.run([compiler, *standard, *flags, "-fsyntax-only", source], check=True)


@needs_gcc
def test_columns_and_classes_are_in_the_comment(tmp_path: Path) -> None:
    """Whatever they are called: nothing of them ends the comment, or is a warning."""
    encoder = {"columns": [{"name": "area */ ??/", "categories": None},
                           {"name": "stadt\\", "categories": ["Köln", "x"]}],
               "target": {"name": "kind", "classes": ["a\n#error", "/* b"]}}  # fmt: skip
    nn = foxnn.neural_network([3, 4, 2], "tanh", "softmax", seed=0)
    nn.metadata["table"] = {"encoder": encoder, "mean": [80.5, 0, 0], "deviation": [20, 1, 1], "target_mean": 0.0,
                            "target_deviation": 1.0}  # fmt: skip
    X = np.zeros((1, 3), np.float32)
    assert_close(run_c(nn, X, tmp_path), nn.predict(X), 1e-6)
    text = (tmp_path / "net.h").read_text()
    assert text.isascii()
    assert 'x[0]: ("area *\\u002f ?\\u003f/" - 80.5) / 20\n' in text
    assert 'x[1]: "stadt\\\\=K\\u00f6ln"\n' in text
    assert 'y[1]: "\\u002f* b"\n' in text
    nn = foxnn.neural_network([2, 1], output="sigmoid")
    nn.metadata["classes"] = ["no", "yes"]
    nn.to_c(tmp_path / "net.h")
    assert 'y[0]: of "yes", not "no"\n' in (tmp_path / "net.h").read_text()
