"""``foxnn info``: what is in a file, or what foxnn runs on."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

import foxnn
from foxnn.cli.arguments import command
from foxnn.cli.files import load_network
from foxnn.cli.recipe import Recipe, task
from foxnn.cli.report import line, objective, shortened, size
from foxnn.errors import FileFormatError
from foxnn.io import is_native

if TYPE_CHECKING:
    from foxnn.cli.arguments import Commands
    from foxnn.network import NeuralNetwork

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(commands, "info", run, "print what is in the file of a network, or what foxnn runs on")
    parser.add_argument(
        "model",
        nargs="?",
        help="file of the network: .safetensors, .txt, .onnx, .keras, .h5; without it, what foxnn runs on",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    if args.model is None:
        foxnn.show_config()
        return 0
    network = load_network(args.model)
    line("file", f"{args.model}, {size(os.path.getsize(args.model))}")
    print(network.summary(), flush=True)
    if is_native(args.model):  # the other formats have nothing of what the network is trained with
        line("loss", objective(network))
        line("optimizer", repr(network.optimizer))
        line("seed", str(network.seed))
        line("training", _training(network))
    if network.scale_inputs is not None or network.scale_outputs is not None:
        line("scaling", _scaling(network))
    if network.scale is not None or network.offset is not None:
        line("inputs", f"read as x * {network.scale} + {network.offset}")
    elif network._core.trained_on:
        line("inputs", f"{network._core.trained_on}, in training")
    for key, value in network.metadata.items():
        if key == "table":
            _print_table(args.model, value)
        else:
            line("metadata", shortened(f"{json.dumps(key)}: {json.dumps(value)}"))
    return 0


def _scaling(network: NeuralNetwork) -> str:
    parts = []
    for what, kind, scaling in (
        ("inputs", network.scale_inputs, network.input_scaling),
        ("outputs", network.scale_outputs, network.output_scaling),
    ):
        if kind is not None:
            parts.append(f"{what} {kind}" + ("" if scaling is not None else ", not fitted yet"))
    return "; ".join(parts)


def _training(network: NeuralNetwork) -> str:
    epochs = network.history.epochs
    if not epochs:
        return "none that the file knows of"
    last = ", ".join(f"{name} {value:.4g}" for name, value in epochs[-1].items() if name != "seconds")
    total = sum(epoch.get("seconds", 0.0) for epoch in epochs)
    text = f"{len(epochs)} epoch{'s' * (len(epochs) > 1)} in {total:.1f} s; the last: {last}"
    if "val_loss" in network.history:
        losses = network.history["val_loss"]
        best = min(range(len(losses)), key=losses.__getitem__)
        text += f"; best val_loss {losses[best]:.4g} in epoch {best + 1}"
    return text


def _print_table(path: str, data: object) -> None:
    try:
        recipe = Recipe.from_json(data)
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    line("task", task(recipe.encoder))
    for column in recipe.encoder.columns:
        kind = "numbers" if column.categories is None else shortened(", ".join(map(repr, column.categories)))
        line("column", f"{column.name!r}: {kind}")
    if recipe.classes is not None:
        line("classes", shortened(", ".join(map(repr, recipe.classes))))
