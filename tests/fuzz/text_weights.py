"""FoxNN 1.0's networks as text, weights only."""

from __future__ import annotations

from pathlib import Path

import foxnn
from fuzz import text_network
from fuzz.text_network import ERRORS, MEMORY, NAMES_FILE, OVERHEAD, TOKENS, damage, predict

__all__ = ["ERRORS", "MEMORY", "NAMES_FILE", "OVERHEAD", "TOKENS", "corpus", "damage", "use"]


def corpus() -> list[bytes]:
    """As the others, weights only."""
    return text_network.corpus(only_scale=True)


def use(path: Path) -> None:
    """Load it and predict."""
    predict(foxnn.load(path, only_scale=True))
