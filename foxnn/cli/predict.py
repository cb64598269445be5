"""``foxnn predict``: what a network says of the rows of a table, as CSV."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from foxnn._atomic import atomic_write
from foxnn.cli.arguments import DATASETS, add_delimiter, add_ignore, add_threads, command
from foxnn.cli.files import check_readable, check_writable, load_network
from foxnn.cli.recipe import Recipe, recipe_for

if TYPE_CHECKING:
    from foxnn.cli.arguments import Commands
    from foxnn.network import NeuralNetwork

__all__ = ["add_to"]

_EXAMPLES = """\
examples:
  foxnn predict iris.safetensors new.csv
  foxnn predict iris.safetensors new.csv --probabilities --output answers.csv
  foxnn predict mnist.safetensors digits.csv --ignore label
"""


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(commands, "predict", run, "write what a network says of each row of a table, as CSV", _EXAMPLES)
    parser.add_argument("model", help="file of the network")
    parser.add_argument("data", help="a CSV file; columns are found by name, further ones are passed over")
    parser.add_argument("--output", metavar="FILE", help="CSV file to write; by default standard output")
    parser.add_argument("--probabilities", action="store_true", help="also write the probability of each class")
    add_ignore(parser)
    add_delimiter(parser)
    add_threads(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    from foxnn.datasets.records import read_records

    if args.output is not None:
        check_writable(args.output, args.model, args.data)
    network = load_network(args.model)
    check_readable(args.data)
    records = read_records(args.data, args.delimiter)
    recipe = recipe_for(network, args.model, records, None, args.ignore)
    outputs = network.predict(recipe.inputs(recipe.encoder.encode(records, "float64"), network.dtype))
    finite = np.isfinite(outputs).all(axis=1)
    if not finite.all():
        number = records.numbers[int(np.argmin(finite))]
        raise ValueError(
            f"{args.data}, {records.unit} {number}: the inputs are so large that the outputs are not finite"
        )
    header, rows = _table(network, recipe, outputs, args.probabilities)
    if args.output is None:
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")  # as all tables, whatever the console speaks
        _write(sys.stdout, header, rows)
        return 0
    text = io.StringIO(newline="")
    _write(text, header, rows)
    with atomic_write(args.output) as file:
        file.write(text.getvalue().encode())
    return 0


def _table(
    network: NeuralNetwork, recipe: Recipe, outputs: NDArray[Any], probabilities: bool
) -> tuple[list[str], Iterable[Sequence[object]]]:
    """Return the header and the rows to write."""
    target = recipe.encoder.target
    if target is not None and target.classes is not None and _tells_classes(network):
        chosen = (target.classes[i] for i in outputs.argmax(axis=1))
        if not probabilities:
            return [target.name], ([label] for label in chosen)
        header = [target.name, *(f"P({label})" for label in target.classes)]
        return header, ([label, *map(str, row)] for label, row in zip(chosen, _shares(outputs), strict=True))
    if probabilities:
        raise ValueError("--probabilities: this network does not tell classes apart")
    if "table" in network.metadata and target is not None:
        # More digits than a float32 has would be noise.
        digits = ".9g" if network.dtype == np.float32 else ".17g"
        return [target.name], ([format(value, digits)] for value in recipe.answers(outputs[:, 0]).tolist())
    header = ["output"] if outputs.shape[1] == 1 else [f"output_{i}" for i in range(outputs.shape[1])]
    return header, (list(map(str, row)) for row in outputs)


def _tells_classes(network: NeuralNetwork) -> bool:
    """Tell whether the outputs are one class each; else they are numbers, as far as anybody knows."""
    known = "table" in network.metadata or network.metadata.get("dataset") in DATASETS
    return known or network.loss == "cross_entropy" or network.layers[-1].activation == "softmax"


def _shares(outputs: NDArray[Any]) -> NDArray[Any]:
    """Return outputs that sum to one in each row: those of softmax do, those of sigmoids are made to."""
    totals = outputs.sum(axis=1, keepdims=True)
    if np.allclose(totals, 1, rtol=0, atol=1e-5):
        return outputs
    return np.where(totals > 0, outputs / np.where(totals > 0, totals, 1), 1 / outputs.shape[1])


def _write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
