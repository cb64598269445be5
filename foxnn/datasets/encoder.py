"""From the columns of a table to arrays: numbers as they are, texts one-hot, classes as integers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from foxnn.datasets.cells import codes, float_dtype, numbers
from foxnn.datasets.records import Records, read_records, records_from_rows
from foxnn.errors import FileFormatError

__all__ = ["Column", "TableEncoder", "Target", "check_columns"]


class Column(NamedTuple):
    """A column that the network sees.

    Attributes
    ----------
    name : str
        Its name in the header.
    categories : tuple of str, or None
        The texts it may have, each of which becomes a feature of its own; None for a column of numbers.

    Examples
    --------
    >>> Column("city", ("Basel", "Bern")).feature_names
    ('city=Basel', 'city=Bern')
    """

    name: str
    categories: tuple[str, ...] | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features it becomes."""
        if self.categories is None:
            return (self.name,)
        return tuple(f"{self.name}={category}" for category in self.categories)


class Target(NamedTuple):
    """The column to predict.

    Attributes
    ----------
    name : str
        Its name in the header.
    classes : tuple of str, int or float, or None
        The classes, in the order of their labels 0, 1, ...; None for a regression.

    Examples
    --------
    >>> Target("price").task, Target("species", ("cat", "dog")).task
    ('regression', 'classification')
    """

    name: str
    classes: tuple[str, ...] | tuple[float, ...] | None = None

    @property
    def task(self) -> str:
        """Either "classification" or "regression"."""
        return "regression" if self.classes is None else "classification"


@dataclass(frozen=True)
class TableEncoder:
    """Turns tables with the columns of one that was learnt from into arrays of the same kind.

    `load_csv` makes one. `to_json` gives it in a form that can be stored with a model, so that later data is
    encoded as the training data was.

    Parameters
    ----------
    columns : tuple of Column
        The columns the network sees, in the order of the features.
    target : Target, optional
        The column it predicts.

    Examples
    --------
    >>> encoder = TableEncoder((Column("area"), Column("city", ("Basel", "Bern"))), Target("price"))
    >>> encoder.feature_names
    ('area', 'city=Basel', 'city=Bern')
    >>> encoder.transform([{"area": 80, "city": "Bern"}])
    array([[80.,  0.,  1.]], dtype=float32)
    """

    columns: tuple[Column, ...]
    target: Target | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns of X, such as "area" for numbers and "city=Bern" for texts."""
        return tuple(chain.from_iterable(column.feature_names for column in self.columns))

    def transform(
        self,
        source: str | os.PathLike[str] | Sequence[Mapping[str, object]],
        *,
        delimiter: str | None = None,
        dtype: DTypeLike = "float32",
    ) -> NDArray[Any]:
        """Encode the features of a table.

        Columns are found by name, in any order; further ones, such as the target, are passed over.

        Parameters
        ----------
        source : path of a CSV file, or sequence of mappings
            In a sequence, each row is a mapping from column names to values.
        delimiter : str, optional
            What separates the cells of the file, as in `load_csv`.
        dtype : {"float32", "float64"}
            Type of the array.

        Returns
        -------
        ndarray, shape (n_rows, n_features)
            A column for each of `feature_names`.

        Raises
        ------
        ValueError
            A column or a value is missing, is no number, or is a text that was not there before; the
            message names file, line and column.

        Examples
        --------
        >>> TableEncoder((Column("area"),)).transform([{"area": 80}, {"area": 64.5}])
        array([[80. ],
               [64.5]], dtype=float32)
        """
        return self.encode(_as_records(source, delimiter), dtype)

    def transform_target(
        self,
        source: str | os.PathLike[str] | Sequence[Mapping[str, object]],
        *,
        delimiter: str | None = None,
        dtype: DTypeLike = "float32",
    ) -> NDArray[Any]:
        """Encode the target of a table.

        Parameters
        ----------
        source, delimiter, dtype
            As in `transform`.

        Returns
        -------
        ndarray, shape (n_rows,)
            Labels as int64 for a classification, numbers of type `dtype` for a regression.

        Raises
        ------
        ValueError
            The encoder has no target, or a value is missing, is no number, or is none of the classes.

        Examples
        --------
        >>> TableEncoder((), Target("species", ("cat", "dog"))).transform_target([{"species": "dog"}])
        array([1])
        """
        return self.encode_target(_as_records(source, delimiter), dtype)

    def encode(self, records: Records, dtype: DTypeLike = "float32") -> NDArray[Any]:
        """Encode the features of records that are already read; see `transform`."""
        X = np.zeros((len(records.numbers), len(self.feature_names)), float_dtype(dtype))
        check_columns(records, [column.name for column in self.columns])
        first = 0
        for column in self.columns:
            if column.categories is None:
                X[:, first] = numbers(records, column.name, X.dtype)
            else:
                X[np.arange(len(X)), first + codes(records, column.name, column.categories)] = 1
            first += len(column.feature_names)
        return X

    def encode_target(self, records: Records, dtype: DTypeLike = "float32") -> NDArray[Any]:
        """Encode the target of records that are already read; see `transform_target`."""
        if self.target is None:
            raise ValueError("the table was read without a target, so there is none to encode")
        name, classes = self.target
        check_columns(records, [name])
        if classes is None:
            return numbers(records, name, float_dtype(dtype))
        if isinstance(classes[0], str):
            return codes(records, name, tuple(str(label) for label in classes))
        return _labels(records, name, np.array(classes, dtype=np.float64))

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as dictionaries, lists, texts and numbers, for `json.dumps`.

        Examples
        --------
        >>> TableEncoder((Column("area"),), Target("price")).to_json()
        {'columns': [{'name': 'area', 'categories': None}], 'target': {'name': 'price', 'classes': None}}
        """
        target = self.target
        return {
            "columns": [
                {"name": name, "categories": None if categories is None else list(categories)}
                for name, categories in self.columns
            ],
            "target": target and {"name": target.name, "classes": target.classes and list(target.classes)},
        }

    @classmethod
    def from_json(cls, data: object) -> TableEncoder:
        """Make an encoder of what `to_json` gave.

        Raises
        ------
        FileFormatError
            The data is something else.

        Examples
        --------
        >>> encoder = TableEncoder((Column("city", ("Basel", "Bern")),), Target("price"))
        >>> TableEncoder.from_json(encoder.to_json()) == encoder
        True
        """
        fields = _mapping(data, {"columns", "target"}, "the encoder")
        if not isinstance(fields["columns"], list):
            raise FileFormatError(f"columns of the encoder is {fields['columns']!r}; it takes a list")
        columns = tuple(_column(column) for column in fields["columns"])
        target = None if fields["target"] is None else _target(fields["target"])
        names = [column.name for column in columns] + ([] if target is None else [target.name])
        if len(set(names)) < len(names):
            raise FileFormatError(f"the encoder has columns of the same name: {names}")
        return cls(columns, target)


