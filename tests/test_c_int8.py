"""Promise: a network as C in integers changes its outputs by what its comment says, measured on inputs such as it gets,
and computes it faster than in floats where there is no hardware for them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_c_export import ACTIVATIONS, GCC, SANITIZERS, needs_gcc, random_network, run_c

import foxnn

X = np.random.default_rng(1).normal(size=(200, 8))


def assert_measured(nn: foxnn.NeuralNetwork, samples: Any, folder: Path, *options: str) -> Any:
    """What is returned and written into the header is what the compiled code is off by on the samples."""
    error = nn.to_c(folder / "net.h", weights="int8", samples=samples)
    got = run_c(nn, np.asarray(samples), folder, None, None, *options, weights="int8", samples=samples)
    expected = nn.predict(samples).astype(np.float64)
    difference = got - expected
    near = 2e-6 * float(np.abs(expected).max())
    # A float that lies between two integers may become either.
    assert error.max == pytest.approx(np.abs(difference).max(), rel=0.05, abs=near)
    assert error.rms == pytest.approx(np.sqrt((difference**2).mean()), rel=0.05, abs=near)
    assert error.largest == pytest.approx(np.abs(expected).max())
    assert error.n_samples == len(samples)
    assert not error.drawn
    assert f"{error}." in (folder / "net.h").read_text().partition("*/")[0]
    return error


@needs_gcc
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation: str, dtype: str, tmp_path: Path) -> None:
    """In hidden layers and in the last one; one that jumps, or grows without end, may change all that follows."""
    hidden = "tanh" if activation == "softmax" else activation
    nn = foxnn.neural_network([8, 24, 12, 3], hidden, activation, dtype=dtype, seed=1)
    for layer in nn.layers:
        layer.bias = np.random.default_rng(0).normal(size=layer.n_out) / 2
    if activation == "exp":
        nn.layers[-1].activation = "linear"
        nn.layers[1].weights = nn.layers[1].weights / 10
        nn.layers[1].activation = "tanh"
    error = assert_measured(nn, X.astype(dtype), tmp_path, *SANITIZERS)
    if activation != "threshold":
        assert error.rms < 0.01 * error.largest


@needs_gcc
@pytest.mark.parametrize("norm", [foxnn.LayerNorm(), foxnn.BatchNorm()])
def test_normalised_layers(norm: Any, tmp_path: Path) -> None:
    nn = foxnn.neural_network([8, 24, norm, 12, norm, 3], ["gelu", "relu"], "linear", seed=1)
    for layer in nn.layers[:-1]:
        for name in layer.norm.array_names:
            setattr(layer.norm, name, np.random.default_rng(0).uniform(0.5, 2, size=layer.n_out))
    error = assert_measured(nn, X.astype(np.float32), tmp_path, *SANITIZERS)
    assert error.rms < 0.02 * error.largest


@needs_gcc
@pytest.mark.parametrize("inputs", [None, "standard", "minmax"])
@pytest.mark.parametrize("reading", [(None, None), (0.5, -3.0), (-0.25, 100.0)])
def test_scaled_inputs_and_outputs(inputs: str | None, reading: Any, tmp_path: Path) -> None:
    nn = foxnn.neural_network([8, 16, 3], "tanh", "linear", seed=1, scale_inputs=inputs, scale_outputs="standard")
    nn.scale, nn.offset = reading
    samples = (X * [1, 2, 0.1, 5, 1, 1, 1, 0] + [0, 2000, 1, -7, 0, 0, 0, 1e5]).astype(np.float32)
    nn.fit_scaling(samples, X[:, :3] * [1, 10, 100] + 1000)
    if inputs is None:
        samples = X.astype(np.float32)
    error = assert_measured(nn, samples, tmp_path, *SANITIZERS)
    assert error.max < 0.02 * np.abs(nn.output_scaling.spread).max() * 10


@needs_gcc
def test_columns_of_different_ranges_without_scaling(tmp_path: Path) -> None:
    """A network whose weights have been made for raw columns, as when a scaling was folded into them."""
    scaled = foxnn.neural_network([8, 16, 3], "tanh", "softmax", seed=1, scale_inputs="standard")
    samples = X * [1, 2, 0.001, 5, 1000, 1, 1, 1] + [0, 2000, 1, -7, 1e4, 0, 0, 0]
    scaled.fit_scaling(samples)
    shift, spread = scaled.input_scaling.shift, scaled.input_scaling.spread
    nn = foxnn.neural_network([8, 16, 3], "tanh", "softmax", dtype="float64")
    nn.layers[0].weights = scaled.layers[0].weights / spread[:, None]
    nn.layers[0].bias = scaled.layers[0].bias - shift / spread @ scaled.layers[0].weights
    nn.layers[1].weights, nn.layers[1].bias = scaled.layers[1].weights, scaled.layers[1].bias
    error = assert_measured(nn, samples, tmp_path, *SANITIZERS)
    assert error.max < 0.03


@needs_gcc
def test_nothing_overflows_whatever_the_numbers(tmp_path: Path) -> None:
    """Inputs far beyond the samples, infinite and NaN; units without weights, or with a bias that is all they have."""
    nn = foxnn.neural_network([8, 300, 40, 40, 3], ["relu", "softplus", "gelu"], "linear", seed=0)
    for k, layer in enumerate(nn.layers):
        weights, bias = layer.weights.copy(), np.random.default_rng(k).normal(size=layer.n_out)
        weights[:, 0], weights[:, 1], bias[1] = 0, 1e-7, 1e4
        layer.weights, layer.bias = np.abs(weights), bias
    samples = X.astype(np.float32)
    nn.to_c(tmp_path / "net.h", weights="int8", samples=samples)
    extreme = np.array([[v] * 8 for v in (0, 1e3, -1e3, 1e30, -1e30, np.inf, -np.inf, np.nan)], np.float32)
    got = run_c(nn, extreme, tmp_path, None, None, *SANITIZERS, weights="int8", samples=samples)
    assert np.isfinite(got).all()
    np.testing.assert_array_equal(got[3], got[5])  # cut off at the same end
    np.testing.assert_array_equal(got[4], got[6])


@needs_gcc
def test_wide_layers(tmp_path: Path) -> None:
    """Whose sums leave less than 16 bits to their inputs."""
    nn = foxnn.neural_network([3000, 2000, 4], "tanh", "softmax", seed=0)
    samples = np.random.default_rng(0).random((50, 3000)).astype(np.float32)
    error = assert_measured(nn, samples, tmp_path, "-O2", *SANITIZERS)
    assert error.max < 0.01


def test_without_samples_it_takes_what_the_scaling_has_seen_or_refuses(tmp_path: Path) -> None:
    nn = foxnn.neural_network([8, 5, 2], "tanh", "linear", seed=0)
    with pytest.raises(
        ValueError, match=r"samples: got none; weights='int8' needs inputs such as the network will get"
    ):
        nn.to_c(tmp_path / "net.h", weights="int8")
    assert list(tmp_path.iterdir()) == []
    for kind in ("standard", "minmax"):
        nn.scale_inputs = kind
        nn.fit_scaling(X * 10 + 2000)
        error = nn.to_c(tmp_path / "net.h", weights="int8")
        assert error.drawn
        assert error.n_samples == 1000
        assert "1000 samples drawn from the distribution that scale_inputs has" in (tmp_path / "net.h").read_text()
        measured = nn.to_c(tmp_path / "net.h", weights="int8", samples=X * 10 + 2000)
        assert error.rms == pytest.approx(measured.rms, rel=0.5)
        assert error.largest == pytest.approx(measured.largest, rel=0.5)


def test_samples_of_uint8_are_read_as_pixels(tmp_path: Path) -> None:
    nn = foxnn.neural_network([8, 5, 2], "tanh", "linear", seed=0)
    pixels = np.random.default_rng(0).integers(0, 256, size=(50, 8)).astype(np.uint8)
    error = nn.to_c(tmp_path / "net.h", weights="int8", samples=pixels)
    assert error == nn.to_c(tmp_path / "net.h", weights="int8", samples=pixels / 255)
    assert error.largest == pytest.approx(np.abs(nn.predict(pixels)).max())


def test_samples_from_files(tmp_path: Path) -> None:
    nn = foxnn.neural_network([8, 5, 2], "tanh", "linear", seed=0)
    expected = nn.to_c(tmp_path / "net.h", weights="int8", samples=X)
    np.save(tmp_path / "X.npy", X)
    assert nn.to_c(tmp_path / "net.h", weights="int8", samples=tmp_path / "X.npy") == expected
    np.savetxt(tmp_path / "X.csv", X, delimiter=",", header=",".join("abcdefgh"), comments="", fmt="%.17g")
    assert nn.to_c(tmp_path / "net.h", weights="int8", samples=str(tmp_path / "X.csv")) == expected
    with pytest.raises(FileNotFoundError, match=r"none\.npy"):
        nn.to_c(tmp_path / "net.h", weights="int8", samples=tmp_path / "none.npy")
    np.save(tmp_path / "X.npy", np.array([{}], object))
    with pytest.raises(ValueError, match=r"samples: .*X\.npy"):
        nn.to_c(tmp_path / "net.h", weights="int8", samples=tmp_path / "X.npy")


def test_what_is_not_taken(tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    with pytest.raises(ValueError, match=r"weights: unknown name 'int4'.*; it takes one of: float, int8"):
        nn.to_c(tmp_path / "net.h", weights="int4")
    with pytest.raises(ValueError, match="samples: got some, but only weights='int8'"):
        nn.to_c(tmp_path / "net.h", samples=[[1, 2]])
    with pytest.raises(ValueError, match=r"samples: got an array of shape \(1, 3\)"):
        nn.to_c(tmp_path / "net.h", weights="int8", samples=[[1, 2, 3]])
    with pytest.raises(ValueError, match="samples: got no samples"):
        nn.to_c(tmp_path / "net.h", weights="int8", samples=np.zeros((0, 2)))
    assert nn.to_c(tmp_path / "net.h", weights="int8", samples=np.zeros(2)).n_samples == 1
    assert [file.name for file in tmp_path.iterdir()] == ["net.h"]


@needs_gcc
@pytest.mark.parametrize(("dtype", "weights"), [("float32", "float"), ("float64", "float"), ("float32", "int8")])
def test_sizes_in_the_comment(dtype: str, weights: str, tmp_path: Path) -> None:
    """The constants are as many bytes as said: as many as the object file keeps of them."""
    assert GCC is not None
    nn = foxnn.neural_network([30, 40, 10], "tanh", dtype=dtype)
    samples = {"samples": np.ones((9, 30))} if weights == "int8" else {}
    nn.to_c(tmp_path / "net.h", dtype=dtype, weights=weights, **samples)
    said = re.search(r" \* Constants: (\d+) bytes\.\n", (tmp_path / "net.h").read_text())
    assert said is not None
    if weights == "float":
        assert int(said[1]) == 1650 * {"float32": 4, "float64": 8}[dtype]
    else:
        assert int(said[1]) < 1650 * 4 / 2
    use = "extern int use(const void *); int use(const void *p) { return p == net_weights_0; }"
    (tmp_path / "size.c").write_text(f'#include "net.h"\n{use}')
    subprocess.run([GCC, "-std=c99", "-fkeep-static-consts", "-c", "size.c"], cwd=tmp_path, check=True)
    names = subprocess.run(["nm", "-S", "size.o"], cwd=tmp_path, stdout=subprocess.PIPE, check=True, text=True).stdout
    sizes = [int(line.split()[1], 16) for line in names.splitlines() if " r net_" in line]
    assert sum(sizes) == int(said[1])


@needs_gcc
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("by", ["onnx", "scikit-learn"])
def test_a_scaler_and_a_network_of_scikit_learn_keep_their_accuracy(by: str, tmp_path: Path) -> None:
    """Columns from 1e-3 to 1e3: what int8 has to leave is less than one row in a hundred."""
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_breast_cancer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data, labels = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=300, random_state=0))
    model.fit(data[::2], labels[::2])
    if by == "onnx":
        skl2onnx = pytest.importorskip("skl2onnx")
        written = skl2onnx.to_onnx(model, data[:1].astype(np.float32), options={"zipmap": False})
        (tmp_path / "net.onnx").write_bytes(written.SerializeToString())
        nn = foxnn.from_onnx(tmp_path / "net.onnx", output="probabilities")
    else:
        nn = foxnn.from_sklearn(model)
    test = data[1::2].astype(np.float32)
    for samples in ({}, {"samples": data[::2]}):
        got = run_c(nn, test, tmp_path, np.float32, weights="int8", **samples)
        chosen = got.argmax(axis=1) if got.shape[1] == 2 else got[:, 0] > 0.5
        assert np.mean(chosen == labels[1::2]) > model.score(data[1::2], labels[1::2]) - 0.01
        expected = nn.predict(test)
        assert np.abs(got - expected).max() < 0.05


# ---- processors ----------------------------------------------------------------------------------------------------

_COUNT = r"""
#include <stdint.h>
#include "net.h"

