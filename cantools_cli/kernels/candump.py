"""candump log lines to columns and back: ``(1436509052.249713) can0 123#DEADBEEF``.

``parse`` handles the forms of typical logs and leaves any other line to the reader. Grammar:
``cantools_cli/io/candump/log.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual or malformed line
NAME = 3  #: a frame of an interface that is not in the table

NIBBLE = bytes(
    int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256)
)  #: value of a hexadecimal digit, 0xFF for any other byte
HEX = b"".join(b"%02X" % byte for byte in range(256))  #: two upper-case digits per byte
DECIMAL = b"".join(b"%02d" % number for number in range(100))  #: two decimal digits per number
FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))

#: maximum length of a formatted line without the interface's name and the data
LINE_ROOM = 80
#: maximum length of a usual line, and the bytes of it that are read as words
USUAL = 96


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    names: ReadBuffer,
    name_ends: UInt32s,
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

    ``names`` holds the known interfaces, concatenated, ``name_ends`` the end of each. Returns the position
    where it stopped (the start of a line), the number of filled rows, and the reason.
    """
    nibble = NIBBLE
    codes = FD_CODES
    lengths = FD_LENGTHS
    done, full, strange, name = DONE, FULL, STRANGE, NAME
    room = len(timestamp_ns)
    payload_room = len(payload)
    name_count = len(name_ends)
    if at >= end:
        return at, first, done
    if end > len(text) or text[end - 1] != 10:
        raise ValueError("the text must end with a newline")
    if len(can_id) < room or len(flags) < room or len(channel) < room or len(dlc_code) < room:
        raise ValueError("the columns differ in length")
    if len(offset) <= room or offset[first] > payload_room:
        raise ValueError("the offsets do not fit")
    if name_count and name_ends[name_count - 1] > len(names):
        raise ValueError("the names do not fit")
    row = first
    used = offset[first]
    reason = done
    last = 0
    usual = USUAL
    most_seconds = 9000000000
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_mask = stamp_end = end_mask = 0
    every_bit = 0xFFFFFFFFFFFFFFFF
    after_fraction = 0x2029  # ) and a blank
    # the two most recent interfaces, each with the following space, and masks of these bytes; empty at first
    first_key = second_key = every_bit
    first_mask = second_mask = 0
    first_name = second_name = 0
    first_size = second_size = 0
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        if text[at] != 40:  # (
            break
        # Most lines share their seconds with the previous one, have six digits of fraction, and the name of
        # one of the two most recent interfaces: their head is read as words and checked by one condition. No
        # branch on the kind of identifier, its number of digits: that branch would be unpredictable.
        usual_head = 0
        if (
            at + usual <= end
            and stamp_size
            and words.load8(text, at) & stamp_mask == stamp
            and words.load8(text, at + 8) & end_mask == stamp_end
        ):
            # computed early, so that the processor overlaps the next line with this one
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            key = words.load8(text, pos)
            time = words.decimal(key, 6)
            usual_head = (time >= 0) & (key >> 48 == after_fraction)
            key = words.load8(text, pos + 8)
            is_first = key & first_mask == first_key
            is_second = key & second_mask == second_key
            pos += 8 + is_first * first_size + is_second * second_size
            is_base = text[pos + 3] == 35  # #
            digits = 8 - 5 * is_base
            number = words.hexadecimal(words.load8(text, pos), digits)
            pos += digits
            usual_head &= (is_first | is_second) & (text[pos] == 35)
            usual_head &= number >> (30 - 19 * is_base) == 0  # at most 7FF, and no bit above the error bit
            time = stamp_ns + time * 1000
            last = is_first * first_name + is_second * second_name
            identifier = number
        if not usual_head:
            # time: 1 to 10 digits of seconds, 1 to 9 of fraction
            pos = at + 1
            seconds = 0
            value = text[pos] - 48
            begin = pos
            while 0 <= value <= 9:
                seconds = seconds * 10 + value
                pos += 1
                value = text[pos] - 48
                if pos - begin > 10:
                    break
            if pos == begin or pos - begin > 10 or value not in (-2, -4):  # . or ,
                break
            if seconds > most_seconds:  # beyond int64 nanoseconds
                break
            pos += 1
            stamp_size = 0
            stamp_ns = seconds * 1000000000
            if at + 16 <= end:
                stamp_size = pos - at
                index = stamp_size if stamp_size < 8 else 8
                stamp_mask = words.first_bytes(every_bit, index)
                end_mask = words.first_bytes(every_bit, stamp_size - index)
                stamp = words.load8(text, at) & stamp_mask
                stamp_end = words.load8(text, at + 8) & end_mask
            fraction = 0
            begin = pos
            value = text[pos] - 48
            while 0 <= value <= 9:
                fraction = fraction * 10 + value
                pos += 1
                value = text[pos] - 48
                if pos - begin > 9:
                    break
            digits = pos - begin
            if digits == 0 or digits > 9 or value != -7:  # )
                break
            while digits < 9:
                fraction *= 10
                digits += 1
            time = stamp_ns + fraction
            pos += 1
            if text[pos] != 32:
                break
            while text[pos] == 32:
                pos += 1
            # interface
            begin = pos
            while text[pos] > 32:
                pos += 1
            length = pos - begin
            if length == 0 or text[pos] != 32:
                break
            last = 0
            while last < name_count:
                start = name_ends[last - 1] if last > 0 else 0
                if name_ends[last] - start == length:
                    index = 0
                    while index < length and names[start + index] == text[begin + index]:
                        index += 1
                    if index == length:
                        break
                last += 1
            if last == name_count:
                reason = name
                break
            if length < 8 and begin + 8 <= end:
                key = words.first_bytes(words.load8(text, begin), length + 1)
                if key not in (first_key, second_key):
                    first_key, second_key = second_key, key
                    first_mask, second_mask = second_mask, words.first_bytes(every_bit, length + 1)
                    first_name, second_name = second_name, last
                    first_size, second_size = second_size, length + 1
            while text[pos] == 32:
                pos += 1
            # identifier
            number = 0
            begin = pos
            value = nibble[text[pos]]
            while value <= 15:
                number = number << 4 | value
                pos += 1
                if pos - begin > 8:
                    break
                value = nibble[text[pos]]
            digits = pos - begin
            is_base = digits == 3
            if digits not in (3, 8) or text[pos] != 35:
                break
            if number >> (30 - 19 * is_base):
                break
            identifier = number
        identifier |= ((1 - is_base) & ~(identifier >> 29)) << 31
        pos += 1
        # data: usually up to 8 bytes, then the end of the line
        mark = 0
        begin = used
        if usual_head:
            digits = words.unhex(text, pos, payload, used)
            if (pos + digits == stop) & ~digits & 1:
                timestamp_ns[row] = time
                can_id[row] = identifier
                flags[row] = 0
                channel[row] = last
                dlc_code[row] = digits >> 1
                used += digits >> 1
                row += 1
                offset[row] = used
                at = stop + 1
                reason = done
                continue
        limit = used + 8
        value = text[pos]
        if value == 35:  # ##
            if identifier >> 29 == 1:
                break
            value = nibble[text[pos + 1]]
            if value > 15:
                break
            mark = 1 | (value & 3) << 1
            pos += 2
            limit = used + 64
            value = text[pos]
        if mark == 0 and value in (82, 114):  # R
            if identifier >> 29 == 1:
                break
            identifier |= 0x40000000
            code = 0
            pos += 1
            value = text[pos] - 48
            if 0 <= value <= 8:
                code = value
                pos += 1
        else:
            digits = 16
            while digits == 16 and used + 8 <= limit and pos + 16 <= end:
                digits = words.unhex(text, pos, payload, used)
                used += digits >> 1
                pos += digits & 30
            value = nibble[text[pos]]
            while value <= 15:
                low = nibble[text[pos + 1]]
                if low > 15 or used >= limit:
                    break
                payload[used] = value << 4 | low
                used += 1
                pos += 2
                value = nibble[text[pos]]
            code = used - begin
            if value <= 15:
                used = begin
                break
            if mark:
                code = codes[code]
                if code > 8 and used - begin != lengths[code]:
                    used = begin
                    break
        if text[pos] == 95 and mark == 0 and code == 8:  # _
            value = nibble[text[pos + 1]]
            if value < 9 or value > 15:
                used = begin
                break
            code = value
            pos += 2
        # direction, end
        if text[pos] != 10:
            while text[pos] == 32:
                pos += 1
            value = text[pos]
            if value in (82, 114, 84, 116):
                if text[pos - 1] != 32:
                    used = begin
                    break
                if value in (84, 116):
                    mark |= 8
                pos += 1
                while text[pos] == 32:
                    pos += 1
            if text[pos] == 13:
                pos += 1
            if text[pos] != 10:
                used = begin
                break
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = last
        dlc_code[row] = code
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
    names: ReadBuffer,
    name_ends: UInt32s,
    digits: int,
    plain: int,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (the next row, bytes written).

    ``names`` holds the channels' names, ``name_ends`` the end of each; ``digits`` is 6 (rounded to the
    microsecond) or 9; ``plain`` omits direction and raw DLC. Stops at a row for which ``out`` may have no
    room, and at one with a negative time or of CAN XL, which the caller handles.
    """
    hexadecimal = HEX
    decimal = DECIMAL
    line_room = LINE_ROOM
    every_bit = 0xFFFFFFFF
    rows = len(timestamp_ns)
    room = len(out)
    payload_size = len(payload)
    name_count = len(name_ends)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    if name_count and name_ends[name_count - 1] > len(names):
        raise ValueError("the names do not fit")
    names_size = len(names)
    half = 500 if digits == 6 else 0
    billion = 1000000000
    latest = 9223372035  # the last second whose nanoseconds all fit into int64
    to = 0
    row = first
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_end = 0
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= name_count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        start = name_ends[index - (index > 0)] * (index > 0)  # no branch: it would be unpredictable
        stop = name_ends[index]
        begin = offset[row]
        end = offset[row + 1]
        if to + line_room + stop - start + 2 * (end - begin) > room:
            break
        time = timestamp_ns[row]
        mark = flags[row]
        if time < 0 or mark & 16:
            break
        since = time - stamp_ns + half
        if stamp_size and 0 <= since < billion:  # most lines: the digits of the line before
            words.store8(out, to, stamp)
            words.store8(out, to + 8, stamp_end)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            rest = time - seconds * billion
            rest += half  # rounded here, where the sum cannot overflow
            if rest >= 1000000000:
                rest -= 1000000000
                seconds += 1
            out[to] = 40
            count = 1
            left = seconds
            while left > 9:
                left //= 10
                count += 1
            left = seconds
            index = to + count
            while index > to:
                out[index] = 48 + left % 10
                left //= 10
                index -= 1
            out[to + 1 + count] = 46
            stamp = words.reload8(out, to)
            stamp_end = words.reload8(out, to + 8)
            stamp_size = 0
            if seconds < latest:
                stamp_size = count + 2
                stamp_ns = seconds * billion
            to += count + 2
        if digits == 9:
            micro = rest // 10
            words.store8(out, to, words.decimal8(micro))
            out[to + 8] = 48 + rest - micro * 10
            out[to + 9] = 41
            out[to + 10] = 32
            to += 11
        else:
            micro = rest // 1000
            index = micro // 10000
            words.copy2(decimal, 2 * index, out, to)
            left_micro = micro - index * 10000
            index = left_micro // 100
            words.copy2(decimal, 2 * index, out, to + 2)
            words.copy2(decimal, 2 * (left_micro - index * 100), out, to + 4)
            out[to + 6] = 41
            out[to + 7] = 32
            to += 8
        index = stop - start
        if index <= 8 and start + 8 <= names_size:
            words.store8(out, to, words.load8(names, start))
            to += index
        else:
            while start < stop:
                out[to] = names[start]
                to += 1
                start += 1
        out[to] = 32
        to += 1
        # identifier: always 8 digits; the following output overwrites the last 5 of a base identifier; a
        # branch on the kind would be unpredictable
        word = can_id[row]
        kind = word >> 29
        wide = (kind & 5) != 0
        width = 3 + 5 * wide
        shifted = (word & 0x3FFFFFFF) << (32 - 4 * width) & every_bit
        words.copy2(hexadecimal, 2 * (shifted >> 24), out, to)
        words.copy2(hexadecimal, 2 * (shifted >> 16 & 255), out, to + 2)
        words.copy2(hexadecimal, 2 * (shifted >> 8 & 255), out, to + 4)
        words.copy2(hexadecimal, 2 * (shifted & 255), out, to + 6)
        out[to + width] = 35
        to += width + 1
        code = dlc_code[row]
        if kind & 2:
            out[to] = 82
            to += 1
            if code > 8:
                out[to] = 56
                to += 1
            elif code:
                out[to] = 48 + code
                to += 1
        else:
            if mark & 1:
                out[to] = 35
                out[to + 1] = 48 + (mark >> 1 & 3)
                to += 2
            if end - begin <= 8 and begin + 8 <= payload_size:
                # always 8 bytes: the following output overwrites the surplus
                words.hex8(payload, begin, out, to, 55)
                to += 2 * (end - begin)
                begin = end
            while begin + 8 <= end:
                words.hex8(payload, begin, out, to, 55)
                to += 16
                begin += 8
            while begin < end:
                octet = payload[begin]
                out[to] = hexadecimal[2 * octet]
                out[to + 1] = hexadecimal[2 * octet + 1]
                to += 2
                begin += 1
        if not plain:
            if code > 8 and not mark & 1:
                out[to] = 95
                out[to + 1] = hexadecimal[2 * code + 1]
                to += 2
            if mark & 8:
                out[to] = 32
                out[to + 1] = 84
                to += 2
        out[to] = 10
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
