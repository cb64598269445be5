"""The native file from outside: safetensors with one text, a description in JSON, and a checksum of every byte.

The text is the value of ``foxnn`` in the metadata of the safetensors header. It begins with the checksum: SHA-256 of
the whole file, as it is with 64 zeros in the checksum's place. docs/file_format.md describes the file on a page.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy.typing as npt

from foxnn.errors import FileFormatError

#: What comes right before the checksum: its name, as it looks in a JSON text inside a JSON text.
_MARK = rb"\"sha256\": \""
_BLANK = b"0" * 64

Arrays = dict[str, npt.NDArray[Any]]


def pack(description: dict[str, Any], arrays: Arrays) -> tuple[memoryview, bytes, memoryview]:
    """The bytes of a file, in three pieces, the checksum being the middle one.

    Raises
    ------
    TypeError, ValueError
        If the description has something that JSON cannot hold, or would not give back as it was.
    """
    from safetensors.numpy import save

    _check_names(description)
    text = json.dumps({"sha256": _BLANK.decode(), **description}, allow_nan=False)
    data = save(arrays, metadata={"foxnn": text})
    whole, at = memoryview(data), data.index(_MARK) + len(_MARK)
    return whole[:at], hashlib.sha256(whole).hexdigest().encode(), whole[at + len(_BLANK) :]


def _check_names(value: Any) -> None:
    """JSON turns names that are no texts into texts, and two of them may then be one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise TypeError(f"{name!r} as a key")
            _check_names(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_names(inner)


def unpack_header(data: bytes) -> tuple[dict[str, Any], dict[str, tuple[str, tuple[int, ...]]]]:
    """The description in a file, and the dtype and shape of each array, after a look at the checksum.

    Raises
    ------
    FileFormatError
        If the file is damaged or none of foxnn's.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise FileFormatError("cut short, or not a safetensors file: its header goes beyond its end")
    has_checksum = _check_sum(memoryview(data), data.find(_MARK, 8, 8 + length) + len(_MARK))
    try:
        header = json.loads(data[8 : 8 + length].decode())
        text = header.pop("__metadata__", {}).get("foxnn")
        layout = {name: (str(entry["dtype"]), tuple(entry["shape"])) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(f"damaged, or not a safetensors file: {error!r} in its header") from None
    if text is None:
        raise FileFormatError("a safetensors file, but not one that foxnn wrote (no description of the network)")
    try:
        description = json.loads(text)
        if has_checksum:  # the first format had NaN and infinity, which are no JSON
            json.dumps(description, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise FileFormatError(f"the description of the network is no JSON: {error}") from None
    if not isinstance(description, dict):
        raise FileFormatError("the description of the network is no JSON object")
    if not has_checksum and description.get("format") != 1:  # which had none
        raise FileFormatError("damaged: the checksum is missing")
    description.pop("sha256", None)
    return description, layout


def _check_sum(data: memoryview, at: int) -> bool:
    """Whether there is a checksum; an error if it is not that of the file."""
    if at < len(_MARK):  # not found
        return False
    end = at + len(_BLANK)
    content = hashlib.sha256(data[:at])
    content.update(_BLANK)
    content.update(data[end:])
    if content.hexdigest().encode() != data[at:end]:
        raise FileFormatError("damaged or cut short: the checksum in the file is not that of its content")
    return True


def unpack_arrays(data: bytes) -> Arrays:
    """The arrays in a file, all in memory of their own.

    Raises
    ------
    FileFormatError
        If there is less or more in the file than its header says.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: Arrays = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"damaged: {error}") from None
    return arrays
