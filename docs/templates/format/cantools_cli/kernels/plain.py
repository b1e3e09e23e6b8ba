"""Lines of the format plain, ``1700000000123456 123 DEADBEEF``, to columns and back.

The grammar is in ``io/plain.py``.
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual line, left to PlainReader

NIBBLE = bytes(int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256))
HEX = b"0123456789ABCDEF"
MAX_LINE = 64  #: bytes of output that always hold a line: 16 digits, 8 digits, 8 bytes in hexadecimal


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the lines of ``text[at:end]``, which ends with a newline, into the rows from ``first`` on.

    Returns the position where it stopped (the start of a line), the number of filled rows, and the reason.
    """
    nibble = NIBBLE  # a local view: a global name in the loop makes it ten times slower
    done, full, strange = DONE, FULL, STRANGE
    latest = 9223372036854775  # microseconds; integers above 31 bits have to be assigned outside the loop
    extended_bit = 0x80000000
    if at >= end:
        return at, first, done
    # checked before the loop, since the compiled form checks no index
    room, payload_room = len(timestamp_ns), len(payload)
    if end > len(text) or text[end - 1] != 10:
        raise ValueError("the text must end with a newline")
    if len(can_id) < room or len(flags) < room or len(channel) < room or len(dlc_code) < room:
        raise ValueError("the columns differ in length")
    if first > room or len(offset) <= room or offset[first] > payload_room:
        raise ValueError("the offsets do not fit")
    row = first
    used = offset[first]
    reason = done
    while at < end:
        if row >= room or used + 8 > payload_room:
            reason = full
            break
        reason = strange
        pos = at
        time = 0
        value = text[pos] - 48
        while 0 <= value <= 9 and pos - at < 16:
            time = time * 10 + value
            pos += 1
            value = text[pos] - 48
        if pos == at or time > latest or text[pos] != 32:
            break
        pos += 1
        begin = pos
        identifier = 0
        value = nibble[text[pos]]
        while value <= 15 and pos - begin < 8:
            identifier = identifier << 4 | value
            pos += 1
            value = nibble[text[pos]]
        if pos - begin == 8:
            if identifier >> 29:
                break
            identifier |= extended_bit
        elif pos - begin != 3 or identifier > 0x7FF:
            break
        size = 0
        if text[pos] == 32:
            pos += 1
            value = nibble[text[pos]]
            while value <= 15 and size < 8:
                low = nibble[text[pos + 1]]
                if low > 15:
                    break
                payload[used + size] = value << 4 | low
                size += 1
                pos += 2
                value = nibble[text[pos]]
        if text[pos] != 10:
            break
        timestamp_ns[row] = time * 1000
        can_id[row] = identifier
        flags[row] = 0
        channel[row] = 0
        dlc_code[row] = size
        row += 1
        used += size
        offset[row] = used
        at = pos + 1
        reason = done
    return at, row, reason


def format(
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: ReadBuffer,
    channel: UInt16s,
    dlc_code: ReadBuffer,
    offset: UInt32s,
    payload: ReadBuffer,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (number of the next row, bytes written).

    Stops at a row for which ``out`` may have no room, and at one with a negative time or more than 8 bytes.
    """
    digit = HEX
    line_room = MAX_LINE
    rows = len(timestamp_ns)
    room = len(out)
    if len(can_id) < rows or len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the columns differ in length")
    row = first
    to = 0
    while row < rows and to + line_room <= room:
        time = timestamp_ns[row]
        begin, end = offset[row], offset[row + 1]
        if time < 0 or end - begin > 8:
            break
        number = time // 1000
        count = 1
        while number > 9:
            number //= 10
            count += 1
        number = time // 1000
        pos = to + count
        while pos > to:
            pos -= 1
            out[pos] = 48 + number % 10
            number //= 10
        to += count
        out[to] = 32
        to += 1
        word = can_id[row]
        shift = 28 if word >> 31 else 8
        while shift >= 0:
            out[to] = digit[(word & 0x1FFFFFFF) >> shift & 15]
            to += 1
            shift -= 4
        if end > begin:
            out[to] = 32
            to += 1
        while begin < end:
            out[to] = digit[payload[begin] >> 4]
            out[to + 1] = digit[payload[begin] & 15]
            to += 2
            begin += 1
        out[to] = 10
        to += 1
        row += 1
    return row, to
