"""Lines of BUSMASTER's log to columns: ``22:20:14:9920 Rx 1 0x21A s 8 FE 36 12 FE 69 05 07 AD``.

The grammar of ``parse``, in upper or lower case; anything else is left to the reader,
``cantools_cli/io/busmaster.py``: headers, errors, and the first line of each second of the day, since only
the reader knows time zones::

    line  = hours ":" minutes ":" seconds ":" fraction direction channel id type length {byte} end
    type  = "s" | "x" | "sr" | "xr" | "s-fd" | "x-fd"
    id    = ["0x"] digits

The fast path: most lines share their second with an earlier one and have a channel of one digit. Their fields
up to the type are read as words and checked by one condition; so is the data of a classic frame. The general
path reads field by field.

``parse`` stops with ``NAME`` at a frame of a channel that is not in the table.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

SYSTEM, ABSOLUTE, RELATIVE = range(3)  #: origins of times

#: maximum nanoseconds for which sums and shifts of times fit into int64
MAX_NS = 4_000_000_000_000_000_000

#: maximum length of a usual line, and the bytes of it that are read as words
USUAL = 96
#: direction and channel in lower case, and a mask of the constant bytes; likewise the type
FIXED = words.load8(b" \0x \0 \0\0", 0)
FIXED_MASK = 0x0000FF00FFFF00FF
LOWER = 0x202000
TYPE = 0x200020
TYPE_MASK = 0xFF00FF
PREFIX = 0x7830  # 0x


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    numbers: UInt16s,
    decimal: int,
    mode: int,
    second: int,
    shift_ns: int,
    last_ns: int,
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

    ``numbers`` maps each channel number to a channel of the batch, ``decimal`` tells whether identifiers and
    data are decimal. SYSTEM times are handled only within ``second`` of the day, or within any second for -1.
    ``shift_ns`` is added to each time; ``last_ns`` is the previous time: of the day for SYSTEM, the sum so
    far for RELATIVE. Neither is above ``MAX_NS``. The next ``last_ns`` is the timestamp of the last row minus
    the shift. Returns the position where it stopped (the start of a line), the number of filled rows, and the
    reason.
    """
    lines.check_text(text, at, end)
    lines.check_numbers(numbers)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    room, payload_room = len(timestamp_ns), len(payload)
    usual, prefix, most = USUAL, PREFIX, MAX_NS
    fixed, fixed_mask, lower, kinds, kinds_mask = FIXED, FIXED_MASK, LOWER, TYPE, TYPE_MASK
    extended_mask, base_mask, low_half = 0x1FFFFFFF, 0x7FF, 0xFFFFFFFF
    half_day, four_digits, fewer_digits = 43_200_000_000_000, 100_000, 1_000_000
    of_the_day, is_sum = mode == SYSTEM, mode == RELATIVE
    last = last_ns
    row, used, reason = first, offset[first], lines.DONE
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length, and value
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        is_usual = usual_head = 0
        if stamp_size and at + usual <= end and words.same_start(text, at, stamp_at, stamp_size):
            # computed early, so that the processor overlaps the next line with this one: 16 bytes or more
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            word = words.decimal_run(words.load8(text, pos))
            digits = word >> 32
            time = stamp_ns + (word & low_half) * (four_digits if digits == 4 else fewer_digits)
            time += last * is_sum
            usual_head = (1 <= digits <= 4) & (time <= most)  # no branch depends on the data
            pos += digits
            word = words.load8(text, pos)
            letter = word >> 8 & 255 | 32
            number = (word >> 32 & 255) - ord("0")
            usual_head &= ((word | lower) ^ fixed) & fixed_mask == 0
            usual_head &= ((letter == ord("r")) | (letter == ord("t"))) & (0 <= number <= 9)
            mark = (letter & 4) << 1  # t of a sent frame
            pos += 6 + 2 * ((word >> 48 | 0x2000) == prefix)
            word = words.hex_run(words.load8(text, pos))
            digits = word >> 32
            identifier = word & low_half
            pos += digits
            word = words.load8(text, pos)
            usual_head &= (digits > 0) & (word & 255 == ord(" "))
            letter = word >> 8 & 255 | 32
            extended = letter == ord("x")
            length = (word >> 24 & 255) - ord("0")
            is_usual = usual_head & (extended | (letter == ord("s"))) & (0 <= length <= 8)
            is_usual &= ((word ^ kinds) & kinds_mask == 0) & (
                identifier <= (extended_mask if extended else base_mask)
            )
        if is_usual:
            index = pos + 4
            size = words.unhex_spaced(text, index, payload, used)
            index += 3 * length
            index += text[index] == ord(" ")
            index += text[index] == ord("\r")
            is_usual = (size >= length) & (index == stop)
            code = length
            identifier |= extended << 31 if is_usual else 0
        if not is_usual:
            if not usual_head:
                hours, pos = lines.number(text, at, 4)
                if pos == at or text[pos] != ord(":"):
                    break
                begin = pos + 1
                minutes, pos = lines.number(text, begin, 2)
                if pos == begin or text[pos] != ord(":"):
                    break
                begin = pos + 1
                seconds, pos = lines.number(text, begin, 2)
                if pos == begin or text[pos] != ord(":") or minutes > 59 or seconds > 59:
                    break
                seconds += hours * 3600 + minutes * 60
                if (of_the_day and hours > 23) or (second >= 0 and seconds != second):
                    break
                begin = pos + 1
                stamp_at, stamp_ns = at, seconds * lines.BILLION
                stamp_size = begin - at if not decimal and at + 32 <= end else 0
                time, pos = lines.number(text, begin, 4)
                if pos == begin or text[pos] != ord(" "):
                    break
                time = stamp_ns + time * (four_digits if pos - begin == 4 else fewer_digits)
                if of_the_day and time < last - half_day:  # of the next day
                    break
                time += last * is_sum
                if time > most:
                    break
                pos = lines.after_spaces(text, pos)
                letter = text[pos] | 32
                if letter not in (ord("r"), ord("t")) or text[pos + 1] | 32 != ord("x"):
                    break
                if text[pos + 2] != ord(" "):
                    break
                mark = (letter & 4) << 1
                begin = lines.after_spaces(text, pos + 2)
                number, pos = lines.number(text, begin, 3)
                if pos == begin or number > 255 or text[pos] != ord(" "):
                    break
                begin = lines.after_spaces(text, pos)
                is_hex = not decimal
                if text[begin] == ord("0") and text[begin + 1] | 32 == ord("x"):
                    is_hex = True
                    begin += 2
                if is_hex:
                    identifier, pos = lines.hex_number(text, begin, end)
                else:
                    identifier, pos = lines.number(text, begin, 9)
                if pos == begin or text[pos] != ord(" "):
                    break
            pos = lines.after_spaces(text, pos)
            letter = text[pos] | 32
            extended = letter == ord("x")
            if not extended and letter != ord("s"):
                break
            if identifier > (extended_mask if extended else base_mask):
                break
            identifier |= extended << 31
            pos += 1
            is_remote = text[pos] | 32 == ord("r")
            if is_remote:
                identifier |= 0x40000000
                pos += 1
            elif text[pos] == ord("-"):
                if text[pos + 1] | 32 != ord("f") or text[pos + 2] | 32 != ord("d"):
                    break
                mark |= 1
                pos += 3
            if text[pos] != ord(" "):
                break
            begin = lines.after_spaces(text, pos)
            length, pos = lines.number(text, begin, 2)
            if pos == begin or length > (64 if mark & 1 else 8):
                break
            code = words.fd_code(length)
            if code > 15:
                break
            if is_remote:
                length = 0
            if decimal:
                size = 0
                while size < length and text[pos] == ord(" "):
                    value, begin = lines.number(text, pos + 1, 3)
                    if begin == pos + 1 or value > 255:
                        break
                    payload[used + size] = value
                    size += 1
                    pos = begin
                if size < length:
                    break
            else:
                pos = lines.spaced_data(text, pos, end, payload, used, length)
                if pos < 0:
                    break
            stop = lines.after_line(text, lines.after_spaces(text, pos)) - 1
            if stop < 0:
                break
        known = numbers[number]
        if known == lines.NO_CHANNEL:
            reason = lines.NAME
            break
        timestamp_ns[row] = time + shift_ns
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = known
        dlc_code[row] = code
        last = time
        used += length
        row += 1
        offset[row] = used
        at = stop + 1
        reason = lines.DONE
    gil.acquire(thread)
    return at, row, reason
