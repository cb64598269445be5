"""What the commands' arguments have in common: how they are checked, and those that several commands take."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import foxnn

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]

__all__ = [
    "DATASETS",
    "Parser",
    "above_zero",
    "add_delimiter",
    "add_ignore",
    "add_metrics",
    "add_threads",
    "at_least",
    "command",
    "limit_threads",
    "names",
    "number",
    "positive",
    "share",
    "units",
]

#: Data that has a name; everything else is the name of a file.
DATASETS = ("mnist", "fashion-mnist")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ValueErrors of one line."""

    def __init__(self, prog: str, description: str = "", epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,  # an abbreviation would change its meaning with the next option that starts like it
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Refuse here what is not known, not in the parser above, whose help does not list the command's options."""
        namespace, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return namespace, rest

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise ValueError(f"{message} (see {self.prog} --help)")


def command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str, epilog: str = ""
) -> Parser:
    """Add a command to the parser and return the command's own."""
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=epilog)
    parser.set_defaults(run=run)
    return parser


def add_ignore(parser: Parser) -> None:
    """Add ``--ignore`` for networks without a recipe for tables."""
    parser.add_argument(
        "--ignore",
        type=names,
        default=[],
        metavar="COLUMNS",
        help="columns that are no inputs, for networks that were not trained on a table",
    )


def add_delimiter(parser: Parser | argparse._ArgumentGroup) -> None:
    """Add ``--delimiter``."""
    parser.add_argument(
        "--delimiter",
        metavar="CHARACTER",
        help="what separates the cells of the table; by default the one of comma, semicolon and tab that fits",
    )


def add_metrics(parser: Parser | argparse._ArgumentGroup, when: str) -> None:
    """Add ``--metrics``."""
    parser.add_argument(
        "--metrics", type=names, default=[], metavar="NAMES",
        help=f"{when}, with commas between: {', '.join(foxnn.metrics.names())}",
    )  # fmt: skip


def add_threads(parser: Parser) -> None:
    """Add ``--threads``."""
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="most threads to use; results do not depend on it"
    )


def limit_threads(threads: int | None) -> AbstractContextManager[None]:
    """Use at most so many threads inside a ``with`` block; None: as many as outside."""
    return nullcontext() if threads is None else foxnn.num_threads(threads)


def at_least(least: int) -> Callable[[str], int]:
    """Return what turns a text into an integer of at least `least`.

    Examples
    --------
    >>> at_least(1)("12")
    12
    """

    def integer(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"got {text!r}; it takes an integer of at least {least}")
        return number

    return integer


positive = at_least(1)


def number(least: float, below: float = math.inf, *, open_below: bool = False) -> Callable[[str], float]:
    """Return what turns a text into a finite number with least <= number < below; `open_below`: least < number.

    Examples
    --------
    >>> number(0, 1)("0.2")
    0.2
    """
    takes = f"a number {'above' if open_below else 'of at least'} {least:g}"
    takes += f" and below {below:g}" if below < math.inf else ""

    def real(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (least < value if open_below else least <= value) or not value < below:
            raise argparse.ArgumentTypeError(f"got {text!r}; it takes {takes}")
        return value

    return real


share = number(0, 1)
above_zero = number(0, open_below=True)


def names(text: str) -> list[str]:
    """Return the names in a text that has commas between them.

    Examples
    --------
    >>> names("street, city")
    ['street', 'city']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def units(text: str) -> list[int]:
    """Return the numbers of units of hidden layers; "none" is no hidden layer.

    Examples
    --------
    >>> units("512,256"), units("none")
    ([512, 256], [])
    """
    if text == "none":
        return []
    try:
        return [positive(number) for number in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"got {text!r}; it takes the units of each hidden layer, such as 512,512, or none"
        ) from None
