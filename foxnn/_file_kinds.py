"""What kind of file a file is that is none of foxnn's, told by its first bytes, and what reads it."""

from __future__ import annotations

import os
import re
import zipfile
from io import BytesIO
from typing import BinaryIO

from foxnn._files import open_regular

#: Of these nobody can be sure.
LOOKS_LIKE = _EMPTY, _CSV = "empty", "a table in CSV, which foxnn.datasets.load_csv reads"
#: Bytes to look at.
_START = 1 << 10
#: What files of each kind begin with; where it is no table of others, a pattern.
_KINDS: list[tuple[bytes, str]] = [
    (rb"\x89HDF\r\n\x1a\n", "HDF5, as Keras's .h5, which foxnn.from_keras reads"),
    (rb"\x93NUMPY", "an array of NumPy, which numpy.load reads"),
    (rb"\x80[\x02-\x05]", "a pickle, as joblib and older versions of PyTorch write them: foxnn.from_sklearn and "
     "foxnn.from_torch take the model that it becomes where it is loaded"),  # which runs what is in it
    (rb"\x1f\x8b", "compressed with gzip, and has to be unpacked"),
    (rb"BZh|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|7z\xbc\xaf\x27\x1c|Rar!", "compressed, and has to be unpacked"),
    (rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8|BM....\0\0\0\0|II\*\0|MM\0\*|RIFF....WEBP", "a picture"),
    (rb"%PDF", "a PDF"),
    (rb"\x7fELF|MZ", "a program"),
    (rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x08]", "an array in IDX, which foxnn.datasets.read_idx reads"),
    (rb"....TFL3", "a model of TensorFlow Lite"),
    (rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]", "a model in ONNX, which foxnn.from_onnx reads"),
    (rb"version https://git-lfs", "what Git LFS keeps in place of the file, which `git lfs pull` brings"),
    (rb"(?i)\s*<(!doctype|html|\?xml)", "a page of the web, perhaps in place of a file that was to be downloaded"),
    (rb"\s*[{\[]", "JSON"),
]  # fmt: skip
#: A line of names or numbers that commas, semicolons or tabs separate.
_TABLE = re.compile(rb"(?:\xef\xbb\xbf)?[^\0\r\n,;\t]+[,;\t][^\0\r\n]*[\r\n]")


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """What a file is that could not be read, in words; None if nobody knows.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "table")
    ...     with open(path, "w") as file:
    ...         _ = file.write("width,height\\n1,2\\n")
    ...     kind_of(path)
    'a table in CSV, which foxnn.datasets.load_csv reads'
    """
    with open_regular(path) as file:
        return kind_of_bytes(file.read(_START), file)


def kind_of_bytes(start: bytes, whole: BinaryIO | None = None) -> str | None:
    """What a file is that begins so; archives are looked into if the whole file is there."""
    if not start:
        return _EMPTY
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_archive(whole or BytesIO(start))
    for pattern, kind in _KINDS:
        if re.match(pattern, start, re.DOTALL):
            return kind
    return _CSV if _TABLE.match(start) else None


def _kind_of_archive(file: BinaryIO) -> str:
    """What a zip file is, told by the names in it."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "a zip archive, and a damaged one"
    if "model.weights.h5" in names:
        return "a model of Keras, which foxnn.from_keras reads"
    if any(name.endswith("data.pkl") for name in names):
        return "a file of PyTorch: foxnn.from_torch takes the module whose weights torch.load reads from it"
    if {"description.npy", "layers.0.weights.npy"} <= set(names):
        return "what nn.to_npz wrote for other programs; nn.save writes what foxnn reads again"
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of arrays of NumPy, which numpy.load reads"
    return "a zip archive"
