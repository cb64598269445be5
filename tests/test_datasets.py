"""MNIST and Fashion-MNIST: found, downloaded, checked, and never half there. No test leaves this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import foxnn.datasets.download
import foxnn.datasets.mnist
from foxnn.datasets import (
    FASHION_MNIST_CLASSES,
    Dataset,
    load_fashion_mnist,
    load_mnist,
    load_mnist_sample,
    write_idx,
)
from foxnn.datasets.cache import cache_folder
from foxnn.datasets.download import RemoteFile, fetch
from foxnn.datasets.mnist_files import FASHION_MNIST, MNIST, Collection, File
from foxnn.errors import FileFormatError

FULL_SET = os.environ.get("FOXNN_DATA_DIR")
needs_full_set = pytest.mark.skipif(not FULL_SET, reason="FOXNN_DATA_DIR does not say where the full MNIST is")

NAMES = [file.remote.name for file in MNIST.files]
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = NAMES


# --------------------------------------------------------------------------------------------------
# The world of a test: an empty home, no network, a mirror of one's own with small files
# --------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keep every test on this machine and out of the user's cache; return the hosts that were asked for."""
    for name in ("FOXNN_DATA_DIR", "FOXNN_MIRROR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FOXNN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    asked: list[str] = []
    getaddrinfo = socket.getaddrinfo

    def local_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "127.0.0.1":
            return getaddrinfo(host, *args, **kwargs)
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    return asked


class Mirror:
    """A web server on this machine that misbehaves as it is told."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.manner: Callable[[BaseHTTPRequestHandler, bytes], None] = answer
        self.closing = threading.Event()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                if self.path in mirror.files:
                    mirror.manner(self, mirror.files[self.path])
                else:
                    self.send_error(404)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:  # a client that hangs up is part of the tests
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def answer_without_length(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(body)


def fail(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_error(500)


def cut_short(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def cut_short_openly(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    answer(handler, body[:-1])


def flip_a_bit(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    answer(handler, body[:-1] + bytes([body[-1] ^ 1]))


def add_a_byte(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    answer(handler, body + b"\0")


def show_a_login_page(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    answer(handler, b"<html>Welcome to the hotel. Please log in.</html>")


def never_stop(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(1 << 16))


def talk_nonsense(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")


def promise_too_much(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**30))
    handler.end_headers()
    handler.wfile.write(body[:1000])
    handler.connection.shutdown(socket.SHUT_WR)


def announce_a_huge_chunk(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"F" * 1000 + b"\r\n" + body[:1000])
    handler.connection.shutdown(socket.SHUT_WR)


def send_headers_for_ever(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.flush_headers()
    while True:
        handler.wfile.write(b"X-More: " + b"a" * 1000 + b"\r\n")


def send_to_itself(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def hang_up(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


BAD_MANNERS = [
    (fail, "HTTP status 500"),
    (cut_short, "gave .* of .* bytes|IncompleteRead"),
    (cut_short_openly, "gave .* of .* bytes"),
    (flip_a_bit, "damaged"),
    (add_a_byte, "more than"),
    (show_a_login_page, "gave 49 of"),
    (never_stop, "more than"),
    (talk_nonsense, "SSH"),
    (promise_too_much, "gave .* of .* bytes|IncompleteRead"),
    (announce_a_huge_chunk, "IncompleteRead"),
    (send_headers_for_ever, "more than 100 headers"),
    (send_to_itself, "infinite loop"),
    (hang_up, "closed|reset|aborted"),
]


@pytest.fixture
def make_mirror() -> Iterator[Callable[[], Mirror]]:
    mirrors: list[Mirror] = []

    def make() -> Mirror:
        mirrors.append(Mirror())
        return mirrors[-1]

    yield make
    for mirror in mirrors:
        mirror.close()


@pytest.fixture
def mirror(make_mirror: Callable[[], Mirror], monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """The mirror in FOXNN_MIRROR, with small collections that take the place of the real ones."""
    result = make_mirror()
    monkeypatch.setenv("FOXNN_MIRROR", result.url + "/")
    for seed, collection in enumerate([MNIST, FASHION_MNIST]):
        files = []
        for file, array in zip(collection.files, small_arrays(seed), strict=True):
            content = idx_bytes(array)
            packed = gzip.compress(content, mtime=0)
            result.files[f"/{collection.folder}/{file.remote.name}"] = packed
            remote = RemoteFile(file.remote.name, len(packed), sha256(packed))
            files.append(File(remote, sha256(content)))
        name = "MNIST" if collection is MNIST else "FASHION_MNIST"
        monkeypatch.setattr(foxnn.datasets.mnist, name, collection._replace(files=tuple(files)))
    return result


def small_arrays(seed: int) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    shapes = [(20, 28, 28), (20,), (10, 28, 28), (10,)]
    return [rng.integers(0, 10, size=shape, dtype=np.uint8) for shape in shapes]


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def assert_is_small(data: Dataset, seed: int) -> None:
    X_train, y_train, X_test, y_test = small_arrays(seed)
    np.testing.assert_array_equal(data.X_train, X_train.reshape(20, 784))
    np.testing.assert_array_equal(data.y_train, y_train)
    np.testing.assert_array_equal(data.X_test, X_test.reshape(10, 784))
    np.testing.assert_array_equal(data.y_test, y_test)
    assert [array.dtype for array in data] == [np.uint8, np.int64, np.uint8, np.int64]


def place(folder: Path, mirror: Mirror, collection: Collection = MNIST, *, unpacked: bool = False) -> Path:
    """Put the small files of a collection into a folder, as a user would."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        data = mirror.files[f"/{collection.folder}/{name}"]
        (folder / name).write_bytes(data)
        if unpacked:
            (folder / name.removesuffix(".gz")).write_bytes(gzip.decompress(data))
            (folder / name).unlink()
    return folder


def flip(path: Path, position: int = -20) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


# --------------------------------------------------------------------------------------------------
# The real data
# --------------------------------------------------------------------------------------------------


@needs_full_set
def test_the_full_set_is_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOXNN_DATA_DIR", str(FULL_SET))
    X_train, y_train, X_test, y_test = load_mnist(download=False)
    assert X_train.shape == (60_000, 784)
    assert X_test.shape == (10_000, 784)
    assert [array.dtype for array in (X_train, y_train, X_test, y_test)] == [np.uint8, np.int64] * 2
    # Published class counts, and the mean and standard deviation that everybody scales by: 0.1307 and 0.3081.
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    np.testing.assert_array_equal(np.bincount(y_train), counts)
    np.testing.assert_array_equal(np.bincount(y_test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    assert X_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert X_train.std() / 255 == pytest.approx(0.3081, abs=5e-5)
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]


@needs_full_set
def test_the_sample_is_the_first_digits_of_every_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOXNN_DATA_DIR", str(FULL_SET))
    full = load_mnist(download=False)
    sample = load_mnist_sample()
    for X, y, sample_X, sample_y, n in [(*full[:2], *sample[:2], 600), (*full[2:], *sample[2:], 100)]:
        seen = [0] * 10
        chosen = []
        for i, label in enumerate(y.tolist()):
            seen[label] += 1
            if seen[label] <= n:
                chosen.append(i)
        np.testing.assert_array_equal(sample_X, X[chosen])
        np.testing.assert_array_equal(sample_y, y[chosen])


def test_the_sample_is_small_and_balanced() -> None:
    X_train, y_train, X_test, y_test = load_mnist_sample()
    assert X_train.shape == (6000, 784)
    assert X_test.shape == (1000, 784)
    assert [array.dtype for array in (X_train, y_train, X_test, y_test)] == [np.uint8, np.int64] * 2
    np.testing.assert_array_equal(np.bincount(y_train), [600] * 10)
    np.testing.assert_array_equal(np.bincount(y_test), [100] * 10)
    assert y_train[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    folder = Path(foxnn.datasets.mnist.__file__).parent
    assert sum(path.stat().st_size for path in (folder / "mnist_sample").iterdir()) < 1_300_000
    assert "CC BY-SA 3.0" in (folder / "LICENSE-MNIST.md").read_text(encoding="utf-8")


def test_the_sample_can_be_learnt_from() -> None:
    # Nearest class mean: images that lost their labels, or their rows, would score 10 %.
    X_train, y_train, X_test, y_test = load_mnist_sample()
    means = np.stack([X_train[y_train == label].mean(axis=0) for label in range(10)])
    distances = ((X_test[:, None].astype(np.float64) - means) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == y_test).mean() > 0.75


def test_the_two_collections_are_told_apart() -> None:
    digests = [file.sha256 for file in MNIST.files + FASHION_MNIST.files]
    digests += [file.remote.sha256 for file in MNIST.files + FASHION_MNIST.files]
    assert len(set(digests)) == 16
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in digests)
    assert [file.remote.name for file in FASHION_MNIST.files] == NAMES
    assert len(FASHION_MNIST_CLASSES) == 10


# --------------------------------------------------------------------------------------------------
# Where the data is looked for
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unpacked", [False, True])
def test_a_folder_that_is_given_is_used(tmp_path: Path, mirror: Mirror, unpacked: bool) -> None:
    folder = place(tmp_path / "mine", mirror, unpacked=unpacked)
    assert_is_small(load_mnist(folder), 0)
    assert_is_small(load_mnist(str(folder)), 0)
    assert_is_small(load_fashion_mnist(place(tmp_path / "clothes", mirror, FASHION_MNIST)), 1)
    assert mirror.asked == []


def test_files_may_be_compressed_anew_or_have_a_dot_in_their_names(tmp_path: Path, mirror: Mirror) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, array in zip(NAMES, small_arrays(0), strict=True):
        if "train" in name:
            write_idx(folder / name, array)
        else:
            write_idx(folder / name.replace("-idx", ".idx").removesuffix(".gz"), array)
    assert_is_small(load_mnist(folder), 0)


@pytest.mark.parametrize("subfolder", ["", "mnist"])
def test_the_data_dir_comes_before_the_cache_and_the_network(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, subfolder: str
) -> None:
    place(tmp_path / "data" / subfolder, mirror)
    monkeypatch.setenv("FOXNN_DATA_DIR", str(tmp_path / "data"))
    assert_is_small(load_mnist(), 0)
    assert mirror.asked == []
    assert not cache_folder().exists()


def kaggle(folder: Path, mirror: Mirror, collection: Collection) -> None:
    """Each file in a folder of its own name, or with a dot in its own."""
    place(folder / collection.folder, mirror, collection, unpacked=True)
    for number, path in enumerate(sorted((folder / collection.folder).iterdir())):
        if number == 0:
            path.rename(path.with_name(path.name.replace("-idx", ".idx")))
            continue
        data = path.read_bytes()
        path.unlink()
        path.mkdir()
        (path / path.name).write_bytes(data)


def torchvision(folder: Path, mirror: Mirror, collection: Collection) -> None:
    name = "MNIST" if collection is MNIST else "FashionMNIST"
    place(folder / name / "raw", mirror, collection, unpacked=True)
    (folder / name / "raw" / NAMES[0]).write_bytes(mirror.files[f"/{collection.folder}/{NAMES[0]}"])  # kept beside it


@pytest.mark.parametrize("layout", [kaggle, torchvision])
@pytest.mark.parametrize("collection", [MNIST, FASHION_MNIST], ids=lambda c: c.folder)
def test_the_layouts_of_others_are_found(
    tmp_path: Path,
    mirror: Mirror,
    monkeypatch: pytest.MonkeyPatch,
    layout: Callable[..., None],
    collection: Collection,
) -> None:
    layout(tmp_path, mirror, collection)
    load = load_mnist if collection is MNIST else load_fashion_mnist
    if layout is torchvision:
        assert_is_small(load(tmp_path), [MNIST, FASHION_MNIST].index(collection))
    monkeypatch.setenv("FOXNN_DATA_DIR", str(tmp_path))
    assert_is_small(load(), [MNIST, FASHION_MNIST].index(collection))
    assert mirror.asked == []


def test_fashion_mnist_is_not_looked_for_where_mnist_is(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path / "data", mirror)
    monkeypatch.setenv("FOXNN_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(OSError, match="download=False"):
        load_fashion_mnist(download=False)
    assert_is_small(load_fashion_mnist(), 1)
    assert len(mirror.asked) == 4
    place(tmp_path / "data" / "fashion-mnist", mirror, FASHION_MNIST)
    shutil.rmtree(cache_folder())
    assert_is_small(load_fashion_mnist(), 1)
    assert len(mirror.asked) == 4


def test_the_one_collection_is_never_taken_for_the_other(tmp_path: Path, mirror: Mirror) -> None:
    digits = place(tmp_path / "digits", mirror)
    clothes = place(tmp_path / "clothes", mirror, FASHION_MNIST)
    with pytest.raises(FileFormatError, match=r"not the file of Fashion-MNIST but one of MNIST"):
        load_fashion_mnist(digits)
    with pytest.raises(FileFormatError, match=r"not the file of MNIST but one of Fashion-MNIST"):
        load_mnist(clothes)
    shutil.copy(digits / TEST_LABELS, digits / TRAIN_LABELS)
    with pytest.raises(FileFormatError, match=TRAIN_LABELS):
        load_mnist(digits)


def test_a_data_dir_without_the_data_is_passed_over(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOXNN_DATA_DIR", str(tmp_path))
    assert_is_small(load_mnist(), 0)
    assert len(mirror.asked) == 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unpacked", [False, True])
def test_a_damaged_file_of_the_user_is_refused_by_name(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, name: str, unpacked: bool
) -> None:
    folder = place(tmp_path / "mnist", mirror, unpacked=unpacked)
    path = folder / (name.removesuffix(".gz") if unpacked else name)
    flip(path, -3)
    with pytest.raises(FileFormatError, match=path.name):
        load_mnist(folder)
    monkeypatch.setenv("FOXNN_DATA_DIR", str(tmp_path))
    with pytest.raises(FileFormatError, match=path.name):
        load_mnist()
    assert mirror.asked == []


def test_a_missing_file_of_the_user_is_named(tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place(tmp_path / "mnist", mirror)
    (folder / TEST_LABELS).unlink()
    with pytest.raises(FileNotFoundError, match=TEST_LABELS):
        load_mnist(folder)
    monkeypatch.setenv("FOXNN_DATA_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=TEST_LABELS):
        load_mnist()
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_mnist(tmp_path / "nowhere")
    monkeypatch.setenv("FOXNN_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"FOXNN_DATA_DIR.*nowhere"):
        load_mnist()
    assert mirror.asked == []


def test_the_cache_follows_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("FOXNN_CACHE_DIR")
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == home / ".cache" / "foxnn"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == home / ".cache" / "foxnn"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "foxnn"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == home / "Library" / "Caches" / "foxnn"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "foxnn" / "Cache"


# --------------------------------------------------------------------------------------------------
# Downloads
# --------------------------------------------------------------------------------------------------


def test_what_was_downloaded_is_kept(mirror: Mirror) -> None:
    assert_is_small(load_mnist(), 0)
    # The smallest first, so that a dead network or a full disk shows at once.
    assert mirror.asked == [f"/mnist/{name}" for name in (TEST_LABELS, TRAIN_LABELS, TEST_IMAGES, TRAIN_IMAGES)]
    assert sorted(os.listdir(cache_folder() / "mnist")) == sorted(NAMES)
    assert_is_small(load_mnist(), 0)
    assert_is_small(load_mnist(download=False), 0)
    assert len(mirror.asked) == 4
    assert_is_small(load_fashion_mnist(), 1)
    assert len(mirror.asked) == 8


@pytest.mark.parametrize("damage", [flip, lambda path: os.truncate(path, 30), lambda path: path.unlink()])
def test_a_damaged_file_in_the_cache_is_downloaded_again(mirror: Mirror, damage: Callable[[Path], None]) -> None:
    load_mnist()
    mirror.asked.clear()
    damage(cache_folder() / "mnist" / TEST_IMAGES)
    with pytest.warns(UserWarning, match="sample"):
        assert len(load_mnist(download=False).X_train) == 6000
    assert_is_small(load_mnist(), 0)
    assert mirror.asked == [f"/mnist/{TEST_IMAGES}"]
    assert_is_small(load_mnist(download=False), 0)


def test_without_a_network_mnist_is_the_sample_and_says_so(blocked: list[str]) -> None:
    with pytest.warns(UserWarning, match="sample") as caught:
        data = load_mnist()
    np.testing.assert_array_equal(data.X_test, load_mnist_sample().X_test)
    (warning,) = caught
    assert warning.filename == __file__
    for hint in ("6,000", "1,000", "FOXNN_DATA_DIR", "FOXNN_MIRROR", *NAMES, *MNIST.mirrors):
        assert hint in str(warning.message)
    # The first file was enough to know, and every mirror was asked for it.
    assert len(blocked) == len(set(blocked)) == len(MNIST.mirrors)
    assert not any(path.is_file() for path in cache_folder().rglob("*"))


def test_without_a_network_fashion_mnist_says_what_to_do(blocked: list[str]) -> None:
    with pytest.raises(OSError, match="cannot download") as caught:
        load_fashion_mnist()
    for hint in (
        "fashion-mnist",
        "FOXNN_DATA_DIR",
        "FOXNN_MIRROR",
        "not known",
        *NAMES,
        *FASHION_MNIST.mirrors,
    ):
        assert hint in str(caught.value)
    assert len(blocked) == len(FASHION_MNIST.mirrors)


def test_the_network_is_left_alone_when_asked_to(blocked: list[str]) -> None:
    with pytest.warns(UserWarning, match="download=False"):
        load_mnist(download=False)
    with pytest.raises(OSError, match="download=False"):
        load_fashion_mnist(download=False)
    assert blocked == []


def test_a_cache_that_cannot_be_written_is_told(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "occupied").write_text("a file, not a folder")
    monkeypatch.setenv("FOXNN_CACHE_DIR", str(tmp_path / "occupied"))
    with pytest.warns(UserWarning, match="occupied"):
        load_mnist()
    with pytest.raises(OSError, match="occupied"):
        load_fashion_mnist()


def test_a_mirror_that_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for nonsense in ("nonsense", "http://", "http://[", "gopher://127.0.0.1"):
        monkeypatch.setenv("FOXNN_MIRROR", nonsense)
        with pytest.raises(OSError, match="cannot download"):
            load_fashion_mnist()


# --------------------------------------------------------------------------------------------------
# The downloader
# --------------------------------------------------------------------------------------------------

BODY = np.random.default_rng(0).bytes(300_000)
REMOTE = RemoteFile("data.bin", len(BODY), sha256(BODY))


@pytest.fixture
def good(make_mirror: Callable[[], Mirror]) -> Mirror:
    mirror = make_mirror()
    mirror.files["/folder/data.bin"] = BODY
    return mirror


@pytest.fixture
def bad(make_mirror: Callable[[], Mirror]) -> Mirror:
    mirror = make_mirror()
    mirror.files["/data.bin"] = BODY
    return mirror


@pytest.mark.parametrize("manner", [answer, answer_without_length])
def test_a_file_is_downloaded(tmp_path: Path, good: Mirror, manner: Callable[..., None]) -> None:
    good.manner = manner
    path = fetch(REMOTE, [f"{good.url}/folder/"], tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "data.bin"
    assert path.read_bytes() == BODY
    assert os.listdir(path.parent) == ["data.bin"]


@pytest.mark.parametrize(("manner", "message"), BAD_MANNERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_bad_mirror_leaves_nothing_and_the_next_is_asked(
    tmp_path: Path, bad: Mirror, good: Mirror, manner: Callable[..., None], message: str
) -> None:
    bad.manner = manner
    with pytest.raises(OSError, match=message):
        fetch(REMOTE, [bad.url], tmp_path)
    assert os.listdir(tmp_path) == []
    assert fetch(REMOTE, [bad.url, f"{good.url}/folder"], tmp_path).read_bytes() == BODY
    assert os.listdir(tmp_path) == ["data.bin"]
    assert set(bad.asked) == {"/data.bin"}
    assert manner is send_to_itself or len(bad.asked) == 2


@pytest.mark.parametrize("n_sent", [None, 0, 1000])
def test_a_mirror_that_hangs_is_given_up(
    tmp_path: Path, bad: Mirror, good: Mirror, monkeypatch: pytest.MonkeyPatch, n_sent: int | None
) -> None:
    def hang(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if n_sent is not None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:n_sent])
            handler.wfile.flush()
        bad.closing.wait(60)

    bad.manner = hang
    monkeypatch.setattr(foxnn.datasets.download, "_TIMEOUT", 0.2)
    with pytest.raises(OSError, match="timed out"):
        fetch(REMOTE, [bad.url], tmp_path)
    assert fetch(REMOTE, [bad.url, f"{good.url}/folder"], tmp_path).read_bytes() == BODY
    assert os.listdir(tmp_path) == ["data.bin"]


def test_what_every_mirror_said_is_told(tmp_path: Path, bad: Mirror, good: Mirror) -> None:
    bad.manner = fail
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(OSError, match=r"cannot download data\.bin") as caught:
        fetch(REMOTE, [bad.url, nobody, good.url, "http://mirror.invalid"], tmp_path)
    closed.close()
    message = str(caught.value)
    for said in (
        f"{bad.url}/data.bin: HTTP status 500",
        f"{nobody}/data.bin: ",
        "refused",
        f"{good.url}/data.bin: HTTP status 404",
        "http://mirror.invalid/data.bin: ",
        "not known",
    ):
        assert said in message
    assert os.listdir(tmp_path) == []


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, bad: Mirror, good: Mirror) -> None:
    (tmp_path / "data.bin").write_bytes(b"old")
    bad.manner = flip_a_bit
    with pytest.raises(OSError, match="damaged"):
        fetch(REMOTE, [bad.url], tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"old"
    fetch(REMOTE, [f"{good.url}/folder"], tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_full_disk_is_not_blamed_on_the_mirrors(
    tmp_path: Path, bad: Mirror, good: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        fetch(REMOTE, [bad.url, f"{good.url}/folder"], tmp_path)
    assert caught.value.errno == 28
    assert good.asked == []
    assert os.listdir(tmp_path) == []


def test_ctrl_c_leaves_nothing(tmp_path: Path, good: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(foxnn.datasets.download.tqdm, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(REMOTE, [f"{good.url}/folder"], tmp_path)
    assert os.listdir(tmp_path) == []


def test_several_may_download_at_once(tmp_path: Path, good: Mirror) -> None:
    seen: list[Path] = []

    def work() -> None:
        seen.append(fetch(REMOTE, [f"{good.url}/folder"], tmp_path))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [tmp_path / "data.bin"] * 8
    assert seen[0].read_bytes() == BODY
    assert os.listdir(tmp_path) == ["data.bin"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "progress", "shown"),
    [(Terminal, True, True), (Terminal, False, False), (io.StringIO, True, False)],
)
def test_progress_is_shown_on_a_terminal(
    tmp_path: Path,
    good: Mirror,
    monkeypatch: pytest.MonkeyPatch,
    stream: type[io.StringIO],
    progress: bool,
    shown: bool,
) -> None:
    terminal = stream()
    monkeypatch.setattr(sys, "stderr", terminal)
    fetch(REMOTE, [f"{good.url}/folder"], tmp_path, progress=progress)
    assert ("data.bin" in terminal.getvalue()) == shown


def test_importing_datasets_is_cheap() -> None:
    code = "import sys, foxnn.datasets; print([name for name in sys.modules if 'foxnn.datasets.' in name])"
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_names_of_the_package_are_there() -> None:
    for name in foxnn.datasets.__all__:
        assert getattr(foxnn.datasets, name).__doc__
        assert name in dir(foxnn.datasets)
    with pytest.raises(AttributeError, match="load_mnist"):
        foxnn.datasets.load_minst  # noqa: B018
