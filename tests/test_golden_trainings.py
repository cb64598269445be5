"""Promise: the same bits as ever. What 300 small trainings come to does not change with the code around them, nor with
the instruction set (if it fuses multiply-adds)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import golden_trainings
import pytest
from golden_trainings import checksum, recorded, trainings

import foxnn

_CONFIG = foxnn._core.config()
_FUSED = [name for name in _CONFIG["available"] if name != "baseline"]
_RECORDED = recorded()


@pytest.mark.skipif(_CONFIG["instruction_set"] == "baseline", reason="the baseline does not fuse multiply-adds")
@pytest.mark.parametrize(("name", "train"), [pytest.param(*training, id=training[0]) for training in trainings()])
def test_as_recorded(name: str, train: golden_trainings.Training) -> None:
    assert checksum(train()) == _RECORDED[name]


def test_all_are_recorded_once() -> None:
    names = [name for name, _ in trainings()]
    assert names == list(_RECORDED)
    assert len(set(names)) == len(names) >= 300


@pytest.mark.parametrize("instruction_set", _FUSED)
def test_every_instruction_set(instruction_set: str) -> None:
    printed = subprocess.run(
        [sys.executable, str(Path(golden_trainings.__file__))],
        env=os.environ | {"FOXNN_ISA": instruction_set},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == golden_trainings.PATH.read_text(encoding="utf-8")
