"""Where downloaded data is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Return the folder for downloaded data, which need not exist yet.

    It is the environment variable FOXNN_CACHE_DIR where that is set, and otherwise the platform's own place:
    ``%LOCALAPPDATA%\\foxnn\\Cache`` on Windows, ``~/Library/Caches/foxnn`` on macOS, and
    ``$XDG_CACHE_HOME/foxnn`` or ``~/.cache/foxnn`` elsewhere.

    Raises
    ------
    OSError
        There is no home folder, and FOXNN_CACHE_DIR is not set.

    Examples
    --------
    >>> cache_folder().name in ("foxnn", "Cache")
    True
    """
    try:
        if chosen := os.environ.get("FOXNN_CACHE_DIR"):
            return Path(chosen).expanduser()
        return _platform_folder()
    except RuntimeError as error:
        raise OSError(f"no folder to keep data in ({error}); set FOXNN_CACHE_DIR") from error


def _platform_folder() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "foxnn" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "foxnn"
    # The XDG specification says to ignore a path that is not absolute.
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if os.path.isabs(xdg) else Path.home() / ".cache") / "foxnn"
