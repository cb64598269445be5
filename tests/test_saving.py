"""Saving loses nothing: whatever fails and whenever it is killed, there is the old file or the new one, whole."""

from __future__ import annotations

import json
import os
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
        copied = what[:5] == "link " and failure in ("EPERM", "EXDEV")  # as where links are not allowed
        if attempt["missed"] or failure == "short" or again or copied:
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
