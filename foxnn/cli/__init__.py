"""The command line: ``foxnn train``, ``evaluate``, ``predict``, ``export`` and ``info``, each in its own file."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import foxnn
from foxnn.cli import evaluate, export, info, predict, train
from foxnn.cli.arguments import Parser, limit_threads
from foxnn.cli.report import say

__all__ = ["main"]

_EXAMPLES = """\
examples:
  foxnn train mnist                            the network of FoxNN's title, on handwritten digits
  foxnn train iris.csv --target species        a table: numbers and texts in, a class or a number out
  foxnn evaluate iris.safetensors iris.csv     how good it is
  foxnn predict iris.safetensors new.csv       what it says, as CSV
  foxnn export iris.safetensors --to onnx      for other programs: C, JavaScript, ONNX, NumPy
  foxnn info iris.safetensors                  what is in it
  foxnn info                                   what foxnn runs on

'foxnn COMMAND --help' lists the options of a command.
"""
_INTERRUPTED = 128 + 2  # what shells say of a program that SIGINT ended,
_BROKEN_PIPE = 128 + 13  # and of one that SIGPIPE did


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    int
        The exit code: 0; 2 after an error, which is one line on stderr; 130 after Ctrl-C; 141 if whoever read
        the output has gone.

    Examples
    --------
    >>> main(["train", "no_such_table.csv", "--target", "price"])
    2
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: names of columns may be in any script
    shown = warnings.showwarning
    warnings.showwarning = _say_warning
    try:
        code = _run(argv)
        sys.stdout.flush()  # here, where it can still be reported
        return code
    except BrokenPipeError:
        _give_up_stdout()
        return _BROKEN_PIPE
    except KeyboardInterrupt as error:  # `train` says what it has saved
        say(str(error) or "interrupted")
        return _INTERRUPTED
    except (ValueError, OSError, MemoryError, ArithmeticError, ImportError) as error:
        say(f"error: {_message(error)}")
        try:
            sys.stdout.flush()
        except OSError:
            _give_up_stdout()
        return 2
    finally:
        warnings.showwarning = shown


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser("foxnn", "Train and run dense neural networks.", _EXAMPLES)
    parser.add_argument("--version", action="version", version=f"foxnn {foxnn.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for command in (train, evaluate, predict, export, info):
        command.add_to(commands)
    try:
        args = parser.parse_args(argv)
    except SystemExit as done:  # of --help and --version; errors are ValueErrors
        return int(done.code or 0)
    if args.command is None:
        parser.print_help()
        return 0
    args.given = list(sys.argv[1:] if argv is None else argv)
    args.parse = parser.parse_args
    with limit_threads(getattr(args, "threads", None)):
        return int(args.run(args))


def _say_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as the commands' own messages are, and not with a line of foxnn's sources."""
    say(f"warning: {message}")


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})" if str(error) else "not enough memory"
    return str(error) or type(error).__name__


def _give_up_stdout() -> None:
    """Let nothing be written to stdout any more, or Python would try again at its end and complain."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
