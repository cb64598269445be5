"""What foxnn's own options cost: optimizers against Adam, dropout, float64, large batches, and one call from Python."""

from __future__ import annotations

import threads  # isort: skip  # first: the libraries look at what it sets

from typing import Any

import numpy as np

import problems
import settings
import tables
import timing
from foxnn import optimizers
from peers import foxnn_peer

HEADLINE, TINY = ([784, 512, 512, 10], 98), ([4, 16, 16, 3], 32)
Variants = dict[str, dict[str, Any]]  # options of `foxnn_peer.train` by the name of the variant; the first is the base

#: What to compare, on which network, and how many times the base's time the others may take.
GROUPS: list[tuple[str, tuple[list[int], int], Variants, float]] = [
    ("optimizer", HEADLINE, {name: {"optimizer": name} for name in ["adam", *optimizers.names()]}, 1.05),
    ("optimizer", TINY, {name: {"optimizer": name} for name in ["adam", *optimizers.names()]}, 1.05),
    ("dropout", HEADLINE, {"no dropout": {}, "dropout 0.2": {"dropout": 0.2}}, 1.08),
    ("numbers", HEADLINE, {"float32": {}, "float64": {"dtype": "float64"}}, 1 / 0.45),
]


def measure(given: settings.Settings) -> dict[str, Any]:
    pace = given.pace.alone()
    groups = []
    for what, (sizes, batch), variants, most in GROUPS:
        if given.quick and sizes == HEADLINE[0]:
            continue
        name = f"{what}, {'-'.join(map(str, sizes))}, batch {batch}"
        print(name, flush=True)
        problem = problems.make(sizes, batch)
        trainings = {variant: foxnn_peer.train(problem, **options) for variant, options in variants.items()}
        contenders = {variant: timing.Contender(training.run) for variant, training in trainings.items()}
        groups.append(_compared(name, contenders, most, pace))
    if not given.quick:
        groups.append(_large_batch(pace))
    return {"groups": groups, "train_on_batch": _train_on_batch(pace)}


def _compared(name: str, contenders: dict[str, timing.Contender], most: float, pace: timing.Pace) -> dict[str, Any]:
    """Their times, and how many times the first one's they are."""
    times = timing.interleave(contenders, pace)
    base = next(iter(contenders))
    variants = {
        v: {"seconds": timing.median(series), "ratio": timing.ratios(times, v, base)} for v, series in times.items()
    }
    return {"name": name, "most": most, "rounds": len(times[base]), "variants": variants}


def _large_batch(pace: timing.Pace) -> dict[str, Any]:
    """An epoch of as many samples as MNIST has, in batches of 1,000 and in a single one."""
    sizes, rows = [784, 16, 16, 10], 60_000
    contenders = {}
    for batch in (1000, rows):
        training = foxnn_peer.train(problems.make(sizes, batch, rows=rows))
        contenders[f"batches of {batch:,}"] = timing.Contender(
            lambda n, training=training, steps=rows // batch: training.run(n * steps)
        )
    name = f"epoch of {rows:,}, {'-'.join(map(str, sizes))}"
    print(name, flush=True)
    return _compared(name, contenders, 1.15, pace)


def _train_on_batch(pace: timing.Pace) -> dict[str, float]:
    """Seconds of one call from Python on the tiny network, with inputs of float32 and of float64."""
    problem = problems.make(*TINY)
    network, X, y = foxnn_peer.network(problem), problem.X[: problem.batch], problem.y[: problem.batch]
    inputs = {"float32": X, "float64": X.astype(np.float64)}
    calls = {kind: timing.Contender(timing.repeated(network.train_on_batch, x, y)) for kind, x in inputs.items()}
    return {kind: timing.median(times) for kind, times in timing.interleave(calls, pace).items()}


def show(result: dict[str, Any]) -> str:
    body = []
    for group in result["groups"]:
        base = next(iter(group["variants"]))
        for name, variant in group["variants"].items():
            low, middle, high = variant["ratio"]
            late = name != base and middle > group["most"]
            wanted = "" if name == base else f"{group['most']:.3g}{' missed' if late else ''}"
            spread = "" if name == base else f"{low:.2f} - {high:.2f}"
            body.append(
                [f"{group['name']}: {name}", tables.duration(variant["seconds"]), f"{middle:.2f}", spread, wanted]
            )
    for kind, seconds in result["train_on_batch"].items():
        name = f"`train_on_batch`, 4-16-16-3, batch 32: {kind}"
        body.append([name, tables.duration(seconds), "", "", "10 us" + " missed" * (seconds > 1e-5)])
    return tables.markdown(["", "time", "of the first in its group", "quartiles", "at most"], body)


if __name__ == "__main__":
    print(tables.count(threads.COUNT, "thread"))
    options = settings.from_command_line(__doc__)
    settings.finish(options, measure(options), show)
