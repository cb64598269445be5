"""The native file from outside: safetensors with one text, a description in JSON, and a checksum of every byte.

The text is the value of ``foxnn`` in the metadata of the safetensors header. It begins with the checksum: SHA-256 of
the whole file, as it is with 64 zeros in the checksum's place. docs/file_format.md describes the file on a page.

safetensors' own library copies all arrays to write or read them, and ends the process where there is no memory for
that. The format takes little more than a header in JSON, so that is written and read here, beside the arrays' own
memory; the tests compare with the library, byte by byte.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from foxnn._options import shown
from foxnn.errors import FileFormatError

if TYPE_CHECKING:
    from typing_extensions import Self

#: What comes right before the checksum: its name, as it looks in a JSON text inside a JSON text.
_MARK = rb"\"sha256\": \""
_BLANK = b"0" * 64
#: What safetensors calls the dtypes that it shares with NumPy.
_DTYPES = {"BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4", "I32": "<i4",
           "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8", "C64": "<c8"}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
#: The longest header that safetensors' library reads.
_LONGEST = 100_000_000
_CHUNK = 1 << 20
#: An array never has more dimensions.
_DIMENSIONS = 64

Arrays = dict[str, npt.NDArray[Any]]
#: The dtype and the shape of each array, in safetensors' words.
Layout = dict[str, tuple[str, tuple[int, ...]]]
#: By name, what reads the items of a list.
Lists = Mapping[str, Callable[[Iterator[Any]], Any]]


# ---- writing ------------------------------------------------------------------------------------------------


def pack(description: dict[str, Any], arrays: Arrays) -> list[bytes | memoryview]:
    """The bytes of a file in pieces, most of which are the arrays' own memory.

    Raises
    ------
    TypeError, ValueError
        If the description has something that JSON cannot hold, or would not give back as it was.
    """
    _check_names(description)
    text = json.dumps({"sha256": _BLANK.decode(), **description}, allow_nan=False)
    layout: dict[str, Any] = {"__metadata__": {"foxnn": text}}
    data: list[bytes | memoryview] = []
    at = 0
    # In safetensors' order, in which every array is aligned.
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        dtype = array.dtype.newbyteorder("<")
        if dtype not in _NAMES:
            raise TypeError(f"an array of {array.dtype}")
        flat = np.ascontiguousarray(array, dtype).reshape(-1)
        layout[name] = {
            "dtype": _NAMES[dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + flat.nbytes],
        }
        data.append(flat.view(np.uint8).data)
        at += flat.nbytes
    header = json.dumps(layout, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > _LONGEST:
        raise ValueError(f"{len(header):,} bytes besides the arrays, where {_LONGEST:,} have room")
    mark = header.index(_MARK) + len(_MARK)
    start, rest = len(header).to_bytes(8, "little") + header[:mark], header[mark + len(_BLANK) :]
    checksum = hashlib.sha256()
    pieces = [start, _BLANK, rest, *data]
    for piece in pieces:
        checksum.update(piece)
    pieces[1] = checksum.hexdigest().encode()
    return pieces


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


# ---- reading ------------------------------------------------------------------------------------------------


@contextmanager
def reading(file: BinaryIO, size: int, lists: Lists) -> Iterator[Reader]:
    """Read a file of `size` bytes from its start; what goes wrong with a damaged one is put down to the damage.

    Raises
    ------
    FileFormatError
        If the file is damaged or none of foxnn's.
    """
    reader = Reader(file, size)
    try:
        reader.open(lists)
        yield reader
    except (MemoryError, OSError):
        raise
    except Exception:
        reader.check()
        raise
    reader.check()


class Reader:
    """A file that is being read once from its start to its end: its header first, then its arrays.

    Attributes
    ----------
    description : dict
    layout : Layout
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left, self._checksum = file, size, hashlib.sha256()
        self._expected: bytes | None = None
        self.description: dict[str, Any] = {}
        self.layout: Layout = {}

    def open(self, lists: Lists) -> None:
        """Read the header; what `lists` names in the description becomes what its functions make of the items."""
        try:
            text = self._text()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FileFormatError(f"damaged, or not a safetensors file: {error!r} in its header") from None
        if text is None:
            raise FileFormatError("a safetensors file, but not one that foxnn wrote (no description of the network)")
        try:
            description = _Description(text, lists, only_finite=self._expected is not None).read()
        except (ValueError, TypeError, RecursionError) as error:
            raise FileFormatError(f"the description of the network is no JSON: {error}") from None
        if self._expected is None and description.get("format") != 1:  # which had no checksum
            raise FileFormatError("damaged: the checksum is missing")
        description.pop("sha256", None)
        self.description = description

    def arrays(self) -> Arrays:
        """Read the arrays, all into memory of their own."""
        arrays: Arrays = {}
        for name, (dtype, shape) in self.layout.items():
            array = np.empty(shape, _DTYPES[dtype])
            self._read_into(array.reshape(-1).view(np.uint8).data)
            arrays[name] = array
        return arrays

    def check(self) -> None:
        """Read what is left, and compare the checksum."""
        buffer = bytearray(min(self._left, _CHUNK))
        while self._left:
            self._read_into(memoryview(buffer)[: self._left])
        if self._expected is not None and self._checksum.hexdigest().encode() != self._expected:
            raise FileFormatError("damaged or cut short: the checksum in the file is not that of its content")

    def _read_into(self, memory: memoryview) -> None:
        if self._file.readinto(memory) != memory.nbytes:  # type: ignore[attr-defined]
            self._left = 0
            raise FileFormatError("cut short while it was read")
        self._left -= memory.nbytes
        self._checksum.update(memory)

    def _header(self) -> str:
        """The header, without whose bytes the rest goes on."""
        start = self._file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > self._left - 8:
            raise FileFormatError("cut short, or not a safetensors file: its header goes beyond its end")
        if length > _LONGEST:
            raise FileFormatError(f"a header of {length:,} bytes; safetensors allows {_LONGEST:,}")
        header = self._file.read(length)
        self._left -= 8 + len(header)
        self._checksum.update(start)
        at = header.find(_MARK) + len(_MARK)
        end = at + len(_BLANK)
        with memoryview(header) as view:
            if at < len(_MARK):  # not found
                self._checksum.update(view)
            else:
                self._expected = bytes(view[at:end])
                for piece in (view[:at], _BLANK, view[end:]):
                    self._checksum.update(piece)
        return header.decode()

    def _text(self) -> str | None:
        """The description, if there is one, when the layout has been looked at."""
        entries = json.loads(self._header(), object_pairs_hook=_once)
        text: str | None = entries.pop("__metadata__", {}).get("foxnn")
        places = {name: _Place.of(**entry) for name, entry in entries.items()}
        end = 0
        for name, place in sorted(places.items(), key=lambda item: item[1].begin_end):
            if place.begin_end != (end, end + place.size):
                raise ValueError(
                    f"{shown(name)} at {list(place.begin_end)}, where {place.size} bytes from {end} on belong"
                )
            end += place.size
            self.layout[name] = place.dtype, place.shape
        if end != self._left:
            raise ValueError(f"{end} bytes of arrays, where the file has {self._left}")
        return text


