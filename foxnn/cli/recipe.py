"""From a table to the inputs of a network, and from its outputs to answers: what is kept in its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from foxnn.cli.arguments import DATASETS
from foxnn.cli.report import say, shortened
from foxnn.datasets.encoder import Column, TableEncoder, Target, check_columns
from foxnn.errors import FileFormatError

if TYPE_CHECKING:
    from foxnn.datasets.records import Records
    from foxnn.network import NeuralNetwork

__all__ = ["Recipe", "recipe_for", "task"]


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a table is read for a network that learns standardised numbers, ``(x - mean) / deviation``.

    Attributes
    ----------
    encoder : TableEncoder
        From cells to features and labels.
    mean, deviation : ndarray of float64, shape (n_features,)
        Of the features of the training data; 0 and 1 for those of texts, which are 0 or 1 already.
    target_mean, target_deviation : float
        Of the target in a regression; 0 and 1 otherwise.
    pixels : bool
        Whether the features are pixels, whole numbers from 0 to 255, for a network trained on uint8.
    """

    encoder: TableEncoder
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    target_mean: float = 0.0
    target_deviation: float = 1.0
    pixels: bool = False

    @classmethod
    def learnt(cls, encoder: TableEncoder, X: NDArray[Any], y: NDArray[Any], *, scale_target: bool) -> Recipe:
        """Return the recipe that standardises training data X (n, n_features), and y (n,) if so wished."""
        is_number = [column.categories is None for column in encoder.columns for _ in column.feature_names]
        mean, deviation = np.where(is_number, _moments(X), [[0.0], [1.0]])
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all()):
            name = encoder.feature_names[int(np.argmin(np.isfinite(mean) & np.isfinite(deviation)))]
            raise ValueError(f"column {name!r}: the numbers are too large to be standardised")
        if not scale_target:
            return cls(encoder, mean, deviation)
        target_mean, target_deviation = _moments(np.reshape(y, (-1, 1)))[:, 0].tolist()
        if not (np.isfinite(target_mean) and np.isfinite(target_deviation)):
            raise ValueError("the target: the numbers are too large to be standardised")
        return cls(encoder, mean, deviation, target_mean, target_deviation)

    @property
    def classes(self) -> tuple[str, ...] | tuple[float, ...] | None:
        """What the network tells apart; None in a regression."""
        return None if self.encoder.target is None else self.encoder.target.classes

    def inputs(self, features: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
        """Return features, as the encoder gives them in float64, as a network of type `dtype` takes them."""
        if not self.pixels:
            with np.errstate(over="ignore"):  # what is infinite then, the network refuses
                return ((features - self.mean) / self.deviation).astype(dtype)
        with np.errstate(invalid="ignore"):
            pixels = features.astype(np.uint8)
        if not np.array_equal(pixels, features):
            raise ValueError("the columns are pixels to this network, which takes whole numbers from 0 to 255")
        return pixels

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return labels as they are, and numbers as the network learns them."""
        return y if self.classes is not None else (y - self.target_mean) / self.target_deviation

    def answers(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the outputs of a regression in the units of the target."""
        return self.target_mean + self.target_deviation * outputs.astype(np.float64)

    def with_target(self, name: str | None) -> Recipe:
        """Return the recipe for tables whose target is called `name`; None: as in the training data."""
        target = self.encoder.target
        if name is None or target is None:
            return self
        return replace(self, encoder=replace(self.encoder, target=target._replace(name=name)))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes, for the metadata of a network."""
        return {
            "encoder": self.encoder.to_json(),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "target_mean": self.target_mean,
            "target_deviation": self.target_deviation,
        }

    @classmethod
    def from_json(cls, data: object) -> Recipe:
        """Return the recipe that `to_json` described.

        Raises
        ------
        FileFormatError
            It is something else.
        """
        keys = {"encoder", "mean", "deviation", "target_mean", "target_deviation"}
        if not isinstance(data, dict) or set(data) != keys:
            raise FileFormatError(f"the table of the metadata takes the keys {', '.join(sorted(keys))}")
        encoder = TableEncoder.from_json(data["encoder"])
        n = len(encoder.feature_names)
        mean, deviation = _finite("mean", data["mean"], n), _finite("deviation", data["deviation"], n)
        target_mean = _finite("target_mean", [data["target_mean"]], 1)
        target_deviation = _finite("target_deviation", [data["target_deviation"]], 1)
        if not ((deviation > 0).all() and (target_deviation > 0).all()):
            raise FileFormatError("a deviation of the table of the metadata is not positive")
        return cls(encoder, mean, deviation, target_mean.item(), target_deviation.item())


def task(encoder: TableEncoder) -> str:
    """Return what there is to learn, in words.

    Examples
    --------
    >>> task(TableEncoder((), Target("species", ("cat", "dog"))))
    "classification: 2 classes of 'species'"
    >>> task(TableEncoder((), Target("price")))
    "regression of 'price'"
    """
    if encoder.target is None:
        return "none"
    name, classes = encoder.target
    return f"regression of {name!r}" if classes is None else f"classification: {len(classes)} classes of {name!r}"


def _moments(X: NDArray[Any]) -> NDArray[np.float64]:
    """Return mean and deviation of each column, shape (2, n_columns); the deviation of a constant is 1."""
    low, high = X.min(axis=0), X.max(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        # The mean of a constant is the constant itself, whatever the rounding.
        mean = np.where(low == high, low, X.mean(axis=0))
        deviation = np.where(low == high, 1.0, X.std(axis=0))
    return np.stack([mean, np.where(deviation == 0, 1.0, deviation)]).astype(np.float64)


def _finite(name: str, values: object, n: int) -> NDArray[np.float64]:
    is_right = isinstance(values, list) and len(values) == n
    if is_right and all(type(value) in (int, float) for value in values):  # type: ignore[attr-defined]
        try:
            array = np.array(values, dtype=np.float64)
        except OverflowError:  # an integer of hundreds of digits
            array = np.array([np.inf])
        if np.isfinite(array).all():
            return array
    raise FileFormatError(f"{name} of the table of the metadata takes {n} finite number{'s' * (n > 1)}")


def recipe_for(
    network: NeuralNetwork, path: str, records: Records, target: str | None, ignore: Sequence[str]
) -> Recipe:
    """Return the recipe that a network goes with; for one that has none, its inputs are the columns in their order.

    Parameters
    ----------
    network : NeuralNetwork
    path : str
        Its file, for messages.
    records : Records
        The table to be read.
    target : str, optional
        The column with the right answers.
    ignore : sequence of str
        Columns that are no inputs.

    Raises
    ------
    FileFormatError
        The recipe in the metadata is damaged, or belongs to another network.
    ValueError
        The table does not fit the network.
    """
    check_columns(records, ([] if target is None else [target]) + list(ignore))
    if "table" not in network.metadata:
        return _recipe_of_columns(network, path, records, target, ignore)
    if ignore:
        raise ValueError("--ignore is for networks not trained on a table; this one looks at its own columns only")
    try:
        recipe = Recipe.from_json(network.metadata["table"])
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    n_in, n_out = len(recipe.mean), 1 if recipe.classes is None else len(recipe.classes)
    if (n_in, n_out) != (network._n_in, network._n_out):
        raise FileFormatError(
            f"{path}: the table of the metadata has {n_in} inputs and {n_out} outputs; "
            f"the network has {network._n_in} and {network._n_out}"
        )
    return recipe.with_target(target)


def _recipe_of_columns(
    network: NeuralNetwork, path: str, records: Records, target: str | None, ignore: Sequence[str]
) -> Recipe:
    columns = [name for name in records.columns if name != target and name not in ignore]
    n_in, n_out = network._n_in, network._n_out
    if len(columns) != n_in:
        raise ValueError(
            f"{records.source} has {len(columns)} columns for the {n_in} inputs of the network; "
            "--target and --ignore name those that are no inputs"
        )
    pixels = network.metadata.get("dataset") in DATASETS
    if not pixels:
        names = shortened(", ".join(map(repr, columns)))
        say(f"note: {path} does not say what its inputs are; it gets these columns as they are: {names}")
    classes = tuple(range(n_out)) if n_out > 1 else None
    return Recipe(
        TableEncoder(tuple(map(Column, columns)), Target("class" if target is None else target, classes)),
        np.zeros(n_in),
        np.ones(n_in),
        pixels=pixels,
    )
