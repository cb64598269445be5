"""What the measurements were made on."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

import tables
import threads


def describe() -> dict[str, Any]:
    import numpy

    import foxnn
    from foxnn import _core

    config = _core.config()
    return {
        "processor": processor(),
        "cores": threads.CORES,
        "threads": threads.COUNT,
        "instruction_set": config["instruction_set"],
        "instruction_sets": list(config["available"]),
        "compiler": config["compiler"],
        "system": f"{platform.system()} {platform.machine()}",
        "load": [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "versions": {"Python": platform.python_version(), "foxnn": foxnn.__version__, "numpy": numpy.__version__},
        "blas": blas(),
    }


def processor() -> str:
    """The model, and family and model numbers where the name says little, as in a virtual machine."""
    try:
        fields = dict(re.findall(r"^(.+?)\s*: (.*)$", Path("/proc/cpuinfo").read_text().split("\n\n")[0], re.MULTILINE))
    except OSError:
        fields = {}
    name = fields.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in fields and not re.search(r"\d", name):
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    return name.strip()


def blas() -> str:
    """NumPy's BLAS, with the kernels it chose for this processor if threadpoolctl is there to tell."""
    import numpy

    name = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    text = f"{name['name']} {name['version']}"
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return text
    kernels = {pool.get("architecture") for pool in threadpool_info() if "numpy" in pool["filepath"]} - {None}
    return f"{text}, {', '.join(sorted(kernels))} kernels" if kernels else text


def slug(description: dict[str, Any]) -> str:
    """A name for its files: processor, cores, instruction set."""
    parts = [
        re.sub(r"\((R|TM)\)|CPU|Processor|@.*", "", description["processor"]),
        tables.count(description["cores"], "core"),
    ]
    if description["threads"] != description["cores"]:
        parts.append(tables.count(description["threads"], "thread"))
    return re.sub(r"[^a-z0-9]+", "-", " ".join([*parts, description["instruction_set"]]).lower()).strip("-")
