"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO

from foxnn._warnings import warn_user

#: Why a file cannot be replaced that may still be written to: mount points, and folders that must not be changed.
_NOT_TO_BE_REPLACED = (errno.EBUSY, errno.EROFS, errno.EACCES, errno.EPERM, errno.EXDEV)


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file for writing that replaces `path` only when the block ends without an error.

    The bytes go to a temporary file in the same folder (a rename is atomic only within one file system),
    reach the disk, and then take the name; then the folder reaches the disk. After an error, or Ctrl-C, `path` is as it
    was and no temporary file is left; after a crash `path` is the old file or the new one, whole. On Linux the file has
    no name while it is written, so that whoever is killed then leaves nothing behind either.

    A file that is replaced hands on its mode bits, where the file system has any. Symbolic links are followed. What is
    no regular file, such as a pipe, cannot be replaced; it is written to. Some files cannot be replaced that can be
    written to: mount points, as Docker makes them of single files, files in folders that must not be written to, files
    of others in folders like /tmp. These are written in place when the whole new content is there beside it or, where
    that is not to be, in a temporary file elsewhere; with a warning.

    Parameters
    ----------
    path : str or path-like
        The file to write.

    Yields
    ------
    file object
        Open for writing bytes.

    Raises
    ------
    OSError
        If something cannot be written; PermissionError also if there is a file that must not be written to. It names
        `path`, whatever was being written.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(os.path.join(folder, "greeting")) as file:
    ...         _ = file.write(b"hello")
    ...     os.listdir(folder)
    ['greeting']
    """
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode):
        with _naming(path, set()), open(path, "wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".foxnn-{os.urandom(8).hex()}.tmp")
    with _naming(path, {str(temporary), str(target), str(target.parent)}):
        try:
            nameless = _opened_nameless(target.parent)
            # Not tempfile: its files are private to the user, whatever the umask says.
            begun = open(temporary, "xb") if nameless is None else nameless  # noqa: SIM115
        except OSError as error:
            if mode is None or error.errno not in _NOT_TO_BE_REPLACED:
                raise
            with _opened_elsewhere() as whole:
                yield whole
                _overwrite(target, whole)
            _warn_of_place(path, "no file can be made beside it")
            return
        try:
            with begun as file:
                yield file
                file.flush()
                if mode is not None:
                    _change_mode(temporary if nameless is None else file.fileno(), mode)
                _sync(file.fileno())
                if nameless is not None:
                    _give_name(nameless, temporary)
            try:
                os.replace(temporary, target)
            except OSError as error:
                if mode is None or error.errno not in _NOT_TO_BE_REPLACED:
                    raise
                with open(temporary, "rb") as written:
                    _overwrite(target, written)
                temporary.unlink()
                what = "is a mount point, which" if error.errno == errno.EBUSY else "belongs to others, and"
                _warn_of_place(path, f"it {what} cannot be replaced")
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)


def check_target(path: str | os.PathLike[str]) -> None:
    """Raise the OSError that writing a file would end with, as far as that can be known beforehand."""
    mode = _mode(path)
    folder = os.path.dirname(os.path.realpath(path))
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    with _naming(path, {folder}):
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder)
        if mode is None and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)


@contextmanager
def _naming(path: str | os.PathLike[str], hidden: set[str]) -> Iterator[None]:
    """Have errors name a path where they would name none, or one that nobody knows of."""
    try:
        yield
    except OSError as error:
        names = tuple(None if isinstance(n, int) else n for n in (error.filename, error.filename2))
        if error.errno is not None and (names == (None, None) or hidden.intersection(map(str, names))):
            error.filename = os.fspath(path)
            del error.filename2
        raise


def _change_mode(file: Path | int, mode: int) -> None:
    """Hand on mode bits, unless the file system has none."""
    try:
        os.chmod(file, stat.S_IMODE(mode))
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise


def _opened_elsewhere() -> IO[bytes]:
    """A new file that goes when it is closed, where there is room for one; it may be in memory."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return BytesIO()


def _overwrite(target: Path, whole: IO[bytes]) -> None:
    """Write a file's content over that of another, which stays as it is if there is no room."""
    size = whole.seek(0, os.SEEK_END)
    whole.seek(0)
    with open(target, "r+b") as file:
        before = os.fstat(file.fileno()).st_size
        try:
            if size > before and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                file.truncate(before)
                raise
        shutil.copyfileobj(whole, file, 1 << 20)
        file.truncate()
        file.flush()
        _sync(file.fileno())


def _warn_of_place(path: str | os.PathLike[str], reason: str) -> None:
    """Say that a file was written in place."""
    warn_user(
        f"{os.fspath(path)}: written in place, since {reason}: a crash meanwhile would have damaged it", RuntimeWarning
    )


def replace_file(path: str | os.PathLike[str], pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file made of these pieces, as `atomic_write` does."""
    with atomic_write(path) as file:
        file.writelines(pieces)


def write_or_rescue(path: str | os.PathLike[str], pieces: Sequence[bytes | memoryview]) -> None:
    """Write what took long to make, as `replace_file` does; if that fails, elsewhere, which the error says."""
    try:
        replace_file(path, pieces)
    except OSError as error:
        for folder in (tempfile.gettempdir, os.getcwd, Path.home):
            try:
                handle, rescued = tempfile.mkstemp(Path(path).suffix, "foxnn-", folder())
                with os.fdopen(handle, "wb") as file:
                    file.writelines(pieces)
                    file.flush()
                    _sync(handle)
            except (OSError, RuntimeError):
                continue
            reason = f"{error.strerror or error}; what was trained is saved as {rescued!r}"
            raise OSError(error.errno or errno.EIO, reason, os.fspath(path)) from error
        raise


def _opened_nameless(folder: Path) -> BinaryIO | None:
    """A new file in a folder that is gone when it is closed without a name; None where there are none."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666), "w+b")
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):  # or the folder is not there
            return None
        raise


def _give_name(file: BinaryIO, path: Path) -> None:
    """Have a nameless file appear, for a moment, until it is renamed: only a rename replaces what has the name."""
    handle = file.fileno()
    try:
        os.link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle)  # given that, it follows the link in /proc
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.ENOENT, errno.EXDEV, errno.EOPNOTSUPP):
            raise
        file.seek(0)  # a system that does not allow it: a copy
        with open(path, "xb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            _change_mode(path, os.fstat(handle).st_mode)
            _sync(copy.fileno())


def _mode(path: str | os.PathLike[str]) -> int | None:
    """The mode of a file that may be written to; None if there is no file."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if not os.access(path, os.W_OK):  # a rename would not mind
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
    return mode


def _sync_folder(folder: Path) -> None:
    """Have a rename reach the disk."""
    if os.name == "nt":  # where folders cannot be opened
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that may be written to but not read
        return
    try:
        _sync(handle)
    finally:
        os.close(handle)


def _sync(handle: int) -> None:
    """Have a file or a folder reach the disk, unless its file system does not do that."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise
