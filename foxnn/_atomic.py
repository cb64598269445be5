"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces `path` only when the block ends without an error.

    The bytes go to a temporary file in the same folder (a rename is atomic only within one file system),
    reach the disk, and then take the name; then the folder reaches the disk. After an error, or Ctrl-C, `path` is as it
    was and no temporary file is left; after a crash `path` is the old file or the new one, whole. On Linux the file has
    no name while it is written, so that whoever is killed then leaves nothing behind either.

    A file that is replaced hands on its mode bits. Symbolic links are followed. What is no regular file, such as a
    pipe, cannot be replaced; it is written to.

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
        If something cannot be written; PermissionError also if there is a file that must not be written to.

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
        with open(path, "wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".foxnn-{os.urandom(8).hex()}.tmp")
    try:
        nameless = _opened_nameless(target.parent)
        # Not tempfile: its files are private to the user, whatever the umask says.
        with open(temporary, "xb") if nameless is None else nameless as file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(temporary if nameless is None else file.fileno(), stat.S_IMODE(mode))
            os.fsync(file.fileno())
            if nameless is not None:
                _give_name(nameless, temporary)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def replace_file(path: str | os.PathLike[str], pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file made of these pieces, as `atomic_write` does."""
    with atomic_write(path) as file:
        file.writelines(pieces)


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
            os.chmod(path, stat.S_IMODE(os.fstat(handle).st_mode))
            os.fsync(copy.fileno())


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
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that does not do it
            raise
    finally:
        os.close(handle)
