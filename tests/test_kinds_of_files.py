"""Promise: a file is what its name says, and one of another kind is called by its name, with what reads it."""

from __future__ import annotations

import gzip
import json
import pickle
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import foxnn
from foxnn.datasets import load_csv, write_idx

# ---- endings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["net.safetensor", "net.fox", "net.bin", "net", "net.SafeTensor", "net.dat", ".txt"])
def test_endings_that_promise_nothing_are_refused(name: str, tmp_path: Path) -> None:
    """They would lose the loss, dropout and number type."""
    with pytest.raises(ValueError, match=r"path: got '.*'.* it takes names ending in \.safetensors, or in \.txt"):
        foxnn.neural_network([2, 1]).save(tmp_path / name)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("net.safetensor", "net.safetensors"), ("net.safetensros", "net.safetensors"), ("net.tx", "net.txt"),
     ("net", "net.safetensors"), ("net.fox", "net.safetensors")],
)  # fmt: skip
def test_what_was_probably_meant_is_said(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"did you mean '{meant}'\?"):
        foxnn.neural_network([2, 1]).save(name)


@pytest.mark.parametrize(
    ("name", "by"),
    [("net.onnx", r"nn\.to_onnx"), ("net.h", r"nn\.to_c"), ("net.pt", r"torch\.save"), ("net.keras", r"nn\.to_keras"),
     ("net.npz", r"nn\.to_npz")],
)  # fmt: skip
def test_what_writes_other_formats_is_said(name: str, by: str) -> None:
    with pytest.raises(ValueError, match=rf"{by}.* writes that"):
        foxnn.neural_network([2, 1]).save(name)


@pytest.mark.parametrize("name", ["net.safetensors", "NET.SAFETENSORS"])
def test_everything_is_kept_whatever_the_case(name: str, tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 3, 2], output="softmax", dropout=0.5)
    nn.save(tmp_path / name)
    again = foxnn.load(tmp_path / name)
    assert (again.loss, again.dropout, again.dtype) == (nn.loss, nn.dropout, nn.dtype)


def test_text_says_what_it_loses(tmp_path: Path) -> None:
    def saved(nn: foxnn.NeuralNetwork, only_scale: bool = False) -> str:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            nn.save(tmp_path / "net.txt", only_scale)
        assert all(Path(warning.filename) == Path(__file__) for warning in caught)
        return "\n".join(str(warning.message) for warning in caught)

    rich = foxnn.neural_network([2, 3, foxnn.BatchNorm(), 1], "tanh", "linear", "huber", dropout=0.25, l2=0.1,
                                max_norm=2.0, input_noise=0.5)  # fmt: skip
    rich.layers[0].trainable = False
    rich.metadata["a"] = 1
    said = saved(rich)
    assert said.count("net.txt: FoxNN 1.0's text does not keep") == 1
    for part in ("huber", "dropout", "noise", "penalties", "max_norm", "batch norm", "frozen", "metadata", "float32"):
        assert part in said
    assert saved(foxnn.neural_network([2, 3, 1])) == ""  # what FoxNN 1.0 had
    assert saved(foxnn.neural_network([2, 3, 1], dropout=0.25), only_scale=True) == ""  # weights only were asked for


