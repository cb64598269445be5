"""Time of a prediction, from a NumPy array to a NumPy array: one row, and 10,000 rows."""

from __future__ import annotations

import threads  # isort: skip  # first: the libraries look at what it sets

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import comparison
import peers
import problems
import settings
import tables
import timing


@dataclass
class Row:
    sizes: list[int]
    n: int
    #: How many times as fast as (the faster of) these peers foxnn wants to be.
    goals: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, {tables.count(self.n, 'row')}"


ROWS = [
    Row([4, 16, 16, 3], 1, {"onnxruntime": 2}),
    Row([784, 16, 16, 10], 1, {"onnxruntime": 2}),
    Row([784, 512, 512, 10], 1, {"onnxruntime": 1}),
    Row([784, 512, 512, 10], 10_000, {"numpy or onnxruntime": 1.08}),
    Row([4, 16, 16, 3], 10_000, {"torch or onnxruntime": 2.5}),
    Row([784, 16, 16, 10], 10_000, {"onnxruntime": 1.2}),
]


def measure(given: settings.Settings) -> dict[str, Any]:
    modules = {name: module for name, module in peers.load(given.peers).items() if hasattr(module, "predict")}
    rows = []
    for row in ROWS:
        if given.rows in row.name:
            print(f"prediction, {row.name}", flush=True)
            rows.append(_measure_row(row, modules, given.pace))
    return {"rows": rows, "versions": {name: module.version() for name, module in modules.items()}}


def _measure_row(row: Row, modules: dict[str, Any], pace: timing.Pace) -> dict[str, Any]:
    problem = problems.make(row.sizes, batch=row.n, rows=max(row.n, 256))
    X = problem.X[: row.n]
    predictors = {name: module.predict(problem) for name, module in modules.items()}
    expected = predictors["foxnn"](X)
    for name, predict in predictors.items():
        np.testing.assert_allclose(predict(X), expected, rtol=1e-3, atol=1e-5, err_msg=name)
    contenders = {name: timing.Contender(timing.repeated(predict, X)) for name, predict in predictors.items()}
    times = timing.interleave(contenders, pace)
    return {
        "name": row.name,
        "goals": row.goals,
        "rounds": len(times["foxnn"]),
        "peers": comparison.summary(times),
    }


def show(result: dict[str, Any]) -> str:
    rows = result["rows"]
    return "\n\n".join([comparison.table(rows), comparison.verdict(rows), comparison.spread(rows)])


if __name__ == "__main__":
    print(tables.count(threads.COUNT, "thread"))
    options = settings.from_command_line(__doc__)
    settings.finish(options, measure(options), show)
