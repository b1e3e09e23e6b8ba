"""Eight bytes at a time: text as 64-bit words, and what the loops over text do with one.

A word holds its first byte lowest. This form runs interpreted; ``_words.pxd`` gives the compiled kernels the
same functions as inline C, which is the only C here, since no loop over bytes compiles to it. Nothing checks
an index: the caller knows that as many bytes are there.
"""

from __future__ import annotations

import struct
from base64 import b64decode

from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt32s, WriteBuffer

_REAL = struct.Struct("<d")
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_LETTERS_AND_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE64 = _LETTERS_AND_DIGITS + b"+/"


def load8(text: ReadBuffer, at: int) -> int:
    """Return the 8 bytes at ``at`` as a word."""
    return int.from_bytes(text[at : at + 8], "little")


def reload8(out: WriteBuffer, at: int) -> int:
    """Return the 8 bytes at ``at`` of what was written, as a word."""
    return int.from_bytes(out[at : at + 8], "little")


def load4(text: ReadBuffer, at: int) -> int:
    """Return the 4 bytes at ``at`` as a word."""
    return int.from_bytes(text[at : at + 4], "little")


def real(word: int) -> float:
    """Return the 8 bytes of ``word`` as the floating-point number that they are."""
    value: float = _REAL.unpack(word.to_bytes(8, "little"))[0]
    return value


def whole(value: float) -> int:
    """Return ``value`` without its fraction; not defined beyond 63 bits."""
    return int(value)


def member(text: ReadBuffer, at: int, plan: Int64s, base: int) -> int:
    """Return a part of the 8 bytes that begin ``plan[base + 1]`` bytes behind ``at``.

    It is that above ``plan[base + 2]`` bits, as far as the mask ``plan[base + 4]`` goes, with the bits of
    ``plan[base + 5]`` added.
    """
    return load8(text, at + plan[base + 1]) >> plan[base + 2] & plan[base + 4] | plan[base + 5]


def store8(out: WriteBuffer, to: int, word: int) -> None:
    """Write the 8 bytes of ``word``."""
    out[to : to + 8] = word.to_bytes(8, "little")


def store4(out: WriteBuffer, to: int, word: int) -> None:
    """Write the first 4 bytes of ``word``, which has no others."""
    out[to : to + 4] = word.to_bytes(4, "little")


