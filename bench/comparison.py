"""Results of a row in which foxnn runs beside its peers, and the table of such rows."""

from __future__ import annotations

from typing import Any

import tables
import timing
from peers import LABELS


def summary(times: dict[str, list[float]]) -> dict[str, Any]:
    """Of each peer the median time, and the quartiles of the ratio of its time to foxnn's: above 1, foxnn is faster."""
    return {
        name: {"seconds": timing.median(series), "ratio": timing.ratios(times, name, "foxnn")}
        for name, series in times.items()
    }


def goals(row: dict[str, Any]) -> list[tuple[str, float, float]]:
    """What foxnn should reach in this row, and what it did: (what, wanted, reached)."""
    found = []
    for names, wanted in row["goals"].items():
        if names == "sgemm":
            found.append(("of the sgemm rate", wanted, row["sgemm_share"]))
            continue
        present = [name for name in names.split(" or ") if name in row["peers"]]
        if present:
            fastest = min(present, key=lambda name: row["peers"][name]["seconds"])
            found.append((f"x {LABELS.get(fastest, fastest)}", wanted, row["peers"][fastest]["ratio"][1]))
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Times, and how many times as fast foxnn is."""
    names = list(dict.fromkeys(name for row in rows for name in row["peers"]))
    body = []
    for row in rows:
        cells = [row["name"]]
        for name in names:
            peer = row["peers"].get(name)
            if peer is None:
                cells.append("")
            elif name == "foxnn":
                cells.append(tables.duration(peer["seconds"]))
            else:
                cells.append(f"{tables.duration(peer['seconds'])}, {tables.times(peer['ratio'][1])}")
        body.append(cells)
    return tables.markdown(["", *(LABELS.get(name, name) for name in names)], body)


def spread(rows: list[dict[str, Any]]) -> str:
    """Quartiles of the ratios."""
    names = list(dict.fromkeys(name for row in rows for name in row["peers"] if name != "foxnn"))
    body = []
    for row in rows:
        ends = [row["peers"][name]["ratio"][::2] if name in row["peers"] else None for name in names]
        body.append([row["name"], *("{:.2f} - {:.2f}".format(*e) if e else "" for e in ends), str(row["rounds"])])
    return tables.markdown(["", *(LABELS.get(name, name) for name in names), "rounds"], body)


def verdict(rows: list[dict[str, Any]]) -> str:
    """Where foxnn is slower than a peer, and which goals it misses."""
    lines = []
    for row in rows:
        for name, peer in row["peers"].items():
            if name != "foxnn" and peer["ratio"][1] < 1:
                lines.append(f"- **Slower than {LABELS.get(name, name)}** at {row['name']}: {peer['ratio'][1]:.2f}x.")
        for what, wanted, reached in goals(row):
            if reached < wanted:
                lines.append(f"- Goal missed at {row['name']}: {wanted:g} {what}, reached {reached:.2f}.")
    return "\n".join(lines) or "foxnn is slower than no peer in any of these rows, and reaches all its goals."
