"""Promise: a damaged file loads, or is refused as documented; it never crashes, hangs, or takes memory without measure.

The short run; the long one, under AddressSanitizer: ``cd tests && ../tools/sanitized_python.sh -m fuzz PARSER``.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from fuzz import PARSERS, parser, running

NEEDS = {"onnx_model": "onnx"}


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_files(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"needs the package {NEEDS[name]}")
    counts = running.run(name, 1000 if name in NEEDS else 2000)
    assert min(counts.values()) > 0.03 * sum(counts.values())  # damage that is always noticed at once shows little


@pytest.mark.parametrize("name", PARSERS)
def test_inputs_are_the_same_in_every_run(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"needs the package {NEEDS[name]}")
    target = parser(name)
    first, second = ([target.damage(Random(f"1/{i}"), target.corpus()) for i in range(20)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 10


def bad_parsers() -> dict[str, Any]:
    def raises(path: Path) -> None:
        if b"bad" in path.read_bytes():
            raise KeyError(str(path))

    def nameless(path: Path) -> None:
        if b"bad" in path.read_bytes():
            raise ValueError("something")

    def sleeps(path: Path) -> None:
        bad = b"bad" in path.read_bytes()
        while bad:
            pass

    def takes(path: Path) -> None:
        if b"bad" in path.read_bytes():
            bytearray(1 << 20)

    def writes(path: Path) -> None:
        if b"bad" in path.read_bytes():
            path.with_name("other").write_bytes(b"")

    def changes(path: Path) -> None:
        if b"bad" in path.read_bytes():
            path.write_bytes(b"")

    return {"KeyError": raises, "does not name the file": nameless, "took more than": sleeps, "bytes of memory": takes,
            "left a file behind": writes, "changed the file": changes}  # fmt: skip


@pytest.mark.parametrize("what", bad_parsers())
def test_what_should_not_happen_is_found(what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if what == "took more than" and not hasattr(running.signal, "setitimer"):
        pytest.skip("needs timers")
    target = SimpleNamespace(
        ERRORS=(ValueError,), NAMES_FILE=True, MEMORY=1.0, OVERHEAD=1 << 19, use=bad_parsers()[what],
        corpus=lambda: [b"good"], damage=lambda random, corpus: random.choice([b"good", b"bad"]),
    )  # fmt: skip
    monkeypatch.setattr(running, "parser", lambda name: target)
    monkeypatch.setattr(running, "_SECONDS", 0.2)
    monkeypatch.setattr(running, "_FIRST", 0)
    monkeypatch.setattr(running.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(running.Finding, match=f"test: input [0-9]+ of seed 0, kept as .*{what}"):
        running.run("test", 50)
    assert [path.read_bytes() for path in tmp_path.glob("fuzz-test-0-*")] == [b"bad"]
