"""foxnn as a wheel lays it out, out of an editable installation; and what installed packages weigh."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path


def copy_of_foxnn(folder: Path) -> Path:
    """A copy of the package in `folder`, with the compiled core in it; the size that a wheel's files would have."""
    import foxnn
    from foxnn import _core

    source, copy = Path(foxnn.__file__).parent, folder / "foxnn"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "_core.*"))
    shutil.copy2(_core.__file__, copy)
    return copy


def size(folder: Path) -> int:
    """Bytes of the files in a folder, without compiled Python."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc")


def size_of(distribution: str) -> int:
    """Bytes of the files of an installed package, without compiled Python."""
    paths = [Path(str(f.locate())) for f in metadata.files(distribution) or [] if f.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file())


def needs(distribution: str, known: set[str] | None = None) -> set[str]:
    """The package and all that it needs, itself and through others."""
    known = set() if known is None else known
    name = distribution.lower().replace("_", "-")
    if name not in known:
        known.add(name)
        for other in _required(distribution):
            needs(other, known)
    return known


def _required(distribution: str) -> Iterator[str]:
    from packaging.requirements import Requirement

    for line in metadata.requires(distribution) or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            try:
                metadata.distribution(requirement.name)
            except metadata.PackageNotFoundError:
                continue
            yield requirement.name
