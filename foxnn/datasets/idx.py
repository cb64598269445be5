"""The IDX format: the plain array format that MNIST comes in.

A file is two zero bytes, a byte for the type, a byte for the number of dimensions, each dimension as four
bytes, and then the values in row-major order; every number is big-endian. Source: Y. LeCun, C. Cortes, C.
J. C. Burges, "The MNIST database of handwritten digits", 1998.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import struct
import sys
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foxnn._atomic import atomic_write
from foxnn._files import open_regular
from foxnn.errors import FileFormatError

__all__ = ["idx_header", "read_idx", "write_idx"]

_DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_DIMENSIONS = 64  # NumPy's limit
_MAX_INFLATION = 1032  # DEFLATE (RFC 1951) spends at least 2 bits on 258 bytes: no file unpacks to more
_CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str], *, max_bytes: int = 1 << 32) -> NDArray[Any]:
    """Read an array from an IDX file, compressed with gzip or not.

    Whether the file is compressed is told from its first bytes, not from its name. The header is checked
    against the size of the file before anything of that size is allocated.

    Parameters
    ----------
    path : str or path-like
        The file to read.
    max_bytes : int, default 4 GiB
        Size of the largest array that a compressed file may unpack to, so that a small file cannot fill the
        memory.

    Returns
    -------
    ndarray of uint8, int8, int16, int32, float32 or float64
        In the shape the file says and the machine's byte order.

    Raises
    ------
    FileFormatError
        The file is not IDX, is cut short, has bytes left over, is damaged, or unpacks to more than
        `max_bytes`.
    OSError
        The file cannot be opened or read.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels-idx1-ubyte.gz")
    ...     write_idx(path, np.array([5, 0, 4], dtype=np.uint8))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    name = os.fspath(path)
    with open_regular(path) as file:
        n_stored = os.fstat(file.fileno()).st_size
        is_compressed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        if not is_compressed:
            dtype, shape = _read_header(file, name)
            _check_fits(name, dtype, shape, n_stored - file.tell())
            return _read_values(file, name, dtype, shape)
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                dtype, shape = _read_header(unpacked, name)
                _check_fits(name, dtype, shape, min(max_bytes, n_stored * _MAX_INFLATION))
                return _read_values(unpacked, name, dtype, shape)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileFormatError(f"{name}: the gzip compression is damaged: {error}") from error


def write_idx(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write an array to an IDX file, compressed with gzip when the name ends in ".gz".

    The file appears whole or not at all. The same array gives the same bytes: no time or name is stored.

    Parameters
    ----------
    path : str or path-like
        The file to write; one that exists is replaced.
    array : ndarray of uint8, int8, int16, int32, float32 or float64
        What to write, of any shape, in any byte order and memory layout.

    Raises
    ------
    TypeError
        The array is of a type that IDX does not have.
    ValueError
        A dimension is 2**32 or longer.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "matrix-idx2-float")
    ...     write_idx(path, np.eye(2, dtype=np.float32))
    ...     os.path.getsize(path)
    28
    """
    array = np.asarray(array)
    header = idx_header(array)
    values = array.astype(array.dtype.newbyteorder(">"), order="C", copy=False).reshape(-1).view(np.uint8)
    with atomic_write(path) as file:
        if os.fspath(path).endswith(".gz"):
            with gzip.GzipFile("", "wb", 9, fileobj=file, mtime=0) as packed:
                packed.write(header)
                packed.write(values.data)
        else:
            file.write(header)
            file.write(values.data)


def idx_header(array: NDArray[Any]) -> bytes:
    """Return the bytes that precede the values of `array` in an IDX file.

    Examples
    --------
    >>> import numpy as np
    >>> idx_header(np.zeros((2, 3), dtype=np.uint8)).hex(" ", 4)
    '00000802 00000002 00000003'
    """
    code = _CODES.get(array.dtype.newbyteorder(">"))
    if code is None:
        taken = ", ".join(dtype.name for dtype in _DTYPES.values())
        raise TypeError(f"array: got the type {array.dtype}; an IDX file takes {taken}")
    if any(length >= 1 << 32 for length in array.shape):
        raise ValueError(f"array: got the shape {array.shape}; an IDX file takes dimensions below 2**32")
    return struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)


def _read_header(file: io.BufferedIOBase, name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    start = file.read(4)
    if len(start) < 4:
        raise FileFormatError(f"{name}: {len(start)} bytes long, but an IDX file has a header of at least 4")
    zeros, code, n_dimensions = struct.unpack(">HBB", start)
    if zeros != 0 or code not in _DTYPES:
        raise FileFormatError(f"{name}: not an IDX file, it starts with the bytes {start.hex(' ')}")
    if n_dimensions > _MAX_DIMENSIONS:
        raise FileFormatError(f"{name}: {n_dimensions} dimensions, but arrays have at most {_MAX_DIMENSIONS}")
    lengths = file.read(4 * n_dimensions)
    if len(lengths) < 4 * n_dimensions:
        raise FileFormatError(f"{name}: cut short in its header, which should list {n_dimensions} dimensions")
    return _DTYPES[code], struct.unpack(f">{n_dimensions}I", lengths)


def _check_fits(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], n_available: int) -> None:
    n_claimed = math.prod(shape) * dtype.itemsize
    # NumPy refuses lengths whose product overflows even where another length is 0.
    n_counted = math.prod(max(length, 1) for length in shape) * dtype.itemsize
    if n_claimed > n_available or n_counted > sys.maxsize:
        raise FileFormatError(
            f"{name}: the header says {shape} of {dtype.name}, {n_claimed} bytes, "
            f"but there can be no more than {n_available}"
        )


def _read_values(file: io.BufferedIOBase, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    data = np.empty(math.prod(shape) * dtype.itemsize, dtype=np.uint8)
    n_read = 0
    while n_read < data.size:
        # GzipFile allocates as much as is asked for, so ask for little at a time.
        n_new = file.readinto(data[n_read : n_read + _CHUNK].data)
        if n_new == 0:
            raise FileFormatError(f"{name}: cut short after {n_read} of {data.size} bytes of values")
        n_read += n_new
    # Also makes GzipFile check its checksum, which it does at the end of the file only.
    if file.read(1):
        raise FileFormatError(f"{name}: has bytes left over after the {shape} of {dtype.name} it should hold")
    values = data.view(dtype)
    if not dtype.isnative:
        values = values.byteswap(inplace=True).view(dtype.newbyteorder("="))
    return values.reshape(shape)
