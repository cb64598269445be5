"""Reading and writing networks. The kind of a file is told by its content when read, by its name when written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from foxnn._arguments import pointing
from foxnn._files import open_regular
from foxnn._options import flag, path_text
from foxnn._warnings import warn_user
from foxnn.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from foxnn.network import NeuralNetwork

__all__ = ["is_native", "load", "save", "to_pieces"]


def is_native(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as foxnn's own do: with the length of a safetensors header, then the header."""
    with open_regular(path) as file:
        return file.read(9)[8:] == b"{"


@pointing
def load(path: str | os.PathLike[str], *, only_scale: bool = False, dtype: Any = None) -> NeuralNetwork:
    """Read a network from a file.

    Parameters
    ----------
    path : str or path-like
        A ``.safetensors`` file of foxnn, or a text file of FoxNN 1.0.
    only_scale : bool, default False
        That the text file holds weights only.
    dtype : "float32" or "float64", optional
        Of a network read from a text file, "float64" by default; other files say it themselves.

    Returns
    -------
    NeuralNetwork

    Raises
    ------
    FileFormatError
        If the file is damaged or of another kind; the message says where.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import foxnn, tempfile, os
    >>> nn = foxnn.neural_network([2, 3, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(os.path.join(folder, "net.safetensors"))
    ...     foxnn.load(os.path.join(folder, "net.safetensors")).sizes
    [2, 3, 1]
    """
    from pathlib import Path  # not above: it would be a fifth of what it costs to import foxnn

    path, only_scale = Path(path_text("path", path)), flag("only_scale", only_scale)
    try:
        return _read(path, only_scale, dtype)
    except FileFormatError as error:
        from foxnn._file_kinds import LOOKS_LIKE, kind_of

        kind = kind_of(path)
        if kind is None:
            raise
        if kind in LOOKS_LIKE:  # what is there may yet be a damaged file of foxnn's
            raise FileFormatError(f"{error} (no network of foxnn, but {kind}?)") from None
        raise FileFormatError(f"{path}: no network of foxnn, but {kind}") from error


def _read(path: Path, only_scale: bool, dtype: Any) -> NeuralNetwork:
    # Or a name that promises it, to say what is damaged.
    if is_native(path) or (path.suffix == ".safetensors" and not only_scale):
        from foxnn.io.native import from_file

        network = from_file(path)
        if dtype is not None and network.dtype != dtype:
            raise ValueError(f"dtype: got {dtype!r}; the network in {path} is of {network.dtype}")
        return network
    from foxnn.io.formats import format_of

    return format_of(".txt").load_network(path, only_scale=only_scale, dtype=dtype)


def save(
    network: NeuralNetwork, path: str | os.PathLike[str], *, only_scale: bool = False, optimizer: bool = False
) -> None:
    """Write a network to a file; see `NeuralNetwork.save`."""
    from foxnn._atomic import replace_file

    replace_file(path, to_pieces(network, path, only_scale=only_scale, optimizer=optimizer))


def to_pieces(
    network: NeuralNetwork, path: str | os.PathLike[str], *, only_scale: bool = False, optimizer: bool = False
) -> Iterable[bytes | memoryview]:
    """What a file of that name is to hold; pieces that are lazy are to be used before the network changes."""
    from foxnn.io.endings import is_text

    path_text("path", path)
    only_scale, optimizer = flag("only_scale", only_scale), flag("optimizer", optimizer)
    if not is_text(path) and not only_scale:
        from foxnn.io import native

        return native.to_pieces(network, optimizer=optimizer)
    if optimizer:
        raise ValueError(
            f"path: got {os.fspath(path)!r}; what the optimizer remembers goes into .safetensors files only"
        )
    from foxnn.io.formats import format_of

    text = format_of(".txt")
    pieces = text.to_pieces(network, only_scale=only_scale)
    if not only_scale and (lost := text.lost(network)):
        warn_user(
            f"{os.fspath(path)}: {text.TITLE} does not keep {', '.join(lost)}, nor the number type "
            f"{network.dtype}; a name ending in .safetensors keeps everything"
        )
    return pieces
