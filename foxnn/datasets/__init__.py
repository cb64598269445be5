"""Data to learn from: MNIST, Fashion-MNIST, your own CSV tables and IDX files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foxnn.datasets.encoder import TableEncoder
    from foxnn.datasets.idx import read_idx, write_idx
    from foxnn.datasets.mnist import (
        FASHION_MNIST_CLASSES,
        Dataset,
        load_fashion_mnist,
        load_mnist,
        load_mnist_sample,
    )
    from foxnn.datasets.table import Table, load_csv

__all__ = [
    "FASHION_MNIST_CLASSES",
    "Dataset",
    "Table",
    "TableEncoder",
    "load_csv",
    "load_fashion_mnist",
    "load_mnist",
    "load_mnist_sample",
    "read_idx",
    "write_idx",
]

# Loaded on first use: `import foxnn` need not pay for csv, gzip, hashlib and urllib.
_MODULES = {
    "FASHION_MNIST_CLASSES": "mnist",
    "Dataset": "mnist",
    "Table": "table",
    "TableEncoder": "encoder",
    "load_csv": "table",
    "load_fashion_mnist": "mnist",
    "load_mnist": "mnist",
    "load_mnist_sample": "mnist",
    "read_idx": "idx",
    "write_idx": "idx",
}


if not TYPE_CHECKING:  # or type checkers would believe that every name is here

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