def _as_records(source: str | os.PathLike[str] | Sequence[Mapping[str, object]], delimiter: str | None) -> Records:
    if isinstance(source, (str, os.PathLike)):
        return read_records(source, delimiter)
    if isinstance(source, Sequence) and not isinstance(source, str):
        return records_from_rows(source)
    raise TypeError(  # for a single mapping, or a frame of pandas
        f"source: got {type(source).__name__}; it takes the path of a CSV file, or a list of mappings from column "
        "names to values"
    )


def check_columns(records: Records, names: Iterable[str]) -> None:
    """Refuse records that lack a column."""
    missing = [name for name in names if name not in records.columns]
    if missing:
        raise ValueError(
            f"{records.source} has no column {', '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, records.columns))}"
        )


def _labels(records: Records, name: str, classes: NDArray[np.float64]) -> NDArray[np.int64]:
    values = numbers(records, name)
    unknown = ~np.isin(values, classes)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise ValueError(
            f"{records.place(row, name)}: {records.columns[name][row]} is not among the classes: "
            + ", ".join(f"{label:g}" for label in classes)
        )
    order = np.argsort(classes)
    return order[np.searchsorted(classes[order], values)].astype(np.int64)


def _mapping(data: object, keys: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or set(data) != keys:
        raise FileFormatError(f"{what} is {data!r}; it takes a mapping with the keys {', '.join(sorted(keys))}")
    return data


def _column(data: object) -> Column:
    fields = _mapping(data, {"name", "categories"}, "a column of the encoder")
    categories = fields["categories"]
    if categories is not None and not _distinct(categories, str):
        raise FileFormatError(f"categories of the encoder is {categories!r}; it takes a list of distinct texts")
    return Column(_name(fields["name"]), None if categories is None else tuple(categories))


def _target(data: object) -> Target:
    fields = _mapping(data, {"name", "classes"}, "the target of the encoder")
    classes = fields["classes"]
    if classes is not None and not (_distinct(classes, str) or _distinct(classes, int | float)):
        raise FileFormatError(f"classes of the encoder is {classes!r}; it takes a list of distinct texts or numbers")
    return Target(_name(fields["name"]), None if classes is None else tuple(classes))


def _name(data: object) -> str:
    if not isinstance(data, str) or not data:
        raise FileFormatError(f"name of a column of the encoder is {data!r}; it takes a text")
    return data


def _distinct(data: object, kind: Any) -> bool:
    """Tell whether `data` is a list of one or more distinct finite values of a kind."""
    if not isinstance(data, list) or not data:
        return False
    if not all(isinstance(value, kind) and not isinstance(value, bool) for value in data):
        return False
    # NaN differs from itself, and json writes it.
    return len(set(data)) == len(data) and all(isinstance(value, str) or abs(value) < float("inf") for value in data)
