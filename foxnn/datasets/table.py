"""Tables to learn from: CSV files with a header."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from foxnn._arguments import pointing
from foxnn.datasets.cells import is_missing, is_number, numbers, parsed, texts
from foxnn.datasets.encoder import Column, TableEncoder, Target
from foxnn.datasets.records import Records, read_records

__all__ = ["Table", "load_csv"]

_TASKS = ("classification", "regression")
_MAX_CLASSES = 20  # of whole numbers that are taken for classes unasked


@dataclass(frozen=True, eq=False)
class Table:
    """A table as arrays, with what it takes to encode further tables alike.

    Attributes
    ----------
    X : ndarray of float32 or float64, shape (n_rows, n_features)
        The features: columns of numbers as they are, columns of texts one-hot.
    y : ndarray, shape (n_rows,), or None
        The target: labels 0, 1, ... as int64 for a classification, numbers of the type of X for a regression.
    encoder : TableEncoder
        How X and y were made; ``table.encoder.transform(path)`` does the same with another file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "pets.csv"
    ...     _ = path.write_text("weight,fur,animal\\n4,long,cat\\n9,short,dog\\n")
    ...     table = load_csv(path, target="animal")
    >>> table.feature_names, table.target, table.task, table.classes
    (('weight', 'fur=long', 'fur=short'), 'animal', 'classification', ('cat', 'dog'))
    """

    X: NDArray[Any]
    y: NDArray[Any] | None
    encoder: TableEncoder

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns of X, such as "area" for numbers and "city=Bern" for texts."""
        return self.encoder.feature_names

    @property
    def target(self) -> str | None:
        """The name of the column that y is, or None."""
        return None if self.encoder.target is None else self.encoder.target.name

    @property
    def task(self) -> str | None:
        """Either "classification" or "regression", or None without a target."""
        return None if self.encoder.target is None else self.encoder.target.task

    @property
    def classes(self) -> tuple[str, ...] | tuple[float, ...] | None:
        """What the labels in y stand for: ``classes[label]``; None for a regression."""
        return None if self.encoder.target is None else self.encoder.target.classes


@pointing
def load_csv(
    path: str | os.PathLike[str],
    target: str | None = None,
    *,
    task: str | None = None,
    text_columns: Sequence[str] = (),
    ignore: Sequence[str] = (),
    delimiter: str | None = None,
    dtype: DTypeLike = "float32",
    max_categories: int = 256,
) -> Table:
    """Load a table from a CSV file whose first line names the columns.

    A column whose cells are all numbers is a feature. A column of texts becomes a feature for each distinct
    text (in sorted order): 1 where the cell has it, else 0. A column of which more than half, but not all,
    are numbers is refused, since a slip of the pen is likelier; `text_columns` settles it.

    The target decides the task, unless `task` does. It is a classification if the target is a text, or if
    its values are whole numbers with at most 20 distinct ones that occur twice or more on average; else it
    is a regression.

    Parameters
    ----------
    path : str or path-like
        The file, or a pipe such as ``/dev/stdin``: UTF-8, cells in double quotes where they need it. Blanks around
        cells are dropped.
    target : str, optional
        The column to predict; without it y is None.
    task : {"classification", "regression"}, optional
        What to do with the target, instead of the rule above.
    text_columns : sequence of str
        Columns to take as texts although they have numbers in them, such as postal codes.
    ignore : sequence of str
        Columns to leave out, such as names and serial numbers.
    delimiter : str, optional
        What separates the cells; by default the one of comma, semicolon and tab that the header has most of.
    dtype : {"float32", "float64"}
        Type of X, and of y in a regression.
    max_categories : int
        A column with more distinct texts than this is refused: one-hot, it would drown the others.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        A column that is asked for is not there, a value is missing (empty, or "NA", "NaN", "null", "?" and
        the like among numbers) or not finite, rows differ in length, or a name stands twice. The message
        names file, line and column, and what is taken.
    OSError
        The file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "homes.csv"
    ...     _ = path.write_text("area,city,price\\n80,Bern,1.5\\n64.5,Basel,0.9\\n")
    ...     table = load_csv(path, target="price")
    >>> table.feature_names
    ('area', 'city=Basel', 'city=Bern')
    >>> table.X
    array([[80. ,  0. ,  1. ],
           [64.5,  1. ,  0. ]], dtype=float32)
    >>> table.y
    array([1.5, 0.9], dtype=float32)
    """
    if task is not None and task not in _TASKS:
        raise ValueError(f"task is {task!r}; it takes 'classification', 'regression' or None")
    records = read_records(path, delimiter)
    _check_names(records, target, text_columns, ignore)
    features = [name for name in records.columns if name != target and name not in ignore]
    if not features:
        raise ValueError(f"{records.source}: no column is left to learn from")
    encoder = TableEncoder(
        tuple(_column(records, name, name in text_columns, max_categories) for name in features),
        None if target is None else _target(records, target, task, target in text_columns, max_categories),
    )
    X = encoder.encode(records, dtype)
    return Table(X, None if target is None else encoder.encode_target(records, dtype), encoder)


