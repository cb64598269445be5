"""``python -m fuzz PARSER...``: a long run."""

from __future__ import annotations

import argparse

from fuzz import PARSERS
from fuzz.running import run

arguments = argparse.ArgumentParser(prog="python -m fuzz", description="Read damaged files.")
arguments.add_argument("parser", nargs="+", choices=PARSERS)
arguments.add_argument("--inputs", type=int, default=1_000_000)
arguments.add_argument("--seed", type=int, default=0)
arguments.add_argument("--first", type=int, default=0, help="number of the first input")
arguments.add_argument("--trace-every", type=int, default=8, help="trace the memory of one input in so many")
chosen = arguments.parse_args()
for name in chosen.parser:
    counts = run(
        name, chosen.inputs, chosen.seed, chosen.first, chosen.trace_every, lambda line: print(line, flush=True)
    )
    print(f"{name}: {chosen.inputs:,} inputs, {dict(counts)}: nothing found", flush=True)
