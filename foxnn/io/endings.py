"""What the endings of files promise, so that no file is called what it is not."""

from __future__ import annotations

import os
from pathlib import Path

from foxnn._options import path_text

#: Endings of the formats that foxnn writes, by the method that does it.
_WRITTEN = {
    "save": (".safetensors", ".txt"),
    "to_c": (".h", ".c", ".hpp", ".hh", ".inc"),
    "to_js": (".mjs", ".js", ".cjs"),
    "to_onnx": (".onnx",),
    "to_npz": (".npz",),
}
#: Endings of formats that others write, and how.
_OF_OTHERS = {
    ".pt": "torch.save(nn.to_torch().state_dict(), path)",
    ".pth": "torch.save(nn.to_torch().state_dict(), path)",
    ".h5": "nn.to_keras().save(path)",
    ".keras": "nn.to_keras().save(path)",
    ".pkl": "pickle.dump(nn, file)",
    ".pickle": "pickle.dump(nn, file)",
    ".joblib": "joblib.dump(nn, path)",
    ".npy": "nn.to_npz, as .npz,",
    ".json": "",
    ".csv": "",
}


def path_for(method: str, path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """A path to export to, whose ending does not promise another format than that method writes.

    Raises
    ------
    TypeError, ValueError
        If it is no path, or its ending promises another format; the message says what writes that.

    Examples
    --------
    >>> path_for("to_c", "net.h"), path_for("to_c", "net.cuh")
    ('net.h', 'net.cuh')
    """
    ending = _ending(path_text("path", path))
    if ending not in _WRITTEN[method] and (by := _writer(ending)) is not None:
        takes = " or ".join(_WRITTEN[method][:2])
        raise ValueError(f"path: got {os.fspath(path)!r}; nn.{method} writes {takes}{f', and {by} that' if by else ''}")
    return path


def is_text(path: str | os.PathLike[str]) -> bool:
    """Whether a network is saved as FoxNN 1.0's text under that name, rather than as everything it is.

    Raises
    ------
    ValueError
        If the name ends in neither ``.safetensors`` nor ``.txt``.
    """
    ending = _ending(path)
    if ending in _WRITTEN["save"]:
        return ending == ".txt"
    by = _writer(ending)
    if by is None:
        import difflib

        near = [*difflib.get_close_matches(ending, _WRITTEN["save"], n=1), ".safetensors"][0]
        stem = os.fspath(path)[: len(os.fspath(path)) - len(ending)]
        hint = f" (did you mean {stem + near!r}?)"
    else:
        hint = f" ({by} writes that)" if by else ""
    raise ValueError(
        f"path: got {os.fspath(path)!r}{hint}; it takes names ending in .safetensors, or in .txt for FoxNN 1.0's text "
        "format"
    )


def _ending(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower()


def _writer(ending: str) -> str | None:
    """What writes files of that ending, "" if nothing does; None: it promises nothing."""
    for method, endings in _WRITTEN.items():
        if ending in endings:
            return f"nn.{method}"
    return _OF_OTHERS.get(ending)
