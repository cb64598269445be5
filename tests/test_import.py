"""Promise: nothing silent. What cannot be imported says why, and what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import foxnn


def test_sources_that_are_not_installed(tmp_path: Path) -> None:
    """In a folder of foxnn's sources, Python finds these and not what is installed."""
    package = tmp_path / "foxnn"
    shutil.copytree(
        Path(foxnn.__file__).parent, package, ignore=shutil.ignore_patterns("_core.*", "__pycache__", "data")
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", "import foxnn"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    message = run.stderr.strip().splitlines()[-1]
    assert message.startswith(f"ImportError: foxnn in {package} has no compiled core: these are its sources")
    assert "`pip install .` in the folder above installs it" in message
