"""A damaged file is refused, whatever the damage; so is one that is whole and does not make sense."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foxnn
from foxnn.io.native import from_bytes, to_bytes


@pytest.fixture(scope="module")
def whole() -> bytes:
    """A file of 10 kB with everything in it that there can be."""
    nn = foxnn.neural_network([16, 20, 8, 2], activation="relu", output="softmax", dropout=0.25, seed=0)
    X = np.random.default_rng(0).normal(size=(8, 16))
    nn.fit(X, np.arange(8) % 2, epochs=2, validation_split=0.25, scale=0.5, optimizer="adam")
    nn.metadata["name"] = "Åsa"
    data = to_bytes(nn, optimizer=True)
    assert 9_000 < len(data) < 11_000, len(data)
    return data


def is_refused(data: bytes) -> bool:
    try:
        from_bytes(data)
    except foxnn.FileFormatError:
        return True
    return False


def test_text_files_of_foxnn_1_0_may_have_any_name(tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1], seed=0)
    nn.save(tmp_path / "net.txt")
    (tmp_path / "net.txt").rename(tmp_path / "net.json")
    assert foxnn.load(tmp_path / "net.json").sizes == [2, 1]


def test_every_flipped_bit_is_refused(whole: bytes) -> None:
    from_bytes(whole)
    damaged = bytearray(whole)
    accepted = []
    for bit in range(8 * len(whole)):
        damaged[bit // 8] ^= 1 << bit % 8
        if not is_refused(bytes(damaged)):
            accepted.append(bit)
        damaged[bit // 8] ^= 1 << bit % 8
    assert accepted == []


def test_every_truncation_is_refused(whole: bytes) -> None:
    assert [length for length in range(len(whole)) if not is_refused(whole[:length])] == []


@pytest.mark.parametrize("more", [b"\0", b"{}", b"\n", b"0" * 64, bytes(4096)])
def test_more_at_the_end_is_refused(whole: bytes, more: bytes) -> None:
    assert is_refused(whole + more)


@pytest.mark.parametrize("damage", [f"flip {bit}" for bit in range(80)] + [f"cut {length}" for length in range(12)])
def test_what_tells_the_kind_of_a_file_may_be_damaged_too(whole: bytes, damage: str, tmp_path: Path) -> None:
    what, _, where = damage.partition(" ")
    damaged = bytearray(whole if what == "flip" else whole[: int(where)])
    if what == "flip":
        damaged[int(where) // 8] ^= 1 << int(where) % 8
    for name in ("net.safetensors", "net.txt"):
        path = tmp_path / name
        path.write_bytes(damaged)
        with pytest.raises(foxnn.FileFormatError, match=re.escape(str(path))):
            foxnn.load(path)
    with pytest.raises(foxnn.FileFormatError, match=r"damaged|cut short"):
        foxnn.load(tmp_path / "net.safetensors")


def test_the_plain_library_reads_the_file(whole: bytes, tmp_path: Path) -> None:
    from safetensors import safe_open

    nn = from_bytes(whole)
    path = tmp_path / "net.safetensors"
    path.write_bytes(whole)
    with safe_open(path, "np") as file:
        description = json.loads(file.metadata()["foxnn"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
    assert description["sizes"] == nn.sizes
    for i, layer in enumerate(nn.layers):
        np.testing.assert_array_equal(arrays[f"layers.{i}.weights"], layer.weights)
        np.testing.assert_array_equal(arrays[f"layers.{i}.bias"], layer.bias)


def test_the_same_network_is_the_same_file(whole: bytes) -> None:
    assert to_bytes(from_bytes(whole), optimizer=True) == whole


# ---- whole files that do not make sense ----------------------------------------------------------------------


def rewritten(data: bytes, change: Any) -> bytes:
    """The file with another description and other arrays, under a checksum that is right."""
    from safetensors.numpy import load, save

    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    description, arrays = json.loads(header["__metadata__"]["foxnn"]), load(data)
    change(description, arrays)
    description["sha256"] = "0" * 64
    text = json.dumps({"sha256": description.pop("sha256"), **description})
    blank = save(arrays, metadata={"foxnn": text})
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


def test_a_rewritten_file_is_read(whole: bytes) -> None:
    """So what the tests below refuse is refused for what they changed, and not for its checksum."""
    assert from_bytes(rewritten(whole, lambda d, arrays: d.update(epoch=7))).epoch == 7


KEYS = ["format", "sizes", "dtype", "activations", "loss", "dropout", "seed", "epoch", "scale", "offset", "optimizer",
        "settings_1_0", "history", "metadata", "steps"]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_part_that_is_missing_is_named(whole: bytes, key: str) -> None:
    with pytest.raises(foxnn.FileFormatError, match=f"lacks '{key}'"):
        from_bytes(rewritten(whole, lambda d, arrays: d.pop(key)))


NONSENSE = ["nonsense", -1, 1.5, True, [None], {"name": "nonsense"}, {"": []}, [[]], [-1, -1], float("nan"), 10**400]
SENSIBLE = {
    "seed": [10**400],
    "scale": [-1, 1.5],
    "offset": [-1, 1.5],
    "steps": [1.5],
    "metadata": [{"name": "nonsense"}, {"": []}],
}


@pytest.mark.parametrize("key", KEYS)
def test_nonsense_is_refused(whole: bytes, key: str) -> None:
    def put(value: object) -> bytes:
        return rewritten(whole, lambda d, arrays: d.update({key: value}))

    accepted = [value for value in NONSENSE if not is_refused(put(value))]
    assert accepted == SENSIBLE.get(key, [])


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_json_has_not_are_refused(whole: bytes, number: str) -> None:
    """They could be loaded, and never be saved again."""

    def put(description: dict[str, Any], arrays: dict[str, Any]) -> None:
        description["metadata"] = {"mine": [float(number)]}

    with pytest.raises(foxnn.FileFormatError, match="no JSON"):
        from_bytes(rewritten(whole, put))


@pytest.mark.parametrize("name", ["scale_inputs", "scale_outputs"])
@pytest.mark.parametrize(
    "change",
    [{"spread": [0, 1]}, {"spread": [1, -1]}, {"spread": [1, "inf"]}, {"spread": [1]}, {"spread": [1, 1, 1]},
     {"spread": 1}, {"shift": [0]}, {"shift": [0, None]}, {"shift": [[0], [0]]}, {"kind": "nonsense"}],
)  # fmt: skip
def test_a_scaling_of_nonsense_is_refused(name: str, change: dict[str, Any]) -> None:
    nn = foxnn.neural_network([2, 2], output="linear", **{name: "standard"})
    nn.fit_scaling(np.eye(2), np.eye(2))
    scaled = to_bytes(nn)
    assert not is_refused(rewritten(scaled, lambda d, arrays: None))
    with pytest.raises(foxnn.FileFormatError, match=f"'{name}' in the description of the network"):
        from_bytes(rewritten(scaled, lambda d, arrays: d[name].update(change)))


def test_what_this_version_does_not_know_is_refused_by_name(whole: bytes) -> None:
    with pytest.raises(foxnn.FileFormatError, match=r"written by foxnn 9\.1 with 'telepathy'"):
        from_bytes(rewritten(whole, lambda d, arrays: d.update(telepathy=True, foxnn="9.1")))
    with pytest.raises(foxnn.FileFormatError, match="array 'extra': F32 of shape \\[2\\] where nothing belongs"):
        from_bytes(rewritten(whole, lambda d, arrays: arrays.update(extra=np.zeros(2, np.float32))))
    with pytest.raises(foxnn.FileFormatError, match=r"written in format 99 by foxnn 9\.1; this version reads"):
        from_bytes(rewritten(whole, lambda d, arrays: d.update(format=99, foxnn="9.1")))


@pytest.mark.parametrize("name", ["layers.1.weights", "layers.2.bias", "optimizer.0.1.weights", "optimizer.2.0.bias"])
def test_an_array_that_does_not_fit_is_named(whole: bytes, name: str) -> None:
    def missing(description: dict[str, Any], arrays: dict[str, Any]) -> None:
        del arrays[name]

    def of_another_shape(description: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays[name] = arrays[name][..., 1:].copy()

    def of_another_dtype(description: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays[name] = arrays[name].astype(np.float64)

    for change in (missing, of_another_shape, of_another_dtype):
        with pytest.raises(foxnn.FileFormatError, match=f"'{name}'.* where F32 of shape .* belongs"):
            from_bytes(rewritten(whole, change))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["layers.1.weights", "layers.2.bias"])
def test_weights_that_are_not_finite_are_refused(whole: bytes, name: str, value: float) -> None:
    with pytest.raises(foxnn.FileFormatError, match=f"'{name}'"):
        from_bytes(rewritten(whole, lambda d, arrays: arrays[name].__setitem__(..., value)))


@pytest.mark.parametrize("optimizer", ["momentum", "adagrad", "rmsprop", "adam", "adamw"])
def test_what_no_optimizer_remembers_is_refused(optimizer: str) -> None:
    nn = foxnn.neural_network([3, 4, 2], seed=0)
    nn.optimizer = foxnn.optimizers.get(optimizer)
    nn.train_on_batch(np.eye(3), np.eye(3)[:, :2])
    data = to_bytes(nn, optimizer=True)
    last = foxnn._core.OPTIMIZERS[optimizer]["n_state"] - 1
    assert not is_refused(rewritten(data, lambda d, arrays: None))
    for name in (f"optimizer.0.{last}.weights", f"optimizer.1.{last}.bias", "optimizer.0.0.bias"):
        with pytest.raises(foxnn.FileFormatError, match=f"'{name}': got NaN"):
            from_bytes(rewritten(data, lambda d, arrays, name=name: arrays[name].__setitem__(-1, np.nan)))
    if optimizer != "momentum":  # of the others the last are squares
        with pytest.raises(foxnn.FileFormatError, match=r"'optimizer\.1\..\.bias': got -1; it takes squares"):
            from_bytes(rewritten(data, lambda d, arrays: arrays[f"optimizer.1.{last}.bias"].__setitem__(0, -1)))


def relabelled(data: bytes, change: Any) -> bytes:
    """The file with another text for a header, under a checksum that is right."""
    length = int.from_bytes(data[:8], "little")
    text, arrays = data[8 : 8 + length].decode(), data[8 + length :]
    found = re.search(r'sha256\\": \\"([0-9a-f]{64})', text)
    assert found is not None
    header = change(text.replace(found[1], "0" * 64)).encode()
    blank = len(header).to_bytes(8, "little") + header + arrays
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


def test_a_header_with_the_same_name_twice_is_refused(whole: bytes) -> None:
    """One reader would take the first, another the last."""
    assert relabelled(whole, lambda text: text) == whole
    entry = '"layers.0.bias":{"dtype":"F32","shape":[20],"data_offsets":[0,80]}'
    for twice in (
        lambda text: text.replace("{", "{" + entry + ",", 1),
        lambda text: text.replace('"dtype":', '"dtype":"F32","dtype":', 1),
        lambda text: text.replace('\\"epoch\\":', '\\"epoch\\": 2, \\"epoch\\":', 1),
        lambda text: text.replace('\\"metadata\\": {', '\\"metadata\\": {\\"name\\": 1, ', 1),
    ):
        data = relabelled(whole, twice)
        assert data != whole
        with pytest.raises(foxnn.FileFormatError, match="is there twice"):
            from_bytes(data)


@pytest.mark.parametrize("change", [
    ("[0,80]", "[4,84]"), ("[0,80]", "[0,84]"), ("[0,80]", "[80,0]"), ("[0,80]", "[-80,0]"), ("[0,80]", "[0,80,80]"),
    ("[0,80]", "[0.0,80]"), ("[20]", "[20.0]"), ("[20]", "[true,20]"), ("[20]", "[4,5,-1]"), ("[20]", '"20"'),
    ('"F32"', '"F99"'), ('"F32"', "32"), ('"dtype"', '"kind"'), ('"F32",', '"F32","more":1,'),
])  # fmt: skip
def test_arrays_that_are_not_one_after_another_are_refused(change: tuple[str, str]) -> None:
    nn = foxnn.neural_network([5, 20], seed=0)
    data = to_bytes(nn)
    entry = '{"dtype":"F32","shape":[20],"data_offsets":[0,80]}'
    with pytest.raises(foxnn.FileFormatError, match=r"in its header|belongs"):
        from_bytes(relabelled(data, lambda text: text.replace(entry, entry.replace(*change))))


def test_a_file_without_its_checksum_is_refused(whole: bytes) -> None:
    from safetensors.numpy import load, save

    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    description = json.loads(header["__metadata__"]["foxnn"])
    del description["sha256"]
    with pytest.raises(foxnn.FileFormatError, match="checksum is missing"):
        from_bytes(save(load(whole), metadata={"foxnn": json.dumps(description)}))


def test_another_safetensors_file_is_told_from_a_damaged_one() -> None:
    from safetensors.numpy import save

    for metadata in (None, {"format": "pt"}):
        with pytest.raises(foxnn.FileFormatError, match="not one that foxnn wrote"):
            from_bytes(save({"a": np.zeros(3)}, metadata=metadata))


HEADERS = [
    *(b"", b"{", b"[]", b"null", b"\xff\xfe{}", b"[" * 100_000, b'{"a": 1}', b'{"__metadata__": 1}'),
    b'{"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}',
    b'{"__metadata__": {"foxnn": "' + b"[" * 100_000 + b'"}}',
    b'{"__metadata__": {"foxnn": "[]"}}',
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: repr(header[:40]))
def test_headers_of_nonsense_are_refused(header: bytes) -> None:
    assert is_refused(len(header).to_bytes(8, "little") + header)
    assert is_refused((2**64 - 1).to_bytes(8, "little") + header)


# ---- what it costs, and what it must not do ------------------------------------------------------------------

_PEAK = """\
import sys
import numpy as np, foxnn

