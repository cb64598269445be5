"""Differential fuzzing of the importers: random models of another library, whose outputs the networks have to give.

Each module named in `LIBRARIES` makes models of one. In this folder's parent,

    python -m differential torch onnx sklearn keras --models 20000

runs them. Model number i of a seed is the same in every run, so that `--first i --models 1` brings back what a report
names. Most models have to be read; the odd ones, with something in them that foxnn may not have, may be refused.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import foxnn

#: Modules here, one a library, each with `NEEDS`, the packages it needs, and `case(random)`.
LIBRARIES = {"torch": "torch_models", "keras": "keras_models", "sklearn": "sklearn_models", "onnx": "onnx_models"}


class Case(NamedTuple):
    """A model."""

    description: str
    read: Callable[[], foxnn.NeuralNetwork]
    run: Callable[[Any], Any]  # the model's own outputs of inputs (n, n_in)
    n_in: int
    dtype: str
    odd: bool  # whether it may be refused
    tolerance: float = 0.0  # of the largest output, if it is more than what two ways to compute the same may differ by


def library(name: str) -> Any:
    """The module that makes models of a library."""
    return importlib.import_module(f"differential.{LIBRARIES[name]}")
