"""Fuzzing of what reads files: damaged ones load, or are refused with the documented error, and nothing else happens.

Each module named in `PARSERS` is a target: one parser with its corpus of good files. In this folder's parent,

    python -m fuzz text_network --inputs 1000000

runs one of them (`tools/sanitized_python.sh` in place of `python`: with the compiled code under AddressSanitizer).
Input number i of a seed is the same in every run, so that `--first i --inputs 1` brings back what a report names.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Protocol

#: Modules here, one a parser.
PARSERS = ["native", "checkpoint", "text_network", "text_weights", "text_data", "idx", "idx_gz", "table", "onnx_model"]


class Parser(Protocol):
    """What the module of a parser has."""

    ERRORS: tuple[type[Exception], ...]  # exactly these types, no subclasses, are refusals
    NAMES_FILE: bool  # messages name the file
    MEMORY: float  # bytes that a byte of the file may take, beyond OVERHEAD
    OVERHEAD: int  # bytes: buffers of fixed size, and messages
    TOKENS: Sequence[bytes]  # words of the format, to be thrown in

    def corpus(self) -> list[bytes]:
        """Good files, small ones: the smaller, the likelier it is that damage meets what matters."""

    def damage(self, random: Random, corpus: list[bytes]) -> bytes:
        """A damaged file, some of them damaged in ways that get past the first check."""

    def use(self, path: Path) -> None:
        """Read the file, and use what was read."""


def parser(name: str) -> Any:
    """The module of a parser."""
    return importlib.import_module(f"fuzz.{name}")