def peak():
    return next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

read = getattr(foxnn, sys.argv[1])
read(sys.argv[2])  # brings in the modules
before = peak()
try:
    nn = read(sys.argv[3])
except foxnn.FileFormatError as error:
    nn = None
print(peak() - before)
"""


def memory_to_read(function: str, path: Path, small: Path) -> int:
    """By how many bytes a process grows that reads a file so, after a small one of its kind."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux's /proc")
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed is gone
    run = subprocess.run(
        [sys.executable, "-c", _PEAK, function, small, path],
        capture_output=True, text=True, check=True, env=environment)  # fmt: skip
    return int(run.stdout)


def _memory_to_load(path: Path, tmp_path: Path) -> int:
    small = tmp_path / "small.safetensors"
    foxnn.neural_network([2, 2]).save(small)
    return memory_to_read("load", path, small)


@pytest.mark.parametrize("optimizer", [False, True])
def test_loading_takes_no_more_than_about_twice_the_file(optimizer: bool, tmp_path: Path) -> None:
    nn = foxnn.neural_network([2000, 2000, 2000, 2000])
    nn.train_on_batch(np.zeros((1, 2000)), np.zeros((1, 2000)))
    path = tmp_path / "large.safetensors"
    nn.save(path, optimizer=optimizer)
    assert _memory_to_load(path, tmp_path) < 2.25 * path.stat().st_size


