"""Turning what users have (lists, frames, arrays of any number type) into what the core reads, or refusing it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from foxnn import _core
from foxnn._options import real


class TakesTargets(Protocol):
    """What a loss says of its targets."""

    @property
    def name(self) -> str: ...
    @property
    def target_range(self) -> tuple[float, float]: ...


def _as_array(value: Any, name: str) -> npt.NDArray[Any]:
    """`value` as a dense array, of whatever it is made of."""
    if hasattr(value, "tocsr"):
        raise TypeError(f"{name}: got a sparse matrix; it takes dense numbers (use .toarray())")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name}: got a masked array with masked values; fill them first (.filled(...))")
    try:
        return np.asarray(value)
    except ValueError as error:  # ragged lists
        raise ValueError(f"{name}: got rows of different lengths; it takes a rectangular array ({error})") from None


#: Bytes of an array that NumPy converts in one go: it hears no Ctrl-C meanwhile.
_AT_ONCE = 2**25


def _parts(array: npt.NDArray[Any], size: int | None = None) -> Iterator[npt.NDArray[Any]]:
    """Some rows of an array at a time; as many as if it had that size in bytes."""
    rows = max(1, len(array) * _AT_ONCE // max(1, array.nbytes if size is None else size))
    return (array[begin : begin + rows] for begin in range(0, len(array), rows))


def _converted(array: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
    """`array` in another number type; of a large one some rows at a time."""
    if array.nbytes <= _AT_ONCE or array.ndim == 0:
        return array.astype(dtype, copy=False)
    if array.dtype == dtype:
        return array
    converted = np.empty(array.shape, dtype)
    for to, part in zip(_parts(converted), _parts(array, converted.nbytes), strict=True):
        to[...] = part
    return converted


def _as_numbers(value: Any, name: str) -> npt.NDArray[Any]:
    """`value` as an array of uint8, float32 or float64; a view where it is one of these already."""
    array = _as_array(value, name)
    kind = array.dtype.kind
    if kind == "O":
        try:
            array = _converted(array, np.float64)
        except (TypeError, ValueError):
            raise TypeError(
                f"{name}: got objects that are not all numbers; it takes real numbers (encode text columns first)"
            ) from None
        except OverflowError:
            raise ValueError(f"{name}: got an integer that no float can hold; it takes numbers up to 1.8e308") from None
    elif kind == "b":
        array = _converted(array, np.float32)
    elif kind == "u" and array.dtype.itemsize == 1:
        pass
    elif kind == "f":
        small = array.dtype.itemsize <= 4
        array = _converted(array, np.float32 if small else np.float64)
    elif kind in "iu":
        array = _converted(array, np.float32 if array.dtype.itemsize <= 2 else np.float64)
    else:
        raise TypeError(f"{name}: got an array of {array.dtype}; it takes real numbers")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def _contiguous_rows(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`array` with contiguous rows of aligned numbers, as the core reads them; copied only if need be."""
    n, width = array.shape
    row_stride, column_stride = array.strides
    size = array.itemsize
    contiguous = (width == 1 or column_stride == size) and (n == 1 or (row_stride >= 0 and row_stride % size == 0))
    return array if contiguous and array.flags.aligned else np.require(array, requirements=["C", "A"])


def check_finite(array: npt.NDArray[Any], name: str) -> None:
    """Refuse NaN and infinity in a matrix of floats, naming the first."""
    if array.dtype.kind == "f" and not _core.all_finite(array):
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"{name}: got {array[row, column]} in row {row}, column {column}; it takes finite numbers only"
        )


def check_fits(array: npt.NDArray[Any], dtype: str, name: str) -> None:
    """Refuse finite numbers that would be infinite in the network's number type."""
    if array.dtype == np.float64 and dtype == "float32":
        largest = max(max(part.max(), -part.min()) for part in _parts(array))
        if largest > np.finfo(np.float32).max:
            raise ValueError(f"{name}: got {largest:g}; a float32 network takes numbers up to 3.4e38")


def has_samples(shape: Sequence[int], n_in: int) -> bool:
    """Whether an array of a shape of two or more dimensions holds samples of n_in numbers."""
    return len(shape) >= 2 and math.prod(shape[1:]) == n_in


