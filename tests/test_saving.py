"""Saving loses nothing: whatever fails and whenever it is killed, there is the old file or the new one, whole."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import foxnn
from foxnn._atomic import _opened_nameless

FAULTS = Path(__file__).parent / "faults"
#: Of all 1,000 kills a tenth is in every run of the tests.
KILLS = int(os.environ.get("FOXNN_KILLS", "100"))

needs_posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


def is_nameless(folder: Path, kind: list[str]) -> bool:
    """Whether files have no name while they are written."""
    file = None if kind else _opened_nameless(folder)
    if file is not None:
        file.close()
    return file is not None


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes calls of the C library fail."""
    compiler = shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs gcc on Linux")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    subprocess.run(
        [compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", library,
         FAULTS / "faults.c", "-ldl"], check=True)  # fmt: skip
    return library


@pytest.mark.parametrize("kind", [[], ["named"]], ids=["nameless", "named"])
@pytest.mark.parametrize("name", ["net.safetensors", "net.txt"])
def test_what_fails_loses_nothing(faults: Path, tmp_path: Path, name: str, kind: list[str]) -> None:
    """Every call that opens, writes, flushes, closes or renames fails once, with errors of several kinds."""
    preload = " ".join(filter(None, [os.environ.get("LD_PRELOAD"), str(faults)]))  # sanitizers have to come first
    run = subprocess.run(
        [sys.executable, FAULTS / "save_with_faults.py", faults, tmp_path, name, *kind],
        env={**os.environ, "LD_PRELOAD": preload}, capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 0, run.stderr
    attempts = [json.loads(line) for line in run.stdout.splitlines()]
    struck = [attempt for attempt in attempts if not attempt["missed"]]
    calls = {"open", "write", "chmod", "fsync", "close", "rename"}
    assert {attempt["what"].split()[0] for attempt in struck} == calls | (
        {"link"} if is_nameless(tmp_path, kind) else set()
    )
    of_the_folder = {"open number 2", "fsync number 2", "close number 2"}  # when the file is in its place
    assert of_the_folder <= {attempt["what"].split(":")[0] for attempt in struck}
    for attempt in attempts:
        what, failure = attempt["what"].split(": ")
        assert attempt["left"] == [], attempt
        again = failure == "EINTR" and what[:5] in ("open ", "write", "fsync")
        refused = what[:5] == "chmod" and failure == "EPERM"  # as where files have no modes
        copied = what[:5] == "link " and failure in ("EPERM", "EXDEV")  # as where links are not allowed
        if attempt["missed"] or failure == "short" or again or copied or refused:
            assert (attempt["error"], attempt["file"]) == (None, "new"), attempt
        elif what in of_the_folder:
            assert (attempt["error"], attempt["file"]) == (failure, "new"), attempt
        else:
            assert (attempt["error"], attempt["file"]) == (failure, "old"), attempt


@needs_posix
@pytest.mark.parametrize("kind", [[], ["named"]], ids=["nameless", "named"])
def test_whoever_is_killed_while_saving_leaves_a_whole_file(tmp_path: Path, kind: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, FAULTS / "save_until_killed.py", tmp_path / "net.safetensors", str(KILLS), *kind],
        capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 0, run.stderr
    outcome = json.loads(run.stdout)
    found = outcome["found"]
    if not is_nameless(tmp_path, kind):
        assert found.keys() >= {"first", "second", "killed while writing"}, found  # so the kills came when they should
    else:  # and nothing is left behind, but for an instant in which it is a whole file
        assert {"first", "second"} <= found.keys() <= {"first", "second", "killed before the rename"}, found
        assert found.get("killed before the rename", 0) <= 5 + outcome["kills"] // 20
    assert found["first"] + found["second"] == outcome["kills"] >= KILLS
    assert outcome["left"] == []


@needs_posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_a_file_that_is_replaced_hands_on_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "net.safetensors"
    nn = foxnn.neural_network([2, 1])
    nn.save(path)
    path.chmod(mode)
    inode = path.stat().st_ino
    nn.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.stat().st_ino != inode  # it has been replaced, not overwritten


@needs_posix
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        foxnn.neural_network([2, 1]).save(tmp_path / "net.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "net.safetensors").stat().st_mode) == 0o666 & ~umask


@needs_posix
@pytest.mark.parametrize("is_there", [True, False])
def test_a_symbolic_link_stays_one(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "net.safetensors", tmp_path / "link.safetensors"
    nn = foxnn.neural_network([2, 1])
    if is_there:
        foxnn.neural_network([3, 1]).save(real)
    link.symlink_to(Path("real") / "net.safetensors")
    nn.save(link)
    assert link.is_symlink()
    assert foxnn.load(real).sizes == foxnn.load(link).sizes == [2, 1]
    assert [p.name for p in tmp_path.iterdir()].count("net.safetensors") == 0
    assert [p.name for p in (tmp_path / "real").iterdir()] == ["net.safetensors"]


@needs_posix
def test_what_cannot_be_replaced_is_written_to(tmp_path: Path) -> None:
    """As root, a rename would make a plain file of /dev/null."""
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    nn = foxnn.neural_network([2, 1])
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    nn.save(pipe)
    data, _ = reader.communicate()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "net.safetensors").write_bytes(data)
    assert foxnn.load(tmp_path / "net.safetensors").sizes == [2, 1]


@needs_posix
def test_a_file_that_must_not_be_written_to_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    foxnn.neural_network([2, 1]).save(path)
    path.chmod(0o444)
    before = path.read_bytes()
    program = """\
import os, sys, foxnn
nn = foxnn.neural_network([3, 1])
nn.save("another.safetensors")  # which brings in the modules, while they can be read
if os.getuid() == 0:  # who may do everything
    os.chown(os.path.dirname(sys.argv[1]), 65534, 65534)
    os.chown(sys.argv[1], 65534, 65534)
    os.chdir(os.path.dirname(sys.argv[1]))
    os.setgid(65534)
    os.setuid(65534)
try:
    nn.save("net.safetensors")
except PermissionError as error:
    print(error.filename)
"""
    run = subprocess.run([sys.executable, "-c", program, path], cwd=tmp_path, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("net.safetensors\n", "")
    assert path.read_bytes() == before


def test_names_may_be_as_long_as_the_file_system_takes(tmp_path: Path) -> None:
    path = tmp_path / ("n" * (255 - len(".safetensors")) + ".safetensors")
    foxnn.neural_network([2, 1]).save(path)
    assert foxnn.load(path).sizes == [2, 1]


def test_a_folder_that_is_not_there_or_none_is_named(tmp_path: Path) -> None:
    nn = foxnn.neural_network([2, 1])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.save(tmp_path / "nowhere" / "net.safetensors")
    (tmp_path / "net.safetensors").mkdir()
    with pytest.raises((IsADirectoryError, PermissionError), match=r"net\.safetensors"):
        nn.save(tmp_path / "net.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


# ---- messages, and disks that fail ------------------------------------------------------------------------------


@needs_posix
@pytest.mark.parametrize("kind", [[], ["named"]], ids=["nameless", "named"])
def test_errors_name_the_file_that_was_asked_for(faults: Path, tmp_path: Path, kind: list[str]) -> None:
    """Not a hidden temporary one, nor none."""
    preload = " ".join(filter(None, [os.environ.get("LD_PRELOAD"), str(faults)]))
    run = subprocess.run(
        [sys.executable, FAULTS / "save_with_faults.py", faults, tmp_path, "net.safetensors", *kind],
        env={**os.environ, "LD_PRELOAD": preload}, capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 0, run.stderr
    messages = [json.loads(line)["message"] for line in run.stdout.splitlines()]
    assert any(messages)
    assert all(m is None or m.endswith(f": '{tmp_path / 'net.safetensors'}'") for m in messages), messages


@pytest.mark.parametrize("path", ["missing/net.safetensors", "file/net.txt", "missing/net.npz"])
def test_a_folder_that_is_not_there_is_said_so_of_the_file(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nn = foxnn.neural_network([2, 1])
    with pytest.raises(OSError, match=re.escape(f": '{tmp_path / path}'") + "$"):
        nn.to_npz(tmp_path / path) if path.endswith("npz") else nn.save(tmp_path / path)


@needs_posix
def test_file_systems_without_modes_are_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    for sizes in ([2, 1], [3, 1]):
        foxnn.neural_network(sizes).save(tmp_path / "net.safetensors")
    assert foxnn.load(tmp_path / "net.safetensors").sizes == [3, 1]


@needs_posix
def test_a_mount_point_is_written_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker makes them of single files: they cannot be replaced."""
    path = tmp_path / "net.safetensors"
    foxnn.neural_network([30, 10]).save(path)
    inode = path.stat().st_ino

    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(os, "replace", busy)
    with pytest.warns(RuntimeWarning, match=r"net\.safetensors: written in place, since it is a mount point"):
        foxnn.neural_network([3, 1]).save(path)
    assert (foxnn.load(path).sizes, path.stat().st_ino) == ([3, 1], inode)
    assert os.listdir(tmp_path) == [path.name]


X, Y = [[0.0], [1.0]], [1.0, 2.0]


class Remove(foxnn.Callback):
    """A folder that goes away after the second epoch of five."""

    def __init__(self, folder: Path, keep: foxnn.callbacks.ModelCheckpoint) -> None:
        self.folder, self.keep = folder, keep

    def on_epoch_begin(self, network: object, epoch: int) -> None:
        if epoch == 2:
            assert self.keep.last_path is not None  # which waits for the file
            shutil.rmtree(self.folder)
            self.folder.write_text("")  # so that nobody makes it again
        if epoch == 4:
            self.folder.unlink()
            self.folder.mkdir()


def test_a_model_checkpoint_that_cannot_be_written_does_not_end_the_training(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    keep = foxnn.callbacks.ModelCheckpoint(folder / "net.safetensors")
    nn = foxnn.neural_network([1, 1], seed=0)
    with pytest.warns(RuntimeWarning, match=r"cannot write .*net\.safetensors: .*; training goes on"):
        nn.fit(X, Y, epochs=5, callbacks=[keep, Remove(folder, keep)])
    assert len(nn.history.epochs) == 5
    assert foxnn.load(folder / "net.safetensors").epoch == 5
    assert keep.last_path == str(folder / "net.safetensors")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_loggers_on_a_full_disk_do_not_end_the_training(tmp_path: Path) -> None:
    (tmp_path / "log.csv").symlink_to("/dev/full")
    nn = foxnn.neural_network([1, 1], seed=0)
    with pytest.warns(RuntimeWarning, match=r"cannot write .*log\.csv: .*No space left.*; training goes on"):
        nn.fit(X, Y, epochs=3, callbacks=[foxnn.callbacks.CSVLogger(tmp_path / "log.csv")])
    assert len(nn.history.epochs) == 3
    board = foxnn.callbacks.TensorBoard.__new__(foxnn.callbacks.TensorBoard)

    class Full:
        def add_scalar(self, *_: object) -> None:
            raise OSError(28, "No space left on device")

        flush = close = add_scalar

    board.folder, board.histograms, board._writers = str(tmp_path), False, {"train": Full(), "validation": Full()}
    with pytest.warns(RuntimeWarning, match=r"No space left on device; training goes on"):
        nn.fit(X, Y, epochs=3, callbacks=[board])
    assert len(nn.history.epochs) == 3


def test_rows_that_had_no_room_are_written_when_there_is(tmp_path: Path) -> None:
    logger = foxnn.callbacks.CSVLogger(tmp_path / "log.csv")

    class Full(foxnn.Callback):
        """The disk is full in the second and third epoch, but for three bytes."""

        def on_epoch_begin(self, network: object, epoch: int) -> None:
            if epoch == 1:
                self.file, logger._file = logger._file, self
                self.room = 3
            if epoch == 3:
                logger._file = self.file

        def write(self, data: bytes) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            self.room = 0
            return self.file.write(data[:3])

    nn = foxnn.neural_network([1, 1], seed=0)
    with pytest.warns(RuntimeWarning, match="No space left"):
        history = nn.fit(X, Y, epochs=4, callbacks=[logger, Full()])
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows] == [["epoch", "loss"], *(
        [str(i + 1), str(loss)] for i, loss in enumerate(history["loss"]))]  # fmt: skip


@pytest.mark.parametrize("what", ["checkpoint", "model checkpoint", "csv", "tensorboard"])
def test_what_can_never_be_written_is_said_before_training(what: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "run.safetensors"
    nn = foxnn.neural_network([1, 1], seed=0)
    before = nn.parameters.tobytes()
    options = {
        "checkpoint": lambda: {"checkpoint": path},
        "model checkpoint": lambda: {"callbacks": [foxnn.callbacks.ModelCheckpoint(path)]},
        "csv": lambda: {"callbacks": [foxnn.callbacks.CSVLogger(path)]},
        "tensorboard": lambda: {"callbacks": [foxnn.callbacks.TensorBoard(path)]},
    }[what]
    if what == "tensorboard":
        pytest.importorskip("tensorboardX")
    with pytest.raises(OSError, match="file"):
        nn.fit(X, Y, epochs=5, **options())
    assert nn.parameters.tobytes() == before


# ---- what can be written to, but not be replaced -----------------------------------------------------------------


def no_file_beside(monkeypatch: pytest.MonkeyPatch, path: Path, error: int) -> None:
    """As if the folder must not be written to; permissions do not stop root, who runs the tests in containers."""
    opened, made = os.open, open

    def refuse(name: object) -> None:
        there = Path(os.fspath(name)) if isinstance(name, (str, os.PathLike)) else Path()
        if there == path.parent or (there.parent == path.parent and not there.exists()):
            raise OSError(error, os.strerror(error), str(name))

    def os_open(name: object, flags: int, *more: object, **options: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            refuse(name)
        return opened(name, flags, *more, **options)  # type: ignore[arg-type]

    def builtin_open(name: object, mode: str = "r", *more: object, **options: object) -> object:
        if mode != "rb":
            refuse(name)
        return made(name, mode, *more, **options)  # type: ignore[arg-type, call-overload]

    monkeypatch.setattr(os, "open", os_open)
    monkeypatch.setattr("builtins.open", builtin_open)


@needs_posix
@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES, errno.EPERM])
@pytest.mark.parametrize("sizes", [[3, 1], [200, 100]], ids=["smaller", "larger"])
def test_a_file_in_a_folder_that_takes_no_others_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, sizes: list[int]
) -> None:
    """As Docker's --read-only makes them, with a file mounted."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "net.safetensors"
    foxnn.neural_network([30, 10]).save(path)
    inode = path.stat().st_ino
    with monkeypatch.context() as patch:
        no_file_beside(patch, path, error)
        with pytest.warns(RuntimeWarning, match=r"net\.safetensors: written in place, since no file can be made"):
            foxnn.neural_network(sizes).save(path)
    assert (foxnn.load(path).sizes, path.stat().st_ino) == (sizes, inode)
    with monkeypatch.context() as patch:
        no_file_beside(patch, path, error)
        with pytest.raises(OSError, match=r"other\.safetensors"):
            foxnn.neural_network(sizes).save(folder / "other.safetensors")
    assert os.listdir(folder) == [path.name]


@needs_posix
@pytest.mark.parametrize("error", [errno.EPERM, errno.EACCES, errno.EXDEV])
def test_a_file_of_others_is_written_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """In a folder such as /tmp, whose files only their owners may replace."""
    path = tmp_path / "net.safetensors"
    foxnn.neural_network([30, 10]).save(path)

    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.warns(RuntimeWarning, match=r"net\.safetensors: written in place, since it belongs to others"):
        foxnn.neural_network([3, 1]).save(path)
    assert foxnn.load(path).sizes == [3, 1]
    assert os.listdir(tmp_path) == [path.name]
    with pytest.raises(OSError, match=r"new\.safetensors"):
        foxnn.neural_network([3, 1]).save(tmp_path / "new.safetensors")
    assert os.listdir(tmp_path) == [path.name]


@needs_posix
@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTSUP])
def test_file_systems_that_do_not_sync_are_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "fsync", refuse)
    foxnn.neural_network([3, 1]).save(tmp_path / "net.safetensors")
    assert foxnn.load(tmp_path / "net.safetensors").sizes == [3, 1]


_IN_A_NAMESPACE = """
set -e
mount --bind there/net.safetensors here/net.safetensors
if [ "$1" = read-only ]; then
    mount --bind here here
    mount -o remount,bind,ro here
    mount --bind there/net.safetensors here/net.safetensors
fi
exec "$2" -c "$3" here/net.safetensors
"""
_TRAIN_AND_SAVE = """
import sys, foxnn
nn = foxnn.neural_network([1, 1], seed=0)
nn.fit([[0.0], [1.0]], [0.0, 1.0], epochs=2, checkpoint=sys.argv[1])
foxnn.neural_network([3, 2]).save(sys.argv[1])
print(foxnn.load(sys.argv[1]).sizes)
"""


@pytest.mark.parametrize("folder", ["writable", "read-only"])
def test_files_that_are_mounted_are_written_to(tmp_path: Path, folder: str) -> None:
    """As by Docker's -v file:file, with --read-only or without."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "true"], capture_output=True).returncode:
        pytest.skip("needs to be allowed to mount")
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.safetensors").touch()
    foxnn.neural_network([2, 1]).save(tmp_path / "there" / "net.safetensors")
    command = [unshare, "-m", "sh", "-c", _IN_A_NAMESPACE, "sh", folder, sys.executable, _TRAIN_AND_SAVE]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    if "mount:" in run.stderr:
        pytest.skip(f"needs to be allowed to mount: {run.stderr}")
    assert run.stdout == "[3, 2]\n", run.stderr
    assert "written in place" in run.stderr
    assert foxnn.load(tmp_path / "there" / "net.safetensors").sizes == [3, 2]
    assert os.listdir(tmp_path / "here") == os.listdir(tmp_path / "there") == ["net.safetensors"]


class Gone(foxnn.Callback):
    """A folder that is gone when training ends, with the checkpoint in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_end(self, network: object) -> None:
        shutil.rmtree(self.folder)


def test_what_was_trained_is_saved_elsewhere_if_the_checkpoint_cannot_be(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    nn = foxnn.neural_network([1, 1], seed=0)
    with pytest.raises(FileNotFoundError, match=r"run\.safetensors") as caught:
        nn.fit(X, Y, epochs=3, callbacks=[Gone(folder)], checkpoint=folder / "run.safetensors")
    said = re.search(r"what was trained is saved as '(.*?)'", str(caught.value))
    assert said is not None
    rescued = foxnn.load(said[1])
    os.unlink(said[1])
    assert (rescued.epoch, rescued.parameters.tobytes()) == (3, nn.parameters.tobytes())


def test_the_command_saves_elsewhere_what_it_trained(tmp_path: Path) -> None:
    """If the folder of its output has gone meanwhile."""
    folder, table = tmp_path / "folder", tmp_path / "table.csv"
    folder.mkdir()
    table.write_text("a,b\n" + "".join(f"{i},{i * i}\n" for i in range(30)))
    program = f"""
import shutil, sys, foxnn, foxnn.cli.train
fit = foxnn.neural_network.fit
def and_then(*arguments, **options):
    fit(*arguments, **options)
    shutil.rmtree({str(folder)!r})
foxnn.neural_network.fit = and_then
from foxnn.cli import main
sys.exit(main())
"""
    command = [
        "train",
        table,
        "--target",
        "b",
        "--task",
        "regression",
        "--epochs",
        "2",
        "--quiet",
        "--output",
        folder / "net.safetensors",
    ]
    run = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, cwd=tmp_path)
    said = re.search(r"what was trained is saved as '(.*?)'", run.stderr)
    assert said is not None, run.stderr
    assert run.returncode != 0
    assert str(folder / "net.safetensors") in run.stderr
    assert foxnn.load(said[1]).epoch == 2
    os.unlink(said[1])


def test_a_device_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    path.symlink_to("/dev/null")
    with pytest.raises(foxnn.FileFormatError) as caught:
        foxnn.neural_network([1, 1]).fit(X, Y, checkpoint=path)
    assert str(caught.value) == f"{path}: a device; it takes a regular file"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's device that is always full")
@pytest.mark.parametrize("ending", [".safetensors", ".txt", ".h", ".mjs", ".npz"])
def test_a_device_that_is_full_is_named(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"full{ending}"
    path.symlink_to("/dev/full")
    nn = foxnn.neural_network([200, 300, 1], loss="half_squared_error")
    calls = {".h": nn.to_c, ".mjs": nn.to_js, ".npz": nn.to_npz}
    with pytest.raises(OSError, match="No space left on device: ") as error:
        calls.get(ending, nn.save)(path)
    assert error.value.filename == str(path)
