"""Files that the commands read and write, and data that they find by name."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from foxnn._atomic import atomic_write
from foxnn.cli.arguments import DATASETS
from foxnn.cli.report import say

if TYPE_CHECKING:
    from foxnn.datasets import Dataset
    from foxnn.network import NeuralNetwork

__all__ = ["check_readable", "check_writable", "load_images", "load_network"]


def check_readable(path: str) -> None:
    """Raise if there is no such file; names of data that are nearly right get a hint."""
    if os.path.exists(path):
        return
    near = difflib.get_close_matches(path.lower(), DATASETS, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise FileNotFoundError(f"there is no file {path!r}{hint}; it takes {', '.join(DATASETS)} or a CSV file")


def check_writable(path: str, *inputs: str) -> None:
    """Raise if `path` cannot be written, or would replace one of the files that are read; nothing changes.

    Parameters
    ----------
    path : str
        The file to be written.
    *inputs : str
        The files to be read.
    """
    if not os.path.basename(path) or os.path.isdir(path):
        raise IsADirectoryError(f"{path!r} is a folder; --output takes the name of a file")
    for other in inputs:
        if os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other):
            raise ValueError(f"--output: got {path!r}, which is read here; it takes another file")
    try:
        with atomic_write(path):
            raise _EnoughError
    except _EnoughError:
        pass
    except OSError as error:
        folder = os.fspath(Path(path).parent)
        raise OSError(f"cannot write {path!r}: {error.strerror} (in the folder {folder!r})") from None


class _EnoughError(Exception):
    """The file could be made; it is not to stay."""


def load_network(path: str) -> NeuralNetwork:
    """Load a network from a file of foxnn's, or by its name of ONNX's or Keras's."""
    import foxnn

    readers: dict[str, Callable[[str], NeuralNetwork]] = {
        ".onnx": foxnn.from_onnx,
        **dict.fromkeys((".keras", ".h5", ".hdf5"), foxnn.from_keras),
    }
    try:
        return readers.get(Path(path).suffix.lower(), foxnn.load)(path)
    except ImportError as error:
        raise ValueError(f"{path}: {error}") from None


def load_images(name: str) -> Dataset:
    """Load one of `DATASETS`; that only its sample is there becomes one line on stderr."""
    from foxnn.datasets import load_fashion_mnist, load_mnist

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        data = load_mnist() if name == "mnist" else load_fashion_mnist()
    for warning in caught:
        # After the colon it says what every mirror answered.
        what = str(warning.message).partition(": ")[0]
        say(f"warning: {what}; for all of it, connect to the network or set FOXNN_DATA_DIR to the folder that has it")
    return data
