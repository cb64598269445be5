"""Promise: networks that programs in C++ train have the same bits as those that Python trains.

tests/cpp/test_library.cpp trains the same two, and compares them with the same file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import foxnn

_ROOT = Path(__file__).resolve().parents[1]
_RECORDED = _ROOT / "tests" / "cpp" / "library_bits.txt"
_SAMPLES, _INPUTS, _CLASSES = 300, 20, 3


def _numbers(n: int, factor: int, modulus: int) -> np.ndarray:
    return np.arange(n) * factor % modulus


def _checksum(arrays: list[np.ndarray]) -> str:
    """Fowler, Noll and Vo's, in the form 1a, as in tests/cpp/checksum.hpp."""
    total = 0xCBF29CE484222325
    for byte in b"".join(array.tobytes() for array in arrays):
        total = (total ^ byte) * 0x100000001B3 % 2**64
    return f"{total:016x}"


def _classification() -> list[np.ndarray]:
    x = _numbers(_SAMPLES * _INPUTS, 7919, 251).astype(np.uint8).reshape(_SAMPLES, _INPUTS)
    elu = foxnn.Activation("elu", alpha=0.5)
    nn = foxnn.neural_network(
        [_INPUTS, 33, foxnn.BatchNorm(), 17, _CLASSES],
        ["relu", elu],
        output="softmax",
        dropout=[0.25, 0],
        init="he_uniform",
        seed=5,
    )
    nn.fit(x, _numbers(_SAMPLES, 7, _CLASSES), epochs=3, learning_rate=0.01)
    names = ["weights", "bias", "gamma", "beta", "running_mean", "running_variance"]
    parts = [nn.layers[0].get_array(name) for name in names]
    return [*parts, *(nn.layers[i].get_array(name) for i in (1, 2) for name in names[:2]), nn.predict(x)]


def _regression() -> list[np.ndarray]:
    x = (_numbers(_SAMPLES * _INPUTS, 37, 101) / 101).reshape(_SAMPLES, _INPUTS)
    y = (_numbers(_SAMPLES * 2, 53, 97) / 97).reshape(_SAMPLES, 2)
    nn = foxnn.neural_network(
        [_INPUTS, 40, 2],
        "tanh",
        output="linear",
        loss=foxnn.Loss("huber", delta=0.5),
        dtype="float64",
        seed=7,
        l2=0.001,
    )
    optimizer = foxnn.optimizers.Momentum(momentum=0.75)
    for _ in range(2):
        nn.fit(x, y, epochs=2, batch_size=64, optimizer=optimizer, shuffle=False)
    return [*(array for layer in nn.layers for array in (layer.weights, layer.bias)), nn.predict(x)]


@pytest.mark.skipif(
    foxnn._core.config()["instruction_set"] == "baseline", reason="the baseline does not fuse multiply-adds"
)
@pytest.mark.parametrize("train", [_classification, _regression])
def test_same_bits(train: Callable[[], list[np.ndarray]]) -> None:
    recorded = dict(line.split() for line in _RECORDED.read_text(encoding="utf-8").splitlines())
    assert _checksum(train()) == recorded[train.__name__.strip("_")]


@pytest.mark.skipif(not (_ROOT / "docs").exists(), reason="needs the repository")
def test_the_documented_program_is_the_example() -> None:
    page = (_ROOT / "docs" / "cpp.md").read_text(encoding="utf-8")
    assert re.findall(r"^```cpp\n(.*?)^```", page, re.MULTILINE | re.DOTALL) == [
        (_ROOT / "examples" / "cpp" / "sine.cpp").read_text(encoding="utf-8")
    ]