def test_a_long_history_takes_about_twice_the_file(tmp_path: Path) -> None:
    """It is numbers there, and becomes a dictionary for each epoch when it is asked for."""
    nn = foxnn.neural_network([2, 1])
    values = np.random.default_rng(0).random((80_000, 3)).tolist()
    nn.history.epochs[:] = [dict(zip(("loss", "accuracy", "seconds"), row, strict=True)) for row in values]
    path = tmp_path / "long.safetensors"
    nn.save(path)
    assert path.stat().st_size > 5e6
    assert _memory_to_load(path, tmp_path) < 2.5 * path.stat().st_size
    again = foxnn.load(path)
    assert [list(row) for row in zip(*(again.history[name] for name in again.history), strict=True)] == values
    assert again.history.epochs == nn.history.epochs


@pytest.mark.parametrize("text", ['{"a": 0}, ', "[], ", "{}, ", "0, ", '"", ', "[[[[]]]], "])
def test_a_description_of_many_small_things_takes_memory_by_its_size(text: str, tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    nn.metadata = {"many": json.loads("[" + text * 100_000 + "0]")}
    path = tmp_path / "many.safetensors"
    nn.save(path)
    assert _memory_to_load(path, tmp_path) < 60 * path.stat().st_size


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX")
@pytest.mark.parametrize("name", ["zero.safetensors", "zero.txt", "pipe.safetensors", "pipe.txt"])
def test_what_has_no_end_is_not_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.startswith("zero"):
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path)  # which would wait for someone to write
    program = "import sys, foxnn\nfoxnn.load(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=30)
    assert f"FileFormatError: {path}: a {'device' if 'zero' in name else 'pipe'}; it takes a regular file" in run.stderr


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises((IsADirectoryError, PermissionError)) as caught:
        foxnn.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("sizes", [[2**20, 2**20], [2**62, 2**62], [10**30, 1], [16, 24, 10, 2**40]])
