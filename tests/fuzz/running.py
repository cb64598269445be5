"""Runs a parser on damaged files, and looks at what it does with them."""

from __future__ import annotations

import faulthandler
import os
import signal
import tempfile
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from fuzz import parser

#: Seconds of computing that one file may take; and seconds from one report to the next, whatever happens.
_SECONDS, _REPORT_SECONDS = 5.0, 600.0
_REPORT = 1000
_FIRST = 100
_MEMORY_FOLDER = "/dev/shm"


class Finding(AssertionError):
    """What a parser should not have done, and how to see it again."""


def run(
    name: str,
    inputs: int,
    seed: int = 0,
    first: int = 0,
    trace_every: int = 1,
    report: Callable[[str], None] | None = None,
) -> Counter[str]:
    """Read damaged files number `first` to `first + inputs`; Finding after the first that is not treated right.

    Tracing memory takes longer than reading; `trace_every` does it for one in so many.

    Returns
    -------
    Counter
        How many files loaded, and how many were refused.
    """
    target = parser(name)
    corpus = target.corpus()
    counts: Counter[str] = Counter(loaded=0, refused=0)
    started = time.monotonic()
    folder = _MEMORY_FOLDER if os.path.isdir(_MEMORY_FOLDER) else None
    with tempfile.TemporaryDirectory(dir=folder) as where, _watched(), warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(where, "fuzzed")
        for data in corpus:
            path.write_bytes(data)
            target.use(path)
        for number in range(first, first + _FIRST):  # imports what is needed: that is not what a file takes
            with suppress(Exception):
                _one(target, path, target.damage(Random(f"first/{number}"), corpus))
        for number in range(first, first + inputs):
            data = target.damage(Random(f"{seed}/{number}"), corpus)
            try:
                counts[_traced(target, path, data) if number % trace_every == 0 else _one(target, path, data)] += 1
            except BaseException as error:
                kept = Path(tempfile.gettempdir(), f"fuzz-{name}-{seed}-{number}")
                kept.write_bytes(data)
                raise Finding(f"{name}: input {number} of seed {seed}, kept as {kept}: {error!r}") from error
            if number % _REPORT == 0:
                _rearm()
                if report is not None:
                    took = f"{time.monotonic() - started:.0f} s, {_memory()}"
                    report(f"{name}: {number - first:,} of {inputs:,} in {took}, {dict(counts)}")
    return counts


def _one(target: Any, path: Path, data: bytes) -> str:
    """Read one file; whether it was loaded or refused. Everything else is an exception."""
    with open(path, "wb") as file:
        file.write(data)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    outcome = "loaded"
    try:
        target.use(path)
    except target.ERRORS as error:
        if type(error) not in target.ERRORS:
            raise
        outcome = "refused"
        if target.NAMES_FILE and str(path) not in str(error):
            raise AssertionError("the message does not name the file") from error
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)
    return outcome


def _traced(target: Any, path: Path, data: bytes) -> str:
    """The same, and what it takes and leaves."""
    tracemalloc.start()
    try:
        outcome = _one(target, path, data)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    allowed = int(target.MEMORY * len(data) + target.OVERHEAD)
    assert taken <= allowed, f"took {taken:,} bytes of memory for a file of {len(data):,}; {allowed:,} are allowed"
    assert os.listdir(path.parent) == [path.name], "left a file behind"
    assert path.read_bytes() == data, "changed the file"
    return outcome


@contextmanager
def _watched() -> Iterator[None]:
    """What hangs is interrupted, in Python, or ended, outside of it."""

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"took more than {_SECONDS} s")

    previous = signal.signal(signal.SIGPROF, interrupt) if hasattr(signal, "SIGPROF") else None
    _rearm()
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        if hasattr(signal, "SIGPROF"):
            signal.signal(signal.SIGPROF, previous)


def _rearm() -> None:
    faulthandler.dump_traceback_later(_REPORT_SECONDS, exit=True)


def _memory() -> str:
    """The most memory that the process has taken so far."""
    try:
        import resource
    except ImportError:
        return "memory not known"
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
