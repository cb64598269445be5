"""Checking options: messages name the argument, what it got and what it takes."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

_T = TypeVar("_T")

#: What an int of the core can hold.
MOST = 2**31 - 1
#: What a float can hold of integers, all of them up to there.
COUNTABLE = 2**53


#: Characters of a value in a message: files may bring some of a million.
_LONGEST = 200


def unknown(argument: str, got: object, allowed: Iterable[str], also: Iterable[str] = ()) -> ValueError:
    """The error for a name that is not among those allowed, with the nearest of them (or of `also`) first."""
    from foxnn._names import meant  # which imports this file

    names = list(allowed)
    near = meant(str(got), [*names, *also]) if len(str(got)) <= _LONGEST else None
    hint = "" if near is None else f" (did you mean {near!r}?)"
    return ValueError(f"{argument}: unknown name {shown(got)}{hint}; it takes one of: {', '.join(names)}")


def shown(value: object) -> str:
    """`value` as a message has it; Python makes no text of an integer of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > 1000:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


def integer(argument: str, value: object, least: int, most: float = math.inf) -> int:
    """`value` as an int of at least `least` and at most `most`; by default what a float holds exactly."""
    takes = f"it takes an integer of at least {least}" + (f" and at most {most}" if most != math.inf else "")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{argument}: got {shown(value)}; {takes}") from None
    if most == math.inf and number > COUNTABLE:
        most, takes = COUNTABLE, f"{takes} and at most {COUNTABLE}"
    if isinstance(value, bool) or not least <= number <= most:
        raise ValueError(f"{argument}: got {shown(value)}; {takes}")
    return number


def seed_of(value: object) -> int:
    """`value` as a seed: an integer of at least 0, of which the core takes 64 bits."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    return number % 2**64 if number >= 0 and not isinstance(value, bool) else integer("seed", value, 0)


def real(
    argument: str,
    value: object,
    least: float = -math.inf,
    most: float = math.inf,
    *,
    open_below: bool = False,
    closed_above: bool = False,
    dtype: npt.DTypeLike | None = None,
) -> float:
    """`value` as a finite float with least <= value < most (with `open_below`: least < value).

    With a `dtype`, of a network, that has to hold for what becomes of the value in it as well, and what is not 0 must
    not become 0, as numbers below the normal ones do in training.
    """
    bracket = "(" if open_below or least == -math.inf else "["
    interval = f"{bracket}{least:g}, {most:g}{']' if closed_above else ')'}"
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{argument}: got {shown(value)}; it takes a number in {interval}") from None
    except OverflowError:  # an integer of hundreds of digits
        raise ValueError(f"{argument}: got {shown(value)}; it takes a number in {interval}") from None
    inside = (number > least if open_below else number >= least) and (number <= most if closed_above else number < most)
    if isinstance(value, (str, bytes, bool)) or not math.isfinite(number) or not inside:
        raise ValueError(f"{argument}: got {shown(value)}; it takes a number in {interval}")
    if dtype is not None:
        limits = np.finfo(dtype)
        smallest, largest = float(limits.tiny), float(limits.max)
        if most != math.inf:
            largest = most if closed_above else float(np.nextafter(limits.dtype.type(most), limits.dtype.type(0)))
        with np.errstate(over="ignore"):
            held = abs(float(limits.dtype.type(number)))
        if number != 0 and not smallest <= held <= largest:
            or_zero = "0 or " if least < 0 or (least == 0 and not open_below) else ""
            raise ValueError(
                f"{argument}: got {shown(value)}, which {limits.dtype} cannot hold; it takes {or_zero}a number from "
                f"{smallest:.3g} to {largest:.8g} in a network of that dtype"
            )
    return number


def dropout_rate(argument: str, value: object) -> float:
    """`value` as the share of numbers that dropout drops, in steps of 1 / 65536."""
    rate = real(argument, value, 0, 1)
    if rate != 0 and not 0.5 <= rate * 65536 < 65535.5:
        raise ValueError(
            f"{argument}: got {shown(value)}; it takes 0 or a number from {0.5 / 65536:.3g} to {65535.4 / 65536:.7g}, "
            "since rates go in steps of 1 / 65536"
        )
    return rate


def flag(argument: str, value: object) -> bool:
    """`value` as a bool, if it is one: texts such as "no" would all be true."""
    if not isinstance(value, (bool, np.bool_)) and not (isinstance(value, int) and value in (0, 1)):
        raise TypeError(f"{argument}: got {shown(value)}; it takes True or False")
    return bool(value)


def path_text(argument: str, value: object) -> str:
    """The name of a file as a text."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{argument}: got {shown(value)}; it takes the name of a file, a text or a path")
    return os.fsdecode(value)


def one_for_each(argument: str, value: Any, n: int, what: str, checked: Callable[[Any], _T]) -> list[_T]:
    """What is given for n things, as a list of one for each of them, or as one for all."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [checked(value)] * n
    found = [checked(item) for item in value]
    if len(found) != n:
        raise ValueError(f"{argument}: got {len(found)} of them; it takes one for each of the {n} {what}")
    return found


def parameter_values(
    owner: str,
    declared: Iterable[tuple[str, float, float, float, bool]],
    given: Mapping[str, Any],
    dtype: npt.DTypeLike | None = None,
) -> dict[str, float]:
    """The declared (name, default, least, most, open) parameters with the given values filled in."""
    declared = list(declared)
    for name in given:
        if name not in [d[0] for d in declared]:
            raise unknown(f"{owner} parameter", name, [d[0] for d in declared] or ["(none)"])
    return {
        name: real(f"{owner} {name}", given.get(name, default), least, most, open_below=is_open, dtype=dtype)
        for name, default, least, most, is_open in declared
    }
