"""Opening ONNX files, in little more memory than they have, and no more work than their size accounts for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from foxnn.io._recognition import Array
from foxnn.io.onnx_import.values import DEEPEST

#: A diagonal matrix, or functions put in the place of their calls, may have so many times what the file has.
GROWTH, SMALL = 16, 1 << 16


def opened(path: str) -> tuple[Any, dict[str, Array], int, dict[str, str]]:
    """The graph of a file without its initializers, these as arrays, how many numbers the file can have at most, and
    what texts for others it has."""
    import onnx

    model = onnx.ModelProto.FromString(Path(path).read_bytes())
    constants = _taken_out(model.graph, os.path.dirname(path))
    rest = onnx.ModelProto()  # a message keeps its memory, also of what is no longer in it, as long as it lives
    rest.CopyFrom(model)
    del model
    texts = {prop.key: prop.value for prop in rest.metadata_props}
    if rest.functions:
        from onnx.inliner import inline_local_functions

        _check_growth(rest, os.path.getsize(path))
        rest = inline_local_functions(rest)
    size = max(os.path.getsize(path), sum(array.size for array in constants.values()))
    return rest.graph, constants, size, texts


def _check_growth(model: Any, size: int) -> None:
    """Refuse functions that call functions, and so on, until a small file has a million nodes."""
    functions = {(function.domain, function.name): function for function in model.functions}
    counts: dict[tuple[str, str], int] = {}
    most = size + SMALL // 16

    def count(nodes: Any, depth: int) -> int:
        if depth > DEEPEST:
            raise ValueError(f"functions that call each other, more than {DEEPEST} deep")
        total = 0
        for node in nodes:
            key = node.domain, node.op_type
            if key not in functions:
                total += 1
                continue
            if key not in counts:
                counts[key] = count(functions[key].node, depth + 1)
            total += counts[key]
        return total

    if (total := count(model.graph.node, 0)) > most:
        raise ValueError(f"functions that come to {total:,} nodes; of a file of this size foxnn reads {most:,}")


def _taken_out(graph: Any, folder: str) -> dict[str, Array]:
    """The initializers as arrays; in the graph only their names are left."""
    constants = {}
    for tensor in graph.initializer:
        name = tensor.name
        constants[name] = array(tensor, folder)
        tensor.Clear()
        tensor.name = name
    return constants


def array(tensor: Any, folder: str) -> Array:
    """A tensor of a file in that folder, where it may keep its numbers in another file."""
    from onnx import TensorProto, numpy_helper

    kinds: dict[int, tuple[Any, Any]] = {
        TensorProto.FLOAT: (tensor.float_data, np.float32),
        TensorProto.DOUBLE: (tensor.double_data, np.float64),
    }
    numbers, dtype = kinds.get(tensor.data_type, ((), None))
    if not numbers:
        return np.asarray(numpy_helper.to_array(tensor, folder))
    # Earlier versions of protobuf give one number after another: as a list, that is 32 bytes each.
    flat = np.asarray(numbers, dtype) if hasattr(numbers, "__array__") else np.fromiter(numbers, dtype, len(numbers))
    return flat.reshape(tensor.dims)
