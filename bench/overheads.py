"""What comes with the speed: time to import, size, peak memory, callbacks."""

from __future__ import annotations

import threads  # isort: skip  # first: the libraries look at what it sets

import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import callbacks_cost
import import_time
import installed
import memory
import settings
import tables
from peers import LABELS

#: What has to be installed for each peer.
PACKAGES = {
    "foxnn": ["foxnn"],
    "numpy": ["numpy"],
    "sklearn": ["scikit-learn"],
    "torch": ["torch"],
    "jax": ["jax", "jaxlib"],
    "keras": ["keras", "jax", "jaxlib"],
    "onnxruntime": ["onnxruntime"],
}


def measure(given: settings.Settings) -> dict[str, Any]:
    print("import time", flush=True)
    imports = import_time.measure(repetitions=2 if given.quick else 11)
    print("installed size", flush=True)
    sizes = measure_sizes()
    print("peak memory", flush=True)
    peak = memory.measure(given.peers)
    print("callbacks", flush=True)
    callbacks = callbacks_cost.measure(epochs=5 if given.quick else 20)
    return {"import": imports, "size": sizes, "memory": peak, "callbacks": callbacks}


def measure_sizes() -> dict[str, list[float]]:
    """MB of each package itself, and together with what it needs."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        foxnn = installed.size(installed.copy_of_foxnn(Path(folder)))
    for name, packages in PACKAGES.items():
        try:
            needed = set().union(*(installed.needs(package) for package in packages))
        except metadata.PackageNotFoundError:
            continue
        own = foxnn if name == "foxnn" else sum(map(installed.size_of, packages))
        others = sum(installed.size_of(other) for other in needed - set(packages))
        found[name] = [own / 1e6, (own + others) / 1e6]
    return found


def show(result: dict[str, Any]) -> str:
    parts = []
    header = ["", "import, beyond NumPy's", "installed, MB", "with what it needs, MB"]
    body = []
    for name, (own, whole) in result["size"].items():
        seconds = result["import"].get(name)
        text = "" if seconds is None else ("(itself) " if name == "numpy" else "") + tables.duration(seconds)
        body.append([LABELS.get(name, name), text, f"{own:.1f}", f"{whole:.0f}"])
    parts.append(tables.markdown(header, body))
    if result["memory"]:
        parts.append("Memory that training adds to the data, at its peak, MB:\n\n" + show_memory(result["memory"]))
    if result.get("callbacks"):
        header = ["callback, once an epoch", "time", "share of an epoch of MNIST"]
        parts.append(tables.markdown(header, callbacks_cost.show(result["callbacks"])))
    return "\n\n".join(parts)


def show_memory(cases: list[dict[str, Any]]) -> str:
    names = list(cases[0]["added"])
    header = ["", *(LABELS.get(name, name) for name in names), "foxnn at most"]
    body = [
        [c["name"], *(f"{c['added'][n]:.0f}" if n in c["added"] else "" for n in names), f"{c['allowed']:.0f}"]
        for c in cases
    ]
    return tables.markdown(header, body)


if __name__ == "__main__":
    print(tables.count(threads.COUNT, "thread"))
    options = settings.from_command_line(__doc__)
    settings.finish(options, measure(options), show)
