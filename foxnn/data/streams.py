"""Data that comes batch by batch: more than memory holds, or made on the way.

What gives batches (X, y) or (X, y, sample_weight) takes the place of X, and y is left out:

- a sequence, any object with ``len(batches)`` and ``batches[i]``: read in a thread of its own, ahead of training, in a
  new order every epoch if `shuffle` is set;
- an iterable, such as a PyTorch DataLoader, or a function that returns an iterator: gone through once an epoch;
- an iterator, such as a generator: gone through once, `steps_per_epoch` batches for each epoch.

Each batch is one step. It is checked as it comes; an error in the middle of training leaves the network as it is then.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._options import integer
from foxnn.data.mapped import blocks, mapped_rows
from foxnn.data.read_ahead import read_ahead
from foxnn.data.reading import Reading
from foxnn.data.samples import Arrays, Part, shuffled

if TYPE_CHECKING:
    from foxnn.metrics import Metric
    from foxnn.network import NeuralNetwork

#: How many batches a thread reads ahead.
_AHEAD = 3
#: How to make arrays of single samples with their targets.
_OF_PAIRS = "X, y = map(np.array, zip(*pairs))"


def gives_batches(data: Any) -> bool:
    """Whether an object is something that gives batches, not an array or what makes one.

    Examples
    --------
    >>> import numpy as np
    >>> gives_batches(iter([])), gives_batches(np.ones(3)), gives_batches([1, 2])
    (True, False, False)
    """
    if isinstance(data, (np.ndarray, np.generic, Sequence, Mapping)) or hasattr(data, "__array__"):
        return False
    if hasattr(data, "tocsr"):
        return False
    try:
        memoryview(data)
    except TypeError:
        return callable(data) or any(hasattr(data, name) for name in ("__next__", "__iter__", "__getitem__"))
    return False


class Stream(ABC):
    """Batches to train on or to evaluate.

    Parameters
    ----------
    network : NeuralNetwork
    name : str
        The argument, for messages.
    class_weight : dict, optional
    reading : Reading, optional
    """

    #: Samples of an epoch: nobody knows.
    n: int | None = None
    #: Steps of an epoch, if known.
    steps: int | None = None
    #: Whether it can be gone through more than once.
    again = True

    def __init__(
        self,
        network: NeuralNetwork,
        name: str = "X",
        class_weight: Any = None,
        reading: Reading | None = None,
    ) -> None:
        if class_weight is not None and not isinstance(class_weight, dict):
            raise ValueError(f"class_weight: got {class_weight!r} with batches, which take a dict of class to weight")
        self._network, self._name, self._class_weight = network, name, class_weight
        self.reading = Reading(network) if reading is None else reading

    @property
    def whole(self) -> Stream:
        """What metrics of the training data are taken of."""
        return self

    def described(self) -> dict[str, Any]:
        """What tells these epochs from others: not what is in the batches, which have to be the same ones again."""
        if not self.again:
            raise ValueError(
                f"checkpoint: {self._name} is an iterator, which cannot be gone through from its beginning again; it "
                "takes arrays, or a sequence, an iterable or a function that gives the same batches every time anew"
            )
        return {"batches": type(self).__name__, "steps_per_epoch": self.steps}

    def digest(self) -> str:
        """Nothing of what is in the batches."""
        return type(self).__name__

    def check_metrics(self, network: NeuralNetwork, metrics: Sequence[Metric]) -> None:  # noqa: B027
        """Nothing to try them on yet."""

    def fit_scaling(self, network: NeuralNetwork) -> None:
        """Not without going through all batches once more."""
        raise ValueError(
            f"{self._name}: got batches for a network that is to be scaled; call fit_scaling with some of them first"
        )

    def parts(self, network: NeuralNetwork) -> Iterator[Part]:
        """What the coming epoch is made of; one batch of it, the one left over, may be of one row."""
        single_rows = 0
        with closing(self._epoch(network)) as batches:  # type: ignore[type-var]
            for batch in batches:
                self._compare(batch)
                self.reading.learn(batch.inputs)
                single_rows += len(batch) == 1
                if single_rows > 1:
                    network._check_batch(self._name, 1)
                yield Part(batch.core, None, len(batch), len(batch), batch.targets)

    def batches(self) -> Iterator[Arrays]:
        """All batches, in their own order."""
        for batch in self._in_order():
            self._compare(batch)
            yield batch

    def inputs(self) -> Iterator[Any]:
        """The inputs of all batches, which need no targets, as they come."""
        for item in self._items():
            yield _inputs_of(item, self._network._n_in)

    def _epoch(self, network: NeuralNetwork) -> Iterator[Arrays]:
        return self._in_order()

    def _compare(self, batch: Arrays) -> None:
        """Warn if it is read in another way than those before: when it is used, in the user's own thread."""
        self.reading.compare(batch.inputs, f"a batch of {self._name}")

    def _in_order(self) -> Iterator[Arrays]:
        return self._checked(self._numbered_items())

    @abstractmethod
    def _items(self) -> Iterator[Any]:
        """Batches as the user gives them, in their own order."""

    def _numbered_items(self) -> Iterator[tuple[int, Any]]:
        with closing(self._items()) as items:  # type: ignore[type-var]
            yield from enumerate(items)

    def _checked(self, items: Iterator[tuple[int, Any]]) -> Iterator[Arrays]:
        """Numbered batches, checked; the samples have numbers in the order they come in."""
        first = 0
        with closing(items):  # type: ignore[type-var]
            for number, item in items:
                where = f"batch {number} of {self._name}"
                _check_batch(item, where, self._network)
                names = (f"{where}: X", f"{where}: y", f"{where}: sample_weight")
                X, y, weights = item if len(item) == 3 else (*item, None)
                batch = Arrays.checked(
                    self._network, X, y, weights, self._class_weight, reading=self.reading, names=names, first=first
                )
                first += len(batch)
                yield batch


