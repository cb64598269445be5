"""Memory-mapped files in numbers that the core does not read as they are (float16, int16, other byte orders, ..).

Converting them as a whole would read them into memory, so a thread does it batch by batch, ahead of training. Files of
uint8, float32 and float64 need none of this: the core reads them where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foxnn._arrays import Targets, as_inputs, has_samples
from foxnn.data.read_ahead import read_ahead
from foxnn.data.samples import Arrays, Part, digest

if TYPE_CHECKING:
    from foxnn.metrics import Metric
    from foxnn.network import NeuralNetwork

#: Numbers that are converted at a time where there are no batches.
_BLOCK = 1 << 18
#: How many batches a thread reads ahead.
_AHEAD = 3


def mapped_rows(X: Any, n_in: int) -> npt.NDArray[Any] | None:
    """X as rows (n, n_in) of its file, if it is one that would have to be copied as a whole; else None."""
    if not isinstance(X, np.memmap) or X.dtype.kind not in "bfiu" or len(X) == 0:
        return None
    if not has_samples(X.shape, n_in):
        return None
    rows = X if X.ndim == 2 else X.reshape(len(X), n_in)
    is_read = X.dtype.isnative and X.dtype.name in ("uint8", "float32", "float64")
    return None if is_read and rows.flags.c_contiguous and rows.flags.aligned else rows


def blocks(n: int, n_in: int) -> Iterator[slice]:
    """Rows to convert at a time."""
    size = max(1, _BLOCK // n_in)
    return (slice(first, first + size) for first in range(0, n, size))


class MappedArrays:
    """Samples whose inputs stay in their file; in all else like `Arrays`."""

    def __init__(
        self,
        inputs: npt.NDArray[Any],
        targets: Targets,
        weights: npt.NDArray[np.float64] | None,
        reading: tuple[float, float],
        chosen: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.inputs, self.targets, self.weights, self.reading = inputs, targets, weights, reading
        self._chosen = np.arange(len(inputs)) if chosen is None else chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def digest(self) -> str:
        """A hash that tells these samples from others."""
        return digest(self.reading, self.inputs, *self.targets[:2], self.weights, self._chosen)

    def check(self, dtype: str, name: str) -> None:
        """Refuse NaN, infinity and what is too large, block by block."""
        for block in blocks(len(self), self.inputs.shape[1]):
            as_inputs(self.inputs[block], self.inputs.shape[1], f"{name}[{block.start}:]", dtype)

    def take(self, rows: npt.NDArray[np.int64]) -> MappedArrays:
        """Some of the samples, still in the file."""
        return MappedArrays(self.inputs, self.targets, self.weights, self.reading, self._chosen[rows])

    def check_metrics(self, network: NeuralNetwork, metrics: Sequence[Metric]) -> None:
        """Refuse metrics that make no sense for these samples, before anything else happens."""
        self._read(self._chosen[:1]).check_metrics(network, metrics)

    def fit_scaling(self, network: NeuralNetwork, rows: npt.NDArray[np.int64] | None) -> None:
        """Not without reading the file as a whole."""
        raise ValueError(
            f"X: got {self.inputs.dtype} in a file for a network to be scaled; call fit_scaling with a part of it first"
        )

    def batches(self) -> Iterator[Arrays]:
        """All samples, block by block."""
        return read_ahead((self._read(self._chosen[b]) for b in blocks(len(self), self.inputs.shape[1])), _AHEAD)

    def parts(self, order: npt.NDArray[np.int64] | None, n: int, batch_size: int) -> Iterator[Part]:
        """What an epoch of n samples in that order is made of: each batch for itself."""
        rows = self._chosen[:n] if order is None else self._chosen[order]
        batches = (self._read(rows[first : first + batch_size]) for first in range(0, n, batch_size))
        for batch in read_ahead(batches, _AHEAD):
            yield Part(batch.core, None, len(batch), batch_size, self.targets)

    def _read(self, rows: npt.NDArray[np.int64]) -> Arrays:
        return Arrays(
            as_inputs(self.inputs[rows], self.inputs.shape[1]),
            self.targets.take(rows),
            None if self.weights is None else self.weights[rows],
            self.reading,
            rows,
        )
