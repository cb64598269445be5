"""Milliseconds per training step: relu, softmax and cross-entropy, Adam, shuffled mini-batches, float32.

A step includes its share of shuffling and of gathering the batch, from data of several thousand rows in memory.
"""

from __future__ import annotations

import threads  # isort: skip  # first: the libraries look at what it sets

from dataclasses import dataclass, field
from typing import Any

import check
import comparison
import peers
import problems
import settings
import sgemm
import tables
import timing


@dataclass
class Row:
    sizes: list[int]
    batch: int
    #: How many times as fast as (the faster of) these peers foxnn wants to be; its share of the rate of "sgemm".
    goals: dict[str, float] = field(default_factory=dict)
    small: bool = False

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch}"


ROWS = [
    Row([784, 512, 512, 10], 98, {"jax": 1.35, "numpy": 1.9}),
    Row([784, 512, 512, 10], 512, {"jax": 1.28, "sgemm": 0.94}),
    Row([784, 2048, 2048, 10], 256, {"jax": 1.07}),
    Row([784, 128, 10], 64, {"jax": 1.7}, small=True),
    Row([784, 16, 16, 10], 32, {"jax or numpy": 3}, small=True),
    Row([100, 100, 100, 1], 256, {"jax": 1.7}, small=True),
    Row([4, 16, 16, 3], 32, {"jax": 4}, small=True),
]


def measure(given: settings.Settings) -> dict[str, Any]:
    modules = {name: module for name, module in peers.load(given.peers).items() if hasattr(module, "train")}
    rows = []
    for row in ROWS:
        if given.rows in row.name and (row.small or not given.quick):
            print(f"training, {row.name}", flush=True)
            rows.append(_measure_row(row, modules, given.pace))
    return {"rows": rows, "versions": {name: module.version() for name, module in modules.items()}}


def _measure_row(row: Row, modules: dict[str, Any], pace: timing.Pace) -> dict[str, Any]:
    losses = check.losses_agree(modules, row.sizes, row.batch)
    problem = problems.make(row.sizes, row.batch)
    trainings = {name: module.train(problem) for name, module in modules.items()}
    contenders = {name: timing.Contender(t.run, t.steps_per_call) for name, t in trainings.items()}
    times = timing.interleave({**contenders, "sgemm": sgemm.contender()}, pace)
    peak = sgemm.gflops(times.pop("sgemm"))
    rate = problem.flops / timing.median(times["foxnn"]) / 1e9
    return {
        "name": row.name,
        "goals": row.goals,
        "losses": losses,
        "rounds": len(times["foxnn"]),
        "flops": problem.flops,
        "gflops": rate,
        "sgemm_gflops": peak,
        "sgemm_share": rate / peak,
        "peers": comparison.summary(times),
    }


def rates(rows: list[dict[str, Any]]) -> str:
    body = [
        [row["name"], *(f"{x:.3g}" for x in (row["flops"] / 1e6, row["gflops"], row["sgemm_gflops"])),
         f"{row['sgemm_share']:.0%}"]
        for row in rows
    ]  # fmt: skip
    return tables.markdown(["", "MFLOP a step", "foxnn GFLOP/s", "sgemm GFLOP/s", "share"], body)


def show(result: dict[str, Any]) -> str:
    rows = result["rows"]
    return "\n\n".join([comparison.table(rows), comparison.verdict(rows), rates(rows), comparison.spread(rows)])


if __name__ == "__main__":
    print(tables.count(threads.COUNT, "thread"))
    options = settings.from_command_line(__doc__)
    settings.finish(options, measure(options), show)