@pytest.mark.parametrize(
    ("method", "name", "message"),
    [("to_c", "net.js", r"nn\.to_c writes \.h or \.c, and nn\.to_js that"), ("to_js", "net.h", "nn.to_c that"),
     ("to_onnx", "net.safetensors", "nn.save that"), ("to_npz", "net.onnx", "nn.to_onnx that"),
     ("to_npz", "net.npy", "nn.to_npz, as .npz"), ("to_c", "net.json", r"nn\.to_c writes \.h or \.c"),
     ("to_js", "net.txt", "nn.save that")],
)  # fmt: skip
def test_exports_do_not_take_the_names_of_others(method: str, name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(foxnn.neural_network([2, 1]), method)(tmp_path / name)
    assert not [*tmp_path.iterdir()]


# ---- files of other kinds -------------------------------------------------------------------------------------


def archive(*names: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, "something")

    return write


def holding(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def idx(path: Path) -> None:
    write_idx(path, np.zeros((3, 4), np.uint8))


def arrays(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, a=np.zeros(3))


def array(path: Path) -> None:
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


#: What other programs write, with what the message says of it.
_OTHERS: list[tuple[str, Callable[[Path], object], str]] = [
    (
        "net.keras",
        archive("metadata.json", "config.json", "model.weights.h5"),
        "a model of Keras, which foxnn.from_keras reads",
    ),
    ("net.h5", holding(b"\x89HDF\r\n\x1a\n" + bytes(100)), "HDF5.*foxnn.from_keras"),
    ("net.pt", archive("net/data.pkl", "net/data/0"), "PyTorch: foxnn.from_torch"),
    ("net.npz", arrays, "arrays of NumPy, which numpy.load"),
    ("x.npy", array, "an array of NumPy, which numpy.load"),
    ("some.zip", archive("a.txt"), "a zip archive"),
    ("cut.zip", holding(b"PK\x03\x04" + bytes(50)), "a zip archive, and a damaged one"),
    ("net.pkl", lambda path: path.write_bytes(pickle.dumps({"a": 1})), "a pickle.*foxnn.from_sklearn"),
    ("net.onnx", holding(b"\x08\x08\x12\x07pytorch\x1a\x03" + bytes(30)), "ONNX, which foxnn.from_onnx reads"),
    ("net.gz", lambda path: path.write_bytes(gzip.compress(b"a")), "compressed with gzip"),
    ("picture.png", holding(b"\x89PNG\r\n\x1a\n" + bytes(100)), "a picture"),
    ("picture.jpg", holding(b"\xff\xd8\xff\xe0" + bytes(100)), "a picture"),
    ("page.html", holding(b"<!DOCTYPE html>\n<html><p>404</p></html>"), "a page of the web"),
    ("pointer", holding(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"), "Git LFS"),
    ("table.csv", holding(b"a,b\n1,2\n"), "a table in CSV, which foxnn.datasets.load_csv"),
    ("numbers.csv", holding(b"1;2;3\n4;5;6\n"), "a table in CSV, which foxnn.datasets.load_csv"),
    ("some.json", lambda path: path.write_text(json.dumps({"a": 1}, indent=2)), "JSON"),
    ("t10k-labels-idx1-ubyte", idx, "IDX, which foxnn.datasets.read_idx"),
    ("empty", holding(b""), "empty"),
]


def test_telling_the_kind_takes_no_longer_than_reading() -> None:
    """Of a line of many separators, which is no table after all."""
    code = 'from foxnn._file_kinds import kind_of_bytes; print(kind_of_bytes(b"a" + b",b" * 500 + b"\\0"))'
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert run.stdout == "None\n"


@pytest.mark.parametrize(("name", "write", "words"), _OTHERS, ids=[name for name, _, _ in _OTHERS])
def test_files_of_other_kinds_are_called_by_their_names(
    name: str, write: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    """Whatever they are called."""
    for called in (tmp_path / name, tmp_path / "net.safetensors", tmp_path / "net.txt"):
        write(called)
        with pytest.raises(foxnn.FileFormatError, match=f"no network of foxnn, but .*{words}") as caught:
            foxnn.load(called)
        assert str(caught.value).startswith(f"{called}: ")


def test_the_command_says_so_too(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    run = subprocess.run([sys.executable, "-m", "foxnn", "info", "picture.png"], cwd=tmp_path, capture_output=True)
    assert b"picture.png: no network of foxnn, but a picture" in run.stderr


def test_tables_say_what_they_are_not(tmp_path: Path) -> None:
    (tmp_path / "table.xlsx").write_bytes(b"PK\x03\x04\x14\x00\xff" + bytes(50))
    with pytest.raises(ValueError, match=r"table\.xlsx: no table in CSV, but a zip archive"):
        load_csv(tmp_path / "table.xlsx")
