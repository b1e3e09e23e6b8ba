"""Lines of BUSMASTER's log to columns: ``22:20:14:9920 Rx 1 0x21A s 8 FE 36 12 FE 69 05 07 AD``.

``parse`` handles data and remote frames with the separators and data bytes that BUSMASTER and SavvyCAN write.
It leaves any other line to the reader: headers, errors, and the first line of each second of the day, since
only the reader knows time zones. Grammar: ``cantools_cli/io/busmaster.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels._tables import FD_CODES, FD_LENGTHS, NIBBLE
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual or malformed line
CHANNEL = 3  #: a frame of a channel that is not in the table

NO_CHANNEL = 0xFFFF  #: the table entry of an unknown channel
CHANNELS = 256  #: number of entries of that table

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
    nibble = NIBBLE
    codes = FD_CODES
    lengths = FD_LENGTHS
    done, full, strange, unknown, no_channel = DONE, FULL, STRANGE, CHANNEL, NO_CHANNEL
    extended_bit, extended_mask, base_mask, remote_bit = 0x80000000, 0x1FFFFFFF, 0x7FF, 0x40000000
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
    fixed, fixed_mask, lower, kinds, kinds_mask = FIXED, FIXED_MASK, LOWER, TYPE, TYPE_MASK
    prefix = PREFIX
    most = MAX_NS
    half_day = 43_200_000_000_000
    billion, four_digits, fewer_digits = 1_000_000_000, 100_000, 1_000_000
    of_the_day = mode == SYSTEM
    every_bit = 0xFFFFFFFFFFFFFFFF
    every_id_bit = 0xFFFFFFFF
    sum_mask = every_bit if mode == RELATIVE else 0
    last = last_ns
    stamp_size = 0  # length of the previous line's time up to the fraction; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_mask = stamp_end = end_mask = 0
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        # Most lines share their second with the previous one and have a channel of one digit: their head is
        # read as words and checked by one condition. No branch depends on the data.
        usual_head = 0
        if (
            at + usual <= end
            and stamp_size
            and words.load8(text, at) & stamp_mask == stamp
            and words.load8(text, at + 8) & end_mask == stamp_end
        ):
            # computed early, so that the processor overlaps the next line with this one: 16 bytes or more
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            word = words.decimal_run(words.load8(text, pos))
            digits = word >> 32
            time = stamp_ns + (word & every_id_bit) * (four_digits if digits == 4 else fewer_digits)
            time += last & sum_mask
            usual_head = (1 <= digits <= 4) & (time <= most)
            pos += digits
            word = words.load8(text, pos)
            letter = word >> 8 & 255 | 32
            number = (word >> 32 & 255) - 48
            usual_head &= ((word | lower) ^ fixed) & fixed_mask == 0
            usual_head &= ((letter == 114) | (letter == 116)) & (0 <= number <= 9)
            mark = (letter & 4) << 1  # t of a sent frame
            pos += 6 + 2 * ((word >> 48 | 0x2000) == prefix)
            word = words.hex_run(words.load8(text, pos))
            digits = word >> 32
            identifier = word & every_id_bit
            pos += digits
            word = words.load8(text, pos)
            usual_head &= (digits > 0) & (word & 255 == 32)
            letter = word >> 8 & 255 | 32
            extended = letter == 120
            length = (word >> 24 & 255) - 48
            if (
                usual_head
                & (extended | (letter == 115))
                & (0 <= length <= 8)
                & ((word ^ kinds) & kinds_mask == 0)
                & (identifier <= base_mask + extended * only_extended)
            ):
                index = pos + 4
                size = words.unhex_spaced(text, index, payload, used)
                index += 3 * length
                index += text[index] == 32
                index += text[index] == 13
                known = numbers[number]
                if (size >= length) & (index == stop) & (known != no_channel):
                    timestamp_ns[row] = time + shift_ns
                    can_id[row] = identifier | extended_bit * extended
                    flags[row] = mark
                    channel[row] = known
                    dlc_code[row] = length
                    last = time
                    used += length
                    row += 1
                    offset[row] = used
                    at = stop + 1
                    reason = done
                    continue
        if not usual_head:
            # time: 1 to 4 digits of hours, 1 or 2 of minutes and of seconds, 1 to 4 of fraction
            pos = at
            hours = 0
            value = text[pos] - 48
            while 0 <= value <= 9 and pos - at < 4:
                hours = hours * 10 + value
                pos += 1
                value = text[pos] - 48
            if pos == at or value != 10:  # :
                break
            pos += 1
            minutes = text[pos] - 48
            if minutes < 0 or minutes > 9:
                break
            pos += 1
            value = text[pos] - 48
            if 0 <= value <= 9:
                minutes = minutes * 10 + value
                pos += 1
            if text[pos] != 58:
                break
            pos += 1
            seconds = text[pos] - 48
            if seconds < 0 or seconds > 9:
                break
            pos += 1
            value = text[pos] - 48
            if 0 <= value <= 9:
                seconds = seconds * 10 + value
                pos += 1
            if text[pos] != 58 or minutes > 59 or seconds > 59 or (of_the_day and hours > 23):
                break
            pos += 1
            seconds += hours * 3600 + minutes * 60
            if second >= 0 and seconds != second:
                break
            stamp_size = 0
            stamp_ns = seconds * billion
            if not decimal and at + 16 <= end:
                stamp_size = pos - at
                index = stamp_size if stamp_size < 8 else 8
                stamp_mask = words.first_bytes(every_bit, index)
                end_mask = words.first_bytes(every_bit, stamp_size - index)
                stamp = words.load8(text, at) & stamp_mask
                stamp_end = words.load8(text, at + 8) & end_mask
            time = 0
            begin = pos
            value = text[pos] - 48
            while 0 <= value <= 9 and pos - begin < 4:
                time = time * 10 + value
                pos += 1
                value = text[pos] - 48
            if pos == begin or text[pos] != 32:
                break
            time = stamp_ns + time * (four_digits if pos - begin == 4 else fewer_digits)
            if of_the_day and time < last - half_day:  # of the next day
                break
            time += last & sum_mask
            if time > most:
                break
            while text[pos] == 32:
                pos += 1
            # direction and channel
            letter = text[pos] | 32
            if letter not in (114, 116) or text[pos + 1] | 32 != 120 or text[pos + 2] != 32:
                break
            mark = (letter & 4) << 1
            pos += 2
            while text[pos] == 32:
                pos += 1
            number = 0
            begin = pos
            value = text[pos] - 48
            while 0 <= value <= 9 and pos - begin < 3:
                number = number * 10 + value
                pos += 1
                value = text[pos] - 48
            if pos == begin or number > 255 or text[pos] != 32:
                break
            while text[pos] == 32:
                pos += 1
            # identifier
            identifier = 0
            is_hex = 0 if decimal else 1
            if text[pos] == 48 and text[pos + 1] | 32 == 120:
                is_hex = 1
                pos += 2
            begin = pos
            if is_hex:
                value = nibble[text[pos]]
                while value <= 15 and pos - begin < 8:
                    identifier = identifier << 4 | value
                    pos += 1
                    value = nibble[text[pos]]
            else:
                value = text[pos] - 48
                while 0 <= value <= 9 and pos - begin < 9:
                    identifier = identifier * 10 + value
                    pos += 1
                    value = text[pos] - 48
            if pos == begin or text[pos] != 32:
                break
        while text[pos] == 32:
            pos += 1
        # type: s or x alone, or with r or -fd
        letter = text[pos] | 32
        extended = letter == 120
        if (not extended and letter != 115) or identifier > base_mask + extended * only_extended:
            break
        identifier |= extended_bit * extended
        is_remote = text[pos + 1] | 32 == 114
        if is_remote:
            identifier |= remote_bit
            pos += 1
        elif text[pos + 1] == 45:
            if text[pos + 2] | 32 != 102 or text[pos + 3] | 32 != 100:
                break
            mark |= 1
            pos += 3
        pos += 1
        if text[pos] != 32:
            break
        while text[pos] == 32:
            pos += 1
        length = text[pos] - 48
        if length < 0 or length > 9:
            break
        pos += 1
        value = text[pos] - 48
        if 0 <= value <= 9:
            length = length * 10 + value
            pos += 1
        code = length
        if mark & 1:
            if length > 64:
                break
            code = codes[length]
            if length != lengths[code]:
                break
        elif length > 8:
            break
        begin = used
        if is_remote:
            length = 0
        limit = used + length
        if decimal:
            while used < limit and text[pos] == 32:
                size = pos + 1
                value = 0
                digits = text[size] - 48
                while 0 <= digits <= 9 and size - pos <= 3:
                    value = value * 10 + digits
                    size += 1
                    digits = text[size] - 48
                if size - pos == 1 or value > 255:
                    break
                payload[used] = value
                used += 1
                pos = size
        else:
            while used + 8 <= limit and pos + 32 <= end and words.unhex_spaced(text, pos, payload, used) == 8:
                used += 8
                pos += 24
            while used < limit and text[pos] == 32:
                value = nibble[text[pos + 1]]
                if value > 15:
                    break
                low = nibble[text[pos + 2]]
                if low > 15:
                    break
                payload[used] = value << 4 | low
                used += 1
                pos += 3
        if used == limit:
            while text[pos] == 32:
                pos += 1
            if text[pos] == 13:
                pos += 1
        if used < limit or text[pos] != 10:
            used = begin
            break
        known = numbers[number]
        if known == no_channel:
            used = begin
            reason = unknown
            break
        timestamp_ns[row] = time + shift_ns
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = known
        dlc_code[row] = code
        last = time
        row += 1
        offset[row] = used
        at = pos + 1
        reason = done
    gil.acquire(thread)
    return at, row, reason
