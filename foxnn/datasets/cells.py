"""What the cells of a table say: a number, a text, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from foxnn.datasets.records import Records

__all__ = ["codes", "float_dtype", "is_missing", "is_number", "numbers", "parsed", "texts"]

# How tables write "no value", in lower case. In a column of text only an empty cell counts: "NA" is also
# Namibia.
_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-"})


def is_missing(cell: str) -> bool:
    """Tell whether a cell in a column of numbers stands for "no value".

    Examples
    --------
    >>> is_missing("NaN"), is_missing("0")
    (True, False)
    """
    return cell.lower() in _MISSING


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number as tables write them; "1_000", which Python takes, is a text.

    Examples
    --------
    >>> is_number("-1.5e3"), is_number("1_000"), is_number("nan")
    (True, False, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and not is_missing(cell)


def parsed(records: Records, column: str) -> NDArray[np.float64] | None:
    """Return a column as numbers if that is what all of its cells are, else None.

    This is the quick way for the usual column; `is_number` looks at a cell more closely.

    Examples
    --------
    >>> records = Records("sizes.csv", "line", [2, 3], {"width": ("4", "5.5"), "unit": ("m", "m")})
    >>> parsed(records, "width"), parsed(records, "unit")
    (array([4. , 5.5]), None)
    """
    cells = records.columns[column]
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return None if np.isnan(values).any() or "_" in "".join(cells) else values


def float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the floating-point type that a `dtype` argument names.

    Examples
    --------
    >>> float_dtype("float32")
    dtype('float32')
    """
    if dtype not in ("float32", "float64", np.float32, np.float64):
        raise ValueError(f"dtype: got {dtype!r}; it takes 'float32' or 'float64'")
    return np.dtype(dtype)


def numbers(records: Records, column: str, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Return a column of numbers as an array of floats.

    Raises
    ------
    ValueError
        A value is missing, is no number, is infinite, or is beyond the range of `dtype`; the message says
        which.

    Examples
    --------
    >>> numbers(Records("sizes.csv", "line", [2, 3], {"width": ("4", "5.5")}), "width")
    array([4. , 5.5])
    """
    values = parsed(records, column)
    if values is not None:
        with np.errstate(over="ignore"):
            values = values.astype(dtype)
        if np.isfinite(values).all():
            return values
    raise _first_refusal(records, column, np.dtype(dtype))


def _first_refusal(records: Records, column: str, dtype: np.dtype[Any]) -> ValueError:
    for row, cell in enumerate(records.columns[column]):
        place = records.place(row, column)
        if is_missing(cell):
            return ValueError(f"{place}: the value is missing ({cell!r}); fill it in, or drop the row")
        if not is_number(cell):
            return ValueError(f"{place}: {cell!r} is not a number")
        if not np.isfinite(float(cell)):
            return ValueError(f"{place}: {cell!r} is not a finite number")
        with np.errstate(over="ignore"):
            if not np.isfinite(np.float64(cell).astype(dtype)):
                return ValueError(f"{place}: {cell!r} is too large for {dtype}")
    return ValueError(f"{records.source}, column {column!r}: not all values are finite numbers")


def texts(records: Records, column: str) -> Sequence[str]:
    """Return a column of text, which may have no empty cell.

    Raises
    ------
    ValueError
        A cell is empty; the message says which.

    Examples
    --------
    >>> texts(Records("cities.csv", "line", [2, 3], {"city": ("Bern", "Basel")}), "city")
    ('Bern', 'Basel')
    """
    cells = records.columns[column]
    if "" in cells:
        row = next(row for row, cell in enumerate(cells) if not cell)
        raise ValueError(f"{records.place(row, column)}: the value is missing; fill it in, or drop the row")
    return cells


def codes(records: Records, column: str, categories: tuple[str, ...]) -> NDArray[np.int64]:
    """Return for each cell of a column of text the index of its category.

    Raises
    ------
    ValueError
        A cell is empty, or is none of the categories; the message says which.

    Examples
    --------
    >>> codes(Records("cities.csv", "line", [2, 3], {"city": ("Bern", "Basel")}), "city", ("Basel", "Bern"))
    array([1, 0])
    """
    index = {category: i for i, category in enumerate(categories)}
    cells = texts(records, column)
    found = np.fromiter((index.get(cell, -1) for cell in cells), np.int64, len(cells))
    if (found < 0).any():
        row = int(np.argmax(found < 0))
        raise ValueError(
            f"{records.place(row, column)}: {cells[row]!r} is not among the {len(categories)} it takes: "
            + ", ".join(repr(category) for category in categories[:20])
            + (", ..." if len(categories) > 20 else "")
        )
    return found