def test_a_small_file_cannot_ask_for_much_memory(whole: bytes, sizes: list[int], tmp_path: Path) -> None:
    path = tmp_path / "bomb.safetensors"
    path.write_bytes(rewritten(whole, lambda d, arrays: d.update(sizes=sizes)))
    with pytest.raises(foxnn.FileFormatError, match=r"layers\.\d\.weights|sizes.*it takes an integer"):
        foxnn.load(path)
    assert _memory_to_load(path, tmp_path) < 2**20


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    foxnn.neural_network([3, 2]).save(tmp_path / "net.safetensors")
    program = """\
import sys, foxnn

def forbid(event, arguments):
    if event in ("pickle.find_class", "exec", "compile", "marshal.loads"):
        raise SystemExit(f"{event} {arguments}")

foxnn.load(sys.argv[1]).save(sys.argv[1])  # brings in the modules
sys.addaudithook(forbid)
nn = foxnn.load(sys.argv[1])
nn.save(sys.argv[1])
print(nn.sizes)
"""
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "net.safetensors"], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("[3, 2]\n", "")


# ---- what cannot be written ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {None: 1}}, [{True: 1}], float("nan"), np.zeros(2), {1}, 1j],
                         ids=repr)  # fmt: skip
def test_metadata_that_would_not_come_back_is_refused(value: object, tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    nn.save(tmp_path / "net.safetensors")
    before = (tmp_path / "net.safetensors").read_bytes()
    nn.metadata["mine"] = value
    with pytest.raises(TypeError, match=r"metadata: .*; it takes what JSON can hold"):
        nn.save(tmp_path / "net.safetensors")
    assert (tmp_path / "net.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize("value", [3, None, [1], "text"])
def test_metadata_is_a_dict(value: object, tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    nn.metadata = value
    with pytest.raises(TypeError, match=r"metadata: got .*; it takes a dict"):
        nn.save(tmp_path / "net.safetensors")
    assert not [*tmp_path.iterdir()]


def test_history_keeps_numbers_that_json_has_not(tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    nn.history.append({"loss": float("nan"), "gain": -float("inf"), "steps": 3})
    loaded = from_bytes(to_bytes(nn))
    assert repr(loaded.history.epochs) == "[{'loss': nan, 'gain': -inf, 'steps': 3.0}]"


def test_the_reader_of_the_documentation_reads_it(whole: bytes, tmp_path: Path) -> None:
    page = Path(__file__).parents[1] / "docs" / "file_format.md"
    (program,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(program, namespace)
    path = tmp_path / "net.safetensors"
    path.write_bytes(whole)
    description, arrays = namespace["read"](path)
    nn = foxnn.load(path)
    assert (description["sizes"], description["metadata"]) == (nn.sizes, nn.metadata)
    for i, layer in enumerate(nn.layers):
        assert arrays[f"layers.{i}.weights"].tolist() == layer.weights.ravel().tolist()
        assert arrays[f"layers.{i}.bias"].tolist() == layer.bias.tolist()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match="damaged"):
        namespace["read"](path)
