"""Warnings that point at the user's own line."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

#: What may lie between the user's line and the one that warns: besides foxnn, whose functions call it for the user.
_BETWEEN = frozenset({"foxnn", "contextlib", "sklearn"})


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, on behalf of the line outside of foxnn that called into it, however many calls lie between."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_between(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_between(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN
