"""Memory that training adds to the data, at its peak, each library in a process of its own (Linux)."""

from __future__ import annotations

import threads  # isort: skip  # first: the libraries look at what it sets

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import peers
import problems

CASES = [([784, 512, 512, 10], 98), ([784, 2048, 2048, 10], 256)]
STEPS = 48


def allowed(sizes: list[int], batch: int) -> float:
    """foxnn's goal in MB: four arrays of the parameters' size, the outputs of one batch, and 20 MB."""
    return 4 * 4 * sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes)) / 1e6 + 4 * batch * sum(sizes) / 1e6 + 20


def measure(names: list[str] | None) -> list[dict[str, Any]]:
    if not Path("/proc/self/clear_refs").exists():
        print("left out: peak memory (it takes Linux's /proc)")
        return []
    modules = {name: module for name, module in peers.load(names).items() if hasattr(module, "train")}
    cases = []
    for sizes, batch in CASES:
        added = {name: _in_a_process(name, sizes, batch) for name in modules}
        cases.append(
            {
                "name": f"{'-'.join(map(str, sizes))}, batch {batch}",
                "allowed": allowed(sizes, batch),
                "added": {name: megabytes for name, megabytes in added.items() if megabytes is not None},
            }
        )
    return cases


def _in_a_process(name: str, sizes: list[int], batch: int) -> float | None:
    command = [sys.executable, __file__, name, "-".join(map(str, sizes)), str(batch)]
    outcome = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "BENCH_THREADS": str(threads.COUNT)}
    )
    if outcome.returncode:
        print(f"left out: peak memory of {name} ({outcome.stderr.strip().splitlines()[-1]})")
        return None
    return float(outcome.stdout.split()[-1])


def resident(field: str) -> float:
    """VmRSS, what is in memory now, or VmHWM, the most that was, in MB."""
    return int(re.search(rf"{field}:\s*(\d+) kB", Path("/proc/self/status").read_text()).group(1)) * 1024 / 1e6


def added_by(name: str, sizes: list[int], batch: int) -> float:
    module = peers.load([name])[name]
    problem = problems.make(sizes, batch)
    assert problem.weights  # made, as the data are, before memory is looked at
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts anew
    training = module.train(problem)
    training.run(max(1, STEPS // training.steps_per_call) * training.steps_per_call)
    return resident("VmHWM") - before


if __name__ == "__main__":
    print(added_by(sys.argv[1], [int(n) for n in sys.argv[2].split("-")], int(sys.argv[3])))
