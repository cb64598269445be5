"""Write RESULTS.md, and a picture for each file of results in results/, anew from these files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import options
import overheads
import prediction
import scaling
import tables
import time_to_accuracy
import training_step
from peers import LABELS

FOLDER = Path(__file__).parent
SECTIONS = {
    "training_step": ("A training step", training_step),
    "prediction": ("A prediction", prediction),
    "options": ("What foxnn's options cost", options),
    "scaling": ("Growth with size and threads", scaling),
    "overheads": ("Import, size, memory, callbacks", overheads),
    "time_to_accuracy": ("Time to an accuracy", time_to_accuracy),
}
INTRODUCTION = """# Results

Written by `python bench/run_all.py`; [README.md](README.md) tells what is measured and how. Times are medians. `1.40x`
beside a peer's time: foxnn takes its time divided by 1.40. Numbers below one are **bold**: foxnn is slower there.
"""


def write(folder: Path = FOLDER) -> None:
    """RESULTS.md in `folder`, from the files in its folder `results`."""
    parts = [INTRODUCTION]
    for path in sorted((folder / "results").glob("*.json")):
        results = json.loads(path.read_text())
        drawn = picture(results, path.with_suffix(".png"))
        parts.append(section(results, f"![Ratios of times](results/{path.stem}.png)\n" if drawn else ""))
    (folder / "RESULTS.md").write_text("\n".join(parts))
    print(f"wrote {folder / 'RESULTS.md'}")


def section(results: dict[str, Any], figure: str) -> str:
    m = results["machine"]
    known = [f"{LABELS.get(name, name)} {version}" for name, version in versions(results).items()]
    lines = [
        f"## {m['processor']}, {tables.count(m['cores'], 'core')}, {m['instruction_set']}\n",
        f"{m['system']}; {tables.count(m['threads'], 'thread')} for every library.",
        f"foxnn uses {m['instruction_set']} of {', '.join(m['instruction_sets'])}, built by {m['compiler']}.",
        f"NumPy has {m['blas']}.",
        f"{', '.join(known)}.\n",
        figure,
    ]
    for name, (title, module) in SECTIONS.items():
        if name in results:
            made = f"Measured {results[name]['when']}, system load {results[name]['load']} at its end."
            lines.append(f"### {title}\n\n{module.show(results[name])}\n\n{made}\n")
        else:
            lines.append(f"### {title}\n\nNot measured.\n")
    return "\n".join(lines)


def versions(results: dict[str, Any]) -> dict[str, str]:
    found = dict(results["machine"]["versions"])
    for name in ("training_step", "prediction"):
        found |= results.get(name, {}).get("versions", {})
    found.pop("torch.compile", None)
    return found


def picture(results: dict[str, Any], path: Path) -> bool:
    """How many times as fast foxnn is, on a logarithmic scale: a line of points a row, with quartiles."""
    try:
        import matplotlib
    except ImportError:
        print("left out: the picture (it takes matplotlib)")
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    panels = [(SECTIONS[n][0], results[n]["rows"]) for n in ("training_step", "prediction") if n in results]
    if not panels:
        return False
    heights = [len(rows) for _, rows in panels]
    figure, all_axes = plt.subplots(
        len(panels),
        figsize=(9, 2 + 0.45 * sum(heights)),
        height_ratios=heights,
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    names = list(dict.fromkeys(n for _, rows in panels for row in rows for n in row["peers"] if n != "foxnn"))
    for axes, (title, rows) in zip(all_axes[:, 0], panels, strict=True):
        for i, name in enumerate(names):
            here = [(y, row["peers"][name]["ratio"]) for y, row in enumerate(rows) if name in row["peers"]]
            y = [y + 0.06 * (i - len(names) / 2) for y, _ in here]
            low, middle, high = ([ratio[q] for _, ratio in here] for q in range(3))
            axes.hlines(y, low, high, color=f"C{i}", alpha=0.5)
            axes.plot(middle, y, "o", color=f"C{i}", markersize=5, label=LABELS.get(name, name))
        axes.axvline(1, color="black", linewidth=1)
        axes.set(xscale="log", title=title, yticks=range(len(rows)), yticklabels=[row["name"] for row in rows])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.invert_yaxis()
        axes.grid(axis="x", which="both", alpha=0.2)
    all_axes[-1, 0].set_xlabel("time of the peer / time of foxnn (right of the line, foxnn is faster)")
    handles = {
        text: handle for axes in all_axes[:, 0] for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return True


if __name__ == "__main__":
    write()
