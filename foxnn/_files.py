"""Files that are read: regular ones, whose end comes."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader

from foxnn.errors import FileFormatError

_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading bytes; what has no size, such as a pipe or ``/dev/zero``, might never end.

    Raises
    ------
    FileFormatError
        If it is no regular file; the message names it.
    OSError
        If it cannot be opened, or is a folder.
    """
    check_regular(path, os.stat(path).st_mode)  # before it is opened: of a pipe that would wait for a writer
    file = open(path, "rb")  # noqa: SIM115  (whoever asked for it closes it)
    try:
        check_regular(path, os.fstat(file.fileno()).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def check_regular(path: str | os.PathLike[str], mode: int) -> None:
    """Raise if that is the mode of something else than a regular file."""
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise FileFormatError(f"{os.fspath(path)}: {kind}; it takes a regular file")