class _Place(NamedTuple):
    """Where an array is, in bytes after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin_end: tuple[int, int]

    @classmethod
    def of(cls, dtype: Any, shape: Any, data_offsets: Any) -> Self:
        begin, end = data_offsets
        if dtype not in _DTYPES:
            raise ValueError(f"dtype {shown(dtype)}")
        numbers = (*shape, begin, end)  # whose product is not to take long
        if len(shape) > _DIMENSIONS or not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
            raise ValueError(f"shape {shown(shape)} at {shown(data_offsets)}")
        return cls(dtype, tuple(shape), (begin, end))

    @property
    def size(self) -> int:
        return math.prod(self.shape) * np.dtype(_DTYPES[self.dtype]).itemsize


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON text; whoever has a name twice may be read in two ways."""
    made = dict(pairs)
    if len(made) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"{shown(counts.most_common(1)[0][0])} is there twice")
    return made


class _Description:
    """A JSON object that is read item by item, so that a list of a million numbers is never there as objects."""

    def __init__(self, text: str, lists: Lists, *, only_finite: bool) -> None:
        self._text, self._at, self._lists = text, 0, lists
        self._decoder = json.JSONDecoder(object_pairs_hook=_once)
        if only_finite:  # the first format had NaN and infinity, which are no JSON
            self._decoder = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite)

    def read(self) -> dict[str, Any]:
        if not self._take("{"):
            raise ValueError("no object")
        pairs = list(self._pairs())
        if self._at != len(self._text):
            raise ValueError(f"more after its end, at {self._at}")
        return _once(pairs)

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        for _ in self._items("}"):
            name = self._value()
            if not isinstance(name, str) or not self._take(":"):
                raise ValueError(f"no name at {self._at}")
            if name in self._lists and self._take("["):
                yield name, self._lists[name](self._value() for _ in self._items("]"))
            else:
                yield name, self._value()

    def _items(self, end: str) -> Iterator[None]:
        """Stops at each item up to the end of the object or list."""
        if self._take(end):
            return
        yield
        while self._take(","):
            yield
        if not self._take(end):
            raise ValueError(f"neither ',' nor {end!r} at {self._at}")

    def _take(self, token: str) -> bool:
        self._skip_space()
        found = self._text.startswith(token, self._at)
        self._at += len(token) if found else 0
        self._skip_space()
        return found

    def _skip_space(self) -> None:
        while self._text[self._at : self._at + 1] in (" ", "\t", "\n", "\r"):
            self._at += 1

    def _value(self) -> Any:
        value, self._at = self._decoder.raw_decode(self._text, self._at)
        return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON has")
    return number
