"""Damage to bytes: what a fuzzer does to a good file. The same ``random.Random`` gives the same damage."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence

#: bytes of the largest input: many more would only be slower
LARGEST = 1 << 16

_NUMBER = re.compile(rb"[A-Fa-f]{0,8}[0-9][0-9A-Fa-f]*")
_WORD = re.compile(rb"[^\s,;:#=()\"{}\[\]]+")

#: numbers at which something changes: of bytes, identifiers, lengths, 32 and 64 bits, and their neighbours
_EDGES = sorted(
    {
        number + step
        for number in (0, 8, 15, 64, 0x7F, 0xFF, 0x7FF, 2048, 0x7FFF, 0xFFFF, 1 << 20, 0x1FFFFFFF)
        for step in (-1, 0, 1)
    }
    | {(1 << bits) + step for bits in (29, 30, 31, 32, 62, 63, 64) for step in (-2, -1, 0, 1)}
)
#: what stands for a number and is none, or one that not everything takes
_NOT_QUITE = (
    b"",
    b"-",
    b"-1",
    b"+1",
    b"-0",
    b"1_0",
    b" 1",
    b"0x",
    b"0x10",
    b"1e5",
    b"1e400",
    b"1e-400",
    b"nan",
    b"inf",
    b"-inf",
    b"1.",
    b".5",
    b"1.5",
    b"1,5",
    b"1.2.3",
    b"0.0000000005",
    b"00000000000000000000001",
    b"9" * 19,
    b"9" * 400,
    b"F" * 8,
    b"F" * 17,
    "٣".encode(),  # a digit to str.isdigit and to int, and so is the next
    b"\xef\xbc\x91\xef\xbc\x92",
    b"\xb2",
)
_BYTES = (0, 1, 7, 8, 9, 10, 13, 15, 16, 27, 32, 34, 35, 44, 47, 58, 63, 64, 92, 127, 128, 191, 192, 254, 255)
_FIELDS = ("<B", "<H", ">H", "<I", ">I", "<Q", ">Q", "<d", ">d", "<f")
_FLOATS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    1e9,
    1e10,
    -1e10,
    1e18,
    1e300,
    5e-324,
    float("nan"),
    float("inf"),
    -float("inf"),
)


def mutated(draw: random.Random, seeds: Sequence[bytes], words: Sequence[bytes], *, is_text: bool) -> bytes:
    """Return one of ``seeds`` with some damage; ``words`` mean something in the format.

    ``is_text`` makes damage to numbers and words likely; any damage may come to either.
    """
    data = draw.choice(seeds)
    kinds = _ANYWHERE + (_TEXT if is_text else _BINARY)
    for _ in range(min(draw.choice((1, 1, 1, 2, 2, 3, 5, 8)), 1 + len(data))):
        data = draw.choice(kinds)(draw, data, seeds, words)[:LARGEST]
    return data


def _place(draw: random.Random, data: bytes) -> int:
    """Return a place in ``data``; the beginning, where headers are, is likelier than the rest."""
    if draw.random() < 0.3:
        return draw.randrange(min(len(data), 256) + 1)
    return draw.randrange(len(data) + 1)


def _span(draw: random.Random, data: bytes) -> tuple[int, int]:
    begin = _place(draw, data)
    size = draw.choice((1, 2, 4, 8, 16, draw.randint(1, 64), draw.randint(1, max(1, len(data)))))
    return begin, min(len(data), begin + size)


def _flip(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = min(_place(draw, data), len(data) - 1)
    return data[:at] + bytes((data[at] ^ 1 << draw.randrange(8),)) + data[at + 1 :]


def _set(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = _place(draw, data)
    value = draw.choice(_BYTES) if draw.random() < 0.7 else draw.randrange(256)
    return data[:at] + bytes((value,)) + data[at + 1 :]


def _delete(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    begin, end = _span(draw, data)
    return data[:begin] + data[end:]


def _duplicate(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    begin, end = _span(draw, data)
    return data[:end] + data[begin:end] * draw.choice((1, 1, 2, 20)) + data[end:]


def _swap(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    one, two = _span(draw, data), _span(draw, data)
    (a, b), (c, d) = sorted((one, two))
    c, d = max(b, c), max(b, d)
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _truncate(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _splice(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    other = draw.choice(seeds)
    begin, end = _span(draw, other)
    if draw.random() < 0.3:
        return data[: _place(draw, data)] + other[_place(draw, other) :]
    at = _place(draw, data)
    return data[:at] + other[begin:end] + data[at + draw.choice((0, end - begin)) :]


def _insert_word(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = _place(draw, data)
    word = draw.choice(words) if words else bytes((draw.randrange(256),))
    return data[:at] + word + data[at + draw.choice((0, len(word))) :]


def _noise(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    begin, end = _span(draw, data)
    return data[:begin] + draw.randbytes(end - begin) + data[end:]


def _fill(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    begin, end = _span(draw, data)
    return data[:begin] + draw.choice((b"\0", b"\xff", b" ", b"0")) * (end - begin) + data[end:]


def _field(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Give a number somewhere in ``data`` a value at an edge, or near that which it has."""
    code = draw.choice(_FIELDS)
    size = struct.calcsize(code)
    if len(data) < size:
        return data
    at = min(_place(draw, data), len(data) - size)
    if draw.random() < 0.7:
        at -= at % min(size, 4)
    if code[1] in "df":
        value: float = draw.choice(_FLOATS)
        if code[1] == "f" and abs(value) > 1e38:
            value = float("inf")
        return data[:at] + struct.pack(code, value) + data[at + size :]
    number = struct.unpack_from(code, data, at)[0]
    kind = draw.randrange(4)
    if kind == 0:
        number += draw.choice((-16, -8, -4, -2, -1, 1, 2, 4, 8, 16))
    elif kind == 1:
        number = draw.randrange(len(data) + 16)
    elif kind == 2:
        number = draw.choice((number << 1, number >> 1, number << 8, -number, ~number))
    else:
        number = draw.choice(_EDGES)
    return data[:at] + struct.pack(code, number & (1 << 8 * size) - 1) + data[at + size :]


