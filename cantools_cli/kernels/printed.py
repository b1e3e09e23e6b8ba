"""Printed messages to columns and back.

::

    Timestamp: 1700000000.123456    ID:      123    S Rx                DL:  3    01 02 03 …    Channel: can0

``parse`` handles such lines, with any number of spaces between the fields before the data, and leaves any
other line to the reader. Grammar: ``cantools_cli/io/printer.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels._tables import FD_LENGTHS, NIBBLE
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual or malformed line
NAME = 3  #: a frame of a channel that is not in the table

BEGIN = b"Timestamp: "
CHANNEL = words.load8(b"Channel:", 0)
BEFORE_ID = words.load8(b"    ID: ", 0)
BEFORE_LENGTH = words.load8(b"    DL: ", 0)
BEFORE_TEXT = words.load8(b"    '   ", 0)
BLANKS = 0x2020202020202020
#: the text for the three upper bits of the identifier word, from the error bit on, and ``bits.TX``
KINDS = b"".join(
    f"{'SX'[kind >> 2 & 1]} {'RT'[kind >> 3]}x {' E'[kind & 1]} {' R'[kind >> 1 & 1]}".encode()
    for kind in range(16)
)
#: the text for ``bits.FD``, ``BRS`` and ``ESI``
MARKS = b"".join(
    f" {' F'[mark & 1]} {('  ', 'BS')[mark >> 1 & 1]} {('  ', 'EI')[mark >> 2]}".encode() for mark in range(8)
)
LENGTHS = b"".join(b"%2d      " % size for size in range(65))
CODES = bytes(FD_LENGTHS.index(size) if size in FD_LENGTHS else 255 for size in range(65))  #: 255: invalid

#: maximum length of a formatted line without the channel and four bytes per data byte
LINE_ROOM = 192
CHANNEL_ROOM = 24  #: bytes copied as words for each channel, whatever its length
USUAL_HEAD = 96  #: maximum length of a usual line up to its data, and the bytes of it that are read as words
DATA_ROOM = 32  #: bytes after the data that are read as words
LATEST = 1 << 33  #: seconds from which on a double cannot resolve microseconds
EARLY = 1 << 19  #: seconds below which a double is far more precise than a nanosecond


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

    ``names`` holds the known channels, concatenated, each with its leading space, empty for frames without a
    channel; ``name_ends`` holds the end of each. Returns the position where it stopped (the start of a line),
    the number of filled rows, and the reason.
    """
    nibble = NIBBLE
    begins = BEGIN
    kinds, marks, lengths, codes = KINDS, MARKS, LENGTHS, CODES
    done, full, strange, name = DONE, FULL, STRANGE, NAME
    begin_size = len(begins)
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
    usual_head, data_room = USUAL_HEAD, DATA_ROOM
    channel_mark, before_id, before_length, blanks = CHANNEL, BEFORE_ID, BEFORE_LENGTH, BLANKS
    two_blanks, four_blanks, length_mask = blanks >> 48, blanks >> 32, 0xFFFFFFFFFF
    most_seconds = 9000000000
    every_bit = 0xFFFFFFFFFFFFFFFF
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_middle = stamp_end = end_mask = word = 0
    # the two most recent channels, each with the end of the line, and masks of these bytes; empty at first
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
        # Most lines share their seconds with the previous one and have the columns that ``print`` writes:
        # their head is read as words and checked by one condition, for every kind of frame.
        wrong = every_bit
        if stamp_size and at + usual_head <= end:
            wrong = (
                (words.load8(text, at) ^ stamp)
                | (words.load8(text, at + 8) ^ stamp_middle)
                | ((words.load8(text, at + 16) ^ stamp_end) & end_mask)
            )
        if wrong == 0:
            pos = at + stamp_size
            word = words.load8(text, pos)
            time = words.decimal(word, 6)
            wrong = (word >> 48 ^ two_blanks) | (words.load8(text, pos + 6) ^ before_id)
            word = words.load8(text, pos + 14)
            index = words.blanks(word)
            wrong |= index > 5
            index &= 7
            number = words.hexadecimal(word >> 8 * index, 8 - index)
            wrong |= (time < 0) | (number < 0)
            wrong |= words.load4(text, pos + 22) ^ four_blanks
            word = words.load8(text, pos + 26)
            kind = (word >> 46 & 1) | (word >> 62 & 1) << 1 | (word >> 3 & 1) << 2 | (word >> 18 & 1) << 3
            wrong |= word ^ words.load8(kinds, 8 * kind)
            word = words.load8(text, pos + 34)
            mark = (word >> 14 & 1) | (word >> 30 & 1) << 1 | (word >> 54 & 1) << 2
            wrong |= word ^ words.load8(marks, 8 * mark)
            wrong |= words.load8(text, pos + 42) ^ before_length
            word = words.load8(text, pos + 50)
            size = (word & 15) * 10 + (word >> 8 & 15)
            size = size if size < 64 else 64
            wrong |= (word ^ words.load8(lengths, 8 * size)) & length_mask
            time = stamp_ns + time * 1000
            pos += 55
        if wrong:
            if at + begin_size > end or not words.same(text, at, begins, begin_size):
                break
            pos = at + begin_size
            while text[pos] == 32:
                pos += 1
            # time: 1 to 10 digits of seconds, 1 to 9 of fraction
            seconds = 0
            begin = pos
            value = text[pos] - 48
            while 0 <= value <= 9:
                seconds = seconds * 10 + value
                pos += 1
                value = text[pos] - 48
                if pos - begin > 10:
                    break
            if pos == begin or pos - begin > 10 or text[pos] != 46:
                break
            if seconds > most_seconds:  # beyond int64 nanoseconds
                break
            pos += 1
            stamp_size = 0
            stamp_ns = seconds * 1000000000
            index = pos - at - 16
            if 0 < index <= 8 and at + 24 <= end:
                stamp_size = pos - at
                end_mask = words.first_bytes(every_bit, index)
                stamp = words.load8(text, at)
                stamp_middle = words.load8(text, at + 8)
                stamp_end = words.load8(text, at + 16)
            time = 0
            begin = pos
            value = text[pos] - 48
            while 0 <= value <= 9:
                time = time * 10 + value
                pos += 1
                value = text[pos] - 48
                if pos - begin > 9:
                    break
            digits = pos - begin
            if digits == 0 or digits > 9 or text[pos] != 32:
                break
            while digits < 9:
                time *= 10
                digits += 1
            time += stamp_ns
            # identifier
            while text[pos] == 32:
                pos += 1
            if text[pos] != 73 or text[pos + 1] != 68 or text[pos + 2] != 58:  # ID:
                break
            pos += 3
            while text[pos] == 32:
                pos += 1
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
            if digits < 3 or digits > 8 or text[pos] != 32:
                break
            # flags: S or X first, then any others in any order
            while text[pos] == 32:
                pos += 1
            value = text[pos]
            if value not in (83, 88):
                break
            kind = 4 if value == 88 else 0
            mark = 0
            pos += 1
            while text[pos] == 32:
                while text[pos] == 32:
                    pos += 1
                value = text[pos]
                if value == 82 and text[pos + 1] == 120:  # Rx
                    pos += 2
                elif value == 84 and text[pos + 1] == 120:  # Tx
                    kind |= 8
                    pos += 2
                elif value == 66 and text[pos + 1] == 83:  # BS
                    mark |= 2
                    pos += 2
                elif value == 69 and text[pos + 1] == 73:  # EI
                    mark |= 4
                    pos += 2
                elif value == 69:
                    kind |= 1
                    pos += 1
                elif value == 82:
                    kind |= 2
                    pos += 1
                elif value == 70:
                    mark |= 1
                    pos += 1
                else:
                    break
            if value != 68 or text[pos + 1] != 76:  # DL, or DLC
                break
            pos += 2
            pos += text[pos] == 67
            if text[pos] != 58:
                break
            pos += 1
            while text[pos] == 32:
                pos += 1
            size = text[pos] - 48
            if size < 0 or size > 9:
                break
            pos += 1
            value = text[pos] - 48
            if 0 <= value <= 9:
                size = size * 10 + value
                pos += 1
            if size > 64:
                break
            while text[pos] == 32:
                pos += 1
            if text[pos - 1] == 32:
                pos -= 1
            elif text[pos] not in (10, 13):
                break
        # Valid combinations: a remote frame is neither CAN FD nor an error frame, and CAN FD has certain
        # lengths. An error frame has a 29-bit identifier; a flag stores whether X is printed.
        is_error = kind & 1
        is_remote = kind >> 1 & 1
        if number >> (11 + 18 * (is_error | kind >> 2 & 1)) or is_remote & (kind | mark):
            break
        code = codes[size]
        is_fd = mark & 1
        if code > 8 + 7 * is_fd:
            break
        identifier = number | (kind & 7 & ~(is_error << 2)) << 29
        mark = mark * is_fd | kind & 8 | (is_error & kind >> 2) << 5
        # data bytes, each after one space
        length = size * (1 - is_remote)
        if pos + 3 * length + data_room <= end:
            value = words.unhex_spaced(text, pos, payload, used) - length
            if length > 8:
                value += length - 8
                index = 8
                while index < length and value >= 0:
                    value = words.unhex_spaced(text, pos + 3 * index, payload, used + index)
                    value -= length - index if length - index < 8 else 8
                    index += 8
            if value < 0:
                break
            pos += 3 * length
            begin = pos
            pos += words.blank_run(text, pos)
        else:
            index = 0
            while index < length and text[pos] == 32:
                value = nibble[text[pos + 1]]
                if value > 15:
                    break
                low = nibble[text[pos + 2]]
                if low > 15:
                    break
                payload[used + index] = value << 4 | low
                pos += 3
                index += 1
            if index < length:
                break
            begin = pos
        while text[pos] == 32:
            pos += 1
        value = text[pos]
        if pos == begin and value not in (10, 13):
            break
        if value == 39:  # the data as text, any letters and digits
            pos += 1
            if pos + 8 <= end:
                pos += words.alphanumeric_run(words.load8(text, pos))
            while nibble[text[pos]] <= 9 or 97 <= text[pos] | 32 <= 122:
                pos += 1
            if text[pos] != 39:
                break
            pos += 1
            while text[pos] == 32:
                pos += 1
            value = text[pos]
        # channel, and the line's end
        known = 0
        begin = pos
        if value == 67:
            if pos + 9 >= end or words.load8(text, pos) != channel_mark or text[pos + 8] != 32:
                break
            begin = pos + 8
            pos += 9
            if pos + 8 <= end:
                word = words.load8(text, pos)
                is_first = word & first_mask == first_key
                is_second = word & second_mask == second_key
                known = is_first | is_second
                last = is_first * first_name + is_second * second_name
                pos += is_first * first_size + is_second * second_size
        if not known:
            if value == 67:
                while text[pos] >= 32:
                    pos += 1
            digits = pos - begin
            if text[pos] == 13:
                pos += 1
            if text[pos] != 10:
                break
            pos += 1
            last = 0
            while last < name_count:
                start = name_ends[last - 1] if last > 0 else 0
                if name_ends[last] - start == digits:
                    index = 0
                    while index < digits and names[start + index] == text[begin + index]:
                        index += 1
                    if index == digits:
                        break
                last += 1
            if last == name_count:
                reason = name
                break
            begin += 1
            if value == 67 and pos - begin <= 8 and begin + 8 <= end:
                first_key, second_key = words.first_bytes(word, pos - begin), first_key
                first_mask, second_mask = words.first_bytes(every_bit, pos - begin), first_mask
                first_name, second_name = last, first_name
                first_size, second_size = pos - begin, first_size
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = last
        dlc_code[row] = code
        used += length
        row += 1
        offset[row] = used
        at = pos
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
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (the next row, bytes written).

    ``names`` holds the column of each channel with its leading spaces, empty for frames without a channel,
    followed by ``CHANNEL_ROOM`` bytes; ``name_ends`` holds the end of each. Stops at a row for which ``out``
    may have no room, and at one that the caller handles: of CAN XL, not a valid frame, with a negative time,
    or with a time whose microseconds need more precision.
    """
    kinds, marks, lengths = KINDS, MARKS, LENGTHS
    line_room, channel_room = LINE_ROOM, CHANNEL_ROOM
    before_id, before_length, before_text, blanks = BEFORE_ID, BEFORE_LENGTH, BEFORE_TEXT, BLANKS
    begins = BEGIN
    begin_size = len(begins)
    rows = len(timestamp_ns)
    room = len(out)
    payload_size = len(payload)
    name_count = len(name_ends)
    names_size = len(names)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    if name_count and name_ends[name_count - 1] > names_size:
        raise ValueError("the names do not fit")
    identifier_mask, kept = 0x1FFFFFFF, 0x9FFFFFFF
    billion, million = 1000000000, 1000000
    early, late = EARLY, LATEST * 1000000000
    never = 0x7FFFFFFFFFFFFFFF
    one = 1
    two_blanks = blanks >> 48 << 48
    to = 0
    row = first
    stamp_ns = never  # the second of the previous line; none at first
    stamp_size = 0  # bytes up to its decimal point
    shift = 0  # bits of a double after that point, 0 for many
    stamp = stamp_middle = stamp_end = 0
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= name_count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        start = name_ends[index - (index > 0)] * (index > 0)  # no branch: it would be unpredictable
        name_size = name_ends[index] - start
        begin = offset[row]
        size = offset[row + 1] - begin
        time = timestamp_ns[row]
        mark = flags[row]
        word = can_id[row]
        is_remote = word >> 30 & 1
        if time < 0 or time >= late or mark & 16 or size < 0 or size > 64 or (is_remote and size):
            break
        if to + line_room + name_size + 4 * size > room:
            break
        is_new = 0
        if time < stamp_ns or time - stamp_ns >= billion:
            seconds = time // billion
            stamp_ns = seconds * billion
            is_new = 1
            shift = 0
            if seconds >= early:
                shift = 33
                while seconds >> (53 - shift):
                    shift -= 1
        since = time - stamp_ns
        micro = since // 1000
        rest = since - micro * 1000
        if rest:
            # the printed number is the double nearest to the time, in seconds, rounded half to even
            if shift:
                scaled = ((since << shift) + billion // 2) // billion * million
                half = one << (shift - 1)
                micro = (scaled + half) >> shift
                if scaled & (2 * half - 1) == half:
                    micro -= micro & 1
            elif rest == 500:
                break
            else:
                micro += rest > 500
            if micro == million:
                micro = 0
                seconds = stamp_ns // billion + 1
                is_new = 1
        if is_new:
            for index in range(begin_size):
                out[to + index] = begins[index]
            count = 1
            left = seconds
            while left > 9:
                left //= 10
                count += 1
            count = count if count > 8 else 8
            left = seconds
            index = to + begin_size + count
            out[index] = 46
            stamp_size = begin_size + count + 1
            while index > to + begin_size:
                index -= 1
                out[index] = 48 + left % 10
                left //= 10
                if left == 0:
                    break
            while index > to + begin_size:
                index -= 1
                out[index] = 32
            stamp = words.reload8(out, to)
            stamp_middle = words.reload8(out, to + 8)
            stamp_end = words.reload8(out, to + 16)
            if seconds * billion != stamp_ns:  # the next second, by rounding
                stamp_ns = never
        words.store8(out, to, stamp)
        words.store8(out, to + 8, stamp_middle)
        words.store8(out, to + 16, stamp_end)
        to += stamp_size
        words.store8(out, to, words.decimal8(micro) >> 16 | two_blanks)
        words.store8(out, to + 6, before_id)
        identifier = word & identifier_mask
        # three digits at least, eight of an extended identifier
        index = words.hex_width(word & kept | 256)
        words.store8(out, to + 14, words.padded_hex(identifier, index))
        words.store8(out, to + 22, blanks)
        words.store8(out, to + 26, words.load8(kinds, 8 * (word >> 29 | mark & 8)))
        words.store8(out, to + 34, words.load8(marks, 8 * (mark & 7)))
        words.store8(out, to + 42, before_length)
        count = dlc_code[row]
        count = count if count < 8 else 8
        words.store8(out, to + 50, words.load8(lengths, 8 * (size + is_remote * count)))
        to += 56
        # data in a column of 23; the following output overwrites the surplus of the last 8 bytes
        edge = to - 1 + 3 * size
        has_text = 1
        if size <= 8 and begin + 8 <= payload_size:
            key = words.load8(payload, begin)
            words.hex8_spaced_lower(payload, begin, out, to - 1)
            has_text &= words.alphanumeric_run(key) >= size
        else:
            index = 0
            while index + 8 <= size:
                words.hex8_spaced_lower(payload, begin + index, out, to - 1 + 3 * index)
                has_text &= words.alphanumeric_run(words.load8(payload, begin + index)) == 8
                index += 8
            while index < size:
                value = payload[begin + index]
                words.store8(out, to - 1 + 3 * index, words.padded_hex(value, 2) >> 40)
                has_text &= (48 <= value <= 57) | (97 <= value | 32 <= 122)
                index += 1
        words.store8(out, edge, blanks)
        words.store8(out, edge + 8, blanks)
        words.store8(out, edge + 16, blanks)
        words.store8(out, edge + 24, blanks)
        to = edge if size > 8 else to + 24
        if has_text and size:
            words.store8(out, to, before_text)
            to += 5
            index = 0
            while index < size:
                out[to + index] = payload[begin + index]
                index += 1
            out[to + size] = 39
            to += size + 1
            edge = to
        if name_size:
            if start + channel_room <= names_size and name_size <= channel_room:
                words.store8(out, to, words.load8(names, start))
                words.store8(out, to + 8, words.load8(names, start + 8))
                words.store8(out, to + 16, words.load8(names, start + 16))
            else:
                index = 0
                while index < name_size:
                    out[to + index] = names[start + index]
                    index += 1
            to += name_size
        else:
            to = edge if size else edge - 3
        out[to] = 10
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
