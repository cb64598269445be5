"""Files that callbacks write: that one cannot be written must not end a training of many hours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from foxnn._warnings import warn_user


@contextmanager
def going_on(path: str) -> Iterator[None]:
    """Turn what keeps a file from being written into a warning."""
    try:
        yield
    except (OSError, MemoryError) as error:
        warn(path, error)


def warn(path: str, error: BaseException) -> None:
    """Say that a file cannot be written, and that training goes on."""
    reason = error if isinstance(error, OSError) else "there is not enough memory"
    warn_user(f"cannot write {path}: {reason}; training goes on", RuntimeWarning)
