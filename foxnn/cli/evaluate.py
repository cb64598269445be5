"""``foxnn evaluate``: how good a network is on data that has the right answers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import foxnn
from foxnn.cli.arguments import DATASETS, add_delimiter, add_ignore, add_metrics, add_threads, command
from foxnn.cli.files import check_readable, load_images, load_network
from foxnn.cli.recipe import recipe_for
from foxnn.cli.report import quality

if TYPE_CHECKING:
    from foxnn.cli.arguments import Commands

__all__ = ["add_to"]

_EXAMPLES = """\
examples:
  foxnn evaluate mnist.safetensors mnist       on the images to test with
  foxnn evaluate iris.safetensors iris.csv
  foxnn evaluate mnist.safetensors digits.csv --target label
"""


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(commands, "evaluate", run, "print the loss and the metrics of a network", _EXAMPLES)
    parser.add_argument("model", help="file of the network")
    parser.add_argument("data", help="a CSV file, mnist or fashion-mnist")
    parser.add_argument(
        "--target", metavar="COLUMN", help="the column with the right answers, if it is not called as in training"
    )
    add_ignore(parser)
    add_delimiter(parser)
    add_metrics(parser, "what else to compute")
    add_threads(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    foxnn.metrics.get(args.metrics)
    network = load_network(args.model)
    if args.data in DATASETS:
        for option in ("target", "ignore", "delimiter"):
            if getattr(args, option):
                raise ValueError(f"--{option} is for tables; {args.data} is none")
        if network._n_in != 784 or network._n_out != 10:
            raise ValueError(
                f"{args.model}: takes {network._n_in} inputs and has {network._n_out} outputs; "
                f"{args.data} goes with 784 and 10"
            )
        images = load_images(args.data)
        print(quality(network, None, images.X_test, images.y_test, args.metrics))
        return 0
    from foxnn.datasets.records import read_records

    check_readable(args.data)
    records = read_records(args.data, args.delimiter)
    if "table" not in network.metadata and args.target is None:
        raise ValueError(
            f"{args.model} was not trained on a table; --target names the column of {args.data} with the right answers"
        )
    recipe = recipe_for(network, args.model, records, args.target, args.ignore)
    X = recipe.inputs(recipe.encoder.encode(records, "float64"), network.dtype)
    y = recipe.targets(recipe.encoder.encode_target(records, "float64"))
    print(quality(network, recipe, X, y, args.metrics))
    return 0
