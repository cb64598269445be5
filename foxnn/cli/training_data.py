"""Data for ``foxnn train``: from its source to samples to train on, to validate on and to test with."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from foxnn import _core
from foxnn.cli.files import load_images
from foxnn.cli.recipe import Recipe, task

__all__ = ["TrainingData", "images", "table"]

_TEST = 0.2  # share of the rows of a table
# Numbers of the shuffles that hold samples out, out of the way of those of epochs.
_TEST_SHUFFLE, _VALIDATION_SHUFFLE = 2**32 - 2, 2**32 - 3


class Part(NamedTuple):
    """Samples as the network takes them: X (n, n_in), and y (n,) of labels or values."""

    X: NDArray[Any]
    y: NDArray[Any]


class TrainingData(NamedTuple):
    """All samples, and what they are.

    Attributes
    ----------
    train, validation, test : Part
        The last two may have no samples.
    n_out : int
        Outputs that a network needs.
    recipe : Recipe or None
        How the samples were made of a table; None for images.
    description : dict of str to str
        For people.
    metadata : dict
        For the network.
    """

    train: Part
    validation: Part
    test: Part
    n_out: int
    recipe: Recipe | None
    description: dict[str, str]
    metadata: dict[str, Any]


def images(args: argparse.Namespace) -> TrainingData:
    """Load images that have a name."""
    X_train, y_train, X_test, y_test = load_images(args.data)
    train, validation = _split(Part(X_train, y_train), args.validation, args.seed, _VALIDATION_SHUFFLE)
    counts = _counts("images", train, validation, Part(X_test, y_test))
    return TrainingData(
        train=train,
        validation=validation,
        test=Part(X_test, y_test),
        n_out=10,
        recipe=None,
        description={"data": f"{args.data}: {counts}"},
        metadata={"dataset": args.data},
    )


def table(args: argparse.Namespace) -> TrainingData:
    """Load a table, hold out rows to test with, and standardise all by what the others say."""
    from foxnn.datasets import load_csv

    loaded = load_csv(
        args.data,
        args.target,
        task=args.task,
        text_columns=args.text_columns or (),
        ignore=args.ignore or (),
        delimiter=args.delimiter,
        dtype="float64",
    )
    assert loaded.y is not None  # there is a target
    rest, test = _split(Part(loaded.X, loaded.y), _TEST if args.test is None else args.test, args.seed, _TEST_SHUFFLE)
    # The outputs of poisson are counts and not to be scaled.
    scale_target = loaded.classes is None and args.loss != "poisson"
    recipe = Recipe.learnt(loaded.encoder, *rest, scale_target=scale_target)
    train, validation = _split(rest, args.validation, args.seed, _VALIDATION_SHUFFLE)
    parts = [Part(recipe.inputs(X, args.dtype), recipe.targets(y)) for X, y in (train, validation, test)]
    n_columns, n_in = len(loaded.encoder.columns), len(loaded.feature_names)
    return TrainingData(
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        n_out=1 if loaded.classes is None else len(loaded.classes),
        recipe=recipe,
        description={
            "data": f"{args.data}: {_counts('rows', train, validation, test)}",
            "columns": f"{n_columns}, which make {n_in} inputs" if n_in != n_columns else str(n_columns),
            "task": task(loaded.encoder),
        },
        metadata={"table": recipe.to_json()},
    )


def _split(part: Part, share: float, seed: int, shuffle: int) -> tuple[Part, Part]:
    """Return most of the samples, and a share of them held out: at least one sample if the share is not 0."""
    n = len(part.X)
    if share == 0:
        return part, Part(part.X[:0], part.y[:0])
    n_held = max(1, round(share * n))
    if n_held >= n:
        raise ValueError(f"too few samples ({n}) to hold out a share of {share:g}")
    order = _core.shuffled_order(seed % 2**64, shuffle, n)
    # Each in the order of the data.
    kept, held = np.sort(order[n_held:]), np.sort(order[:n_held])
    return Part(part.X[kept], part.y[kept]), Part(part.X[held], part.y[held])


def _counts(what: str, train: Part, validation: Part, test: Part) -> str:
    parts = [f"{len(train.X):,} {what} to train on"]
    parts += [f"{len(validation.X):,} to validate on"] if len(validation.X) else []
    parts += [f"{len(test.X):,} to test with"] if len(test.X) else []
    return ", ".join(parts)
