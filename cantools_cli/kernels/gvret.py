"""Rows of GVRET's CSV to columns and back: ``973,0000013B,false,Rx,0,8,00,00,08,00,00,00,00,4C,``.

``parse`` takes classic frames as SavvyCAN and canx write them; what else a row may be it leaves to the plain
Python beside it, at the row's first byte.
"""

from __future__ import annotations

from cantools_cli.buffers import Ints, Longs, Octets, Room, Shorts

DONE = 0  #: the text is used up
FULL = 1  #: the batch has no more room
STRANGE = 2  #: another form of row, a header, or a malformed one
CHANNEL = 3  #: the bus has no channel yet

#: buses that ``numbers`` has to have an entry for, and what it has for those without a channel
CHANNELS = 256
NO_CHANNEL = 0xFFFF

NIBBLE = bytes(
    int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256)
)  #: value of a hexadecimal digit, 0xFF for all other bytes
HEX = b"".join(b"%02X" % byte for byte in range(256))  #: two digits a byte
MOST_MICROSECONDS = 9_000_000_000_000_000  #: as nanoseconds within int64

#: bytes of the longest formatted row
LINE_ROOM = 96


def parse(
    text: Octets,
    at: int,
    end: int,
    numbers: Shorts,
    directions: int,
    first: int,
    timestamp_ns: Longs,
    can_id: Ints,
    flags: Room,
    channel: Shorts,
    dlc_code: Room,
    offset: Ints,
    payload: Room,
) -> tuple[int, int, int]:
    """Read rows from ``text[at:end]``, which ends with a newline, into the rows from ``first`` on.

    ``numbers`` says for each bus which channel of the batch it is; ``directions`` whether rows have a column
    for that. Returns where it stopped (at the start of a row), how many rows are filled, and why.
    """
    nibble = NIBBLE
    most = MOST_MICROSECONDS
    done, full, strange, unknown, no_channel = DONE, FULL, STRANGE, CHANNEL, NO_CHANNEL
    extended_bit = 0x80000000
    room = len(timestamp_ns)
    payload_room = len(payload)
    if at >= end:
        return at, first, done
    if end > len(text) or text[end - 1] != 10:
        raise ValueError("the text must end with a newline")
    if len(numbers) < CHANNELS:
        raise ValueError("the table of channels is too short")
    if len(can_id) < room or len(flags) < room or len(channel) < room or len(dlc_code) < room:
        raise ValueError("the columns differ in length")
    if len(offset) <= room or offset[first] > payload_room:
        raise ValueError("the offsets do not fit")
    row = first
    used = offset[first]
    reason = done
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        # time: 1 to 16 digits of microseconds
        pos = at
        time = 0
        value = text[pos] - 48
        while 0 <= value <= 9 and pos - at <= 16:
            time = time * 10 + value
            pos += 1
            value = text[pos] - 48
        if pos == at or time > most or text[pos] != 44:
            break
        pos += 1
        # identifier
        begin = pos
        identifier = 0
        high = nibble[text[pos]]
        while high <= 15 and pos - begin < 8:
            identifier = identifier << 4 | high
            pos += 1
            high = nibble[text[pos]]
        if pos == begin or identifier > 0x1FFFFFFF or text[pos] != 44:
            break
        # extended: true, false, 1 or 0
        value = text[pos + 1] | 32
        if value == 102:  # f
            if text[pos + 2] | 32 != 97 or text[pos + 3] | 32 != 108 or text[pos + 4] | 32 != 115:
                break
            if text[pos + 5] | 32 != 101:
                break
            value = 0
            pos += 6
        elif value == 116:  # t
            if text[pos + 2] | 32 != 114 or text[pos + 3] | 32 != 117 or text[pos + 4] | 32 != 101:
                break
            value = 1
            pos += 5
        else:
            value = text[pos + 1] - 48
            if not 0 <= value <= 1:
                break
            pos += 2
        if text[pos] != 44:
            break
        if value:
            identifier |= extended_bit
        elif identifier > 0x7FF:
            break
        # direction
        mark = 0
        if directions:
            value = text[pos + 1] | 32
            if value == 116:
                mark = 8
            elif value != 114:
                break
            if text[pos + 2] | 32 != 120 or text[pos + 3] != 44:
                break
            pos += 3
        # bus
        pos += 1
        begin = pos
        number = 0
        value = text[pos] - 48
        while 0 <= value <= 9 and pos - begin < 3:
            number = number * 10 + value
            pos += 1
            value = text[pos] - 48
        if pos == begin or number > 255 or text[pos] != 44:
            break
        # length
        length = text[pos + 1] - 48
        if length < 0 or length > 8:
            break
        pos += 2
        # data, and what fills the columns behind it
        size = 0
        while text[pos] == 44 and size < 8:
            high = nibble[text[pos + 1]]
            if high > 15:
                break
            low = nibble[text[pos + 2]]
            if low > 15:
                break
            payload[used + size] = high << 4 | low  # the filler as well: the next row overwrites it
            size += 1
            pos += 3
        if text[pos] == 44:
            pos += 1
        if text[pos] == 13:
            pos += 1
        if text[pos] != 10 or size < length:
            break
        index = numbers[number]
        if index == no_channel:
            reason = unknown
            break
        timestamp_ns[row] = time * 1000
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = index
        dlc_code[row] = length
        used += length
        row += 1
        offset[row] = used
        at = pos + 1
        reason = done
    return at, row, reason


