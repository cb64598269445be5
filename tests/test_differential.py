"""Promise: what an importer reads gives the outputs of the model that it was; random models of each library say so.

The long run: ``cd tests && python -m differential torch keras sklearn onnx --models 20000``.
"""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest
from differential import LIBRARIES, Case, running

import foxnn

SECONDS = 1.5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LIBRARIES)
def test_random_models(name: str) -> None:
    needed = {"torch": ["torch"], "keras": ["keras"], "sklearn": ["sklearn"], "onnx": ["onnx", "onnxruntime"]}[name]
    for package in needed:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs the package {package}")
    if name == "keras":
        pytest.importorskip("test_keras", reason="needs Keras 3 and a backend")  # which chooses one
    counts = running.run(name, 2000, seed=1, seconds=SECONDS)
    assert counts["read"] > counts["refused"]  # what is always refused shows little


def cases(read: foxnn.NeuralNetwork | None, factor: float, odd: bool) -> SimpleNamespace:
    nn = foxnn.neural_network([2, 1], seed=0)

    def reading() -> foxnn.NeuralNetwork:
        if read is None:
            raise ValueError("refused")
        return read

    return SimpleNamespace(case=lambda random: Case("", reading, lambda X: factor * nn.predict(X), 2, "float32", odd))


def test_what_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    nn = foxnn.neural_network([2, 1], seed=0)
    for made, message in (
        (cases(nn, 1.01, False), "model 0 of seed 0.*off by"),
        (cases(nn, np.nan, True), "model 0 of seed 0.*off by"),
        (cases(None, 1.0, False), "model 0 of seed 0.*refused"),
    ):
        monkeypatch.setattr(running, "library", lambda name, made=made: made)
        with pytest.raises(running.Finding, match=message):
            running.run("torch", 3)
    monkeypatch.setattr(running, "library", lambda name: cases(nn, 1.0, False))
    assert running.run("torch", 3) == {"read": 3, "refused": 0}
