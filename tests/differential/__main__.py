"""``python -m differential LIBRARY...``: a long run."""

from __future__ import annotations

import argparse

from differential import LIBRARIES
from differential.running import run

arguments = argparse.ArgumentParser(prog="python -m differential", description="Read random models of other libraries.")
arguments.add_argument("library", nargs="+", choices=LIBRARIES)
arguments.add_argument("--models", type=int, default=20_000)
arguments.add_argument("--seed", type=int, default=0)
arguments.add_argument("--first", type=int, default=0, help="number of the first model")
arguments.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
chosen = arguments.parse_args()
for name in chosen.library:
    counts = run(
        name, chosen.models, chosen.seed, chosen.first, chosen.seconds, lambda line: print(line, flush=True)
    )  # fmt: skip
    print(f"{name}: {sum(counts.values()):,} models, {dict(counts)}: nothing found", flush=True)
