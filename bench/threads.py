"""The same number of threads for every library.

Import this before any of them: most look at these variables only once. BENCH_THREADS chooses the number; by default it
is the number of cores that this process may use.
"""

from __future__ import annotations

import os
from pathlib import Path


def usable_cores() -> int:
    """Cores this process may use: those of its CPU affinity, at most the quota of its control group."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):
        return cores


CORES = usable_cores()
COUNT = int(os.environ.get("BENCH_THREADS") or CORES)

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"):  # NPROC: JAX
    os.environ[_variable] = str(COUNT)
if COUNT < CORES and hasattr(os, "sched_setaffinity"):  # for pools that read no variable
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:COUNT])