class SequenceStream(Stream):
    """An object with ``len(batches)`` and ``batches[i]``."""

    def __init__(self, network: NeuralNetwork, data: Any, shuffle: bool = False, **options: Any) -> None:
        super().__init__(network, **options)
        self._data, self._shuffle = data, shuffle
        if len(data) == 0:
            raise ValueError(f"{self._name}: got no batches; it takes at least one")

    @property
    def steps(self) -> int:  # type: ignore[override]
        """Steps of an epoch."""
        return len(self._data)

    def _epoch(self, network: NeuralNetwork) -> Iterator[Arrays]:
        order = shuffled(network, self.steps) if self._shuffle else np.arange(self.steps)
        yield from read_ahead(self._checked(self._numbered(order)), _AHEAD)
        if hasattr(self._data, "on_epoch_end"):
            self._data.on_epoch_end()

    def _in_order(self) -> Iterator[Arrays]:
        return read_ahead(self._checked(self._numbered(np.arange(self.steps))), _AHEAD)

    def _numbered(self, order: npt.NDArray[np.int64]) -> Iterator[tuple[int, Any]]:
        for number in order.tolist():
            yield number, self._data[number]

    def _items(self) -> Iterator[Any]:
        return read_ahead((item for _, item in self._numbered(np.arange(self.steps))), _AHEAD)


class IterableStream(Stream):
    """An iterable, a function that returns an iterator, or an iterator, read in the thread of whoever trains."""

    def __init__(self, network: NeuralNetwork, data: Any, steps: int | None = None, **options: Any) -> None:
        super().__init__(network, **options)
        self._start: Callable[[], Any] = data if callable(data) else lambda: iter(data)
        self.again = not hasattr(data, "__next__")
        self._given_steps = None if steps is None else integer("steps_per_epoch", steps, 1)
        self.steps = len(data) if steps is None and hasattr(data, "__len__") else self._given_steps

    def _items(self) -> Iterator[Any]:
        iterator = iter(self._start())
        try:
            done = 0
            while done != self._given_steps:
                try:
                    item = next(iterator)
                except StopIteration:
                    break
                yield item
                done += 1
            if done == 0 or done != (self._given_steps or done):
                wanted = "at least one" if self._given_steps is None else f"{self._given_steps} an epoch"
                raise ValueError(f"{self._name}: it ran out after {done} batches; it takes {wanted}")
        finally:
            if self.again and hasattr(iterator, "close"):
                iterator.close()


