"""``foxnn export``: a network in the format of something else."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnn.cli.arguments import DATASETS, add_delimiter, add_ignore, command
from foxnn.cli.files import check_readable, check_writable, load_images, load_network
from foxnn.cli.recipe import recipe_for
from foxnn.cli.report import line, say, size

if TYPE_CHECKING:
    from foxnn.cli.arguments import Commands
    from foxnn.network import NeuralNetwork

__all__ = ["add_to"]

#: Formats, and how the names of their files end.
_ENDINGS = {"c": ".h", "js": ".mjs", "onnx": ".onnx", "txt": ".txt", "npz": ".npz"}
#: Options that only one format has, and what they are if they are not given.
_ONLY = {"weights": ("c", "float"), "samples": ("c", None), "types": ("js", False), "script": ("js", False)}
_MOST_SAMPLES = 1000
_EXAMPLES = """\
examples:
  foxnn export mnist.safetensors --to c        mnist.h, for microcontrollers
  foxnn export mnist.safetensors --to c --output mnist.c        mnist.c and mnist.h
  foxnn export iris.safetensors --to c --weights int8 --samples iris.csv
  foxnn export mnist.safetensors --to js --script        mnist.mjs, and mnist.js for pages opened from disk
  foxnn export mnist.safetensors --to onnx --output model.onnx
  foxnn export model.onnx --to c               models of PyTorch, Keras and scikit-learn, by way of ONNX

formats: c (one C99 header, or a .c and a .h file), js (a JavaScript module), onnx, txt (FoxNN 1.0), npz (arrays of
NumPy)
"""


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(commands, "export", run, "write a network for C, JavaScript, ONNX or NumPy", _EXAMPLES)
    parser.add_argument("model", help="file of the network: .safetensors, FoxNN 1.0's .txt, .onnx, .keras or .h5")
    parser.add_argument("--to", choices=_ENDINGS, required=True, help="the format")
    parser.add_argument(
        "--weights",
        choices=["float", "int8"],
        default="float",
        help="as what C keeps them; int8 computes in integers, and says what that costs on the samples",
    )
    parser.add_argument(
        "--samples",
        metavar="DATA",
        help="inputs such as the network will get, for int8: a CSV file, NumPy's .npy, mnist or fashion-mnist; by "
        "default what the network itself knows of its inputs",
    )
    add_ignore(parser)
    add_delimiter(parser)
    parser.add_argument("--types", action="store_true", help="also write TypeScript's declarations beside a module")
    parser.add_argument(
        "--script", action="store_true", help="also write a script beside a module, for pages opened from disk"
    )
    parser.add_argument("--output", metavar="FILE", help="file to write; by default named after the network's")


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    for name, (to, default) in _ONLY.items():
        if getattr(args, name) != default and args.to != to:
            shown = "" if getattr(args, name) is True else f"got {getattr(args, name)}; "
            raise ValueError(f"--{name}: {shown}only --to {to} takes it")
    if args.samples is not None and args.weights != "int8":
        raise ValueError("--samples: only --weights int8 looks at them")
    output = args.output or Path(args.model).stem + _ENDINGS[args.to]
    if args.to == "txt" and Path(output).suffix.lower() != ".txt":  # other names may mean another format
        raise ValueError(f"--output: got {output!r}; for FoxNN 1.0's text it takes a name ending in .txt")
    written = _written(args, output)
    for file in written:
        check_writable(file, args.model, *([] if args.samples is None else [args.samples]))
    network = load_network(args.model)
    _export(network, args, output)
    if "table" in network.metadata:
        say("note: the inputs of the exported network are the table's columns as they were encoded for training")
    for file in written:
        line("saved", f"{file} ({size(os.path.getsize(file))})")
    return 0


def _written(args: argparse.Namespace, output: str) -> list[str]:
    """The files that will be there."""
    from foxnn.io.js_export import beside

    if args.to == "js":
        return [output, *beside(output, types=args.types, script=args.script)]
    stem, ending = os.path.splitext(output)
    return [output, f"{stem}.h"] if (args.to, ending) == ("c", ".c") else [output]


def _export(network: NeuralNetwork, args: argparse.Namespace, output: str) -> None:
    if args.to == "c":
        samples = _samples(network, args) if args.weights == "int8" else None
        error = network.to_c(output, weights=args.weights, samples=samples)
        if error is not None:
            line("int8", f"changes outputs by {error}")
    elif args.to == "js":
        network.to_js(output, types=args.types, script=args.script)
    elif args.to == "onnx":
        try:
            network.to_onnx(output)
        except ImportError as error:
            raise ValueError(f"--to onnx: {error}") from None
    else:
        {"txt": network.save, "npz": network.to_npz}[args.to](output)


def _samples(network: NeuralNetwork, args: argparse.Namespace) -> Any:
    """Inputs for int8: those that were asked for, or of the images on which the network was trained."""
    name = args.samples
    if name is None and network.input_scaling is None:
        name = network.metadata.get("dataset")
    if name in DATASETS:
        return load_images(name).X_test[:_MOST_SAMPLES]
    if args.samples is None or args.samples.lower().endswith(".npy"):
        return args.samples
    from foxnn.datasets.records import read_records

    check_readable(args.samples)
    records = read_records(args.samples, args.delimiter)
    recipe = recipe_for(network, args.model, records, None, args.ignore)
    return recipe.inputs(recipe.encoder.encode(records, "float64"), network.dtype)
