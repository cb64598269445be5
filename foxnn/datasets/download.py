"""Files from the network: several mirrors, a checksum, and nothing left behind when it fails."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tqdm import tqdm

from foxnn._atomic import atomic_write

__all__ = ["RemoteFile", "fetch"]

_TIMEOUT = 10.0  # seconds for a connection, and again for each piece of the answer
_CHUNK = 1 << 16


class RemoteFile(NamedTuple):
    """A file as every mirror should have it."""

    name: str
    size: int  # bytes
    sha256: str


class MirrorError(Exception):
    """A mirror did not give the file; the next one may."""


def fetch(file: RemoteFile, mirrors: Sequence[str], folder: str | os.PathLike[str], *, progress: bool = True) -> Path:
    """Download a file from the first mirror that has it undamaged.

    Each mirror in turn is asked, until one gives exactly the bytes whose checksum is known. The file
    appears in the folder whole or not at all, so several processes may fetch it at once.

    Parameters
    ----------
    file : RemoteFile
        Its name, size and SHA-256.
    mirrors : sequence of str
        Addresses of folders that hold the file, tried in this order.
    folder : str or path-like
        Where to put the file; made if it does not exist.
    progress : bool, default True
        Show a progress bar when the standard error stream is a terminal.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        No mirror gave the file (the message lists what each one said), or it could not be written.

    Examples
    --------
    Any address that Python can open will do, a folder of this machine too:

    >>> import hashlib, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as there, tempfile.TemporaryDirectory() as here:
    ...     _ = (pathlib.Path(there) / "greeting").write_bytes(b"hello")
    ...     file = RemoteFile("greeting", 5, hashlib.sha256(b"hello").hexdigest())
    ...     fetch(file, [pathlib.Path(there).as_uri()], here).read_bytes()
    b'hello'
    """
    target = Path(folder) / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{file.name}"
        try:
            with atomic_write(target) as output:
                for piece in _undamaged(url, file, progress):
                    output.write(piece)
            return target
        except MirrorError as error:
            failures.append(f"{url}: {error}")
    raise OSError(f"cannot download {file.name}. " + "; ".join(failures))


def _undamaged(url: str, file: RemoteFile, progress: bool) -> Iterator[bytes]:
    """Yield the file piece by piece, and raise MirrorError at the end if it was not the file."""
    digest = hashlib.sha256()
    n_bytes = 0
    # tqdm takes disable=None for "only on a terminal".
    disable = None if progress else True
    with tqdm(desc=file.name, total=file.size, unit="B", unit_scale=True, leave=False, disable=disable) as bar:
        for piece in _pieces(url):
            n_bytes += len(piece)
            if n_bytes > file.size:
                raise MirrorError(f"gave more than the {file.size} bytes of the file")
            digest.update(piece)
            bar.update(len(piece))
            yield piece
    if n_bytes < file.size:
        raise MirrorError(f"gave {n_bytes} of {file.size} bytes")
    if digest.hexdigest() != file.sha256:
        raise MirrorError(f"gave a damaged file: SHA-256 {digest.hexdigest()} instead of {file.sha256}")


def _pieces(url: str) -> Iterator[bytes]:
    """Yield what is at an address; every failure of the network becomes a MirrorError."""
    # Some hosts refuse Python's own name. Nothing but the raw file will do: its checksum is known.
    headers = {"User-Agent": "foxnn", "Accept-Encoding": "identity"}
    try:
        with urlopen(Request(url, headers=headers), timeout=_TIMEOUT) as response:
            while piece := response.read(_CHUNK):
                yield piece
    except HTTPError as error:
        error.close()
        raise MirrorError(f"HTTP status {error.code} {error.reason}") from error
    # ValueError: what urllib raises for an address that is none.
    except (OSError, HTTPException, ValueError) as error:
        raise MirrorError(str(error) or type(error).__name__) from error
