"""``foxnn export``: a network in the format of something else."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import foxnn
from foxnn.cli.arguments import command
from foxnn.cli.files import check_writable
from foxnn.cli.report import line, say, size

if TYPE_CHECKING:
    from foxnn.cli.arguments import Commands

__all__ = ["add_to"]

#: Formats, and how the names of their files end.
_ENDINGS = {"c": ".h", "js": ".mjs", "onnx": ".onnx", "txt": ".txt", "npz": ".npz"}
_EXAMPLES = """\
examples:
  foxnn export mnist.safetensors --to c        mnist.h, for microcontrollers
  foxnn export mnist.safetensors --to onnx --output model.onnx

formats: c (one C99 header), js (a JavaScript module), onnx, txt (FoxNN 1.0), npz (arrays of NumPy)
"""


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(commands, "export", run, "write a network for C, JavaScript, ONNX or NumPy", _EXAMPLES)
    parser.add_argument("model", help="file of the network")
    parser.add_argument("--to", choices=_ENDINGS, required=True, help="the format")
    parser.add_argument(
        "--weights", choices=["float", "int8"], default="float", help="as what C keeps them; says what int8 costs"
    )
    parser.add_argument("--output", metavar="FILE", help="file to write; by default named after the network's")


def run(args: argparse.Namespace) -> int:
    """Carry out the command."""
    if args.weights != "float" and args.to != "c":
        raise ValueError(f"--weights: got {args.weights}; only --to c takes it")
    output = args.output or Path(args.model).stem + _ENDINGS[args.to]
    check_writable(output, args.model)
    network = foxnn.load(args.model)
    if args.to == "txt":
        if Path(output).suffix.lower() != ".txt":  # other names may mean another format
            raise ValueError(f"--output: got {output!r}; for FoxNN 1.0's text it takes a name ending in .txt")
        network.save(output)
    elif args.to == "c":
        error = network.to_c(output, weights=args.weights)
        if error is not None:
            line("int8", f"changes outputs by {error}")
    elif args.to == "onnx":
        try:
            network.to_onnx(output)
        except ImportError as error:
            raise ValueError(f"--to onnx: {error}") from None
    else:
        {"js": network.to_js, "npz": network.to_npz}[args.to](output)
    if "table" in network.metadata:
        say("note: the inputs of the exported network are the table's columns as they were encoded for training")
    line("saved", f"{output} ({size(os.path.getsize(output))})")
    return 0
