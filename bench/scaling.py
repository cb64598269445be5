"""How foxnn's time per step grows with width, depth and batch, on 1, 2, 4, .. threads.

More threads should never be slower than one, whatever the size.
"""

from __future__ import annotations

import threads  # isort: skip  # first: the libraries look at what it sets

import dataclasses
from typing import Any

import problems
import settings
import tables
import timing
import training_step
from peers import foxnn_peer

WIDTHS = [16, 32, 64, 128, 256, 512, 1024, 2048]
DEPTHS = [1, 2, 4, 8, 16]
BATCHES = [1, 4, 16, 64, 256, 1024]
NOISE = 1.03  # more threads count as slower from this ratio on, if they are in three rounds of four

GRID: list[tuple[str, list[int], int]] = [
    *(("width", [w, w, w, 10], 128) for w in WIDTHS),
    *(("depth", [128] * (d + 1) + [10], 128) for d in DEPTHS),
    *(("batch", [256, 256, 256, 10], b) for b in BATCHES),
    *(("table", row.sizes, row.batch) for row in training_step.ROWS),
]


def thread_counts(most: int) -> list[int]:
    """1, 2, 4, .. and `most`."""
    return sorted({*(2**i for i in range(most.bit_length()) if 2**i <= most), most})


def measure(given: settings.Settings) -> dict[str, Any]:
    counts = thread_counts(threads.COUNT)
    pace = dataclasses.replace(given.pace.alone(), seconds=given.pace.seconds / 4)  # few contenders, many points
    points = []
    for along, sizes, batch in GRID:
        if given.quick and max(sizes) > 100:
            continue
        print(f"{along}: {sizes}, batch {batch}", flush=True)
        problem = problems.make(sizes, batch)
        trainings = {str(n): foxnn_peer.train(problem, n_threads=n) for n in counts}
        times = timing.interleave({n: timing.Contender(t.run) for n, t in trainings.items()}, pace)
        points.append(
            {
                "along": along,
                "sizes": sizes,
                "batch": batch,
                "flops": problem.flops,
                "seconds": {n: timing.median(series) for n, series in times.items()},
                "of_one_thread": {n: timing.ratios(times, n, "1") for n in times},
            }
        )
    return {"points": points}


def show(result: dict[str, Any]) -> str:
    counts = list(result["points"][0]["seconds"])
    body = []
    for p in result["points"]:
        name = f"{p['along']}: {_short(p['sizes'])}, batch {p['batch']}"
        speedups = [_speedup(*p["of_one_thread"][n]) for n in counts[1:]]
        seconds = [tables.duration(p["seconds"][n]) for n in counts]
        body.append([name, *seconds, *speedups, f"{p['flops'] / p['seconds'][counts[-1]] / 1e9:.3g}"])
    header = [
        "",
        *(tables.count(int(n), "thread") for n in counts),
        *(f"{n} against 1" for n in counts[1:]),
        "GFLOP/s",
    ]
    return tables.markdown(header, body) + "\n\n" + slower(result)


def _speedup(low: float, middle: float, high: float) -> str:
    return f"{1 / middle:.2f}x ({1 / high:.2f} - {1 / low:.2f})"


def slower(result: dict[str, Any]) -> str:
    """The points of the grid where more threads are slower than one."""
    if len(result["points"][0]["seconds"]) == 1:
        return "Only one thread was measured."
    lines = [
        f"- **Slower with {n} threads** at {_short(p['sizes'])}, batch {p['batch']}: {ratio:.2f} of one thread's time."
        for p in result["points"]
        for n, (low, ratio, _) in p["of_one_thread"].items()
        if ratio > NOISE and low > 1
    ]
    return "\n".join(lines) or (
        f"More threads are nowhere slower than one (by more than {NOISE - 1:.0%}, in three rounds of four)."
    )


def _short(sizes: list[int]) -> str:
    hidden = len(sizes) - 2
    if hidden > 3 and len(set(sizes[1:-1])) == 1:
        return f"{sizes[0]}-{hidden}x{sizes[1]}-{sizes[-1]}"
    return "-".join(map(str, sizes))


if __name__ == "__main__":
    print(f"up to {tables.count(threads.COUNT, 'thread')}")
    options = settings.from_command_line(__doc__)
    settings.finish(options, measure(options), show)
