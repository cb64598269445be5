"""Tables of text: the cells of a CSV file, and where each one stands."""

from __future__ import annotations

import csv
import io
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from foxnn._files import open_regular

__all__ = ["Records", "read_records", "records_from_rows"]

_DELIMITERS = (",", ";", "\t")
_ENCODING = "utf-8-sig"  # with a byte order mark or without
#: How many cells are there as Python texts while a file is read.
_CELLS_AT_ONCE = 1 << 13


class Cells(Sequence[str]):
    """The cells of a column, kept as bytes: as texts, they would take 50 bytes more, each.

    Examples
    --------
    >>> cells = Cells(2)
    >>> cells.add(["4", "5.5"])
    >>> cells.add(["6"])
    >>> len(cells), cells[2], list(cells), "5" in cells
    (3, '6', ['4', '5.5', '6'], False)
    """

    def __init__(self, per_block: int) -> None:
        self._per_block = per_block
        self._blocks: list[bytes | list[str]] = []
        self._length = 0

    def add(self, cells: list[str]) -> None:
        """Append a block of cells: as many as there are in each, or fewer as the last one."""
        joined = "\0".join(cells)
        self._blocks.append(joined.encode() if joined.count("\0") == len(cells) - 1 else cells)
        self._length += len(cells)

    def blocks(self) -> Iterator[list[str]]:
        """The cells, block by block."""
        for block in self._blocks:
            yield block.decode().split("\0") if isinstance(block, bytes) else block

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.blocks())

    def __contains__(self, cell: object) -> bool:
        return any(cell in block for block in self.blocks())

    def __getitem__(self, row: Any) -> Any:
        row = range(self._length)[row]
        block = self._blocks[row // self._per_block]
        return (block.decode().split("\0") if isinstance(block, bytes) else block)[row % self._per_block]


@dataclass(frozen=True, eq=False)
class Records:
    """Cells by column, with what it takes to say where a cell is."""

    source: str  # the name of the file
    unit: str  # what `numbers` counts: "line" or "row"
    numbers: Sequence[int]
    columns: Mapping[str, Sequence[str]]

    def place(self, row: int, column: str) -> str:
        """Return where a cell is, as the start of an error message.

        Examples
        --------
        >>> Records("sizes.csv", "line", [2, 3], {"width": ("4", "5")}).place(1, "width")
        "sizes.csv, line 3, column 'width'"
        """
        return f"{self.source}, {self.unit} {self.numbers[row]}, column {column!r}"


def read_records(path: str | os.PathLike[str], delimiter: str | None = None) -> Records:
    """Read a CSV file whose first line names the columns.

    Blanks around a cell are dropped, and so are empty lines.

    Parameters
    ----------
    path : str or path-like
        A file in UTF-8, with a byte order mark or without.
    delimiter : str, optional
        What separates the cells; by default the one of comma, semicolon and tab that the first line has
        most of.

    Returns
    -------
    Records

    Raises
    ------
    ValueError
        The file is not UTF-8, not CSV, has no rows, has rows of different lengths, or its first line is no
        header.
    OSError
        The file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "cities.csv"
    ...     _ = path.write_text("city;height\\nBern;540\\nBasel;260\\n")
    ...     columns = read_records(path).columns
    >>> {name: list(cells) for name, cells in columns.items()}
    {'city': ['Bern', 'Basel'], 'height': ['540', '260']}
    """
    source = os.fspath(path)
    data = _checked_text(path, source)
    text = io.TextIOWrapper(io.BytesIO(data), _ENCODING, newline="")  # decoded line by line
    if delimiter is None:
        delimiter = _sniff_delimiter(text, source)
    elif len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError(f"delimiter: got {delimiter!r}; it takes one character, but no quote and no line end")
    lines = _lines(text, delimiter, source)
    names = _header(lines)
    _check_header(names, source)
    numbers = array("I")
    per_block = max(1, _CELLS_AT_ONCE // len(names))
    columns = {name: Cells(per_block) for name in names}
    rows = _rows(lines, len(names), source)
    while block := list(islice(rows, per_block)):
        numbers.extend(number for number, _ in block)
        for column, cells in zip(columns.values(), zip(*(row for _, row in block), strict=True), strict=True):
            column.add([cell.strip() for cell in cells])
    if not numbers:
        raise ValueError(f"{source}: no rows after the header")
    return Records(source, "line", numbers, columns)


def records_from_rows(rows: Sequence[Mapping[str, object]]) -> Records:
    """Make records of rows that are held in memory, each a mapping from column to value.

    Examples
    --------
    >>> records_from_rows([{"city": "Bern", "height": 540}]).columns
    {'city': ('Bern',), 'height': ('540',)}
    """
    if not rows:
        raise ValueError("rows: got none; it takes one mapping or more from column names to values")
    names = list(rows[0])
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise TypeError(f"rows[{number}]: got {row!r}; it takes a mapping from column names to values")
        if set(row) != set(names):
            raise ValueError(f"rows[{number}] has the columns {_listed(row)}; rows[0] has {_listed(names)}")
    columns = {name: tuple(_cell(row[name]) for row in rows) for name in names}
    return Records("rows", "row", range(len(rows)), columns)


def _cell(value: object) -> str:
    return "" if value is None else str(value).strip()


def _checked_text(path: str | os.PathLike[str], source: str) -> bytes:
    """The content of a file, which is UTF-8."""
    with open_regular(path, pipes=True) as file:
        data = file.read()
    try:
        _decode(data)
    except UnicodeDecodeError as error:
        from foxnn._file_kinds import LOOKS_LIKE, kind_of_bytes

        kind = kind_of_bytes(data)
        if kind is not None and kind not in LOOKS_LIKE:
            raise ValueError(f"{source}: no table in CSV, but {kind}") from error
        number = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{source}, line {number}: not UTF-8 text ({error.reason})") from error
    return data


def _decode(data: bytes) -> None:
    """Raise if the data is not UTF-8. It is taken in parts, since one text could be four times as large."""
    text = io.TextIOWrapper(io.BytesIO(data), _ENCODING)
    try:
        while text.read(_CELLS_AT_ONCE):
            pass
    except UnicodeDecodeError:
        data.decode("utf-8")  # which says where


def _rows(lines: Iterator[tuple[int, list[str]]], width: int, source: str) -> Iterator[tuple[int, list[str]]]:
    for number, row in lines:
        if len(row) != width:
            raise ValueError(f"{source}, line {number}: {len(row)} cells, but the header has {width}")
        yield number, row


def _lines(text: io.TextIOWrapper, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line that is not empty, with the number of the line it starts in."""
    text.seek(0)
    # strict: otherwise a quote that is never closed swallows the rest of the file without a word.
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = 1
    try:
        for row in reader:
            if len(row) > 1 or any(cell.strip() for cell in row):
                yield number, row
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{source}, line {number}: not CSV: {error}") from error


def _header(lines: Iterator[tuple[int, list[str]]]) -> list[str]:
    _, names = next(lines, (0, []))
    return [name.strip() for name in names]


def _sniff_delimiter(text: io.TextIOWrapper, source: str) -> str:
    counts = {delimiter: _header_length(text, delimiter) for delimiter in _DELIMITERS}
    longest = max(counts.values())
    best = [delimiter for delimiter, count in counts.items() if count == longest]
    if longest > 1 and len(best) > 1:
        raise ValueError(f"{source}: the header may be separated by any of {best}; name the delimiter")
    return best[0]


def _header_length(text: io.TextIOWrapper, delimiter: str) -> int:
    try:
        return len(_header(_lines(text, delimiter, "")))
    except ValueError:
        return 0


def _check_header(names: list[str], source: str) -> None:
    if not names:
        raise ValueError(f"{source}: empty, not even a header")
    seen: set[str] = set()
    for position, name in enumerate(names):
        if not name:
            raise ValueError(f"{source}: column {position + 1} has no name in the header")
        if name in seen:
            raise ValueError(f"{source}: two columns are called {name!r}")
        seen.add(name)
    # Numbered columns (0, 1, 2, ...) are what NumPy and pandas users export; other numbers are data.
    if all(_is_number(name) for name in names) and names != [str(i) for i in range(len(names))]:
        raise ValueError(f"{source}: the first line must name the columns, but it has only numbers: {_listed(names)}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names: Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
