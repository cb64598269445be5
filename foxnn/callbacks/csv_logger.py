"""The values of every epoch as a row of a CSV file."""

from __future__ import annotations

import csv
import os
from contextlib import suppress
from io import FileIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn._options import flag, path_text
from foxnn.callbacks._writing import going_on
from foxnn.callbacks.base import Callback

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork


class CSVLogger(Callback):
    """Write the values of every epoch to a CSV file, a row each, as soon as they are known.

    The first column is the number of the epoch, counted from 1; the others are called as in the history.

    Parameters
    ----------
    path : str or path-like
    append : bool, default False
        Whether to go on with a file that is there already; if not, it is overwritten. Numbers of epochs go on, too.
    separator : str, default ","

    Raises
    ------
    ValueError
        During training, if the values of an epoch do not fit the columns of the file.
    OSError
        Before training begins, if the file cannot be written. Later, as on a full disk, that is a warning, and training
        goes on; the rows are written when there is room again.

    Examples
    --------
    >>> import foxnn, os, tempfile
    >>> nn = foxnn.neural_network([1, 1], output="linear", seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "log.csv")
    ...     history = nn.fit([[0.0]], [2.0], epochs=2, callbacks=[foxnn.callbacks.CSVLogger(path)])
    ...     with open(path) as file:
    ...         print(file.readline())
    epoch,loss,seconds
    """

    def __init__(self, path: str | os.PathLike[str], append: bool = False, separator: str = ",") -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator: got {separator!r}; it takes one character")
        self.path, self.append, self.separator = path_text("path", path), flag("append", append), separator
        self._file: FileIO | None = None

    def on_train_begin(self, network: NeuralNetwork, epochs: int, n_samples: int | None) -> None:
        """Open the file."""
        self._columns: list[str] = []
        self._before = 0  # epochs in the file
        if self.append and os.path.exists(self.path):
            self._continue()
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._file = FileIO(self.path, "a" if self._columns else "w")  # without a buffer that a full disk would empty
        self._left = b""  # that could not be written yet

    def state(self) -> dict[str, Any]:
        """How many epochs the file had before this training."""
        return {"before": self._before}

    def on_train_resume(
        self, network: NeuralNetwork, epochs: int, n_samples: int | None, state: dict[str, Any]
    ) -> None:
        """Open the file, and drop what it has of epochs that are to come again."""
        kept = state["before"] + len(network.history.epochs)
        with suppress(FileNotFoundError):
            lines = Path(self.path).read_bytes().splitlines(keepends=True)
            os.truncate(self.path, sum(map(len, lines[: 1 + kept])))
        append, self.append = self.append, True
        self.on_train_begin(network, epochs, n_samples)
        self.append, self._before = append, state["before"]

    def _continue(self) -> None:
        """Look where the file ends; a line cut short, as by a power cut, is dropped."""
        content = Path(self.path).read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(self.path, len(whole))
        rows = list(csv.reader(whole.decode("utf-8").splitlines(), delimiter=self.separator))
        if not rows:
            return
        self._columns = rows[0]
        try:
            self._before = int(rows[-1][0]) if len(rows) > 1 else 0
        except ValueError:
            raise ValueError(f"path: {self.path!r} is no file of CSVLogger; its last row is {rows[-1]}") from None

    def on_epoch_end(self, network: NeuralNetwork, epoch: int, values: dict[str, float]) -> None:
        """Write a row."""
        text = StringIO()
        writer = csv.writer(text, delimiter=self.separator, lineterminator="\n")
        names = ["epoch", *values]
        if not self._columns:
            self._columns = names
            writer.writerow(names)
        if sorted(names) != sorted(self._columns):
            raise ValueError(
                f"path: {self.path!r} has the columns {', '.join(self._columns)}; this training has {', '.join(names)}"
            )
        row = {**values, "epoch": self._before + epoch + 1}
        writer.writerow([_cell(row[name]) for name in self._columns])
        self._left += text.getvalue().encode()
        self._write()

    def _write(self) -> None:
        assert self._file is not None
        with going_on(self.path):
            while self._left:
                self._left = self._left[self._file.write(self._left) :]

    def on_train_end(self, network: NeuralNetwork) -> None:
        """Close the file."""
        if self._file is not None:
            if self._left:
                self._write()
            file, self._file = self._file, None
            with going_on(self.path):
                file.close()


def _cell(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
