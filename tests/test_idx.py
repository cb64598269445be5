"""IDX files: what is written is read back, and a damaged file is refused, whatever the damage."""

from __future__ import annotations

import gzip
import os
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from foxnn.datasets import read_idx, write_idx
from foxnn.errors import FileFormatError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}

arrays = st.sampled_from([order + code for order in "<>" for code in CODES]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)


def header(code: int, *lengths: int) -> bytes:
    return bytes([0, 0, code, len(lengths)]) + b"".join(struct.pack(">I", length) for length in lengths)


def damaged(path: Path, data: bytes) -> str:
    """Write the bytes, see that they are refused, and return the message."""
    path.write_bytes(data)
    with pytest.raises(FileFormatError) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@given(array=arrays)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, array: NDArray[Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / f"array{suffix}"
    write_idx(path, array)
    result = read_idx(path)
    assert result.shape == array.shape
    assert result.dtype == array.dtype.newbyteorder("=")
    assert result.dtype.isnative
    assert result.tobytes() == array.astype(result.dtype).tobytes()  # NaN too, to the bit
    assert result.flags.writeable


@pytest.mark.parametrize("code", CODES)
def test_the_layout_is_the_published_one(tmp_path: Path, code: str) -> None:
    values = [0, 1, 2, 3, 4, 100]
    expected = header(CODES[code], 2, 3) + struct.pack(
        ">6" + {"u1": "B", "i1": "b", "i2": "h", "i4": "i", "f4": "f", "f8": "d"}[code], *values
    )
    write_idx(tmp_path / "plain", np.array(values, dtype=code).reshape(2, 3))
    write_idx(tmp_path / "packed.gz", np.array(values, dtype=code).reshape(2, 3))
    assert (tmp_path / "plain").read_bytes() == expected
    assert gzip.decompress((tmp_path / "packed.gz").read_bytes()) == expected


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_device_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(FileFormatError, match="zero: a device; it takes a regular file"):
        read_idx(tmp_path / "zero")


def test_memory_layout_does_not_matter(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.int16).reshape(4, 6)
    views = [array.T, array[:, ::-2], np.asfortranarray(array), array[0, ::2], array.astype(">i2")[0, ::2]]
    views += [view.astype(np.uint8)[::-1] for view in views]
    for i, view in enumerate(views):
        write_idx(tmp_path / str(i), view)
        np.testing.assert_array_equal(read_idx(tmp_path / str(i)), view)


def test_gzip_is_told_from_the_content_not_the_name(tmp_path: Path) -> None:
    array = np.arange(5, dtype=np.uint8)
    write_idx(tmp_path / "a.gz", array)
    write_idx(tmp_path / "b", array)
    os.rename(tmp_path / "a.gz", tmp_path / "a")
    os.rename(tmp_path / "b", tmp_path / "b.gz")
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)
    np.testing.assert_array_equal(read_idx(tmp_path / "b.gz"), array)


def test_the_same_array_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(tmp_path / "now.gz", np.arange(5, dtype=np.uint8))
    monkeypatch.setattr(time, "time", lambda: 1.0)
    write_idx(tmp_path / "then.gz", np.arange(5, dtype=np.uint8))
    assert (tmp_path / "now.gz").read_bytes() == (tmp_path / "then.gz").read_bytes()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_every_truncation_is_refused(tmp_path: Path, suffix: str) -> None:
    write_idx(tmp_path / f"whole{suffix}", np.arange(30, dtype=np.int16).reshape(5, 6))
    data = (tmp_path / f"whole{suffix}").read_bytes()
    for length in range(len(data)):
        damaged(tmp_path / "cut", data[:length])


@pytest.mark.parametrize("n_more", [1, 2, 1000])
def test_bytes_left_over_are_refused(tmp_path: Path, n_more: int) -> None:
    content = header(0x08, 3) + b"abc"
    assert "left over" in damaged(tmp_path / "plain", content + bytes(n_more))
    assert "left over" in damaged(tmp_path / "inside", gzip.compress(content + bytes(n_more)))
    damaged(tmp_path / "after", gzip.compress(content) + b"x" * n_more)


def test_no_flipped_bit_of_a_compressed_file_changes_the_values(tmp_path: Path) -> None:
    array = np.arange(60, dtype=np.float32)
    write_idx(tmp_path / "whole.gz", array)
    data = (tmp_path / "whole.gz").read_bytes()
    n_refused = 0
    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            (tmp_path / "flipped").write_bytes(flipped)
            try:
                result = read_idx(tmp_path / "flipped")
            except FileFormatError:
                n_refused += 1
            else:  # a bit that says nothing about the content, such as the time
                np.testing.assert_array_equal(result, array)
    assert n_refused > 8 * (len(data) - 10)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes long"),
        (b"\0\0\x08", "3 bytes long"),
        (b"label,pixel\n", "not an IDX file"),
        (b"\0\1\x08\1\0\0\0\0", "not an IDX file"),
        (b"\0\0\x0a\1\0\0\0\0", "not an IDX file"),
        (b"\0\0\x08\2\0\0\0\0", "header"),
        (header(0x08, *[1] * 65) + b"a", "65 dimensions"),
        (header(0x0E, 2) + b"12345678", "16 bytes"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, data: bytes, message: str) -> None:
    assert message in damaged(tmp_path / "plain", data)
    assert message in damaged(tmp_path / "packed", gzip.compress(data)) or message == "16 bytes"


@pytest.mark.parametrize(
    "lengths",
    [(2**32 - 1,), (2**32 - 1, 2**32 - 1), (2**31, 2**31, 2**31), (60_000, 28, 28), (2**32 - 1,) * 4],
)
def test_a_header_that_lies_is_refused_before_memory_is_taken(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    tracemalloc.start()
    try:
        damaged(tmp_path / "plain", header(0x0E, *lengths) + bytes(100))
        damaged(tmp_path / "packed", gzip.compress(header(0x0E, *lengths) + bytes(100)))
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_an_empty_array_of_impossible_lengths_is_refused(tmp_path: Path) -> None:
    damaged(tmp_path / "plain", header(0x08, 0, 2**32 - 1, 2**32 - 1))
    damaged(tmp_path / "packed", gzip.compress(header(0x08, 2**32 - 1, 2**32 - 1, 0)))


def test_a_gzip_bomb_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    honest = gzip.compress(header(0x08, 1 << 25) + bytes(1 << 25))
    longer_than_it_says = gzip.compress(header(0x08, 10) + bytes(1 << 25))
    (tmp_path / "honest").write_bytes(honest)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="no more than 1000"):
            read_idx(tmp_path / "honest", max_bytes=1000)
        damaged(tmp_path / "longer", longer_than_it_says)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert read_idx(tmp_path / "honest").size == 1 << 25


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")


@pytest.mark.parametrize("dtype", ["int64", "uint16", "bool", "float16", "complex64", "U3"])
def test_a_type_that_idx_lacks_is_refused_with_the_ones_it_has(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(TypeError, match="uint8, int8, int16, int32, float32, float64"):
        write_idx(tmp_path / "array", np.zeros(3, dtype=dtype))
    assert not list(tmp_path.iterdir())


def test_a_dimension_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"2\*\*32"):
        write_idx(tmp_path / "array", np.zeros((2**32, 0), dtype=np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    path = tmp_path / "array.gz"
    write_idx(path, np.arange(3, dtype=np.uint8))

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="the disk is full"):
        write_idx(path, np.arange(9, dtype=np.uint8))
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(read_idx(path), [0, 1, 2])
