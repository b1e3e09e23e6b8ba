"""Rows of GVRET's CSV to columns and back: ``973,0000013B,false,Rx,0,8,00,00,08,00,00,00,00,4C,``.

::

    row        time "," identifier "," extended ["," direction] "," bus "," length {"," byte} [","]
    time       1 to 16 digits of microseconds
    extended   true, false, 1 or 0
    direction  Rx or Tx, if the header has this column
    byte       two hexadecimal digits; fillers may complete 8 bytes, or the length of a CAN FD frame

The fast path: most rows share their second with an earlier one and have a classic frame on a bus of one
digit. Their fields are read as words and checked by one condition. The general path reads field by field.

``parse`` stops with ``NAME`` at a frame of a bus that is not in the table. Anything else, such as a header,
is left to the reader, ``cantools_cli/io/gvret.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

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
    lines.check_text(text, at, end)
    lines.check_numbers(numbers)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    room, payload_room = len(timestamp_ns), len(payload)
    usual, most = USUAL, MAX_MICROSECONDS
    false, false_mask, true, true_mask = FALSE, FALSE_MASK, TRUE, TRUE_MASK
    fixed, fixed_mask = FIXED, FIXED_MASK
    every_bit, low_half, lower = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF, 0x2020202020202020
    extended_mask, base_mask = 0x1FFFFFFF, 0x7FF
    # a missing direction is inserted before the bus, so that all rows have the same form
    skipped = 0 if directions else 3
    put = 0 if directions else NO_DIRECTION
    kept = every_bit if directions else every_bit - 0xFFFFFF
    row, used, reason = first, offset[first], lines.DONE
    stamp_at = stamp_ns = 0  # the last new second: its row, and value
    stamp_size = -1  # digits of its time before the last six; -1 at first
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        is_usual = 0
        if stamp_size >= 0 and at + usual <= end and words.same_start(text, at, stamp_at, stamp_size):
            # computed early, so that the processor overlaps the next row with this one: 16 bytes or more
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            word = words.load8(text, pos)
            time = words.decimal(word, 6)
            is_usual = (time >= 0) & (word >> 48 & 255 == ord(","))  # no branch depends on the data
            time = stamp_ns + time * 1000
            word = words.hex_run(words.load8(text, pos + 7))
            pos += 7 + (word >> 32)
            identifier = word & low_half
            is_usual &= word >> 32 > 0
            word = words.load8(text, pos)
            extended = word >> 8 & 255 == ord("t")
            word ^= true if extended else false
            is_usual &= word & (true_mask if extended else false_mask) == 0
            pos += 7 - extended - skipped
            word = words.load8(text, pos) & kept | put
            mark = word & 255
            number = (word >> 24 & 255) - ord("0")
            length = (word >> 40 & 255) - ord("0")
            is_usual &= ((word ^ fixed) & fixed_mask == 0) & ((mark == ord("R")) | (mark == ord("T")))
            is_usual &= (0 <= number <= 9) & (0 <= length <= 8)
            if is_usual:
                mark = (mark & 4) << 1  # T of a sent frame
                code = length
                size = words.unhex_commas(text, pos + 6, payload, used)
                pos += 6 + 3 * size
                pos += text[pos] == ord(",")
                pos += text[pos] == ord("\r")
                is_usual = (size >= length) & (pos == stop)
        if not is_usual:
            time, pos = lines.long_decimal(text, at, end)
            if pos == at or time > most or text[pos] != ord(","):
                break
            stamp_at, stamp_ns = at, time // 1000000 * lines.BILLION
            stamp_size = pos - at - 6 if at + 32 <= end and time + 1000000 <= most else -1
            time *= 1000
            begin = pos + 1
            identifier, pos = lines.hex_number(text, begin, end)
            if pos == begin or text[pos] != ord(","):
                break
            word = lines.load(text, pos, end) | lower
            if word & true_mask == true:
                extended = True
                pos += 5
            elif word & false_mask == false:
                extended = False
                pos += 6
            else:
                extended = text[pos + 1] == ord("1")
                if not extended and text[pos + 1] != ord("0"):
                    break
                pos += 2
            if text[pos] != ord(","):
                break
            mark = 0
            if directions:
                letter = text[pos + 1] | 32
                if letter not in (ord("r"), ord("t")) or text[pos + 2] | 32 != ord("x"):
                    break
                mark = (letter & 4) << 1
                pos += 3
                if text[pos] != ord(","):
                    break
            begin = pos + 1
            number, pos = lines.number(text, begin, 3)
            if pos == begin or number > 255 or text[pos] != ord(","):
                break
            begin = pos + 1
            length, pos = lines.number(text, begin, 2)
            code, columns = length, 8  # fillers may complete the columns: the next row overwrites them
            if pos == begin + 2:  # CAN FD
                code = words.fd_code(length) if length <= 64 else 0
                columns = length
                mark |= 1
                if not 8 < code <= 15:
                    break
            elif pos == begin or length > 8:
                break
            size = 0
            count = 8
            while count == 8 and size < columns and pos + 32 <= end:
                count = min(words.unhex_commas(text, pos, payload, used + size), columns - size)
                size += count
                pos += 3 * count
            while text[pos] == ord(",") and size < columns:
                value = lines.octet(text, pos + 1)
                if value < 0:
                    break
                payload[used + size] = value
                size += 1
                pos += 3
            stop = lines.after_line(text, pos + (text[pos] == ord(","))) - 1
            if stop < 0 or size < length:
                break
        if identifier > (extended_mask if extended else base_mask):
            break
        known = numbers[number]
        if known == lines.NO_CHANNEL:
            reason = lines.NAME
            break
        timestamp_ns[row] = time
        can_id[row] = identifier | extended << 31
        flags[row] = mark
        channel[row] = known
        dlc_code[row] = code
        used += length
        row += 1
        offset[row] = used
        at = stop + 1
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
    numbers: UInt16s,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on; return (the next row, bytes written).

    ``numbers`` maps each channel to a bus. Stops at a row for which ``out`` may have no room, and at one with
    a negative time or more than 8 bytes, which the caller handles.
    """
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    rows, room, payload_size, count = len(timestamp_ns), len(out), len(payload), len(numbers)
    line_room, false, true, received = LINE_ROOM, FALSE, TRUE, RECEIVED
    billion = lines.BILLION
    half = 500  # microseconds are rounded half up
    to, row = 0, first
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its row, digits, and value
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
        if stamp_size > 0 and 0 <= since < billion:  # most rows: the digits of an earlier row
            words.repeat32(out, stamp_at, to)
            to += stamp_size + 6
            words.store8(out, to - 6, words.decimal6(since // 1000))
        else:
            time = time // 1000 + (time % 1000 >= half)
            seconds = time // 1000000
            stamp_at, stamp_ns, stamp_size = to, seconds * billion, 0
            if seconds:
                to = lines.put_decimal(seconds, 1, out, to)
                stamp_size = to - stamp_at
                words.store8(out, to, words.decimal6(time - seconds * 1000000))
                to += 6
            else:
                to = lines.put_decimal(time, 1, out, to)
        word = can_id[row]
        extended = word >> 31
        out[to] = ord(",")
        words.store8(out, to + 1, words.hexadecimal8(word & 0x1FFFFFFF))
        words.store8(out, to + 9, true if extended else false)
        to += 16 - extended
        # direction, bus and length
        number = numbers[channel[row]]
        index = number if number < 10 else 0
        words.store8(out, to, received + (index << 24) + (size << 40) + (flags[row] >> 2 & 2))
        to += 6
        if number > 9:
            to = lines.put_decimal(number, 1, out, to - 3)
            out[to] = ord(",")
            out[to + 1] = ord("0") + size
            to += 2
        # data, filled up to 8 bytes
        words.hex_commas(words.first_bytes(lines.load(payload, begin, payload_size), size), out, to)
        out[to + 24] = ord(",")
        out[to + 25] = ord("\n")
        to += 26
        row += 1
    gil.acquire(thread)
    return row, to