def _found(draw: random.Random, data: bytes, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """Return the next match of ``pattern`` behind some place."""
    return pattern.search(data, _place(draw, data)) or pattern.search(data)


def _number(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Replace a number by one at an edge, or by what is none."""
    found = _found(draw, data, _NUMBER)
    if found is None:
        return data
    kind = draw.randrange(5)
    if kind == 0:
        new = draw.choice(_NOT_QUITE)
    elif kind == 1:
        new = b"%d" % draw.choice(_EDGES)
    elif kind == 2:
        new = b"%0*X" % (draw.choice((1, 2, 3, 8)), abs(draw.choice(_EDGES)))
    elif kind == 3:
        new = draw.choice(
            (found[0][:-1], found[0] + b"0", found[0] * 2, b"-" + found[0], b"0" * 30 + found[0])
        )
    else:
        other = _found(draw, draw.choice(seeds), _NUMBER)
        new = other[0] if other else b"0"
    return data[: found.start()] + new + data[found.end() :]


def _word(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Replace a word by another one of the format, or remove it."""
    found = _found(draw, data, _WORD)
    if found is None:
        return data
    other = _found(draw, draw.choice(seeds), _WORD)
    new = draw.choice((b"", found[0].swapcase(), found[0] * 2, other[0] if other else b"", *words[:40]))
    return data[: found.start()] + new + data[found.end() :]


def _line(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Drop, double or replace a line, or end it in another way."""
    lines, others = data.splitlines(keepends=True), draw.choice(seeds).splitlines(keepends=True)
    if not lines:
        return data
    at = draw.randrange(len(lines))
    line, other = lines[at], draw.choice(others) if others else b""
    lines[at] = draw.choice(
        (
            b"",
            line * 2,
            other,
            line + other,
            line[:-1] + b"\r\n",
            line[:-1] + b"\r",
            line[:-1] + b" \n",
            line[:-1],
            b"\t" + line,
            line.replace(b" ", b"\t"),
            line.replace(b",", b", "),
        )
    )
    return b"".join(lines)


_Kind = Callable[[random.Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]
_ANYWHERE: tuple[_Kind, ...] = (
    _flip, _set, _set, _delete, _duplicate, _swap, _truncate, _splice, _splice, _insert_word, _noise, _fill,
)  # fmt: skip
_TEXT: tuple[_Kind, ...] = (_number,) * 8 + (_word,) * 5 + (_line,) * 5
_BINARY: tuple[_Kind, ...] = (_field,) * 14 + (_flip,) * 3 + (_number,)
