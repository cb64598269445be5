"""Tables in Markdown that read well in a terminal, too."""

from __future__ import annotations

from collections.abc import Sequence


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column is left-aligned, the others are right-aligned."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    cells = [[c.rjust(w) for c, w in zip(row, widths, strict=True)] for row in [header, *rows]]
    aligned = ["| " + " | ".join([row[0].strip().ljust(widths[0]), *row[1:]]) for row in cells]
    rule = "| " + " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths))
    return "\n".join(line + " |" for line in [aligned[0], rule, *aligned[1:]])


def count(n: int, what: str) -> str:
    """A number of things.

    >>> count(1, "thread"), count(2, "thread")
    ('1 thread', '2 threads')
    """
    return f"{n} {what}" if n == 1 else f"{n:,} {what}s"


def duration(seconds: float) -> str:
    """In us, ms or s, to three digits.

    >>> duration(0.0023456), duration(4.1e-6), duration(61.23)
    ('2.35 ms', '4.10 us', '61.2 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size or unit == "us":
            value = seconds / size
            break
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def times(ratio: float) -> str:
    """How many times as fast; what is below 1 stands out.

    >>> times(1.4), times(0.93)
    ('1.40x', '**0.93x**')
    """
    text = f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.0f}x"
    return text if ratio >= 1 else f"**{text}**"
