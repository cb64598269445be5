"""Seconds that `import` of each library adds to `import numpy`, each in a fresh interpreter, by turns."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import installed
import timing

MODULES = {
    "foxnn": "foxnn",
    "sklearn": "sklearn.neural_network",
    "torch": "torch",
    "jax": "jax",
    "keras": "keras",
    "onnxruntime": "onnxruntime",
}
# an editable installation's finder would bring in the original
CHILD = """
import sys, time
sys.meta_path = [f for f in sys.meta_path if not type(f).__module__.startswith("_editable")]
begin = time.perf_counter()
import numpy
middle = time.perf_counter()
import {module}
print(middle - begin, time.perf_counter() - middle)
"""


def measure(repetitions: int) -> dict[str, float]:
    """Medians; those of "numpy" itself, too."""
    names = [name for name, module in MODULES.items() if find_spec(module.split(".")[0])]
    times: dict[str, list[float]] = {name: [] for name in ["numpy", *names]}
    with tempfile.TemporaryDirectory() as folder:
        installed.copy_of_foxnn(Path(folder))
        environment = {**os.environ, "KERAS_BACKEND": "jax"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for repetition in range(repetitions + 1):  # the first fills the disk's cache and compiles foxnn's Python files
            for name in names:
                command = [sys.executable, "-c", CHILD.format(module=MODULES[name])]
                run = subprocess.run(  # there, where Python looks first
                    command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
                )
                numpy, added = map(float, run.stdout.split()[-2:])
                if repetition:
                    times["numpy"].append(numpy)
                    times[name].append(added)
    return {name: timing.median(series) for name, series in times.items()}
