"""Files that are read: regular ones, whose end comes."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader

from foxnn.errors import FileFormatError

_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}


def open_regular(path: str | os.PathLike[str], *, pipes: bool = False) -> BufferedReader:
    """Open a file for reading bytes; what has no size, such as ``/dev/zero``, might never end.

    Parameters
    ----------
    path : str or path-like
    pipes : bool, default False
        Whether a pipe will do, as shells make them: it ends when whoever writes to it does.

    Raises
    ------
    FileFormatError
        If it is no regular file; the message names it.
    OSError
        If it cannot be opened, or is a folder.
    """
    check_regular(path, os.stat(path).st_mode, pipes)  # before it is opened: of a pipe that would wait for a writer
    file = open(path, "rb")  # noqa: SIM115  (whoever asked for it closes it)
    try:
        check_regular(path, os.fstat(file.fileno()).st_mode, pipes)
    except BaseException:
        file.close()
        raise
    return file


def check_regular(path: str | os.PathLike[str], mode: int, pipes: bool = False) -> None:
    """Raise if that is the mode of something else than a regular file."""
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode) and not (pipes and stat.S_ISFIFO(mode)):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise FileFormatError(f"{os.fspath(path)}: {kind}; it takes a regular file{' or a pipe' if pipes else ''}")
