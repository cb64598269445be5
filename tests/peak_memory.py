"""How much memory a process has used at the most: for scripts that tests start, to be put before them."""

from __future__ import annotations

import sys

import pytest

#: Not getrusage's, which begins at what the process had that started this one: nothing less would show.
PEAK_MEMORY = r"""
import re

def memory(name="VmHWM"):
    "Bytes of memory: the most so far, or with VmRSS those of the moment."
    with open("/proc/self/status") as file:
        return int(re.search(name + r":\s+(\d+) kB", file.read())[1]) * 1024
"""

needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")
