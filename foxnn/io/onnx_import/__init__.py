"""Dense networks from ONNX.

A graph is read as a chain of affine functions with functions of single numbers, or of rows, between them. The latter
are told by what they compute, not by how they are written (`foxnn.io._recognition`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from foxnn._extras import needing
from foxnn._files import open_regular
from foxnn.errors import FileFormatError
from foxnn.io._meaning import metadata_from_text
from foxnn.io.onnx_export import METADATA
from foxnn.io.onnx_import.files import GROWTH, SMALL, opened
from foxnn.io.onnx_import.graph import Reader
from foxnn.io.onnx_import.layers import network

if TYPE_CHECKING:
    from foxnn.network import NeuralNetwork

__all__ = ["from_onnx"]


def from_onnx(path: str | os.PathLike[str], *, output: str | None = None) -> NeuralNetwork:
    """See `foxnn.from_onnx`."""
    with needing("onnx", "google", message="this needs the package onnx: pip install foxnn[onnx]"):
        import onnx
        from google.protobuf.message import DecodeError
    path = os.fspath(path)
    with open_regular(path):  # what cannot be read is an OSError
        pass
    try:
        onnx.checker.check_model(path)  # a model in memory would be there twice more while it is checked
        graph, constants, size, texts = opened(path)
    except (DecodeError, onnx.checker.ValidationError, ValueError, TypeError, KeyError, RuntimeError) as error:
        if isinstance(error, onnx.checker.ValidationError) and "No Op registered" in str(error):
            raise ValueError(f"{path}: {str(error).splitlines()[0]}") from None
        raise FileFormatError(f"{path}: damaged, or not an ONNX file: {error}") from None
    reader = Reader(graph, constants, size)
    most = GROWTH * size + SMALL
    del graph, constants  # so that they are gone, but for what the network is made of, when it is made
    try:
        with np.errstate(all="ignore"):  # numbers that are not finite are refused at the end
            flow = reader.flow(output)
            del reader
            result = network(flow, most)
    except (IndexError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise FileFormatError(f"{path}: does not make sense: {error}") from None
    if METADATA in texts:
        try:
            result.metadata = metadata_from_text(texts[METADATA])
        except FileFormatError as error:
            raise FileFormatError(f"{path}: {error}") from None
    return result