def _check_names(records: Records, target: str | None, text_columns: Sequence[str], ignore: Sequence[str]) -> None:
    for argument, names in (("text_columns", text_columns), ("ignore", ignore)):
        if isinstance(names, str):  # whose letters may be columns
            raise TypeError(f"{argument} is {names!r}; it takes a list of names of columns")
    asked = [("target", target)] if target is not None else []
    asked += [("text_columns", name) for name in text_columns] + [("ignore", name) for name in ignore]
    for argument, name in asked:
        if name not in records.columns:
            raise ValueError(
                f"{argument} has {name!r}, but the columns of {records.source} are "
                + ", ".join(repr(column) for column in records.columns)
            )
    if target in ignore:
        raise ValueError(f"{target!r} is both the target and in ignore")


def _is_text(records: Records, name: str) -> bool:
    if parsed(records, name) is not None:
        return False
    cells = records.columns[name]
    n_numbers = sum(map(is_number, cells))
    if not n_numbers:
        return True
    n_others = sum(not is_number(cell) and not is_missing(cell) for cell in cells)
    if not n_others:
        return False
    if n_numbers > n_others:
        row = next(row for row, cell in enumerate(cells) if not is_number(cell) and not is_missing(cell))
        raise ValueError(
            f"{records.place(row, name)}: {cells[row]!r} is not a number, but {n_numbers} of the "
            f"{len(cells)} values are; correct it, or take the column as text with text_columns=[{name!r}]"
        )
    return True


def _column(records: Records, name: str, is_text: bool, max_categories: int) -> Column:
    if is_text or _is_text(records, name):
        return Column(name, _categories(records, name, max_categories))
    return Column(name)


def _categories(records: Records, name: str, max_categories: int) -> tuple[str, ...]:
    categories = sorted(set(texts(records, name)))
    if len(categories) > max_categories:
        raise ValueError(
            f"{records.source}, column {name!r}: {len(categories)} distinct texts, more than "
            f"max_categories={max_categories}; raise it, or leave the column out with ignore=[{name!r}]"
        )
    return tuple(categories)


def _target(records: Records, name: str, task: str | None, is_text: bool, max_categories: int) -> Target:
    if is_text or _is_text(records, name):
        if task == "regression":
            raise ValueError(f"task is 'regression', but the target {name!r} is a text; it takes a column of numbers")
        return _classification(records, name, _categories(records, name, max_categories))
    values = numbers(records, name)
    distinct = np.unique(values)
    whole = bool((distinct == np.round(distinct)).all())
    if task is None:
        few = len(distinct) <= _MAX_CLASSES and 2 * len(distinct) <= len(values)
        task = "classification" if whole and few else "regression"
    if task == "regression":
        return Target(name)
    return _classification(records, name, tuple(int(v) if whole else float(v) for v in distinct))


def _classification(records: Records, name: str, classes: tuple[str, ...] | tuple[float, ...]) -> Target:
    if len(classes) < 2:
        raise ValueError(f"{records.source}: every row has {classes[0]!r} as its {name!r}; there is nothing to learn")
    return Target(name, classes)
