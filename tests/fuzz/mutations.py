"""Small random damage to bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from random import Random

_NUMBERS = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1,
            2**63, 2**64 - 1]  # fmt: skip
_WORDS = [b"", b"0", b"1", b"-1", b"2", b"65536", b"4294967296", b"9223372036854775807", b"99999999999999999999",
          b"1e308", b"1e999", b"-0.0", b"5e-324", b"nan", b"inf", b"1_0", b"0x10", b"\x00", b"\xff", b"\xc3\xa9", b"\n",
          b" ", b'"', b"\\", b",", b"null", b"[]", b"{}"]  # fmt: skip
_WORD = re.compile(rb"[-+.\w]+")


def damaged(random: Random, corpus: Sequence[bytes], tokens: Sequence[bytes] = ()) -> bytes:
    """One of the files with one to four pieces of damage."""
    data = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        random.choice(_DAMAGE)(random, data, corpus, tokens)
    return bytes(data)


def _at(random: Random, data: bytearray, extra: int = 0) -> int:
    """A place; half of the time near the beginning, where headers are."""
    n = len(data) + extra
    return random.randrange(min(n, 64) if random.random() < 0.5 else n) if n else 0


def _length(random: Random) -> int:
    return random.choice((1, 1, 2, 4, 8, random.randrange(1, 64), random.randrange(1, 1024)))


def _flip(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    if data:
        data[_at(random, data)] ^= 1 << random.randrange(8)


def _byte(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    if data:
        data[_at(random, data)] = random.randrange(256)


def _truncate(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    del data[_at(random, data) :]


def _delete(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    at = _at(random, data)
    del data[at : at + _length(random)]


def _insert(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    at = _at(random, data, 1)
    data[at:at] = random.randbytes(_length(random))


def _repeat(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    at = _at(random, data)
    data[at:at] = data[at : at + _length(random)] * random.choice((1, 2, 10))


def _splice(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    """The beginning of this and the end of another, or a piece of it in the middle."""
    other = random.choice(corpus)
    at, begin = _at(random, data, 1), random.randrange(len(other) + 1)
    if random.random() < 0.5:
        data[at:] = other[begin:]
    else:
        piece = other[begin : begin + _length(random)]
        data[at : at + len(piece)] = piece


def _number(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    """A number that is likely to be on an edge, as 1 to 8 bytes."""
    size, letter = random.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
    at = _at(random, data)
    if at + size <= len(data):
        value = random.choice(_NUMBERS) % 256**size
        data[at : at + size] = struct.pack(random.choice("<>") + letter, value)


def _word(random: Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    """Another word in place of one."""
    match = _WORD.search(data, _at(random, data))
    if match:
        data[match.start() : match.end()] = random.choice([*_WORDS, *tokens])


_DAMAGE: list[Callable[[Random, bytearray, Sequence[bytes], Sequence[bytes]], None]] = [
    _flip, _byte, _truncate, _delete, _insert, _repeat, _splice, _number, _word, _word,
]  # fmt: skip