def as_inputs(X: Any, n_in: int, name: str = "X", dtype: str = "float64") -> npt.NDArray[Any]:
    """Inputs as a (n, n_in) matrix of uint8, float32 or float64; finite, with contiguous rows, copied only if need be.

    A one-dimensional X is one value a sample if n_in is 1, and one sample otherwise. Of more dimensions (images), all
    but the first one's are a sample's.
    """
    try:
        array = _as_numbers(X, name)
    except ValueError:
        if not _are_pairs(X):
            raise
        raise ValueError(
            f"{name}: got pairs; it takes an array: X, y = map(np.array, zip(*pairs)) makes two of single samples with "
            "their targets, and iter(batches) gives batches (X, y) one by one"
        ) from None
    if array.ndim == 1:
        array = array.reshape(-1, 1) if n_in == 1 else array.reshape(1, -1)
    elif has_samples(array.shape, n_in):
        array = array.reshape(len(array), n_in)
    if array.ndim != 2 or array.shape[1] != n_in:
        hint = f"; a single sample has shape ({n_in},)" if array.size == n_in > 1 else ""
        raise ValueError(
            f"{name}: got an array of shape {np.shape(X)}; it takes shape (n_samples, {n_in}), or more dimensions with "
            f"{n_in} numbers a sample{hint}"
        )
    if len(array) == 0:
        raise ValueError(f"{name}: got no samples; it takes at least one row of {n_in}")
    array = _contiguous_rows(array)
    check_finite(array, name)
    check_fits(array, dtype, name)
    return array


def _are_pairs(X: Any) -> bool:
    """Whether a list holds samples, or batches, together with their targets."""
    first = X[0] if isinstance(X, (list, tuple)) and X else None
    return isinstance(first, (tuple, list)) and len(first) in (2, 3) and getattr(first[0], "ndim", 0) > 0


class Targets(NamedTuple):
    """Targets as the core reads them: either `values` (n, n_out) or `labels` (n,)."""

    values: npt.NDArray[Any] | None
    labels: npt.NDArray[np.int64] | None
    correct: str  # how correct answers are counted: "largest", "sides" or "" (not at all)

    def __len__(self) -> int:
        return len(self.values if self.values is not None else self.labels)  # type: ignore[arg-type]

    def take(self, rows: Any) -> Targets:
        """Some of them."""
        values, labels, correct = self
        return Targets(None if values is None else values[rows], None if labels is None else labels[rows], correct)

    def samples(
        self,
        inputs: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        reading: tuple[float, float],
        numbers: npt.NDArray[np.int64] | None = None,
    ) -> Any:
        """Inputs together with these, as the core's trainer takes them."""
        return _core.Samples(inputs, self.values, self.labels, weights, *reading, self.correct, numbers)


def as_targets(y: Any, n: int, n_out: int, loss: TakesTargets, name: str = "y", dtype: str = "float64") -> Targets:
    """Targets of n samples for n_out outputs: classes (n,) of integers, or values (n, n_out), or (n,) if n_out is 1."""
    given = _as_array(y, name)
    if given.dtype.kind in "US" or (given.dtype == object and _has_text(given)):
        raise TypeError(
            f"{name}: got text labels; it takes integer classes from 0 (np.unique(y, return_inverse=True) makes them)"
        )
    array = _as_numbers(y, name)
    if array.ndim == 2 and array.shape[1] == 1 and n_out > 1:
        array = array[:, 0]
    if len(array) != n if array.ndim else True:
        raise ValueError(f"{name}: got shape {np.shape(y)} for {n} samples; it takes one target a sample")
    if array.ndim == 1 and n_out > 1:
        return Targets(None, _as_labels(array, n_out, name), "largest")
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.shape != (n, n_out):
        kinds = f"({n}, {n_out}) of values" + (f", or ({n},) of classes 0..{n_out - 1}" if n_out > 1 else "")
        raise ValueError(f"{name}: got an array of shape {np.shape(y)}; it takes shape {kinds}")
    array = _contiguous_rows(array)
    check_finite(array, name)
    check_fits(array, dtype, name)
    least, most = loss.target_range
    low, high = array.min(), array.max()
    if low < least or high > most:
        bad = low if low < least else high
        raise ValueError(f"{name}: got {bad:g}; the loss {loss.name!r} takes targets in [{least:g}, {most:g}]")
    return Targets(array, None, _correct_rule(array, loss.name))


