"""Check that wheels are small and complete.

    python tools/check_wheel.py dist/*.whl

A wheel passes if it takes no more than README.md says, without the sample of MNIST in it and with, and has the compiled
module, its stub and the marker for type checkers.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from zipfile import BadZipFile, ZipFile

README = Path(__file__).resolve().parents[1] / "README.md"
PROMISE = r"wheel takes less than ([\d.]+) MB,\s+and\s+([\d.]+) MB for\s+the\s+sample of MNIST"
SAMPLE = "foxnn/datasets/mnist_sample/"
REQUIRED = ("foxnn/__init__.py", "foxnn/_core.pyi", "foxnn/py.typed")


def is_compiled_core(name: str) -> bool:
    return name.startswith("foxnn/_core.") and name.endswith((".so", ".pyd"))


def promised() -> tuple[int, int]:
    """The bytes of a wheel without the sample and of the sample, compressed, that README.md allows."""
    promise = re.search(PROMISE, README.read_text(encoding="utf-8"))
    if promise is None:
        raise SystemExit(f"README.md does not say how large a wheel is: {PROMISE}")
    rest, sample = promise.groups()
    return round(float(rest) * 1e6), round(float(sample) * 1e6)


def problems(wheel: Path) -> list[str]:
    """Print what a wheel weighs, and return what is wrong with it."""
    try:
        with ZipFile(wheel) as archive:
            members = archive.infolist()
    except (OSError, BadZipFile) as error:
        return [f"cannot be read: {error}"]
    names = {member.filename for member in members}
    sample = sum(member.compress_size for member in members if member.filename.startswith(SAMPLE))
    size = wheel.stat().st_size - sample
    print(f"{wheel.name}: {size / 1e6:.2f} MB, and {sample / 1e6:.2f} MB of sample data")

    found = [f"has no {name}" for name in REQUIRED if name not in names]
    if not any(map(is_compiled_core, names)):
        found.append("has no compiled module foxnn/_core")
    limit, sample_limit = promised()
    if sample > sample_limit:
        found.append(f"takes {sample:,} bytes for the sample, over the limit of {sample_limit:,}")
    if size > limit:
        largest = sorted(members, key=lambda member: member.compress_size, reverse=True)[:5]
        found.append(
            f"takes {size:,} bytes without the sample, over the limit of {limit:,}; the largest members are "
            + ", ".join(f"{member.filename} ({member.compress_size:,})" for member in largest)
        )
    return found


def main(arguments: list[str]) -> int:
    if not arguments:
        print("which wheels? usage: python tools/check_wheel.py dist/*.whl", file=sys.stderr)
        return 2
    failed = False
    for wheel in map(Path, arguments):
        for problem in problems(wheel):
            print(f"{wheel.name} {problem}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
