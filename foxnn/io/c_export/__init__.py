"""Networks as C: a header, or a pair of a .c and a .h file, that needs nothing but libm.

`names` makes identifiers of file names, `files` puts what is written together, `code` has what both kinds of arithmetic
share, `float_code` computes in floats; `rounding` turns a network into integers and says what that costs, and
`int8_code` writes these.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnn._atomic import atomic_write
from foxnn._options import unknown
from foxnn.io._layers import folded
from foxnn.io.c_export.files import header, pair
from foxnn.io.c_export.float_code import FloatCode
from foxnn.io.c_export.int8_code import Int8Code
from foxnn.io.c_export.names import checked, identifier
from foxnn.io.c_export.rounding import RoundingError, rounded

if TYPE_CHECKING:
    from foxnn.io.c_export.code import Code
    from foxnn.network import NeuralNetwork

__all__ = ["RoundingError", "to_c"]


def to_c(
    network: NeuralNetwork,
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    dtype: Any = None,
    weights: str = "float",
    samples: Any = None,
) -> RoundingError | None:
    """Write a network as C99; see `NeuralNetwork.to_c`."""
    stem, ending = os.path.splitext(os.fspath(path))
    name = identifier(os.path.basename(stem)) if name is None else checked(name)
    try:
        kind = network.dtype.name if dtype is None else np.dtype(dtype).name
    except TypeError:
        kind = str(dtype)
    if kind not in ("float32", "float64"):
        raise unknown("dtype", dtype, ["float32", "float64"])
    if weights not in ("float", "int8"):
        raise unknown("weights", weights, ["float", "int8"])
    if samples is not None and weights != "int8":
        raise ValueError("samples: got some, but only weights='int8' are compared on them")
    network, error = folded(network, "C"), None
    code: Code = FloatCode(network, name, kind)
    if weights == "int8":
        integers, error = rounded(network, samples, kind)
        code = Int8Code(network, name, kind, integers, error)
    texts = pair(code, os.path.basename(stem)) if ending == ".c" else [header(code)]
    with ExitStack() as both:  # all of the files, or none
        for text, target in zip(texts, (path, f"{stem}.h"), strict=False):
            both.enter_context(atomic_write(target)).write(text.encode())
    return error