def _has_text(array: npt.NDArray[Any]) -> bool:
    return any(isinstance(value, (str, bytes)) for value in array.flat)


def _as_labels(array: npt.NDArray[Any], n_out: int, name: str) -> npt.NDArray[np.int64]:
    if array.dtype.kind == "f":
        check_finite(array.reshape(-1, 1), name)
    labels = array.astype(np.int64)
    bad = (labels != array) | (labels < 0) | (labels >= n_out)
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(f"{name}: got the label {array[at]:g} in row {at}; it takes classes 0..{n_out - 1}")
    return labels


def _correct_rule(values: npt.NDArray[Any], loss: str) -> str:
    """Accuracy makes sense for classes; one-hot rows are classes, and so are zeros and ones alone."""
    binary = bool(((values == 0) | (values == 1)).all())
    if values.shape[1] > 1:
        if loss == "cross_entropy" or (binary and bool((values.sum(axis=1) == 1).all())):
            return "largest"
        return "sides" if binary and loss == "binary_cross_entropy" else ""
    return "sides" if binary or loss == "binary_cross_entropy" else ""


def as_weights(weights: Any, n: int, name: str = "sample_weight") -> npt.NDArray[np.float64] | None:
    """Sample weights as n float64, or None."""
    if weights is None:
        return None
    array = np.require(_as_numbers(weights, name), np.float64, ["C", "A"])
    if array.shape != (n,):
        raise ValueError(f"{name}: got an array of shape {array.shape}; it takes shape ({n},)")
    check_finite(array.reshape(-1, 1), name)
    if array.min() < 0 or array.max() == 0:
        what = f"the negative weight {array.min():g}" if array.min() < 0 else "only zeros"
        raise ValueError(f"{name}: got {what}; it takes weights of at least 0, not all of them 0")
    least, most = _core.SAMPLE_WEIGHTS
    if array.max() > most or array.min(where=array > 0, initial=most) < least:
        at = int(np.argmax((array > most) | ((array > 0) & (array < least))))
        raise ValueError(f"{name}: got the weight {array[at]:g} in row {at}; it takes 0 or from {least:g} to {most:g}")
    return array


def class_weights(
    class_weight: Any, targets: Targets, weights: npt.NDArray[np.float64] | None, n_classes: int
) -> npt.NDArray[np.float64] | None:
    """Sample weights times the weight of each sample's class (a dict, or "balanced": n / (n_classes * count))."""
    if class_weight is None:
        return weights
    if targets.labels is not None:
        labels = targets.labels
    elif targets.values is not None and targets.correct == "largest":
        labels = targets.values.argmax(axis=1)
    elif targets.values is not None and targets.correct == "sides" and targets.values.shape[1] == 1:
        labels = targets.values[:, 0].astype(np.int64)
    else:
        raise ValueError("class_weight: got weights of classes, but the targets are not classes")
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels)
        of_class = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    elif isinstance(class_weight, dict):
        n_classes = max(n_classes, int(labels.max()) + 1)  # a loss of one's own takes any
        of_class = np.ones(n_classes)
        for label, weight in class_weight.items():
            if not isinstance(label, (int, np.integer)) or not 0 <= label < n_classes:
                raise ValueError(f"class_weight: got the class {label!r}; it takes classes from 0 to {n_classes - 1}")
            of_class[label] = real(f"class_weight of class {label}", weight, 0)
    else:
        raise ValueError(f"class_weight: got {class_weight!r}; it takes 'balanced' or a dict of class to weight")
    with np.errstate(over="ignore"):  # what is too large is refused below
        combined = of_class[labels] if weights is None else of_class[labels] * weights
    return as_weights(combined, len(labels), "class_weight")
