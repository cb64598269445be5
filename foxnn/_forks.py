"""What Python has to be told of fork(); the core sees to its own locks.

Many modules of foxnn are imported when they are first needed, by whichever thread it is. If a fork came in the midst
of that, the child would wait for this thread, which it does not have, for ever. So a fork waits until no module of
foxnn is being imported, and lets no thread begin to import one before it is done.
"""

from __future__ import annotations

import _imp  # its lock is what a thread needs to begin an import, and what fork() itself holds
import importlib
import os
from contextlib import suppress


def _in_the_midst() -> set[str]:
    """Modules of foxnn that are being imported, or looked for: those that importlib has a lock for."""
    locks = getattr(importlib, "_bootstrap")._module_locks  # noqa: B009
    return {name for name in list(locks) if name.startswith("foxnn.")}


def _finish_imports() -> None:
    waited_for: set[str] = set()
    _imp.acquire_lock()
    # What was waited for and is not done yet is imported by the very thread that forks.
    while unfinished := _in_the_midst() - waited_for:
        _imp.release_lock()
        try:
            for name in unfinished:
                with suppress(Exception):  # which whoever needs the module gets as well
                    importlib.import_module(name)  # waits for the thread that imports it
        finally:
            _imp.acquire_lock()
        waited_for |= unfinished


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_finish_imports, after_in_parent=_imp.release_lock, after_in_child=_imp.release_lock)
