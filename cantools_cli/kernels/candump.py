"""candump log lines to columns and back: ``(1436509052.249713) can0 123#DEADBEEF``.

``parse`` takes the forms that real logs consist of; whatever else a line may hold it leaves to the plain
Python beside it, at the line's first byte. Grammar: ``cantools_cli/io/candump.py``.
"""

from __future__ import annotations

from cantools_cli.buffers import Ints, Longs, Octets, Room, Shorts

DONE = 0  #: the text is used up
FULL = 1  #: the batch has no more room
STRANGE = 2  #: another form of line, or a malformed one
NAME = 3  #: the interface's name is not in the table yet

NIBBLE = bytes(
    int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256)
)  #: value of a hexadecimal digit, 0xFF for all other bytes
DIGIT = bytes(c - 48 if 48 <= c <= 57 else 0x80 for c in range(256))  #: of a decimal digit, else 0x80
HEX = b"".join(b"%02X" % byte for byte in range(256))  #: two upper-case digits a byte
DECIMAL = b"".join(b"%02d" % number for number in range(100))  #: two decimal digits
FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))

#: bytes of a formatted line beside the interface's name and the data
LINE_ROOM = 64


def parse(
    text: Octets,
    at: int,
    end: int,
    names: Octets,
    name_ends: Ints,
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

    ``names`` holds the known interfaces end to end, ``name_ends`` where each ends. Returns where it
    stopped (at the start of a line), how many rows are filled, and why.
    """
    nibble = NIBBLE
    digit = DIGIT
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
    most_seconds = 9000000000
    key_mask = 0xFFFFFFFFFFFF
    first_key = second_key = 1  # no name
    first_name = second_name = 0
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        if text[at] != 40:  # (
            break
        # time: mostly 10 digits of seconds and 6 of fraction, which need no loop
        known = 0
        if at + 24 < end and text[at + 11] == 46 and text[at + 18] == 41 and text[at + 19] == 32:
            pos = at + 1
            value = digit[text[pos]] | digit[text[pos + 1]] | digit[text[pos + 2]]
            value |= digit[text[pos + 3]] | digit[text[pos + 4]] | digit[text[pos + 5]]
            value |= digit[text[pos + 6]] | digit[text[pos + 7]] | digit[text[pos + 8]] | digit[text[pos + 9]]
            value |= digit[text[pos + 11]] | digit[text[pos + 12]] | digit[text[pos + 13]]
            value |= digit[text[pos + 14]] | digit[text[pos + 15]] | digit[text[pos + 16]]
            if value < 128:
                known = 1
                upper = (text[pos] - 48) * 10000 + (text[pos + 1] - 48) * 1000
                upper += (text[pos + 2] - 48) * 100 + (text[pos + 3] - 48) * 10 + text[pos + 4] - 48
                lower = (text[pos + 5] - 48) * 10000 + (text[pos + 6] - 48) * 1000
                lower += (text[pos + 7] - 48) * 100 + (text[pos + 8] - 48) * 10 + text[pos + 9] - 48
                seconds = upper
                seconds = seconds * 100000 + lower
                upper = (text[pos + 11] - 48) * 100 + (text[pos + 12] - 48) * 10 + text[pos + 13] - 48
                lower = (text[pos + 14] - 48) * 100 + (text[pos + 15] - 48) * 10 + text[pos + 16] - 48
                fraction = upper * 1000000 + lower * 1000
                pos = at + 19
        if not known:
            # 1 to 10 digits of seconds, 1 to 9 of fraction
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
            pos += 1
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
            pos += 1
            if text[pos] != 32:
                break
        if seconds > most_seconds:  # beyond int64 nanoseconds
            break
        while text[pos] == 32:
            pos += 1
        # interface: mostly one of the two met last, and of 4 or 5 bytes; up to 7 are compared as one number
        begin = pos
        key = 0
        if pos + 6 < end and (text[pos + 4] == 32 or text[pos + 5] == 32):
            key = text[pos]
            key = key << 24 | text[pos + 1] << 16 | text[pos + 2] << 8 | text[pos + 3]
            pos += 4
            if text[pos] != 32:
                key = key << 8 | text[pos]
                pos += 1
        is_first = key == first_key
        is_second = key == second_key
        if not is_first | is_second:
            pos = begin
            key = 0
            while text[pos] > 32:
                key = (key & key_mask) << 8 | text[pos]
                pos += 1
        length = pos - begin
        if length == 0 or text[pos] != 32:
            break
        if is_first | is_second:
            last = is_first * first_name + is_second * second_name
        else:
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
            if length < 8:
                first_key = second_key
                first_name = second_name
                second_key = key
                second_name = last
        while text[pos] == 32:
            pos += 1
        # identifier: its digits are its kind; without a branch on that, which no processor could guess
        is_base = 0
        digits = 0
        if pos + 9 < end:
            is_base = text[pos + 3] == 35  # #
            if is_base or text[pos + 8] == 35:
                digits = 8 - 5 * is_base
        if digits:
            low = nibble[text[pos]] | nibble[text[pos + 1]] | nibble[text[pos + 2]]
            value = nibble[text[pos + 3]] | nibble[text[pos + 4]] | nibble[text[pos + 5]]
            value |= nibble[text[pos + 6]] | nibble[text[pos + 7]]
            if (low | value * (1 - is_base)) > 15:
                break
            high = nibble[text[pos]] << 8 | nibble[text[pos + 1]] << 4 | nibble[text[pos + 2]]
            identifier = high << 20 | nibble[text[pos + 3]] << 16 | nibble[text[pos + 4]] << 12
            identifier |= nibble[text[pos + 5]] << 8 | nibble[text[pos + 6]] << 4 | nibble[text[pos + 7]]
            identifier = high * is_base + identifier * (1 - is_base)
        else:  # near the end of the text, or malformed
            identifier = 0
            begin = pos
            value = nibble[text[pos]]
            while value <= 15:
                identifier = identifier << 4 | value
                pos += 1
                if pos - begin > 8:
                    break
                value = nibble[text[pos]]
            digits = pos - begin
            pos = begin
            if digits not in (3, 8) or text[pos + digits] != 35:
                break
            is_base = digits == 3
        if identifier >> (30 - 19 * is_base):  # over 7FF, or a bit above the error bit
            break
        identifier |= ((1 - is_base) & ~(identifier >> 29)) << 31
        pos += digits
        pos += 1
        # data
        mark = 0
        begin = used
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
        timestamp_ns[row] = seconds * 1000000000 + fraction
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = last
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
    names: Octets,
    name_ends: Ints,
    digits: int,
    plain: int,
    out: Room,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (rows done, bytes written).

    ``names`` holds the channels' names, ``name_ends`` where each ends; ``digits`` is 6 (rounded to
    the microsecond) or 9; ``plain`` leaves out direction and raw DLC. Stops before a row that ``out`` may
    not hold, and before one with a negative time or of CAN XL, which is for the caller.
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
    to = 0
    row = first
    second = -1
    second_at = 0
    second_digits = 0
    while row < rows:
        index = channel[row]
        if index >= name_count:
            raise ValueError("no such channel")
        start = name_ends[index - 1] if index > 0 else 0
        stop = name_ends[index]
        begin = offset[row]
        end = offset[row + 1]
        if to + line_room + stop - start + 2 * (end - begin) > room:
            break
        time = timestamp_ns[row]
        if time < 0 or flags[row] & 16:
            break
        seconds = time // 1000000000
        rest = time - seconds * 1000000000
        if digits == 6:  # rounded here, where nothing can overflow
            rest += 500
            if rest >= 1000000000:
                rest -= 1000000000
                seconds += 1
        out[to] = 40
        to += 1
        if seconds == second:  # most lines: the digits of the line before
            for index in range(second_digits):
                out[to + index] = out[second_at + index]
            to += second_digits
        else:
            second = seconds
            count = 1
            number = seconds
            while number > 9:
                number //= 10
                count += 1
            second_at = to
            second_digits = count
            number = seconds
            index = to + count
            while index > to:
                index -= 1
                out[index] = 48 + number % 10
                number //= 10
            to += count
        out[to] = 46
        micro = rest // 1000
        index = micro // 10000
        out[to + 1] = decimal[2 * index]
        out[to + 2] = decimal[2 * index + 1]
        micro -= index * 10000
        index = micro // 100
        out[to + 3] = decimal[2 * index]
        out[to + 4] = decimal[2 * index + 1]
        index = micro - index * 100
        out[to + 5] = decimal[2 * index]
        out[to + 6] = decimal[2 * index + 1]
        to += 7
        if digits == 9:
            nano = rest % 1000
            out[to] = 48 + nano // 100
            index = nano % 100
            out[to + 1] = decimal[2 * index]
            out[to + 2] = decimal[2 * index + 1]
            to += 3
        out[to] = 41
        out[to + 1] = 32
        to += 2
        if stop - start == 4:  # written out: can0 is what most are called
            out[to] = names[start]
            out[to + 1] = names[start + 1]
            out[to + 2] = names[start + 2]
            out[to + 3] = names[start + 3]
            to += 4
            start = stop
        while start < stop:
            out[to] = names[start]
            to += 1
            start += 1
        out[to] = 32
        to += 1
        # identifier: always 8 digits, of which what follows writes over the last 5 of a base one; a branch
        # on the kind is one that no processor could guess
        word = can_id[row]
        kind = word >> 29
        wide = (kind & 5) != 0
        width = 3 + 5 * wide
        shifted = (word & 0x3FFFFFFF) << (32 - 4 * width) & every_bit
        index = shifted >> 24
        out[to] = hexadecimal[2 * index]
        out[to + 1] = hexadecimal[2 * index + 1]
        index = shifted >> 16 & 255
        out[to + 2] = hexadecimal[2 * index]
        out[to + 3] = hexadecimal[2 * index + 1]
        index = shifted >> 8 & 255
        out[to + 4] = hexadecimal[2 * index]
        out[to + 5] = hexadecimal[2 * index + 1]
        index = shifted & 255
        out[to + 6] = hexadecimal[2 * index]
        out[to + 7] = hexadecimal[2 * index + 1]
        out[to + width] = 35
        to += width + 1
        mark = flags[row]
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
                # always 8 bytes: what follows writes over those that are none
                for index in range(8):
                    octet = payload[begin + index]
                    out[to + 2 * index] = hexadecimal[2 * octet]
                    out[to + 2 * index + 1] = hexadecimal[2 * octet + 1]
                to += 2 * (end - begin)
                begin = end
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
    return row, to
