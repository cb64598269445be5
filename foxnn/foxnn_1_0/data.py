"""Data for training, as FoxNN 1.0 had it: rows of inputs with the outputs they should give."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arrays import _as_numbers, _contiguous_rows, check_finite
from foxnn._options import integer, seed_of

_Matrix = npt.NDArray[np.float64]


def as_row(value: Any, name: str, width: int | None = None) -> _Matrix:
    """A list of finite numbers as a (1, width) matrix."""
    array = _as_numbers(value, name)
    if array.ndim != 1 or len(array) != (width or len(array)) or len(array) == 0:
        got = f"an array of shape {array.shape}" if array.ndim != 1 else f"{len(array)} numbers"
        raise ValueError(f"{name}: got {got}; it takes a list of {width or 'at least one'} number{_s(width)}")
    row = array.astype(np.float64).reshape(1, -1)
    check_finite(row, name)
    return row


def _s(n: int | None) -> str:
    return "" if n in (None, 1) else "s"


class one_train_data:
    """One row of data.

    Parameters
    ----------
    input : array-like of shape (n_inputs,)
    out : array-like of shape (n_outputs,)
        What the outputs should be.

    Raises
    ------
    ValueError, TypeError
        If these are not lists of finite numbers.

    Examples
    --------
    >>> import foxnn
    >>> row = foxnn.one_train_data([0, 1], [1])
    >>> row.input, row.out
    ([0.0, 1.0], [1.0])
    """

    def __init__(self, input: Any, out: Any) -> None:
        self.input: list[float] = as_row(input, "input")[0].tolist()
        self.out: list[float] = as_row(out, "out")[0].tolist()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, one_train_data) and (self.input, self.out) == (other.input, other.out)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"one_train_data({self.input}, {self.out})"


class train_data:
    """Rows of inputs with the outputs they should give.

    Parameters
    ----------
    source : str, path-like or train_data, optional
        A text file of FoxNN 1.0 (``n_rows n_inputs n_outputs``, then row by row inputs and outputs), or data to copy.
    seed : int, optional
        Of the rows that `get_part` and `get_part_for_test` pick; by default that of the data copied, else a new one.

    Raises
    ------
    FileFormatError
        If the file is damaged or of another kind; the message says where.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import foxnn
    >>> data = foxnn.train_data()
    >>> data.add_data([0, 1], [1])
    >>> data.add_data([[0, 0], [1, 1]], [[0], [0]])
    >>> data.size()
    3
    """

    def __init__(self, source: str | os.PathLike[str] | train_data | None = None, *, seed: int | None = None) -> None:
        if seed is None:
            seed = source.seed if isinstance(source, train_data) else int.from_bytes(os.urandom(8), "little") >> 1
        self.seed = seed
        self._parts = 0  # random parts picked so far: the address of the next one's numbers
        self._reserved = 0
        self._n = 0
        self._n_inputs = self._n_outputs = 0
        self._table: _Matrix = np.empty((0, 0))  # a row: inputs, then outputs; beyond row n there is room
        if isinstance(source, train_data):
            self.add_data(source)
        elif isinstance(source, (str, os.PathLike)):
            from foxnn.foxnn_1_0.text_files import load_data

            self._table, self._n_inputs = load_data(source)
            self._n, self._n_outputs = len(self._table), self._table.shape[1] - self._n_inputs
        elif source is not None:
            raise TypeError(f"source: got {source!r}; it takes the name of a file or train_data")

    @property
    def seed(self) -> int:
        """Of the rows that are picked; assign another one for others."""
        return self._seed

    @seed.setter
    def seed(self, value: int) -> None:
        self._seed = seed_of(value)

    @property
    def inputs(self) -> _Matrix:
        """All inputs, shape (size, n_inputs): a view."""
        return self._table[: self._n, : self._n_inputs]

    @property
    def outputs(self) -> _Matrix:
        """All outputs, shape (size, n_outputs): a view."""
        return self._table[: self._n, self._n_inputs :]

    def add_data(self, data: Any, out: Any = None) -> None:
        """Add one row or many.

        Parameters
        ----------
        data : array-like of shape (n_inputs,) or (n, n_inputs), one_train_data or train_data
        out : array-like of shape (n_outputs,) or (n, n_outputs)
            Only if `data` is an array.

        Raises
        ------
        ValueError, TypeError
            If lengths differ from one another or from the rows there are, or a number is not finite; nothing is
            added then.

        Examples
        --------
        >>> import foxnn
        >>> data = foxnn.train_data()
        >>> data.add_data([0, 1], [1])
        >>> data.add_data(foxnn.one_train_data([1, 1], [0]))
        >>> data.add_data(data)
        >>> data.size()
        4
        """
        if isinstance(data, (one_train_data, train_data)):
            if out is not None:
                raise TypeError(f"out: got {out!r} besides {type(data).__name__}, which has its own")
            if isinstance(data, train_data):
                if data.size():
                    self._append(data.inputs, data.outputs)
                return
            data, out = data.input, data.out
        elif out is None:
            raise TypeError("out: got nothing; with an array of inputs it takes the outputs they should give")
        inputs, outputs = _as_numbers(data, "input"), _as_numbers(out, "out")
        if inputs.ndim == 2:
            if outputs.ndim != 2 or len(outputs) != len(inputs) or 0 in (*inputs.shape[1:], *outputs.shape[1:]):
                raise ValueError(
                    f"out: got an array of shape {outputs.shape} for inputs of shape {inputs.shape}; it takes one row "
                    "of outputs for each row of inputs"
                )
            inputs, outputs = _contiguous_rows(inputs), _contiguous_rows(outputs)
            check_finite(inputs, "input")
            check_finite(outputs, "out")
        else:
            inputs, outputs = as_row(inputs, "input"), as_row(outputs, "out")
        self._append(inputs, outputs)

    def _append(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any]) -> None:
        widths = inputs.shape[1], outputs.shape[1]
        known = (self._n_inputs, self._n_outputs) if self._n else widths
        for name, got, takes in zip(("input", "out"), widths, known, strict=True):
            if got != takes:
                raise ValueError(f"{name}: got {got} numbers a row; this data takes {takes}")
        needed = self._n + len(inputs)
        if needed > len(self._table) or not self._n:
            self._resize(max(needed, self._reserved, self._n * 3 // 2), sum(widths))
        self._n_inputs, self._n_outputs = widths
        self._table[self._n : needed, : widths[0]] = inputs
        self._table[self._n : needed, widths[0] :] = outputs
        self._n = needed

    def _resize(self, rows: int, width: int) -> None:
        table = np.empty((rows, width))
        if self._n:
            table[: self._n] = self._table[: self._n]
        self._table = table

    def size(self) -> int:
        """Number of rows.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.train_data().size()
        0
        """
        return self._n

    def __len__(self) -> int:
        return self._n

    def get(self, i: int) -> one_train_data:
        """Row number `i`, a copy.

        Raises
        ------
        IndexError
            If there is no such row.

        Examples
        --------
        >>> import foxnn
        >>> data = foxnn.train_data()
        >>> data.add_data([0, 1], [1])
        >>> data.get(0)
        one_train_data([0.0, 1.0], [1.0])
        """
        if not 0 <= i < self._n:
            raise IndexError(f"i: got {i!r}; this data has {self._n} row{_s(self._n)}, counted from 0")
        return one_train_data(self.inputs[i], self.outputs[i])

    __getitem__ = get

    def __iter__(self) -> Iterator[one_train_data]:
        return (self.get(i) for i in range(self._n))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rows to a text file, in 17 digits, which is exact.

        Parameters
        ----------
        path : str or path-like
            An old file is replaced only when the new one is whole.

        Raises
        ------
        ValueError
            If there are no rows.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import foxnn, tempfile, os
        >>> data = foxnn.train_data()
        >>> data.add_data([0, 1], [1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data.save(os.path.join(folder, "data.txt"))
        ...     foxnn.train_data(os.path.join(folder, "data.txt")).size()
        1
        """
        from foxnn.foxnn_1_0.text_files import save_data

        save_data(self, path)

    def get_part(self, n: int) -> train_data:
        """`n` rows picked at random, in random order; all rows in their order if `n` is 0 or more than there are.

        Examples
        --------
        >>> import foxnn
        >>> data = foxnn.train_data(seed=0)
        >>> data.add_data([[0], [1], [2], [3]], [[0], [1], [2], [3]])
        >>> data.get_part(2).size(), data.get_part(0).size()
        (2, 4)
        """
        n = integer("n", n, 0)
        return self._picked(n) if 0 < n < self._n else train_data(self)

    def get_part_for_test(self, n: int) -> train_data:
        """`n` rows picked at random; all of them if `n` is more than there are, none if it is 0.

        Examples
        --------
        >>> import foxnn
        >>> data = foxnn.train_data(seed=0)
        >>> data.add_data([[0], [1], [2], [3]], [[0], [1], [2], [3]])
        >>> data.get_part_for_test(3).size(), data.get_part_for_test(0).size()
        (3, 0)
        """
        return self.get_part(n) if integer("n", n, 0) else train_data(seed=self.seed)

    def _picked(self, n: int) -> train_data:
        rows = _core.shuffled_order(self.seed, self._parts % 2**32, self._n)[:n]
        self._parts += 1
        part = train_data(seed=self.seed)
        part._append(self.inputs[rows], self.outputs[rows])
        return part

    def get_first_n(self, n: int) -> train_data:
        """The first `n` rows; all if there are not so many.

        Examples
        --------
        >>> import foxnn
        >>> data = foxnn.train_data()
        >>> data.add_data([[0], [1], [2]], [[0], [1], [2]])
        >>> data.get_first_n(2).outputs.tolist()
        [[0.0], [1.0]]
        """
        n = integer("n", n, 0)
        part = train_data(seed=self.seed)
        if n and self._n:
            part._append(self.inputs[:n], self.outputs[:n])
        return part

    def reserve(self, n: int) -> None:
        """Make room for `n` rows, so that adding them needs no new memory.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.train_data().reserve(1000)
        """
        self._reserved = integer("n", n, 0)
        if self._n and self._reserved > len(self._table):
            self._resize(self._reserved, self._table.shape[1])

    def shrink_to_fit(self) -> None:
        """Give back room that no row uses.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.train_data().shrink_to_fit()
        """
        self._reserved = 0
        if len(self._table) > self._n:
            self._resize(self._n, self._table.shape[1])

    def __repr__(self) -> str:
        return f"train_data({self._n} rows of {self._n_inputs} inputs and {self._n_outputs} outputs)"
