"""Lines of PEAK's TRC to columns and back.

::

          1      1059.900 DT 1      0300 Rx -  7    00 00 00 00 04 00 00
          5      1334.416 FD 1      0500 Tx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C
         12     48937.600 RR 1      0704 Rx -  1
         1)      1059.9  Rx         0300  7  00 00 00 00 04 00 00

``parse`` takes data and remote frames of all versions, their columns in any order with the data at the
end; whatever else a line may hold it leaves to the plain Python beside it, at the line's first byte.
Grammar: ``cantools_cli/io/trc_lines.py``.
"""

from __future__ import annotations

from cantools_cli.buffers import Ints, Longs, Octets, Room, Shorts
from cantools_cli.kernels.candump import FD_CODES, FD_LENGTHS, HEX, NIBBLE

DONE = 0  #: the text is used up
FULL = 1  #: the batch has no more room
STRANGE = 2  #: another form of line, or a malformed one
CHANNEL = 3  #: a frame of a bus that is not in the table yet

NO_CHANNEL = 0xFFFF  #: entry of the table of buses that stands for none
CHANNELS = 256  #: entries of that table
FAR_FUTURE = 0x7FFFFFFFFFFFFFFF

#: bytes of a formatted line beside the data
LINE_ROOM = 128


def parse(
    text: Octets,
    at: int,
    end: int,
    columns: Octets,
    numbers: Shorts,
    start_ns: int,
    most_ms: int,
    first: int,
    timestamp_ns: Longs,
    can_id: Ints,
    flags: Room,
    channel: Shorts,
    dlc_code: Room,
    offset: Ints,
    payload: Room,
) -> tuple[int, int, int]:
    """Read lines from ``text[at:end]``, which ends with a newline, into the rows from ``first`` on.

    ``columns`` are their letters, ``D`` the last, ``numbers`` says for each number of a bus which channel
    of the batch it is. Times count from ``start_ns``; one of ``most_ms`` milliseconds or more is left to
    the caller. Returns where it stopped (at the start of a line), how many rows are filled, and why.
    """
    nibble = NIBBLE
    lengths = FD_LENGTHS
    codes = FD_CODES
    done, full, strange, unknown, no_channel = DONE, FULL, STRANGE, CHANNEL, NO_CHANNEL
    extended_bit, extended_mask, remote_bit = 0x80000000, 0x1FFFFFFF, 0x40000000
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
    count = len(columns) - 1
    if count < 1 or columns[count] != 68:
        raise ValueError("the data must be the last column")
    row = first
    used = offset[first]
    reason = done
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        pos = at
        whole = 0
        fraction = 0
        identifier = 0
        mark = 0
        number = 1
        size = 0
        coded = 0
        letter = 0
        index = 0
        while index < count:
            while text[pos] == 32:
                pos += 1
            letter = columns[index]
            begin = pos
            if letter == 78:  # N, the number of the message
                while 48 <= text[pos] <= 57:
                    pos += 1
                if pos == begin:
                    break
                if text[pos] == 41:
                    pos += 1
            elif letter == 79:  # O, milliseconds
                value = text[pos] - 48
                while 0 <= value <= 9:
                    whole = whole * 10 + value
                    pos += 1
                    value = text[pos] - 48
                    if pos - begin > 15:
                        break
                if pos == begin or pos - begin > 15 or whole >= most_ms:
                    break
                if value in (-2, -4):  # . or ,
                    pos += 1
                    begin = pos
                    value = text[pos] - 48
                    while 0 <= value <= 9:
                        fraction = fraction * 10 + value
                        pos += 1
                        value = text[pos] - 48
                        if pos - begin > 6:
                            break
                    digits = pos - begin
                    if digits == 0 or digits > 6:
                        break
                    while digits < 6:
                        fraction *= 10
                        digits += 1
            elif letter == 73:  # I
                value = nibble[text[pos]]
                while value <= 15:
                    identifier = identifier << 4 | value
                    pos += 1
                    if pos - begin > 8:
                        break
                    value = nibble[text[pos]]
                digits = pos - begin
                if digits == 0 or digits > 8:
                    break
                if digits > 4:  # the width tells the kind, whatever the value
                    if identifier > extended_mask:
                        break
                    identifier |= extended_bit
                elif identifier > 2047:
                    break
            elif letter == 84:  # T: DT, FD, FB, FE, BI, RR
                value = text[pos]
                low = text[pos + 1] if value > 32 else 0
                if value == 68 and low == 84:
                    pass
                elif value == 70 and low == 68:
                    mark |= 1
                elif value == 70 and low == 66:
                    mark |= 3
                elif value == 70 and low == 69:
                    mark |= 5
                elif value == 66 and low == 73:
                    mark |= 7
                elif value == 82 and low == 82:
                    mark |= 16
                else:
                    break
                pos += 2
            elif letter in (100, 116):  # d, and the type of versions 1.x: Rx, Tx
                value = text[pos]
                if value not in (82, 84) or text[pos + 1] != 120:
                    break
                if value == 84:
                    mark |= 8
                pos += 2
            elif letter in (108, 76):  # l, bytes; L, their code
                size = text[pos] - 48
                if size < 0 or size > 9:
                    break
                pos += 1
                value = text[pos] - 48
                if 0 <= value <= 9:
                    size = size * 10 + value
                    pos += 1
                coded = 1 if letter == 76 else 0
            elif letter == 66:  # B
                number = text[pos] - 48
                if number < 0 or number > 9:
                    break
                pos += 1
                value = text[pos] - 48
                while 0 <= value <= 9:
                    number = number * 10 + value
                    if number > 255:
                        break
                    pos += 1
                    value = text[pos] - 48
            elif letter == 82:  # R, reserved
                if text[pos] != 45:
                    break
                pos += 1
            else:
                break
            if text[pos] > 32 or text[pos] == 9:
                break
            index += 1
        if index < count:
            break
        # the length and its code, by the kind of frame
        code = size
        length = size
        if mark & 1:
            if coded:
                if code > 15:
                    break
                length = lengths[code]
            else:
                if length > 64:
                    break
                code = codes[length]
                if lengths[code] != length:
                    break
        elif coded:
            if code > 15:
                break
            length = min(code, 8)
        elif code > 8:
            break
        while text[pos] == 32:
            pos += 1
        if mark & 16 or text[pos] == 82:
            if mark & 16 == 0:  # RTR in place of the data, in versions 1.x
                if mark & 1 or text[pos + 1] != 84 or text[pos + 2] != 82:
                    break
                pos += 3
            mark &= 8
            identifier |= remote_bit
            length = 0
        # data
        begin = used
        index = 0
        while index < length:
            value = nibble[text[pos]]
            if value > 15:
                break
            low = nibble[text[pos + 1]]
            if low > 15:
                break
            payload[used] = value << 4 | low
            used += 1
            pos += 2
            index += 1
            if text[pos] != 32:
                break
            pos += 1
        while text[pos] == 32:
            pos += 1
        if text[pos] == 13:
            pos += 1
        if index < length or text[pos] != 10:
            used = begin
            break
        known = numbers[number]
        if known == no_channel:
            used = begin
            reason = unknown
            break
        timestamp_ns[row] = start_ns + whole * 1000000 + fraction
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = known
        dlc_code[row] = code
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
    start_ns: int,
    version: int,
    number: int,
    out: Room,
) -> tuple[int, int, int]:
    """Write the rows from ``first`` on as lines; return (rows done, bytes written, times rounded).

    ``numbers`` holds the number of each channel's bus, times count from ``start_ns``, lines are numbered
    from ``number``, and ``version`` is that of the format, 101 for 1.1. A time that three decimals do not
    hold gets six in versions 2.x and is rounded in those before. Stops before a row that ``out`` may not
    hold, and before an error frame, one with a time before ``start_ns``, and one that the version has no
    line for, which are for the caller.
    """
    hexadecimal = HEX
    line_room = LINE_ROOM
    error_bit, extended_mask = 0x20000000, 0x1FFFFFFF
    latest = FAR_FUTURE - 1000000 if start_ns >= 0 else FAR_FUTURE - 1000000 + start_ns
    rows = len(timestamp_ns)
    room = len(out)
    bus_count = len(numbers)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    is_new = version >= 200
    number_width = 7 if is_new else 6
    time_width = 14
    unit, units_ms, decimals = 1000, 1000, 3
    if version == 100:
        time_width = 10
        unit, units_ms, decimals = 1000000, 1, 0
    elif version == 101:
        time_width = 12
        unit, units_ms, decimals = 100000, 10, 1
    to = 0
    rounded = 0
    row = first
    while row < rows:
        index = channel[row]
        if index >= bus_count:
            raise ValueError("no such channel")
        bus = numbers[index]
        begin = offset[row]
        end = offset[row + 1]
        if to + line_room + 3 * (end - begin) > room:
            break
        word = can_id[row]
        time = timestamp_ns[row]
        mark = flags[row]
        if word & error_bit or time < start_ns or time > latest or (mark & 1 and not is_new):
            break
        time -= start_ns
        for index in range(96):
            out[to + index] = 32
        # number
        to += number_width
        index = to
        left = number
        while True:
            index -= 1
            out[index] = 48 + left % 10
            left //= 10
            if left == 0 or index == to - number_width:
                break
        if left:  # too long for its column
            width = 0
            value = left
            while value:
                width += 1
                value //= 10
            to += width
            index = to
            left = number
            while left:
                index -= 1
                out[index] = 48 + left % 10
                left //= 10
        if not is_new:
            out[to] = 41
            to += 1
        # time
        value = time // unit
        part = time - value * unit
        nano = 0
        if part:
            if is_new:
                nano = part
            else:
                rounded += 1
                if 2 * part >= unit:
                    value += 1
        whole = value // units_ms
        part = value - whole * units_ms
        width = 1
        left = whole
        while left > 9:
            left //= 10
            width += 1
        index = time_width - decimals - (1 if decimals else 0)
        to += index if width < index else width + 1
        index = to
        left = whole
        while width:
            index -= 1
            out[index] = 48 + left % 10
            left //= 10
            width -= 1
        if decimals:
            out[to] = 46
            if decimals == 3:
                out[to + 1] = 48 + part // 100
                out[to + 2] = 48 + part // 10 % 10
                out[to + 3] = 48 + part % 10
            else:
                out[to + 1] = 48 + part
            to += decimals + 1
        if nano:
            out[to] = 48 + nano // 100
            out[to + 1] = 48 + nano // 10 % 10
            out[to + 2] = 48 + nano % 10
            to += 3
        # type and bus
        if is_new:
            first_letter, second_letter = 68, 84  # DT
            if word >> 30 & 1:
                first_letter, second_letter = 82, 82  # RR
            elif mark & 1:
                first_letter, second_letter = 70, 68  # FD
                if mark & 6 == 6:
                    first_letter, second_letter = 66, 73  # BI
                elif mark & 2:
                    second_letter = 66  # FB
                elif mark & 4:
                    second_letter = 69  # FE
            out[to + 1] = first_letter
            out[to + 2] = second_letter
            to += 3
        if version in (201, 102, 103):
            to += 2 if version == 102 else 1
            width = 1 + (bus > 9) + (bus > 99) + (bus > 999) + (bus > 9999)
            index = to + width
            left = bus
            while width:
                index -= 1
                width -= 1
                out[index] = 48 + left % 10
                left //= 10
            to += max(2, 1 + (bus > 9) + (bus > 99) + (bus > 999) + (bus > 9999))
        if not is_new and version > 100:
            to += 2 if version == 101 else 1
            out[to] = 84 if mark & 8 else 82
            out[to + 1] = 120
            to += 5
        to += 1 if is_new or version == 103 else 2
        # identifier
        identifier = word & extended_mask
        if word >> 31:
            index = identifier >> 24
            out[to] = hexadecimal[2 * index]
            out[to + 1] = hexadecimal[2 * index + 1]
            index = identifier >> 16 & 255
            out[to + 2] = hexadecimal[2 * index]
            out[to + 3] = hexadecimal[2 * index + 1]
        index = identifier >> 8 & 255
        out[to + 4] = hexadecimal[2 * index]
        out[to + 5] = hexadecimal[2 * index + 1]
        index = identifier & 255
        out[to + 6] = hexadecimal[2 * index]
        out[to + 7] = hexadecimal[2 * index + 1]
        to += 8
        # direction, reserved column, length
        if is_new:
            out[to + 1] = 84 if mark & 8 else 82
            out[to + 2] = 120
            to += 3
        if version in (201, 103):
            out[to + 1] = 45
            to += 2
        code = dlc_code[row] & 15
        size = code
        if version != 201:
            size = end - begin if mark & 1 else min(code, 8)
        to += 1 if version == 200 else 2
        index = to
        if size > 9:
            out[index] = 48 + size // 10
            index += 1
        out[index] = 48 + size % 10
        to += 5 if version in (201, 103) else 3
        # data
        if word >> 30 & 1 and not is_new:
            out[to] = 82
            out[to + 1] = 84
            out[to + 2] = 82
            to += 4
        while begin < end:
            octet = payload[begin]
            out[to] = hexadecimal[2 * octet]
            out[to + 1] = hexadecimal[2 * octet + 1]
            out[to + 2] = 32
            to += 3
            begin += 1
        out[to] = 13
        out[to + 1] = 10
        to += 2
        number += 1
        row += 1
    return row, to, rounded
