"""What `fit` and `evaluate` go through: samples, checked, and in what order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._arrays import Targets, as_inputs, as_weights, class_weights
from foxnn.data import scaling

if TYPE_CHECKING:
    from foxnn.data.mapped import MappedArrays
    from foxnn.data.reading import Reading
    from foxnn.metrics import Metric
    from foxnn.network import NeuralNetwork

#: The number of the shuffle that picks the samples held out, out of the way of those of epochs.
SPLIT_SHUFFLE = 2**32 - 1
#: Bytes of an array that `digest` looks at: to look at more would take longer than a moment.
_DIGESTED = 2**25


class Part(NamedTuple):
    """Samples that the core trains on in one go: batches out of the first `n` positions of an order."""

    samples: Any
    order: npt.NDArray[np.int64] | None  # None: 0, 1, ..
    n: int
    batch_size: int
    targets: Targets  # of all its samples


def shuffled(network: NeuralNetwork, n: int) -> npt.NDArray[np.int64]:
    """0, .., n - 1 in the order that belongs to the network's seed and epoch."""
    return _core.shuffled_order(network.seed, network.epoch % SPLIT_SHUFFLE, n)


def digest(reading: tuple[float, float], *arrays: npt.NDArray[Any] | None) -> str:
    """A hash that tells samples from others; of large arrays it looks at rows from all over them."""
    import hashlib

    content = hashlib.sha256(repr(reading).encode())
    for array in arrays:
        if array is None:
            content.update(b"none")
        else:
            content.update(f"{array.dtype.str} {array.shape}".encode())
            content.update(np.ascontiguousarray(array[:: 1 + array.nbytes // _DIGESTED]).data)
    return content.hexdigest()


@dataclass
class Arrays:
    """Samples in arrays.

    Attributes
    ----------
    inputs : ndarray of shape (n, n_in)
    targets : Targets
    weights : ndarray of shape (n,), or None
    reading : (float, float)
        Inputs are read as ``x * reading[0] + reading[1]``.
    numbers : ndarray of shape (n,), or None
        Which samples of a larger whole these are; None: 0, 1, ..
    """

    inputs: npt.NDArray[Any]
    targets: Targets
    weights: npt.NDArray[np.float64] | None
    reading: tuple[float, float]
    numbers: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        self.core = self.targets.samples(self.inputs, self.weights, self.reading, self.numbers)

    @classmethod
    def checked(
        cls,
        network: NeuralNetwork,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        class_weight: Any = None,
        *,
        reading: Reading,
        names: tuple[str, str, str] = ("X", "y", "sample_weight"),
        first: int = 0,
    ) -> Arrays:
        """Samples of what a user gives, numbered from `first` on, or an error that names what does not fit."""
        inputs = as_inputs(X, network._n_in, names[0], network.dtype.name)
        targets = network._targets(y, len(inputs), names[1])
        weights = class_weights(
            class_weight, targets, as_weights(sample_weight, len(inputs), names[2]), _classes(network)
        )
        numbers = np.arange(first, first + len(inputs), dtype=np.int64) if first else None
        return cls(inputs, targets, weights, reading.factors(inputs), numbers)

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: npt.NDArray[np.int64]) -> Arrays:
        """Copies of some of the samples."""
        targets = self.targets.take(rows)
        return Arrays(self.inputs[rows], targets, None if self.weights is None else self.weights[rows], self.reading)

    def check_metrics(self, network: NeuralNetwork, metrics: Sequence[Metric]) -> None:
        """Refuse metrics that make no sense for these samples, before anything else happens."""
        if metrics:
            first = self.take(np.arange(1))
            outputs = network._core.predict(first.inputs, *first.reading, 1)
            weights = None if first.weights is None else np.ones(1)  # the sample's own may be 0
            for metric in metrics:
                metric.check(first.targets, outputs, weights)

    def fit_scaling(self, network: NeuralNetwork, rows: npt.NDArray[np.int64] | None) -> None:
        """Fit the network's scaling to some of the samples; None: to all."""
        scaling.fit(network, self.core, rows)

    def batches(self) -> Iterator[Arrays]:
        """All of them at once: nothing is gained by less."""
        yield self

    def parts(self, order: npt.NDArray[np.int64] | None, n: int, batch_size: int) -> Iterator[Part]:
        """What an epoch of n samples in that order is made of."""
        yield Part(self.core, order, n, batch_size, self.targets)

    def digest(self) -> str:
        """A hash that tells these samples from others."""
        return digest(self.reading, self.inputs, *self.targets[:2], self.weights)


@dataclass
class Epochs:
    """Arrays to train on, epoch after epoch.

    Attributes
    ----------
    arrays : Arrays or MappedArrays
    pool : ndarray of int64, or None
        The samples to train on; None: all.
    batch_size : int
    shuffle : bool
    n, steps : int
        Samples and steps of an epoch.
    """

    arrays: Arrays | MappedArrays
    pool: npt.NDArray[np.int64] | None
    batch_size: int
    shuffle: bool

    def __post_init__(self) -> None:
        self.n = len(self.arrays if self.pool is None else self.pool)
        self.steps = -(-self.n // self.batch_size)

    @property
    def whole(self) -> Arrays | MappedArrays:
        """What metrics of the training data are taken of."""
        return self.arrays

    def fit_scaling(self, network: NeuralNetwork) -> None:
        """Fit the network's scaling to the samples to train on."""
        self.arrays.fit_scaling(network, self.pool)

    def described(self) -> dict[str, Any]:
        """What tells these epochs from others, as JSON can hold it."""
        return {
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "samples to train on": self.n,
            "training data": self.arrays.digest(),
        }

    def parts(self, network: NeuralNetwork) -> Iterator[Part]:
        """What the coming epoch is made of."""
        order = self.pool
        if self.shuffle:
            positions = shuffled(network, self.n)
            order = positions if self.pool is None else self.pool[positions]
        return self.arrays.parts(order, self.n, self.batch_size)


def split(seed: int, n: int, share: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions to train on and positions held out: at least one of each, each in the data's own order."""
    held = round(n * share)
    if held == 0 or held == n:
        raise ValueError(f"validation_split: {share} of {n} samples leaves nothing to train or to validate on")
    order = _core.shuffled_order(seed, SPLIT_SHUFFLE, n)
    return np.sort(order[held:]), np.sort(order[:held])


def _classes(network: NeuralNetwork) -> int:
    """How many classes the outputs tell apart: a single one two."""
    return max(network._n_out, 2)


def samples_of(
    network: NeuralNetwork,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    class_weight: Any = None,
    *,
    reading: Reading,
    names: tuple[str, str, str] = ("X", "y", "sample_weight"),
) -> Arrays | MappedArrays:
    """Samples of arrays that a user gives, or an error that names what does not fit."""
    if isinstance(X, np.memmap):
        from foxnn.data.mapped import MappedArrays, mapped_rows

        rows = mapped_rows(X, network._n_in)
        if rows is not None:
            targets = network._targets(y, len(rows), names[1])
            weights = class_weights(
                class_weight, targets, as_weights(sample_weight, len(rows), names[2]), _classes(network)
            )
            mapped = MappedArrays(rows, targets, weights, reading.factors(rows))
            mapped.check(network.dtype.name, names[0])
            reading.compare(rows, names[0])
            return mapped
    arrays = Arrays.checked(network, X, y, sample_weight, class_weight, reading=reading, names=names)
    reading.compare(arrays.inputs, names[0])
    return arrays
