"""What happened during training."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from foxnn._closed import Closed


def scalars(values: Mapping[str, Any]) -> dict[str, float]:
    """The values that are numbers, not matrices."""
    return {name: value for name, value in values.items() if isinstance(value, (int, float))}


class Rows:
    """Dictionaries of numbers, as those of a history, in a tenth of their memory; they are made when asked for.

    Parameters
    ----------
    rows : iterable
        Whatever is no dictionary of numbers, or texts that `float` takes, is kept as it is.
    """

    def __init__(self, rows: Iterable[Any]) -> None:
        # Rows that follow each other and have the same names are one run of numbers.
        self._runs: list[tuple[tuple[str, ...], array[float]] | Any] = []
        self._lengths: list[int] = []
        for row in rows:
            names, numbers = _taken_apart(row)
            if names is None:
                self._runs.append(row)
            elif self._runs and isinstance(self._runs[-1], tuple) and self._runs[-1][0] == names:
                self._runs[-1][1].extend(numbers)
                self._lengths[-1] += 1
                continue
            else:
                self._runs.append((names, array("d", numbers)))
            self._lengths.append(1)

    def __len__(self) -> int:
        return sum(self._lengths)

    def __iter__(self) -> Iterator[Any]:
        for run, length in zip(self._runs, self._lengths, strict=True):
            if not isinstance(run, tuple):
                yield run
                continue
            names, numbers = run
            for i in range(length):
                yield dict(zip(names, numbers[i * len(names) : (i + 1) * len(names)], strict=True))


def _taken_apart(row: Any) -> tuple[tuple[str, ...] | None, list[float]]:
    """The names and the numbers of a row; None if it has something else."""
    if not isinstance(row, dict) or not all(type(value) in (float, int, str) for value in row.values()):
        return None, []
    try:
        return tuple(row), [float(value) for value in row.values()]
    except (ValueError, OverflowError):
        return None, []


if TYPE_CHECKING:
    _ReadOnly = dict[str, list[float]]
else:

    class _ReadOnly(Mapping, dict):
        """A dict all of whose ways to read go through `__getitem__`, `__iter__` and `__len__`."""


class History(Closed, _ReadOnly):
    """Loss and metrics of every epoch, by name: ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``, ``seconds``.

    It is a dict to read from: ``pandas.DataFrame(history)`` has a column for each name and a row for each epoch, and
    ``json.dumps(history)`` writes it. ``dict(history)`` is one to change.

    Training values are means over the epoch's batches, each taken just before its update; validation values are taken
    at the end of the epoch. A value that an epoch has not is NaN. ``learning_rate`` is there if it follows a schedule,
    and is that of the epoch's last step.

    Examples
    --------
    >>> import foxnn
    >>> nn = foxnn.neural_network([1, 1], output="linear", seed=0)
    >>> history = nn.fit([[0.0], [1.0]], [1.0, 3.0], epochs=3)
    >>> len(history["loss"]), history["loss"][2] < history["loss"][0]
    (3, True)
    """

    # A dict, since others (pandas, polars, json) take columns of nothing else. All values are in the rows; as a dict it
    # holds a mark alone, lest those take it for empty that look for that past its methods.

    def __init__(self, rows: Rows | list[dict[str, float]] | None = None) -> None:
        self._epochs = [] if rows is None else rows
        super().__setitem__("see the rows", [])

    def copy(self) -> History:
        """The same values, independent of this one's."""
        twin = History()
        if isinstance(self._epochs, Rows):  # which never change
            twin._epochs = self._epochs
        else:
            twin._epochs = [
                {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in epoch.items()}
                for epoch in self._epochs
            ]
        return twin

    __copy__ = copy

    def append(self, values: Mapping[str, float]) -> None:
        """Add the values of one more epoch."""
        self.epochs.append(dict(values))

    @property
    def epochs(self) -> list[dict[str, float]]:
        """The values of each epoch."""
        if isinstance(self._epochs, Rows):
            self._epochs = list(self._epochs)
        return self._epochs

    @property
    def history(self) -> dict[str, list[float]]:
        """The same as a plain dict, as Keras has it.

        Examples
        --------
        >>> import foxnn
        >>> foxnn.neural_network([1, 1]).fit([[0.0]], [1.0], epochs=2).history.keys()
        dict_keys(['loss', 'accuracy', 'seconds'])
        """
        return dict(self)

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._names():
            raise KeyError(f"{name!r}; there are: {', '.join(self._names()) or 'none yet'}")
        return [epoch.get(name, float("nan")) for epoch in self._epochs]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for epoch in self._epochs for name in epoch))

    def __repr__(self) -> str:
        if not self._epochs:
            return "History(no epochs)"
        last = ", ".join(f"{name}={value:.4g}" for name, value in scalars(self.epochs[-1]).items())
        return f"History({len(self._epochs)} epochs; last: {last})"

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return History, (list(self._epochs),)

    def _refuse(self, *arguments: Any, **named: Any) -> NoReturn:
        """What changes dicts."""
        raise TypeError("a history is what training has written; dict(history) is one to change")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses and accuracies over the epochs (needs matplotlib); returns the axes.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; by default in a new figure.
        """
        from foxnn.plots import plot_history

        return plot_history(self, ax)
