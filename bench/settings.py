"""The options that all benchmarks share, and what becomes of a result."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from timing import Pace


@dataclass
class Settings:
    quick: bool
    seconds: float
    peers: list[str] | None  # None: all
    rows: str  # only rows with this in their name
    json: Path | None

    @property
    def pace(self) -> Pace:
        return Pace(0.3, turn=0.01, pause=0.002, least_rounds=3) if self.quick else Pace(self.seconds)


def from_command_line(description: str | None) -> Settings:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a few rounds of the small rows, against NumPy only")
    parser.add_argument("--seconds", type=float, default=20, help="to measure each row for, default 20")
    parser.add_argument("--peers", help="names, separated by commas; default: all that are installed")
    parser.add_argument("--rows", default="", help="only rows whose name contains this")
    parser.add_argument("--json", type=Path, help="file to write the result to")
    given = parser.parse_args()
    peers = given.peers.split(",") if given.peers else ["numpy"] if given.quick else None
    if peers is not None and "foxnn" not in peers:
        peers = ["foxnn", *peers]
    return Settings(given.quick, given.seconds, peers, given.rows, given.json)


def finish(settings: Settings, result: dict[str, Any], show: Callable[[dict[str, Any]], str]) -> None:
    """Print a result, and write it to the file asked for."""
    print("\n" + show(result))
    if settings.json:
        result["when"] = time.strftime("%Y-%m-%d %H:%M")
        result["load"] = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
        settings.json.write_text(json.dumps(result, indent=1) + "\n")
