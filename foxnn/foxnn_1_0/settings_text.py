"""The settings in a text file of a network: its first values, in the order of `settings.NAMES`.

A name with white space in it stands in double quotes, with a backslash before a quote or a backslash inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from foxnn.errors import FileFormatError
from foxnn.foxnn_1_0.settings import NAMES, Settings
from foxnn.foxnn_1_0.values import shown

#: All settings together are never longer, in bytes.
_LONGEST = 1 << 16

_INTEGERS = {"n_threads", "n_print", "auto_save_iteration", "step_to_zero_after_n"}
_FLAGS = {"max_on_last_layer", "one_if_value_greater_intermediate_value", "correct_summation"}
_TEXTS = {"auto_save_name_file", "mode"}

#: What stands in quotes.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)', re.DOTALL)
#: What follows the name among the settings; FoxNN 1.0 wrote a name with spaces as it is, and this tells where it ends.
_AFTER_NAME = re.compile(
    r"(?<!\s)\s+[0-9]+\s+[01]\s+\S+\s+\S+\s+\S+\s+[0-9]+\s+\S+\s+(?:SGD|Adam|Nesterov)(?:\s|$)"
)  # fmt: skip


def read_settings(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The settings that a network's file begins with, and where they end.

    Raises
    ------
    FileFormatError
        If they are not there, or not settings; the message names the line.
    """
    head = file.read(_LONGEST).decode("utf-8", "surrogateescape")
    complete = not file.read(1)
    at = 0
    settings: dict[str, Any] = {}
    trial = Settings()
    for name in NAMES:
        while at < len(head) and head[at].isspace():
            at += 1
        if at == len(head):
            raise _error(head, at, f"the file ends where {name} belongs")
        word, end = _name(head, at) if name == "auto_save_name_file" else _word(head, at)
        try:
            settings[name] = _setting(name, word)
            setattr(trial._owner(name), name, settings[name])
        except (TypeError, ValueError) as error:
            reason = str(error) if name in settings else f"{name}: got {shown(word)}; it takes a number"
            raise _error(head, at, reason) from None
        at = end
    if at == len(head) and not complete:
        raise _error(head, at, f"the settings go on for more than {_LONGEST} bytes")
    if settings["n_threads"] == 1:  # 1.0's default, which is no wish for one thread
        settings["n_threads"] = None
    return settings, len(head[:at].encode("utf-8", "surrogateescape"))


def _error(head: str, at: int, reason: str) -> FileFormatError:
    lines = head.count("\n", 0, at) + (at < len(head) or not head.endswith("\n"))
    return FileFormatError(f"line {max(lines, 1)}: {reason} (a file with weights only is read with only_scale=True)")


def _setting(name: str, word: str) -> Any:
    if name in _TEXTS:
        return word
    if name in _INTEGERS or name in _FLAGS:
        return int(word) if re.fullmatch(r"\+?[0-9]{1,18}", word) else word
    if "_" in word:
        raise ValueError(word)
    return float(word)


def _word(text: str, at: int) -> tuple[str, int]:
    word = text[at:].split(maxsplit=1)[0]
    return word, at + len(word)


def _name(text: str, at: int) -> tuple[str, int]:
    if quoted := _QUOTED.match(text, at):
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), quoted.end()
    after = _AFTER_NAME.search(text, at)
    return (text[at : after.start()], after.start()) if after else _word(text, at)


def settings_lines(settings: Settings) -> Iterator[bytes]:
    """The settings as `read_settings` takes them."""
    for name in NAMES:
        yield f"{_written(name, getattr(settings._owner(name), name))}\n".encode("utf-8", "surrogateescape")


def _written(name: str, value: Any) -> str:
    if name in _TEXTS:
        return _quoted(value)
    return str(int(value)) if name in _INTEGERS or name in _FLAGS else f"{value:.16e}"


def _quoted(name: str) -> str:
    if name.split() == [name] and not name.startswith('"'):
        return name
    return '"' + re.sub(r'([\\"])', r"\\\1", name) + '"'
