"""Rows of GVRET's CSV to columns and back: ``973,0000013B,false,Rx,0,8,00,00,08,00,00,00,00,4C,``.

``parse`` handles frames as SavvyCAN and canx write them, and leaves any other row to the reader.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels._tables import DECIMAL, FD_CODES, FD_LENGTHS, HEX, NIBBLE
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: a header, or an unusual or malformed row
CHANNEL = 3  #: a frame of a bus that is not in the table

#: number of entries of ``numbers``, and the entry of a bus without a channel
CHANNELS = 256
NO_CHANNEL = 0xFFFF

MAX_MICROSECONDS = 9_000_000_000_000_000  #: in nanoseconds, within int64

#: maximum length of a formatted row
LINE_ROOM = 96
#: maximum length of a usual row, and the bytes of it that are read as words
USUAL = 112
#: the text after the identifier, and a mask of the bytes that are compared
FALSE, FALSE_MASK = words.load8(b",false,\0", 0), 0x00FFFFFFFFFFFFFF
TRUE, TRUE_MASK = words.load8(b",true,\0\0", 0), 0x0000FFFFFFFFFFFF
#: direction, bus and length: the constant part, and the text written for 0 and 0
FIXED, FIXED_MASK = words.load8(b"\0x,\0,\0,\0", 0), 0x00FF00FF00FFFF00
RECEIVED = words.load8(b"Rx,0,0\0\0", 0)
NO_DIRECTION = 0x2C7852  #: ``Rx,`` for rows without a direction


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    numbers: UInt16s,
    directions: int,
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

    ``numbers`` maps each bus to a channel of the batch; ``directions`` is 1 if rows have a direction column.
    Returns the position where it stopped (the start of a row), the number of filled rows, and the reason.
    """
    nibble = NIBBLE
    codes = FD_CODES
    lengths = FD_LENGTHS
    most = MAX_MICROSECONDS
    done, full, strange, unknown, no_channel = DONE, FULL, STRANGE, CHANNEL, NO_CHANNEL
    extended_bit, extended_mask, base_mask = 0x80000000, 0x1FFFFFFF, 0x7FF
    only_extended = extended_mask - base_mask
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
    usual = USUAL
    every_bit, every_id_bit = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF
    false, false_mask, true, true_mask = FALSE, FALSE_MASK, TRUE, TRUE_MASK
    fixed, fixed_mask = FIXED, FIXED_MASK
    # a missing direction is inserted before the bus, so that all rows have the same form
    skipped = 0 if directions else 3
    put = 0 if directions else NO_DIRECTION
    kept = every_bit if directions else every_bit - 0xFFFFFF
    million, billion = 1000000, 1000000000
    stamp_size = -1  # digits of the previous row's time before the last six; -1 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_mask = stamp_end = end_mask = 0
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        # Most rows share their second with the previous one, and have a classic frame on a bus of one digit:
        # they are read as words and checked by one condition. No branch depends on the data.
        if (
            at + usual <= end
            and stamp_size >= 0
            and words.load8(text, at) & stamp_mask == stamp
            and words.load8(text, at + 8) & end_mask == stamp_end
        ):
            # computed early, so that the processor overlaps the next row with this one: 16 bytes or more
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            word = words.load8(text, pos)
            time = words.decimal(word, 6)
            is_usual = (time >= 0) & (word >> 48 & 255 == 44)
            pos += 7
            word = words.hex_run(words.load8(text, pos))
            pos += word >> 32
            identifier = word & every_id_bit
            is_usual &= word >> 32 > 0
            word = words.load8(text, pos)
            extended = word >> 8 & 255 == 116  # t
            word ^= true if extended else false
            is_usual &= word & (true_mask if extended else false_mask) == 0
            is_usual &= identifier <= base_mask + extended * only_extended
            pos += 7 - extended - skipped
            word = words.load8(text, pos) & kept | put
            mark = word & 255
            number = (word >> 24 & 255) - 48
            length = (word >> 40 & 255) - 48
            is_usual &= ((word ^ fixed) & fixed_mask == 0) & ((mark == 82) | (mark == 84))
            is_usual &= (0 <= number <= 9) & (0 <= length <= 8)
            if is_usual:
                pos += 6
                size = words.unhex_commas(text, pos, payload, used)
                pos += 3 * size
                pos += text[pos] == 44
                pos += text[pos] == 13
                index = numbers[number]
                if (size >= length) & (pos == stop) & (index != no_channel):
                    timestamp_ns[row] = stamp_ns + time * 1000
                    can_id[row] = identifier | extended_bit * extended
                    flags[row] = (mark & 4) << 1  # T of a sent frame
                    channel[row] = index
                    dlc_code[row] = length
                    used += length
                    row += 1
                    offset[row] = used
                    at = stop + 1
                    reason = done
                    continue
        # time: 1 to 16 digits of microseconds
        pos = at
        time = 0
        value = text[pos] - 48
        while 0 <= value <= 9 and pos - at < 16:
            time = time * 10 + value
            pos += 1
            value = text[pos] - 48
        if pos == at or time > most or text[pos] != 44:
            break
        stamp_size = -1
        if pos - at >= 6 and time + million <= most and at + 16 <= end:
            stamp_size = pos - at - 6
            stamp_ns = time // million * billion
            index = stamp_size if stamp_size < 8 else 8
            stamp_mask = words.first_bytes(every_bit, index)
            end_mask = words.first_bytes(every_bit, stamp_size - index)
            stamp = words.load8(text, at) & stamp_mask
            stamp_end = words.load8(text, at + 8) & end_mask
        pos += 1
        # identifier
        begin = pos
        identifier = 0
        high = nibble[text[pos]]
        while high <= 15 and pos - begin < 8:
            identifier = identifier << 4 | high
            pos += 1
            high = nibble[text[pos]]
        if pos == begin or identifier > extended_mask or text[pos] != 44:
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
        elif identifier > base_mask:
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
        # length, of two digits for CAN FD
        length = text[pos + 1] - 48
        if length < 0 or length > 9:
            break
        pos += 2
        code = length
        columns = 8  # number of columns, which fillers may complete
        value = text[pos] - 48
        if 0 <= value <= 9:
            length = length * 10 + value
            if length < 12 or length > 64:
                break
            code = codes[length]
            if length != lengths[code]:
                break
            mark |= 1
            columns = length
            pos += 1
        elif length > 8:
            break
        # data, then fillers in the remaining columns
        size = 0
        while size + 8 <= columns and pos + 32 <= end:
            if words.unhex_commas(text, pos, payload, used + size) < 8:
                break
            size += 8
            pos += 24
        while text[pos] == 44 and size < columns:
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
        dlc_code[row] = code
        used += length
        row += 1
        offset[row] = used
        at = pos + 1
        reason = done
    gil.acquire(thread)
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
    numbers: UInt16s,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on; return (the next row, bytes written).

    ``numbers`` maps each channel to a bus. Stops at a row for which ``out`` may have no room, and at one with
    a negative time or more than 8 bytes, which the caller handles.
    """
    hexadecimal = HEX
    decimal = DECIMAL
    line_room = LINE_ROOM
    false, true, received = FALSE, TRUE, RECEIVED
    extended_mask = 0x1FFFFFFF
    million, billion = 1000000, 1000000000
    rows = len(timestamp_ns)
    room = len(out)
    payload_size = len(payload)
    count = len(numbers)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > payload_size:
        raise ValueError("the offsets do not fit")
    to = 0
    row = first
    stamp_size = 0  # digits of the previous row's time before the last six; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_end = 0
    half = 500  # microseconds are rounded half up
    thread = gil.release()
    while row < rows:
        if channel[row] >= count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        begin = offset[row]
        size = offset[row + 1] - begin
        time = timestamp_ns[row]
        if to + line_room > room or time < 0 or size > 8:
            break
        since = time - stamp_ns + half
        if stamp_size and 0 <= since < billion:  # most rows: the digits of the row before
            words.store8(out, to, stamp)
            words.store8(out, to + 8, stamp_end)
            to += stamp_size
            micro = since // 1000
            digits = 6
        else:
            time = time // 1000 + (time % 1000 >= half)
            seconds = time // million
            micro = time - seconds * million
            digits = 1
            rest = time
            while rest > 9:
                rest //= 10
                digits += 1
            stamp_size = 0
            if digits > 6:
                stamp_size = digits - 6
                stamp_ns = seconds * billion
                index = to + stamp_size
                while index > to:
                    index -= 1
                    rest = seconds // 10
                    out[index] = 48 + (seconds - rest * 10)
                    seconds = rest
                stamp = words.reload8(out, to)
                stamp_end = words.reload8(out, to + 8)
                to += stamp_size
                digits = 6
        if digits == 6:
            index = micro // 10000
            words.copy2(decimal, 2 * index, out, to)
            micro -= index * 10000
            index = micro // 100
            words.copy2(decimal, 2 * index, out, to + 2)
            words.copy2(decimal, 2 * (micro - index * 100), out, to + 4)
        else:
            index = to + digits
            while index > to:
                index -= 1
                out[index] = 48 + micro % 10
                micro //= 10
        to += digits
        # identifier
        word = can_id[row]
        extended = word >> 31
        identifier = word & extended_mask
        out[to] = 44
        words.copy2(hexadecimal, 2 * (identifier >> 24), out, to + 1)
        words.copy2(hexadecimal, 2 * (identifier >> 16 & 255), out, to + 3)
        words.copy2(hexadecimal, 2 * (identifier >> 8 & 255), out, to + 5)
        words.copy2(hexadecimal, 2 * (identifier & 255), out, to + 7)
        words.store8(out, to + 9, true if extended else false)
        to += 16 - extended
        # direction, bus and length
        number = numbers[channel[row]]
        index = number if number < 10 else 0
        words.store8(out, to, received + (index << 24) + (size << 40) + (flags[row] >> 2 & 2))
        to += 6
        if number > 9:  # of up to 5 digits
            to -= 3
            divisor = 10000
            while divisor > number:
                divisor //= 10
            while divisor > 0:
                out[to] = 48 + number // divisor % 10
                to += 1
                divisor //= 10
            out[to] = 44
            out[to + 1] = 48 + size
            to += 2
        # data, filled up to 8 bytes
        if begin + 8 <= payload_size:
            data = words.first_bytes(words.load8(payload, begin), size)
        else:
            data = 0
            index = size
            while index > 0:
                index -= 1
                data = data << 8 | payload[begin + index]
        words.hex_commas(data, out, to)
        out[to + 24] = 44
        out[to + 25] = 10
        to += 26
        row += 1
    gil.acquire(thread)
    return row, to