def copy4(source: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write the 4 bytes of ``source`` at ``at``."""
    out[to : to + 4] = source[at : at + 4]


def copy2(source: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write the 2 bytes of ``source`` at ``at``."""
    out[to : to + 2] = source[at : at + 2]


def swapped(word: int) -> int:
    """Return the 8 bytes of ``word`` in the opposite order."""
    return int.from_bytes(word.to_bytes(8, "little"), "big")


def first_bytes(word: int, count: int) -> int:
    """Return ``word`` with all but its first ``count`` bytes, 0 to 8, set to 0."""
    return word & ((1 << 8 * count) - 1)


def same(text: ReadBuffer, at: int, other: ReadBuffer, count: int) -> int:
    """Tell whether the ``count`` bytes at ``at`` are the first ones of ``other``."""
    return int(text[at : at + count] == other[:count])


def behind(text: ReadBuffer, at: int, end: int, keys: ReadBuffer, ends: UInt32s, key: int) -> int:
    """Return the position behind ``keys[ends[key - 1]:ends[key]]`` and blanks if that is at ``at``, else -1.

    ``text[end - 1]`` is neither in it nor a blank, such as a newline.
    """
    begin = ends[key - 1] if key > 0 else 0
    size = ends[key] - begin
    if at + size > end or text[at : at + size] != keys[begin : begin + size]:
        return -1
    at += size
    while text[at] == 32:
        at += 1
    return at


def newline_at(text: ReadBuffer, at: int) -> int:
    """Return where in the 64 bytes at ``at`` the first newline is, 64 for none."""
    return (bytes(text[at : at + 64]) + b"\n").index(b"\n")


def blanks(word: int) -> int:
    """Return how many bytes, from the first on, are blanks."""
    return 8 - len(word.to_bytes(8, "little").lstrip(b" "))


def blank_run(text: ReadBuffer, at: int) -> int:
    """Return how many of the 32 bytes at ``at``, from the first on, are blanks."""
    run = bytes(text[at : at + 32])
    return len(run) - len(run.lstrip(b" "))


def alphanumeric_run(word: int) -> int:
    """Return how many bytes, from the first on, are letters or digits."""
    return len(_run(word, _LETTERS_AND_DIGITS))


def decimal(word: int, count: int) -> int:
    """Return the number that the first ``count`` bytes, 1 to 8, are as decimal digits; -1 for none."""
    digits = word.to_bytes(8, "little")[:count]
    return int(digits) if digits.isdigit() else -1


def padded_decimal(word: int, count: int) -> int:
    """Return the number that the first ``count`` bytes are, decimal digits behind blanks; -1 for none."""
    digits = word.to_bytes(8, "little")[:count].lstrip(b" ")
    return int(digits) if digits.isdigit() else -1


def padded_digits(number: int) -> int:
    """Return the word of ``number``, of at most 8 decimal digits, behind blanks."""
    return int.from_bytes(b"%8d" % number, "little")


def decimal_run(word: int) -> int:
    """Return the number that the decimal digits at the beginning are, and how many these are, times 2**32."""
    digits = _run(word, b"0123456789")
    return int(digits or b"0") | len(digits) << 32


def fraction_run(word: int) -> int:
    """Return what the decimal digits at the beginning are with zeros behind, up to 8 digits; as above."""
    digits = _run(word, b"0123456789")
    return int(digits.ljust(8, b"0")) | len(digits) << 32


def decimal8(value: int) -> int:
    """Return ``value`` as 8 decimal digits."""
    return int.from_bytes(b"%08d" % value, "little")


def significant(word: int) -> int:
    """Return how many bytes are left without the zeros at the end, at least 1."""
    return max(1, len(word.to_bytes(8, "little").rstrip(b"0")))


def hex_width(value: int) -> int:
    """Return how many hexadecimal digits ``value`` has, of 32 bits."""
    return len(f"{value:x}")


def padded_hex(value: int, width: int) -> int:
    """Return the word of ``value``, 32 bits in ``width`` hexadecimal digits of lower case, behind blanks."""
    return int.from_bytes(f"{value:0{width}x}".rjust(8).encode(), "little")


def decimal_width(value: int) -> int:
    """Return how many decimal digits ``value`` has, of 32 bits."""
    return len(str(value))


def hex_run(word: int) -> int:
    """Return the number that the hexadecimal digits at the beginning are, and how many, times 2**32."""
    digits = _run(word, _HEX_DIGITS)
    return int(digits or b"0", 16) | len(digits) << 32


def hexadecimal(word: int, count: int) -> int:
    """Return the number that the first ``count`` bytes, 1 to 8, are in hexadecimal; -1 for none."""
    digits = word.to_bytes(8, "little")[:count]
    return -1 if digits.strip(_HEX_DIGITS) else int(digits, 16)


def unhex(text: ReadBuffer, at: int, out: WriteBuffer, to: int) -> int:
    """Decode what there is of 16 hexadecimal digits at ``at``; return how many there are.

    ``out`` has room for 8 bytes; what those behind the decoded ones hold is not defined.
    """
    digits = bytes(text[at : at + 16])
    count = 16 - len(digits.lstrip(_HEX_DIGITS))
    out[to : to + count // 2] = bytes.fromhex(digits[: count - count % 2].decode())
    return count


def unhex_spaced(text: ReadBuffer, at: int, out: WriteBuffer, to: int) -> int:
    """Decode what there is of 8 bytes in hexadecimal, each behind a blank; return how many there are.

    26 bytes can be read there. ``out`` as for ``unhex``.
    """
    return _unhex_parted(text, at, out, to, 32)


def unhex_commas(text: ReadBuffer, at: int, out: WriteBuffer, to: int) -> int:
    """Do what ``unhex_spaced`` does, for bytes behind a comma each."""
    return _unhex_parted(text, at, out, to, 44)


def hex8(payload: ReadBuffer, at: int, out: WriteBuffer, to: int, letters: int) -> None:
    """Write the 8 bytes at ``at`` as 16 hexadecimal digits; ``letters`` is 55 for ``A``, 87 for ``a``."""
    digits = bytes(payload[at : at + 8]).hex()
    out[to : to + 16] = (digits.upper() if letters == 55 else digits).encode()


def hex8_spaced(payload: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write the 8 bytes at ``at`` as 2 hexadecimal digits each, in upper case and behind a blank."""
    out[to : to + 24] = (" " + bytes(payload[at : at + 8]).hex(" ").upper()).encode()


def hex8_spaced_lower(payload: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write the 8 bytes at ``at`` likewise, in lower case."""
    out[to : to + 24] = (" " + bytes(payload[at : at + 8]).hex(" ")).encode()


def hex_commas(word: int, out: WriteBuffer, to: int) -> None:
    """Write the 8 bytes of ``word`` as 2 hexadecimal digits each, in upper case and behind a comma."""
    out[to : to + 24] = ("," + word.to_bytes(8, "little").hex(",").upper()).encode()


def unbase64(text: ReadBuffer, at: int, count: int, out: WriteBuffer, to: int) -> int:
    """Decode ``count`` characters of base64, 0 to 11 of the 16 at ``at``, to 8 bytes, with zeros behind.

    Return 1 if they are of its alphabet and what they hold beyond whole bytes is 0.
    """
    digits = bytes(text[at : at + count])
    if digits.strip(_BASE64):
        return 0
    decoded = b64decode(digits + b"A" * (-count % 4))
    size = count * 3 // 4
    out[to : to + 8] = decoded[:8].ljust(8, b"\0")
    return int(not any(decoded[size:]))


def _unhex_parted(text: ReadBuffer, at: int, out: WriteBuffer, to: int, mark: int) -> int:
    count = 0
    while count < 8:
        group = bytes(text[at + 3 * count : at + 3 * count + 3])
        if group[0] != mark or group[1] not in _HEX_DIGITS or group[2] not in _HEX_DIGITS:
            break
        out[to + count] = int(group[1:], 16)
        count += 1
    return count


def _run(word: int, digits: bytes) -> bytes:
    """Return the bytes at the beginning that are among ``digits``."""
    text = word.to_bytes(8, "little")
    return text[: 8 - len(text.lstrip(digits))]
