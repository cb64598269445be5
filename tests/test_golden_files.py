"""Every file that a version of foxnn has written is read for ever: the files of tests/golden, of all formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(FOLDER.glob("*/*.safetensors"))


def close_to(nn: foxnn.NeuralNetwork, expected: Any) -> Any:
    """Instruction sets without fused multiply-adds round otherwise."""
    return pytest.approx(np.array(expected), rel=1e-4 if nn.dtype == np.float32 else 1e-10)


def has(expected: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether all that was in the file is found; there may be what later versions have added."""
    return {name: found.get(name) for name in expected} == expected


def test_there_are_files_of_every_format() -> None:
    from foxnn.io.native import FORMAT

    assert {path.parent.name for path in FILES} == {f"format_{n}" for n in range(1, FORMAT + 1)}
    assert all(path.with_suffix(".json").exists() for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_golden_file_is_read(path: Path) -> None:
    from safetensors.numpy import load_file

    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    nn = foxnn.load(path)
    for name in ("sizes", "dropout", "seed", "epoch", "scale", "offset", "metadata"):
        assert getattr(nn, name) == expected[name], name
    assert [layer.trainable for layer in nn.layers] == expected.get("trainable", [True] * len(nn.layers))
    assert nn.dtype.name == expected["dtype"]
    for layer, activation in zip(nn.layers, expected["activations"], strict=True):
        assert has(activation, {"name": layer.activation.name, **layer.activation.parameters})
    assert has(expected["loss"], {"name": nn.loss.name, **nn.loss.parameters})
    assert has(expected["optimizer"], nn.optimizer.config)
    assert has(expected["settings"], nn.settings.as_dict())
    assert [{name: repr(value) for name, value in epoch.items()} for epoch in nn.history.epochs] == expected["history"]
    for i, layer in enumerate(nn.layers):
        np.testing.assert_array_equal(layer.weights, load_file(path)[f"layers.{i}.weights"])
        np.testing.assert_array_equal(layer.bias, load_file(path)[f"layers.{i}.bias"])
    assert nn.predict(expected["inputs"]) == close_to(nn, expected["outputs"])
    if "optimizer_steps" in expected:
        assert nn._optimizer_state.t == expected["optimizer_steps"]
        loss = nn.train_on_batch(expected["inputs"], expected["targets"])
        assert loss == close_to(nn, expected["loss_of_a_step"])
        assert nn.predict(expected["inputs"]) == close_to(nn, expected["outputs_a_step_later"])
