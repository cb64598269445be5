"""The values of a text file, which white space separates."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from foxnn.errors import FileFormatError

_Matrix = npt.NDArray[np.float64]

#: Bytes read at a time.
_BLOCK = 1 << 18
#: A value is never so long.
_LONGEST = 1 << 12


class Values:
    """The values of a file from `start` on, read block by block; mistakes are errors that name the line.

    Parameters
    ----------
    file : file object
        Open for reading bytes.
    start : int
        Where the first value begins.
    """

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        self._file, self._start = file, start
        self._size = os.fstat(file.fileno()).st_size
        file.seek(start)
        self._values: list[bytes] = []  # of the current block
        self._next = 0  # the next one's place among them
        self._rest = b""  # the beginning of a value that the block cut off
        self._underscore = False
        self.taken = 0  # values taken so far

    def _more(self) -> bool:
        """Whether there is a next value; reads it if need be."""
        while self._next == len(self._values):
            block = self._file.read(_BLOCK)
            if not block and not self._rest:
                return False
            text = self._rest + block
            end = len(text)
            if block:  # keep what may go on in the next block
                while end and text[end - 1 : end].strip():
                    end -= 1
                    if len(text) - end > _LONGEST:
                        raise FileFormatError(f"a value of more than {_LONGEST} characters: not a file of FoxNN 1.0")
            self._rest = text[end:]
            self._values, self._next = text[:end].split(), 0
            self._underscore = b"_" in text
        return True

    def error(self, reason: str, value: int | None = None) -> FileFormatError:
        """The error that value number `value` (by default the next) is wrong."""
        return FileFormatError(f"line {self._line(self.taken if value is None else value)}: {reason}")

    def _line(self, value: int) -> int:
        """The line that value number `value` stands in, or the last one."""
        self._file.seek(0)
        head = self._file.read(self._start)
        lines, last, inside = 1 + head.count(b"\n"), head[-1:] or b"\n", False
        while block := self._file.read(_BLOCK):
            for match in re.finditer(rb"\S+", block):
                if match.start() == 0 and inside:
                    continue  # goes on from the last block
                if value == 0:
                    return lines + block.count(b"\n", 0, match.start())
                value -= 1
            last = block[-1:]
            inside = bool(last.strip())
            lines += block.count(b"\n")
        return max(lines - (last == b"\n"), 1)

    def word(self, what: str) -> str:
        """The next value as it stands."""
        if not self._more():
            raise self.error(f"the file ends where {what} belongs")
        self._next += 1
        self.taken += 1
        return self._values[self._next - 1].decode(errors="backslashreplace")

    def integer(self, what: str, least: int) -> int:
        """The next value as an integer of at least `least`."""
        word = self.word(what)
        if not re.fullmatch(r"\+?[0-9]{1,18}", word) or int(word) < least:
            raise self.error(f"{what}: got {shown(word)}; it takes an integer of at least {least}", self.taken - 1)
        return int(word)

    def room(self, n: int, width: int, what: str) -> _Matrix:
        """An array for n rows of numbers, if the file may hold them."""
        left = self._size - self._file.tell() + len(self._rest)  # a value takes a character, and one to separate it
        if n * width > len(self._values) - self._next + left // 2 + 1:
            raise self.error(f"{what}: {n} x {width} numbers belong here, and the file is too short to hold them")
        return np.empty((n, width))

    def fill(self, numbers: _Matrix, what: str) -> None:
        """Fill an array of shape (n,) with the next n values; they are finite numbers."""
        done = 0
        while done < len(numbers):
            if not self._more():
                raise self.error(f"the file ends where {len(numbers) - done} more numbers of {what} belong")
            words = self._values[self._next : self._next + len(numbers) - done]
            part = numbers[done : done + len(words)]
            try:
                part[:] = np.fromiter(map(float, words), np.float64, len(words))
                good = not self._underscore and bool(np.isfinite(part).all())
            except ValueError:
                good = False
            if not good:
                self._refuse(words, what)
            self._next += len(words)
            self.taken += len(words)
            done += len(words)

    def _refuse(self, words: list[bytes], what: str) -> None:
        """Say which of these values is not a finite number, if one is not."""
        for i, word in enumerate(words):
            try:
                good = b"_" not in word and np.isfinite(float(word))
            except ValueError:
                good = False
            if not good:
                got = shown(word.decode(errors="backslashreplace"))
                raise self.error(f"{what}: got {got}; it takes finite numbers", self.taken + i)

    def end(self) -> None:
        """Refuse anything that follows."""
        if self._more():
            raise self.error(f"got {shown(self.word(''))} where the file should end", self.taken - 1)


def shown(word: str) -> str:
    """A value for messages."""
    return repr(word if len(word) <= 40 else word[:37] + "...")
