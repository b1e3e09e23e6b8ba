"""Eight bytes at a time: text as 64-bit words, and the operations of the text kernels on them.

The first byte of a word is its lowest. This form runs interpreted; ``words.h`` has the same functions as
inline C for compiled kernels, because no compiler derives them from a loop over bytes. No function checks an
index: the caller ensures that enough bytes are there.
"""

from __future__ import annotations

import struct
from base64 import b64decode

from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt32s, WriteBuffer

FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))  #: by DLC
_REAL = struct.Struct("<d")
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_NIBBLES = bytes(int(chr(c), 16) if c in _HEX_DIGITS else 0xFF for c in range(256))
_LETTERS_AND_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE64 = _LETTERS_AND_DIGITS + b"+/"


def load8(text: ReadBuffer, at: int) -> int:
    """Return the 8 bytes at ``at`` as a word."""
    return int.from_bytes(text[at : at + 8], "little")


def reload8(out: WriteBuffer, at: int) -> int:
    """Return the 8 bytes at ``at`` of the output as a word."""
    return int.from_bytes(out[at : at + 8], "little")


def load4(text: ReadBuffer, at: int) -> int:
    """Return the 4 bytes at ``at`` as a word."""
    return int.from_bytes(text[at : at + 4], "little")


def real(word: int) -> float:
    """Return the 8 bytes of ``word`` as a floating-point number."""
    value: float = _REAL.unpack(word.to_bytes(8, "little"))[0]
    return value


def whole(value: float) -> int:
    """Return ``value`` without its fraction; not defined beyond 63 bits."""
    return int(value)


def member(text: ReadBuffer, at: int, plan: Int64s, base: int) -> int:
    """Return a bit field of the 8 bytes that begin at ``at + plan[base + 1]``.

    The field begins at bit ``plan[base + 2]``, is masked by ``plan[base + 4]``, and combined with the bits
    ``plan[base + 5]``.
    """
    return load8(text, at + plan[base + 1]) >> plan[base + 2] & plan[base + 4] | plan[base + 5]


def store8(out: WriteBuffer, to: int, word: int) -> None:
    """Write the 8 bytes of ``word``."""
    out[to : to + 8] = word.to_bytes(8, "little")


def store4(out: WriteBuffer, to: int, word: int) -> None:
    """Write the first 4 bytes of ``word``, whose other bytes are 0."""
    out[to : to + 4] = word.to_bytes(4, "little")


