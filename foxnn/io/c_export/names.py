"""Identifiers of C."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

__all__ = ["checked", "identifier"]

_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while"
)


def identifier(text: str) -> str:
    """The identifier for a file of that name: the same for the same letters only.

    Letters that C lacks become ``u`` and their number in Unicode, everything else that it lacks becomes ``_``; what
    would begin with a digit, or be a word of C, begins with ``net_``.

    Examples
    --------
    >>> identifier("my net"), identifier("größe"), identifier("2nd"), identifier("float")
    ('my_net', 'gru00f6u00dfe', 'net_2nd', 'net_float')
    """
    text = unicodedata.normalize("NFC", text)  # macOS takes letters and their dots apart
    name = re.sub(r"[^A-Za-z0-9_]", lambda m: "_" if m[0].isascii() else f"u{ord(m[0]):04x}", text)
    return f"net_{name}" if not name or name[0].isdigit() or name in _KEYWORDS.split() else name


def checked(name: Any) -> str:
    """A name that was asked for, if it is an identifier of C."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in _KEYWORDS.split():
        raise ValueError(f"name: got {name!r}; it takes an identifier of C")
    return name