def format(
    first: int,
    timestamp_ns: Longs,
    can_id: Ints,
    flags: Octets,
    channel: Shorts,
    dlc_code: Octets,
    offset: Ints,
    payload: Octets,
    numbers: Shorts,
    out: Room,
) -> tuple[int, int]:
    """Write the rows from ``first`` on; return (rows done, bytes written).

    ``numbers`` says which bus each channel is. Stops before a row that ``out`` may not hold, and before one
    with a negative time or more than 8 bytes, which is for the caller.
    """
    hexadecimal = HEX
    line_room = LINE_ROOM
    rows = len(timestamp_ns)
    room = len(out)
    count = len(numbers)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    to = 0
    row = first
    while row < rows:
        if channel[row] >= count:
            raise ValueError("no such channel")
        begin = offset[row]
        size = offset[row + 1] - begin
        time = timestamp_ns[row]
        if to + line_room > room or time < 0 or size > 8:
            break
        # microseconds, rounded half up
        time = time // 1000 + (time % 1000 >= 500)
        digits = 1
        rest = time
        while rest > 9:
            rest //= 10
            digits += 1
        index = to + digits
        to = index
        while digits > 0:
            index -= 1
            rest = time // 10
            out[index] = 48 + (time - rest * 10)
            time = rest
            digits -= 1
        # identifier
        word = can_id[row]
        identifier = word & 0x1FFFFFFF
        out[to] = 44
        index = to + 1
        shift = 24
        while shift >= 0:
            octet = 2 * (identifier >> shift & 255)
            out[index] = hexadecimal[octet]
            out[index + 1] = hexadecimal[octet + 1]
            index += 2
            shift -= 8
        to = index
        out[to] = 44
        if word >> 31:
            out[to + 1] = 116
            out[to + 2] = 114
            out[to + 3] = 117
            to += 4
        else:
            out[to + 1] = 102
            out[to + 2] = 97
            out[to + 3] = 108
            out[to + 4] = 115
            to += 5
        out[to] = 101
        out[to + 1] = 44
        out[to + 2] = 84 if flags[row] & 8 else 82
        out[to + 3] = 120
        out[to + 4] = 44
        to += 5
        # bus, of up to 5 digits
        number = numbers[channel[row]]
        divisor = 10000
        while divisor > number and divisor > 1:
            divisor //= 10
        while divisor > 0:
            out[to] = 48 + number // divisor % 10
            to += 1
            divisor //= 10
        out[to] = 44
        out[to + 1] = 48 + size
        out[to + 2] = 44
        to += 3
        # data, filled up to 8 bytes
        index = 0
        while index < 8:
            octet = 2 * payload[begin + index] if index < size else 0
            out[to] = hexadecimal[octet]
            out[to + 1] = hexadecimal[octet + 1]
            out[to + 2] = 44
            to += 3
            index += 1
        out[to] = 10
        to += 1
        row += 1
    return row, to
