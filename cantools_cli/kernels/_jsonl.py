"""Fields of canx JSON lines for the general path of ``jsonl.py``.

``_jsonl.pxd`` has the same functions inline; ``python -m tests.kernels.inline`` writes it. ``keys`` and
``ends`` are the tables of ``jsonl.py``, a key is its number there.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt32s, Word, WriteBuffer


def after_key(text: ReadBuffer, pos: int, end: int, keys: ReadBuffer, ends: UInt32s, key: int) -> int:
    """Return the position of the value after a comma and ``key``; -1 if not there or ``pos`` is -1."""
    if pos < 0 or text[pos] != ord(","):
        return -1
    return words.behind(text, lines.after_spaces(text, pos + 1), end, keys, ends, key)


def exact_time(text: ReadBuffer, pos: int, timestamp_ns: Int64s, row: int) -> int:
    """Parse a string of up to 19 digits, nanoseconds."""
    if text[pos] != ord('"'):
        return -1
    pos += 1
    begin = pos
    value: Word = 0
    while ord("0") <= text[pos] <= ord("9") and pos - begin < 19:
        value = value * 10 + text[pos] - ord("0")
        pos += 1
    if pos == begin or text[pos] != ord('"') or value >> 63:
        return -1
    timestamp_ns[row] = value
    return pos + 1


def after_name(text: ReadBuffer, pos: int) -> int:
    """Return the position after a string or any other value without spaces; -1 if no comma follows."""
    if text[pos] == ord('"'):
        pos += 1
        while text[pos] != ord('"') and text[pos] >= ord(" "):
            if text[pos] == ord("\\") and text[pos + 1] >= ord(" "):
                pos += 1
            pos += 1
        if text[pos] != ord('"'):
            return -1
        pos += 1
    else:
        while text[pos] > ord(" ") and text[pos] != ord(","):
            pos += 1
    return pos if text[pos] == ord(",") else -1


def after_boolean(text: ReadBuffer, pos: int) -> int:
    """Return the position after ``true`` or ``false``; -1 if neither is at ``pos``."""
    if text[pos] == ord("t") and text[pos + 1] == ord("r"):
        return pos + 4 if text[pos + 2] == ord("u") and text[pos + 3] == ord("e") else -1
    if text[pos] == ord("f") and text[pos + 1] == ord("a") and text[pos + 2] == ord("l"):
        return pos + 5 if text[pos + 3] == ord("s") and text[pos + 4] == ord("e") else -1
    return -1


def rest(
    text: ReadBuffer,
    pos: int,
    end: int,
    keys: ReadBuffer,
    ends: UInt32s,
    extended: int,
    row: int,
    can_id: UInt32s,
    flags: WriteBuffer,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> int:
    """Parse length, data and what follows; return the position after the line, or -1."""
    used = offset[row]
    begin = after_key(text, pos, end, keys, ends, 5)
    if begin < 0:
        return -1
    pos = lines.decimal(text, begin, 2, offset, row + 1)
    length = offset[row + 1]
    if pos == begin or (pos - begin == 2 and text[begin] == ord("0")):
        return -1
    pos = after_key(text, pos, end, keys, ends, 6)
    if pos < 0 or text[pos] != ord('"'):
        return -1
    size = lines.hex_data(text, pos + 1, end, payload, used, 64)
    if size < 0 or text[pos + 1 + 2 * size] != ord('"'):
        return -1
    pos += 2 + 2 * size
    # the other keys, in this order: 1 remote, 2 error, 4 FD, 8 BRS, 16 ESI, 32 sent, 64 raw DLC
    marks = raw = 0
    key = 7
    while text[pos] == ord(","):
        begin = -1
        while begin < 0 and key < 14:
            begin = after_key(text, pos, end, keys, ends, key)
            key += 1
        if begin < 0:
            return -1
        marks |= 1 << key - 8
        if key == 14:
            pos = lines.decimal(text, begin, 2, offset, row + 1)
            raw = offset[row + 1]
            if raw < 9 or raw > 15 or text[begin] == ord("0"):
                return -1
        else:
            pos = after_boolean(text, begin)
            if pos < 0 or (text[begin] == ord("f")) != (key == 13):
                return -1
    if text[pos] != ord("}"):
        return -1
    # valid combinations
    code = size
    if marks & 4:
        code = words.fd_code(size)
        if marks & 67 or size != length or code > 15:
            return -1
    elif marks & 24 or length > 8 or size != (0 if marks & 1 else length) or marks & 3 == 3:
        return -1
    elif marks & 1:
        code = length
    if marks & 64:
        if code != 8:
            return -1
        code = raw
    if marks & 2:
        can_id[row] |= 0x20000000
    elif extended:
        can_id[row] |= extended << 31
    elif can_id[row] > 0x7FF:
        return -1
    if marks & 1:
        can_id[row] |= 0x40000000
    flags[row] = marks >> 2 & 15
    dlc_code[row] = code
    offset[row + 1] = used + size
    return lines.after_line(text, pos + 1)


def put_piece(pieces: ReadBuffer, ends: UInt32s, piece: int, out: WriteBuffer, to: int) -> int:
    """Write piece number ``piece`` and up to 7 bytes more; return the position after it.

    ``pieces`` ends with 8 more bytes.
    """
    index = ends[piece - 1] if piece > 0 else 0
    stop = ends[piece]
    behind = to + stop - index
    while index < stop:
        words.store8(out, to, words.load8(pieces, index))
        to += 8
        index += 8
    return behind