def copy4(source: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write the 4 bytes of ``source`` at ``at``."""
    out[to : to + 4] = source[at : at + 4]


def copy2(source: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write the 2 bytes of ``source`` at ``at``."""
    out[to : to + 2] = source[at : at + 2]


def repeat32(out: WriteBuffer, at: int, to: int) -> None:
    """Write the 32 bytes of the output at ``at`` again."""
    out[to : to + 32] = bytes(out[at : at + 32])


def swapped(word: int) -> int:
    """Return the 8 bytes of ``word`` in the opposite order."""
    return int.from_bytes(word.to_bytes(8, "little"), "big")


def first_bytes(word: int, count: int) -> int:
    """Return the first ``count`` bytes, 0 to 8, of ``word``, the others set to 0."""
    return word & ((1 << 8 * count) - 1)


def same(text: ReadBuffer, at: int, other: ReadBuffer, count: int) -> int:
    """Return whether the ``count`` bytes at ``at`` equal the first bytes of ``other``."""
    return int(text[at : at + count] == other[:count])


def behind(text: ReadBuffer, at: int, end: int, keys: ReadBuffer, ends: UInt32s, key: int) -> int:
    """Return the position after ``keys[ends[key - 1]:ends[key]]`` and spaces if these bytes are at ``at``,
    else -1.

    ``text[end - 1]`` is a byte that is neither in the key nor a space, such as a newline.
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
    """Return the index of the first newline in the 64 bytes at ``at``; 64 if there is no newline."""
    return (bytes(text[at : at + 64]) + b"\n").index(b"\n")


def same_start(text: ReadBuffer, at: int, other: int, count: int) -> int:
    """Return whether the ``count`` bytes, at most 32, at ``at`` and at ``other`` are equal.

    32 bytes are at both places.
    """
    return int(text[at : at + count] == text[other : other + count])


def until(word: int, byte: int) -> int:
    """Return the number of bytes before the first ``byte``; 8 if there is none."""
    return (word.to_bytes(8, "little") + bytes([byte])).index(byte)


def blanks(word: int) -> int:
    """Return the number of leading bytes that are spaces."""
    return 8 - len(word.to_bytes(8, "little").lstrip(b" "))


def blank_run(text: ReadBuffer, at: int) -> int:
    """Return the number of leading spaces in the 32 bytes at ``at``."""
    run = bytes(text[at : at + 32])
    return len(run) - len(run.lstrip(b" "))


def alphanumeric_run(word: int) -> int:
    """Return the number of leading bytes that are letters or digits."""
    return len(_run(word, _LETTERS_AND_DIGITS))


def decimal(word: int, count: int) -> int:
    """Return the number in the first ``count`` bytes, 1 to 8 decimal digits; -1 if they are not digits."""
    digits = word.to_bytes(8, "little")[:count]
    return int(digits) if digits.isdigit() else -1


def padded_decimal(word: int, count: int) -> int:
    """Return the number in the first ``count`` bytes, decimal digits after spaces; -1 if they are not."""
    digits = word.to_bytes(8, "little")[:count].lstrip(b" ")
    return int(digits) if digits.isdigit() else -1


def padded_digits(number: int) -> int:
    """Return ``number``, at most 8 decimal digits, right-aligned with spaces, as a word."""
    return int.from_bytes(b"%8d" % number, "little")


def decimal_run(word: int) -> int:
    """Return the number in the leading decimal digits, plus the number of digits times 2**32."""
    digits = _run(word, b"0123456789")
    return int(digits or b"0") | len(digits) << 32


def fraction_run(word: int) -> int:
    """Return the leading decimal digits, padded with zeros to 8, as ``decimal_run`` does."""
    digits = _run(word, b"0123456789")
    return int(digits.ljust(8, b"0")) | len(digits) << 32


def decimal8(value: int) -> int:
    """Return ``value`` as 8 decimal digits."""
    return int.from_bytes(b"%08d" % value, "little")


def decimal6(value: int) -> int:
    """Return ``value`` as 6 decimal digits and 2 bytes 0."""
    return int.from_bytes(b"%06d" % value, "little")


def significant(word: int) -> int:
    """Return the number of bytes without trailing zeros, at least 1."""
    return max(1, len(word.to_bytes(8, "little").rstrip(b"0")))


def hex_width(value: int) -> int:
    """Return the number of hexadecimal digits of ``value``, of 32 bits."""
    return len(f"{value:x}")


def padded_hex(value: int, width: int) -> int:
    """Return ``value``, of 32 bits, as ``width`` lower-case hexadecimal digits, right-aligned with spaces."""
    return int.from_bytes(f"{value:0{width}x}".rjust(8).encode(), "little")


def hexadecimal8(value: int) -> int:
    """Return ``value``, of 32 bits, as 8 upper-case hexadecimal digits."""
    return int.from_bytes(b"%08X" % value, "little")


def decimal_width(value: int) -> int:
    """Return the number of decimal digits of ``value``, of 32 bits."""
    return len(str(value))


def hex_run(word: int) -> int:
    """Return the number in the leading hexadecimal digits, plus the number of digits times 2**32."""
    digits = _run(word, _HEX_DIGITS)
    return int(digits or b"0", 16) | len(digits) << 32


def hexadecimal(word: int, count: int) -> int:
    """Return the number in the first ``count`` bytes, 1 to 8 hexadecimal digits; -1 if they are not."""
    digits = word.to_bytes(8, "little")[:count]
    return -1 if digits.strip(_HEX_DIGITS) else int(digits, 16)


def unhex(text: ReadBuffer, at: int, out: WriteBuffer, to: int) -> int:
    """Decode up to 16 hexadecimal digits at ``at``; return the number of digits.

    ``out`` has room for 8 bytes; those after the decoded bytes are undefined.
    """
    digits = bytes(text[at : at + 16])
    count = 16 - len(digits.lstrip(_HEX_DIGITS))
    out[to : to + count // 2] = bytes.fromhex(digits[: count - count % 2].decode())
    return count


def unhex_spaced(text: ReadBuffer, at: int, out: WriteBuffer, to: int) -> int:
    """Decode up to 8 bytes in hexadecimal, each after a space; return the number of bytes.

    At least 26 bytes are at ``at``. ``out`` as in ``unhex``.
    """
    return _unhex_parted(text, at, out, to, 32)


def unhex_commas(text: ReadBuffer, at: int, out: WriteBuffer, to: int) -> int:
    """Decode as ``unhex_spaced``, for bytes that each follow a comma."""
    return _unhex_parted(text, at, out, to, 44)


def hex8(payload: ReadBuffer, at: int, out: WriteBuffer, to: int, letters: int) -> None:
    """Write the 8 bytes at ``at`` as 16 hexadecimal digits; ``letters`` is 55 for ``A``, 87 for ``a``."""
    digits = bytes(payload[at : at + 8]).hex()
    out[to : to + 16] = (digits.upper() if letters == 55 else digits).encode()


def hex8_spaced(payload: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write each of the 8 bytes at ``at`` as a space and 2 upper-case hexadecimal digits."""
    out[to : to + 24] = (" " + bytes(payload[at : at + 8]).hex(" ").upper()).encode()


def hex8_spaced_lower(payload: ReadBuffer, at: int, out: WriteBuffer, to: int) -> None:
    """Write each of the 8 bytes at ``at`` as a space and 2 lower-case hexadecimal digits."""
    out[to : to + 24] = (" " + bytes(payload[at : at + 8]).hex(" ")).encode()


def hex_commas(word: int, out: WriteBuffer, to: int) -> None:
    """Write each of the 8 bytes of ``word`` as a comma and 2 upper-case hexadecimal digits."""
    out[to : to + 24] = ("," + word.to_bytes(8, "little").hex(",").upper()).encode()


def nibble(byte: int) -> int:
    """Return the value of a hexadecimal digit; 255 for any other byte."""
    return _NIBBLES[byte]


def fd_length(code: int) -> int:
    """Return the length of a CAN FD frame with the DLC ``code``, 0 to 15."""
    return FD_LENGTHS[code]


def fd_code(size: int) -> int:
    """Return the DLC of a CAN FD frame of ``size`` bytes, 0 to 64; 255 if there is none of this length."""
    return FD_LENGTHS.index(size) if size in FD_LENGTHS else 255


def fd_code_for(size: int) -> int:
    """Return the DLC of the smallest CAN FD frame that holds ``size`` bytes, 0 to 64."""
    return next(code for code, length in enumerate(FD_LENGTHS) if length >= size)


def unbase64(text: ReadBuffer, at: int, count: int, out: WriteBuffer, to: int) -> int:
    """Decode ``count`` base64 characters, 0 to 11, of the 16 at ``at`` to 8 bytes, padded with zeros.

    Return 1 if all are base64 characters and the bits after the last whole byte are 0.
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
    """Return the leading bytes that are in ``digits``."""
    text = word.to_bytes(8, "little")
    return text[: 8 - len(text.lstrip(digits))]
