"""What Python has to be told of fork(); the core sees to its own locks."""

from __future__ import annotations

import importlib
import os
import sys


def _finish_imports() -> None:
    """Wait for modules of foxnn that another thread is importing: the child would wait for that thread for ever.

    (Many are imported when they are first needed, by whichever thread it is.)
    """
    for name in [name for name in sys.modules if name.startswith("foxnn.")]:
        importlib.import_module(name)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_finish_imports)
