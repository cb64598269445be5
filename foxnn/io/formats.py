"""Formats that networks are saved in, besides foxnn's own: each registers itself under the ending of its files."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import os

    from foxnn.network import NeuralNetwork


class Format(Protocol):
    """What a module has that reads and writes a format."""

    #: What the format is called, in messages.
    TITLE: str

    def load_network(self, path: str | os.PathLike[str], *, only_scale: bool, dtype: Any) -> NeuralNetwork:
        """Read a network from a file."""

    def to_pieces(self, network: NeuralNetwork, *, only_scale: bool) -> Iterator[bytes]:
        """The content of a file, one piece after the other."""

    def lost(self, network: NeuralNetwork) -> list[str]:
        """What a file does not keep of a network, in words."""


#: By ending, the name of the module: it is imported when it is first needed.
_MODULES: dict[str, str] = {}


def register(ending: str, module: str) -> None:
    """Have files of that ending read and written by a module, of that name, that is a `Format`."""
    _MODULES[ending] = module


def format_of(ending: str) -> Format:
    """What reads and writes files of an ending that has been registered."""
    return cast("Format", import_module(_MODULES[ending]))
