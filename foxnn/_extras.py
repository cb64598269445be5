"""Packages that only some of foxnn needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needing(*packages: str, message: str) -> Iterator[None]:
    """For imports in a ``with``: say `message` if these packages are not there.

    One that is there and cannot be imported, for want of memory, of a thread or of another package, says so itself.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in packages:
            raise
        raise ImportError(message) from None
