"""candump log lines to columns and back: ``(1436509052.249713) can0 123#DEADBEEF``.

The grammar of ``parse``; anything else is left to the reader, ``cantools_cli/io/candump/log.py``::

    line      = "(" seconds ("." | ",") fraction ") " interface " " identifier data [" " direction] end
    data      = "#" {octet} ["_" dlc]  |  "#R" [length] ["_" dlc]  |  "##" flags {octet}
    direction = "R" | "T"

The fast path: most lines share their seconds with an earlier one, have six digits of fraction, a recent
interface and up to 8 bytes of data. Their fields are read as words and checked by one condition; without a
branch on the kind of identifier, which would be unpredictable. The general path reads field by field.

``parse`` stops with ``NAME`` at a frame of an interface that is not in the table.
"""

from __future__ import annotations

from cantools_cli.kernels import _candump as fields
from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

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
    lines.check_text(text, at, end)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    room, payload_room = len(timestamp_ns), len(payload)
    usual = USUAL
    after_fraction = 0x2029  # ) and a space
    row = first
    used = offset[first]
    last = 0
    reason = lines.DONE
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length up to the point, and value
    recent = lines.no_channels()
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        if text[at] != ord("("):
            break
        is_usual = 0
        if stamp_size and at + usual <= end and words.same_start(text, at, stamp_at, stamp_size):
            # computed early, so that the processor overlaps the next line with this one
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            word = words.load8(text, pos)
            time = words.decimal(word, 6)
            is_usual = (time >= 0) & (word >> 48 == after_fraction)
            word = words.load8(text, pos + 8)
            size = words.until(word, ord(" ")) + 1
            last = lines.recent_channel(recent, words.first_bytes(word, size))
            pos += 8 + size
            is_base = text[pos + 3] == ord("#")
            digits = 8 - 5 * is_base
            number = words.hexadecimal(words.load8(text, pos), digits)
            pos += digits
            is_usual &= (last >= 0) & (text[pos] == ord("#"))
            is_usual &= number >> (30 - 19 * is_base) == 0  # at most 7FF, and no bit above the error bit
            time = stamp_ns + time * 1000
            identifier = number
        if not is_usual:
            pos = lines.seconds(text, at + 1, end, timestamp_ns, row)
            if pos < 0 or text[pos] not in (ord("."), ord(",")):
                break
            stamp_at, stamp_ns = at, timestamp_ns[row]
            stamp_size = pos + 1 - at if at + 32 <= end else 0
            pos = lines.fraction(text, pos + 1, end, timestamp_ns, row)
            if pos < 0 or text[pos] != ord(")") or text[pos + 1] != ord(" "):
                break
            time = timestamp_ns[row]
            begin = lines.after_spaces(text, pos + 1)
            pos = begin
            while text[pos] > ord(" "):
                pos += 1
            if pos == begin or text[pos] != ord(" "):
                break
            last = lines.channel_at(text, begin, pos, end, names, name_ends, recent)
            if last < 0:
                reason = lines.NAME
                break
            begin = lines.after_spaces(text, pos)
            pos = lines.hexadecimal(text, begin, end, can_id, row)
            is_base = pos - begin == 3
            identifier = can_id[row]
            if pos - begin not in (3, 8) or text[pos] != ord("#") or identifier >> (30 - 19 * is_base):
                break
        identifier |= ((1 - is_base) & ~(identifier >> 29)) << 31
        pos += 1
        if is_usual:
            digits = words.unhex(text, pos, payload, used)
            is_usual = (pos + digits == stop) & ~digits & 1
        if is_usual:
            mark = 0
            code = size = digits >> 1
            pos = stop + 1
        else:
            can_id[row] = identifier
            pos = fields.data(text, pos, end, row, can_id, flags, dlc_code, offset, payload, used)
            if pos < 0:
                break
            identifier, mark, code = can_id[row], flags[row], dlc_code[row]
            size = offset[row + 1] - used
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = last
        dlc_code[row] = code
        used += size
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
    digits: int,
    plain: int,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (the next row, bytes written).

    ``names`` holds the channels' names, ``name_ends`` the end of each; ``digits`` is 6 (rounded to the
    microsecond) or 9; ``plain`` omits direction and raw DLC. Stops at a row for which ``out`` may have no
    room, and at one with a negative time or of CAN XL, which the caller handles.
    """
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    rows, room, name_count = len(timestamp_ns), len(out), len(name_ends)
    line_room = LINE_ROOM
    billion = lines.BILLION
    every_bit = 0xFFFFFFFF
    half = 500 if digits == 6 else 0
    latest = 9223372035  # the last second whose nanoseconds all fit into int64
    to = 0
    row = first
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length up to the point, and value
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
        if stamp_size and 0 <= since < billion:  # most lines: the digits of an earlier line
            words.repeat32(out, stamp_at, to)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            rest = time - seconds * billion
            rest += half  # rounded here, where the sum cannot overflow
            if rest >= lines.BILLION:
                rest -= lines.BILLION
                seconds += 1
            out[to] = ord("(")
            index = lines.put_decimal(seconds, 1, out, to + 1)
            out[index] = ord(".")
            stamp_at, stamp_size = to, 0
            if seconds < latest:
                stamp_size = index + 1 - to
                stamp_ns = seconds * billion
            to = index + 1
        if digits == 9:
            micro = rest // 10
            words.store8(out, to, words.decimal8(micro))
            out[to + 8] = ord("0") + rest - micro * 10
            to += 9
        else:
            words.store8(out, to, words.decimal6(rest // 1000))
            to += 6
        out[to] = ord(")")
        out[to + 1] = ord(" ")
        to = lines.put(names, start, stop, out, to + 2)
        out[to] = ord(" ")
        to += 1
        # identifier: always 8 digits; the following output overwrites the last 5 of a base identifier; a
        # branch on the kind would be unpredictable
        word = can_id[row]
        kind = word >> 29
        wide = (kind & 5) != 0
        width = 3 + 5 * wide
        words.store8(out, to, words.hexadecimal8((word & 0x3FFFFFFF) << (32 - 4 * width) & every_bit))
        out[to + width] = ord("#")
        to += width + 1
        code = dlc_code[row]
        if kind & 2:
            out[to] = ord("R")
            to += 1
            if code:
                out[to] = ord("0") + min(code, 8)
                to += 1
        else:
            if mark & 1:
                out[to] = ord("#")
                out[to + 1] = ord("0") + (mark >> 1 & 3)
                to += 2
            to = lines.put_hex(payload, begin, end, out, to, lines.UPPER)
        if not plain:
            if code > 8 and not mark & 1:
                out[to] = ord("_")
                out[to + 1] = lines.hex_digit(code, lines.UPPER)
                to += 2
            if mark & 8:
                out[to] = ord(" ")
                out[to + 1] = ord("T")
                to += 2
        out[to] = ord("\n")
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
