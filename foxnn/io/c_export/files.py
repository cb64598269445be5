"""What is in which file: all in a header, or declarations in a header and the rest in a .c file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from foxnn import _core
from foxnn.io._formulas import title
from foxnn.io._meaning import columns

if TYPE_CHECKING:
    from foxnn.io.c_export.code import Code

__all__ = ["header", "pair"]


def header(code: Code) -> str:
    """The text of a header with everything in it."""
    body = [
        *_sizes(code),
        *_includes(code.headers()),
        "",
        *code.flash(),
        "",
        *code.constants(),
        *code.functions(),
        *code.predict("static inline "),
    ]
    return _guarded(code, [*_comment(code), ""], body)


def pair(code: Code, stem: str) -> list[str]:
    """The texts of STEM.c and STEM.h: the constants are in a program once, however many of its files use them."""
    source = [
        *_comment(code),
        "",
        f'#include "{stem}.h"',
        "",
        *_includes(code.headers()),
        "",
        *code.flash(),
        "",
        *code.constants(),
        *code.functions(),
        *code.predict(""),
        "",
    ]
    text = "\n".join(source)
    declaration = [
        *_sizes(code),
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        f"{code.signature()};",
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
    ]
    return [text, _guarded(code, [*_comment(code), f"/* What it declares is in {stem}.c. */", ""], declaration, text)]


def _guarded(code: Code, start: Iterable[str], body: list[str], rest: str = "") -> str:
    """A header that counts once, and that no other network's header passes for."""
    digest = hashlib.sha256("\n".join([*body, rest]).encode()).hexdigest()[:16]
    guard, mark = f"FOXNN_{code.name}_{digest}_H", f"FOXNN_{code.name}"
    lines = [
        *start,
        f"#ifndef {guard}",
        f"#define {guard}",
        f"#ifdef {mark}",
        f'#error "Two different networks are called {code.name}: write one of them under another name."',
        "#endif",
        f"#define {mark}",
        "",
        *body,
        "",
        f"#endif /* {guard} */",
        "",
    ]
    return "\n".join(lines)


def _sizes(code: Code) -> Iterator[str]:
    yield f"#define {code.name}_n_in {code.network._n_in}"
    yield f"#define {code.name}_n_out {code.network._n_out}"
    yield ""


def _includes(headers: Iterable[str]) -> Iterator[str]:
    for name in headers:
        yield f"#include <{name}>"


def _comment(code: Code) -> Iterator[str]:
    network = code.network
    yield f"/* A neural network: {title(network)}."
    yield f" * Written by foxnn {_core.config()['version']}. C99; needs libm and nothing else, allocates nothing."
    yield " *"
    yield f" * {code.signature()}"
    yield f" *     x: {network._n_in} inputs, y: {network._n_out} outputs; they must not overlap."
    yield f" *     Uses about {code.stack()} bytes of stack; may run in several threads at once."
    for line in columns(network):
        yield f" *     {line}"
    yield " *"
    for line in code.facts():
        yield f" * {line}"
    yield " */"