def stream_of(
    network: NeuralNetwork, data: Any, *, shuffle: bool = False, steps: int | None = None, **options: Any
) -> Stream:
    """What gives batches, as a stream, or an error that names it."""
    name = options.get("name", "X")
    if _is_samples(data):
        are_pairs = isinstance(data, (list, tuple)) and isinstance(data[0], tuple) and len(data[0]) == 2
        hint = f"; of pairs, {_OF_PAIRS} makes two arrays" if are_pairs else ""
        raise ValueError(f"y: got none; it may be left out only if {name} gives batches (X, y){hint}")
    if isinstance(data, (list, tuple)) and data:
        _check_batch(data[0], f"batch 0 of {name}", network)  # before anything has begun
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, (str, Mapping)):
        if steps is not None:
            raise ValueError(f"steps_per_epoch: got {steps!r}, but {name} has {len(data)} batches; leave it out")
        return SequenceStream(network, data, shuffle, **options)
    if callable(data) or hasattr(data, "__iter__"):
        return IterableStream(network, data, steps, **options)
    raise TypeError(
        f"{name}: got {type(data).__name__} without y; it takes arrays X and y, or a sequence, iterable, iterator or "
        "function that gives batches (X, y)"
    )


def _check_batch(item: Any, where: str, network: NeuralNetwork) -> None:
    """Refuse what is no batch with targets; above all single samples, as pairs and PyTorch's datasets give them."""
    if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
        raise ValueError(f"{where}: got {type(item).__name__}; it takes (X, y) or (X, y, sample_weight)")
    x, y = (_shape(part) for part in item[:2])
    n_in, n_out = network._n_in, network._n_out
    is_target = y == () and item[1] is not None
    if is_target or (y == (n_out,) and n_out > 1 and x is not None and math.prod(x) == n_in):
        raise ValueError(
            f"{where}: got a single sample and its target, of shapes {x} and {y}; it takes batches of samples, as a "
            f"DataLoader of PyTorch makes them, or all samples at once, in arrays: {_OF_PAIRS}"
        )


def _inputs_of(item: Any, n_in: int) -> Any:
    """The inputs of a batch, which may have targets: in a tuple, or in a list, as PyTorch's DataLoader gives them."""
    if isinstance(item, tuple):
        return item[0]
    if isinstance(item, list) and 1 <= len(item) <= 3 and all(hasattr(part, "shape") for part in item):
        shapes = {tuple(part.shape) for part in item}
        are_samples = len(shapes) == 1 and math.prod(item[0].shape) == n_in
        return item if are_samples else item[0]
    return item


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of an array, or of what makes one; None if nothing does."""
    try:
        return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
    except (ValueError, TypeError):
        return None


def _is_samples(data: Any) -> bool:
    """Whether these are the inputs of samples, in an array or a list, rather than what gives batches."""
    if isinstance(data, (list, tuple)) and data:
        first = data[0]
        return not isinstance(first, (list, tuple)) or len(first) not in (2, 3) or bool(np.isscalar(first[0]))
    return isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array__") or hasattr(data, "tocsr")


def input_batches(network: NeuralNetwork, X: Any) -> Iterator[Any] | None:
    """The inputs of what gives batches, or of a file that is not to be converted as a whole; None: an array."""
    if gives_batches(X):
        return stream_of(network, X).inputs()
    rows = mapped_rows(X, network._n_in)
    return None if rows is None else (np.array(rows[block]) for block in blocks(len(rows), network._n_in))
