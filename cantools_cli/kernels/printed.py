"""Printed messages to columns and back.

::

    Timestamp: 1700000000.123456    ID:      123    S Rx                DL:  3    01 02 03 …    Channel: can0

``parse`` reads such lines, with any number of spaces between the fields before the data; any other line is
left to the reader, ``cantools_cli/io/printer.py``.

The fast path: most lines share their seconds with an earlier one and have the columns that ``print`` writes.
Their head is read as words and checked by one condition, for every kind of frame. The general path reads
field by field. Both read data and channel alike.

``parse`` stops with ``NAME`` at a frame of a channel that is not in the table.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _printed as fields
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

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

#: maximum length of a formatted line without the channel and four bytes per data byte
LINE_ROOM = 192
CHANNEL_ROOM = 24  #: bytes copied as words for each channel, whatever its length
USUAL_HEAD = 96  #: maximum length of a usual line up to its data, and the bytes of it that are read as words
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
    lines.check_text(text, at, end)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    begins, kinds, marks, lengths = BEGIN, KINDS, MARKS, LENGTHS
    begin_size = len(begins)
    room, payload_room = len(timestamp_ns), len(payload)
    row = first
    used = offset[first]
    reason = lines.DONE
    usual_head = USUAL_HEAD
    channel_mark, before_id, before_length, blanks = CHANNEL, BEFORE_ID, BEFORE_LENGTH, BLANKS
    two_blanks, four_blanks, length_mask = blanks >> 48, blanks >> 32, 0xFFFFFFFFFF
    every_bit = 0xFFFFFFFFFFFFFFFF
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length up to the point, and value
    recent = lines.no_channels()
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        wrong = every_bit
        if stamp_size and at + usual_head <= end and words.same_start(text, at, stamp_at, stamp_size):
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
            pos = lines.seconds(text, lines.after_spaces(text, at + begin_size), end, timestamp_ns, row)
            if pos < 0 or text[pos] != ord("."):
                break
            stamp_at, stamp_ns = at, timestamp_ns[row]
            stamp_size = pos + 1 - at if pos + 1 - at <= 32 and at + 32 <= end else 0
            pos = lines.fraction(text, pos + 1, end, timestamp_ns, row)
            if pos < 0 or text[pos] != ord(" "):
                break
            time = timestamp_ns[row]
            pos = lines.after_spaces(text, pos)
            if text[pos] != ord("I") or text[pos + 1] != ord("D") or text[pos + 2] != ord(":"):
                break
            begin = lines.after_spaces(text, pos + 3)
            pos = lines.hexadecimal(text, begin, end, can_id, row)
            if pos - begin < 3 or text[pos] != ord(" "):
                break
            number = can_id[row]
            begin = fields.marks(text, lines.after_spaces(text, pos), row, flags)
            if begin < 0:
                break
            kind, mark = flags[row] >> 3, flags[row] & 7
            pos = lines.decimal(text, begin, 2, can_id, row)
            size = can_id[row]
            if pos == begin or size > 64:
                break
            pos = lines.after_spaces(text, pos)
            if text[pos - 1] == ord(" "):
                pos -= 1
            elif text[pos] not in (ord("\n"), ord("\r")):
                break
        # Valid combinations: a remote frame is neither CAN FD nor an error frame, and CAN FD has certain
        # lengths. An error frame has a 29-bit identifier; a flag stores whether X is printed.
        is_error = kind & 1
        is_remote = kind >> 1 & 1
        if number >> (11 + 18 * (is_error | kind >> 2 & 1)) or is_remote & (kind | mark):
            break
        code = words.fd_code(size)
        is_fd = mark & 1
        if code > 8 + 7 * is_fd:
            break
        length = size * (1 - is_remote)
        begin = lines.spaced_data(text, pos, end, payload, used, length)
        if begin < 0:
            break
        pos = fields.after_text(text, begin, end)
        if pos < 0 or (pos == begin and text[pos] not in (ord("\n"), ord("\r"))):
            break
        # the channel with the space before it, if there is one, and the end of the line
        last = -1
        begin = pos
        if text[pos] == ord("C"):
            if pos + 9 >= end or words.load8(text, pos) != channel_mark or text[pos + 8] != ord(" "):
                break
            begin = pos + 8
            if begin + 8 <= end:
                word = words.load8(text, begin)
                index = words.until(word, ord("\n")) + 1
                last = lines.recent_channel(recent, words.first_bytes(word, index))
                pos = begin + index
        if last < 0:
            stop = begin
            while text[begin] == ord(" ") and text[stop] >= ord(" "):
                stop += 1
            pos = lines.after_line(text, stop)
            if pos < 0:
                break
            last = lines.channel_at(text, begin, stop, end, names, name_ends, recent)
            if last < 0:
                reason = lines.NAME
                break
        timestamp_ns[row] = time
        can_id[row] = number | (kind & 7 & ~(is_error << 2)) << 29
        flags[row] = mark * is_fd | kind & 8 | (is_error & kind >> 2) << 5
        channel[row] = last
        dlc_code[row] = code
        used += length
        row += 1
        offset[row] = used
        at = pos
        reason = lines.DONE
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
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    kinds, marks, lengths, begins = KINDS, MARKS, LENGTHS, BEGIN
    line_room, channel_room = LINE_ROOM, CHANNEL_ROOM
    before_id, before_length, before_text, blanks = BEFORE_ID, BEFORE_LENGTH, BEFORE_TEXT, BLANKS
    rows, room, name_count = len(timestamp_ns), len(out), len(name_ends)
    begin_size, payload_size, names_size = len(begins), len(payload), len(names)
    identifier_mask, kept = 0x1FFFFFFF, 0x9FFFFFFF
    billion, million = lines.BILLION, 1000000
    early, late = EARLY, LATEST * 1000000000
    never = 0x7FFFFFFFFFFFFFFF
    one = 1
    two_blanks = blanks >> 48 << 48
    to = 0
    row = first
    stamp_at = stamp_size = 0  # the last new second: its line, and the length up to the decimal point
    stamp_ns = never  # its value; none at first
    shift = 0  # bits of a double after that point, 0 for many
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
        seconds = 0
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
            index = lines.put(begins, 0, begin_size, out, to)
            if seconds < 100000000:
                words.store8(out, index, words.padded_digits(seconds))
                index += 8
            else:
                index = lines.put_decimal(seconds, 1, out, index)
            out[index] = ord(".")
            stamp_at, stamp_size = to, index + 1 - to
            if seconds * billion != stamp_ns:  # the next second, by rounding
                stamp_ns = never
        else:
            words.repeat32(out, stamp_at, to)
        to += stamp_size
        words.store8(out, to, words.decimal6(micro) | two_blanks)
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
            lines.put(payload, begin, begin + size, out, to)
            out[to + size] = ord("'")
            to += size + 1
            edge = to
        if name_size:
            if start + channel_room <= names_size and name_size <= channel_room:
                words.store8(out, to, words.load8(names, start))
                words.store8(out, to + 8, words.load8(names, start + 8))
                words.store8(out, to + 16, words.load8(names, start + 16))
            else:
                lines.put(names, start, start + name_size, out, to)
            to += name_size
        else:
            to = edge if size else edge - 3
        out[to] = ord("\n")
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