/* SysTick counts the emulator's clock, of 25 MHz, of which an instruction takes a nanosecond. */
static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010;
static float x[net_n_in], y[net_n_out];

static void host(int what, const void *argument) {
    register int r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

__attribute__((noinline)) static void predict(void) { net_predict(x, y); }

void reset(void);
void reset(void) {
    for (int i = 0; i < net_n_in; i++) x[i] = (float)(i % 7) / 7.0f;
    systick[1] = 0xFFFFFF, systick[2] = 0, systick[0] = 5;
    while (systick[2] == 0) {}
    const uint32_t start = systick[2];
    for (int i = 0; i < 4; i++) predict();
    uint32_t ticks = (start - systick[2]) & 0xFFFFFF;
    char text[12], *digit = text + 11;
    *digit = 0;
    do *--digit = (char)('0' + ticks % 10); while (ticks /= 10);
    host(4, digit);                    /* write a text */
    host(0x18, (const void *)0x20026); /* the program has ended */
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {(void *)0x200000, (void *)reset};
"""


def instructions(folder: Path, processor: str, optimised: str) -> int:
    """How many a prediction of net.h takes on a processor, from an emulator whose clock counts them."""
    (folder / "count.c").write_text(_COUNT)
    command = ["arm-none-eabi-gcc", f"-mcpu={processor}", "-mthumb", "-std=c99", optimised, "count.c", "-o",
               "count.elf", "-nostartfiles", "--specs=nosys.specs", "-lm", "-Wl,--section-start=.vectors=0",
               "-Wl,-Ttext=0x400", "-Wl,-e,reset"]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True)
    # The board has a Cortex-M3, which also runs all that is written for a Cortex-M0, in as many instructions.
    emulator = ["qemu-system-arm", "-M", "mps2-an385", "-nographic", "-semihosting", "-icount", "shift=0", "-kernel"]
    run = subprocess.run([*emulator, "count.elf"], cwd=folder, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                         check=True, timeout=120)  # fmt: skip
    return int(run.stderr) * 40 // 4


@pytest.mark.parametrize("optimised", ["-Os", "-O2"])
@pytest.mark.parametrize("processor", ["cortex-m0", "cortex-m3"])
@pytest.mark.parametrize("sizes", [[4, 16, 16, 3], [784, 16, 10]])
def test_fewer_instructions_than_floats_without_hardware_for_them(
    sizes: list[int], processor: str, optimised: str, tmp_path: Path
) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    nn = foxnn.neural_network(sizes, "tanh", "softmax", seed=0)
    samples = np.random.default_rng(0).random((100, sizes[0]))
    nn.to_c(tmp_path / "net.h")
    of_floats = instructions(tmp_path, processor, optimised)
    nn.to_c(tmp_path / "net.h", weights="int8", samples=samples)
    of_integers = instructions(tmp_path, processor, optimised)
    assert of_integers < of_floats / 3


_AVR = r"""
#include <avr/io.h>
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <stdio.h>
#include <string.h>
#include "net.h"

static int put(char c, FILE *stream) {
    (void)stream;
    while (!(UCSR0A & (1 << UDRE0))) {}
    UDR0 = (uint8_t)c;
    return 0;
}

static FILE out = FDEV_SETUP_STREAM(put, NULL, _FDEV_SETUP_WRITE);

int main(void) {
    static float x[net_n_in], y[net_n_out];
    for (int i = 0; i < net_n_in; i++) x[i] = (float)(i % 7) / 7.0f;
    net_predict(x, y);
    UCSR0B = 1 << TXEN0;
    stdout = &out;
    for (int i = 0; i < net_n_out; i++) {
        uint32_t bits;
        memcpy(&bits, y + i, 4);
        printf("y%08lx\n", (unsigned long)bits);
    }
    cli();
    sleep_mode();
}
"""


@pytest.mark.parametrize(("weights", "sizes", "dtype"), [
    ("float", [60, 32, 10], "float32"), ("float", [8, 5, 3], "float64"), ("int8", [784, 16, 10], "float32"),
    ("int8", [250, 130, 3], "float32"),
])  # fmt: skip
def test_avr_keeps_weights_in_flash_and_indices_within_16_bits(
    weights: str, sizes: list[int], dtype: str, tmp_path: Path
) -> None:
    """An ATmega1284P, with 16 KB of memory and int of 16 bits."""
    if shutil.which("avr-gcc") is None:
        pytest.skip("needs avr-gcc")
    nn = foxnn.neural_network(sizes, "tanh", "softmax", dtype=dtype, seed=0, scale_inputs="minmax")
    samples = np.random.default_rng(0).random((100, sizes[0]))
    nn.fit_scaling(samples)
    nn.to_c(tmp_path / "net.h", weights=weights, **({"samples": samples} if weights == "int8" else {}))
    main = _AVR if dtype == "float32" else _AVR.replace("static float", "static double")
    (tmp_path / "main.c").write_text(main)
    flags = ["-mmcu=atmega1284p", "-DF_CPU=16000000UL", "-std=c99", "-Os", "-Wall", "-Wextra", "-Wconversion"]
    subprocess.run(["avr-gcc", *flags, "main.c", "-o", "net.elf", "-lm"], cwd=tmp_path, check=True)
    names = subprocess.run(["avr-nm", "net.elf"], cwd=tmp_path, stdout=subprocess.PIPE, check=True, text=True).stdout
    kinds = {line.split()[2]: line.split()[1] for line in names.splitlines() if " net_" in line}
    assert {"net_weights_0", "net_bias_1", "net_input_shift"} <= {*kinds}
    assert {kinds[name] for name in kinds if "weights" in name or "bias" in name or "input" in name} == {"t"}  # of code
    if shutil.which("simavr") is None:
        return
    command = ["simavr", "-m", "atmega1284p", "-f", "16000000", "net.elf"]
    run = subprocess.run(command, cwd=tmp_path, check=True, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)  # fmt: skip
    got = np.array([int(bits, 16) for bits in re.findall(rb"y([0-9a-f]{8})", run.stdout)], np.uint32).view(np.float32)
    x = (np.arange(sizes[0]) % 7 / 7).astype(np.float32)
    tolerance = 2e-6 if weights == "float" else 0.02
    np.testing.assert_allclose(got, nn.predict(x).reshape(-1), atol=tolerance)


def test_random_networks(tmp_path: Path) -> None:
    """Of all sizes: the integers agree with the network to what is measured, and that is little."""
    for seed in range(20):
        nn = random_network("tanh", "float32", seed)
        samples = np.random.default_rng(seed).normal(size=(50, nn.sizes[0]))
        error = nn.to_c(tmp_path / "net.h", weights="int8", samples=samples)
        assert error.rms < 0.02 * error.largest
