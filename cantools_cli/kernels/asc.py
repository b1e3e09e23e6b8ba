"""Lines of Vector's ASC to columns and back.

::

       2.500900 1  64              Tx   d 8 00 01 02 03 04 05 06 07
       2.501000 2  C8x             Rx   r 4
       2.502000 CANFD   1 Rx         55                                   0 0 9 12 AA … 130000 130 1000 0 0 …

``parse`` handles these forms, in hexadecimal and with absolute times. It leaves any other line to the reader.
Grammar: ``cantools_cli/io/asc/lines.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels._tables import DECIMAL, FD_LENGTHS, HEX, NIBBLE
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual or malformed line
CHANNEL = 3  #: a frame of a channel that is not in the table

NO_CHANNEL = 0xFFFF  #: the table entry of an unknown channel
CHANNELS = 256  #: number of entries of that table
FAR_FUTURE = 0x7FFFFFFFFFFFFFFF

BLANKS = 0x2020202020202020
RECEIVED = 0x2020642020207852  #: ``Rx   d`` and two blanks, the first byte lowest

#: the fields after the data of a CAN FD frame: duration, bits, flags, CRC and four bit timings
FD_BEFORE_FLAGS = b"        0    0     "
FD_BEHIND_FLAGS = b"        0        0        0        0        0"
FLAGS_END = b"000"  #: the end of flags of which only the first digit is not 0

#: maximum length of a formatted line without the data
LINE_ROOM = 192
#: maximum length of a usual line, and the bytes of it that are read as words
USUAL = 96
USUAL_FD = 112  #: of it up to the data of a CAN FD frame
CANFD = words.load8(b" CANFD  ", 0)
#: two flags before the DLC, and a mask of the bits that are not values
FD_FIXED = words.load8(b"  0 0 \0 ", 0)
FD_FIXED_MASK = 0xFF00FFFEFFFEFFFF


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    numbers: UInt16s,
    start_ns: int,
    most_seconds: int,
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

    ``numbers`` maps each channel number to a channel of the batch. Times count from ``start_ns``; the caller
    handles one above ``most_seconds``. Returns the position where it stopped (the start of a line), the
    number of filled rows, and the reason.
    """
    nibble = NIBBLE
    lengths = FD_LENGTHS
    done, full, strange, unknown, no_channel = DONE, FULL, STRANGE, CHANNEL, NO_CHANNEL
    extended_bit, extended_mask, base_mask, remote_bit = 0x80000000, 0x1FFFFFFF, 0x7FF, 0x40000000
    only_extended = extended_mask - base_mask
    before_flags, behind_flags = FD_BEFORE_FLAGS, FLAGS_END + FD_BEHIND_FLAGS
    before_size, behind_size = len(before_flags), len(behind_flags)
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
    usual, usual_fd = USUAL, USUAL_FD
    behind_direction, every_id_bit = 0x20202078, 0xFFFFFFFF  # x and blanks
    canfd, fixed, fixed_mask = CANFD, FD_FIXED, FD_FIXED_MASK
    blanks, received = BLANKS, RECEIVED
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_mask = 0
    every_bit = 0xFFFFFFFFFFFFFFFF
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        begin = used
        is_usual = 0
        stamp_end = 0  # the position after the time of the previous line, 0 if this line has another time
        if at + usual <= end and stamp_size and words.load8(text, at) & stamp_mask == stamp:
            # Most lines share their seconds with the previous one and have the columns of a classic frame:
            # they are read as words and checked by one condition.
            pos = at + stamp_size
            stamp_end = pos
            word = words.load8(text, pos)
            fraction = words.decimal(word, 6)
            number = (word >> 56) - 48
            is_usual = (fraction >= 0) & (word >> 48 & 255 == 32) & (0 <= number <= 9)
            is_usual &= (text[pos + 8] == 32) & (text[pos + 9] == 32)
            pos += 10
            word = words.hex_run(words.load8(text, pos))
            digits = word >> 32
            identifier = word & every_id_bit
            extended = text[pos + digits] == 120  # x
            is_usual &= (digits > 0) & (words.load8(text, pos + digits) == blanks + 88 * extended)
            is_usual &= words.load8(text, pos + 8) >> 8 == blanks >> 8
            is_usual &= identifier <= base_mask + extended * only_extended
            identifier |= extended_bit * extended
            word = words.load8(text, pos + 16)
            mark = word & 255
            code = nibble[word >> 56]
            is_usual &= ((word ^ received) << 8 & every_bit) >> 16 == 0
            is_usual &= ((mark == 82) | (mark == 84)) & (code <= 15)
            mark = (mark & 4) << 1  # T of a sent frame
            length = code if code < 8 else 8
            pos += 24
            is_usual &= words.unhex_spaced(text, pos, payload, used) >= length
            pos += 3 * length
            value = text[pos]
            if is_usual & ((value == 10) | (value == 13) | (value == 32)):
                is_fd_line = 0
                used += length
                time = stamp_ns + fraction * 1000
            else:
                is_usual = 0
        usual_head = 0
        if stamp_end and not is_usual and at + usual_fd <= end:
            # the columns of a CAN FD frame as canx writes them, up to the data
            pos = stamp_end + 6
            usual_head = (fraction >= 0) & (words.load8(text, pos) == canfd) & (text[pos + 8] == 32)
            number = text[pos + 9] - 48
            usual_head &= 0 <= number <= 9
            word = words.load8(text, pos + 10)
            mark = word >> 8 & 255
            usual_head &= (word >> 16 & every_id_bit == behind_direction) & (word & 255 == 32)
            usual_head &= (mark == 82) | (mark == 84)
            mark = (mark & 4) << 1
            word = words.load8(text, pos + 16)
            index = words.blanks(word)
            usual_head &= index < 8
            index &= 7
            found = words.hexadecimal(word >> 8 * index, 8 - index)
            extended = text[pos + 24] == 120
            usual_head &= (found >= 0) & (found <= (extended_mask if extended else base_mask))
            identifier = found | extended_bit * extended
            usual_head &= (extended == 1) | (text[pos + 24] == 32)
            usual_head &= (words.load8(text, pos + 25) == blanks) & (words.load8(text, pos + 33) == blanks)
            usual_head &= (words.load8(text, pos + 41) == blanks) & (words.load8(text, pos + 49) == blanks)
            word = words.load8(text, pos + 57)
            value = text[pos + 65] - 48
            usual_head &= (word & fixed_mask == fixed) & (text[pos + 58] == 32)
            mark |= (word >> 16 & 1) << 1 | (word >> 32 & 1) << 2
            code = nibble[word >> 48 & 255]
            length = text[pos + 66] - 48
            usual_head &= (code <= 15) & (0 <= length <= 9) & ((value == -16) | (1 <= value <= 6))
            length += 10 * value if value > 0 else 0
            usual_head &= (length <= 64) & (text[pos + 67] <= 32)
            if usual_head:
                is_fd_line = 1
                time = stamp_ns + fraction * 1000
                pos += 67
        if not is_usual and not usual_head:
            pos = at
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
            if pos == begin or pos - begin > 10 or value not in (-2, -4):  # . or ,
                break
            if seconds > most_seconds:
                break
            pos += 1
            stamp_size = 0
            stamp_ns = start_ns + seconds * 1000000000
            if pos - at <= 8 and at + 8 <= end:
                stamp_size = pos - at
                stamp_mask = words.first_bytes(every_bit, stamp_size)
                stamp = words.load8(text, at) & stamp_mask
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
            if digits == 0 or digits > 9 or text[pos] != 32:
                break
            while digits < 9:
                fraction *= 10
                digits += 1
            time = stamp_ns + fraction
            while text[pos] == 32:
                pos += 1
            # kind of line, and channel
            is_fd_line = 0
            if text[pos] == 67:
                if text[pos + 1] != 65 or text[pos + 2] != 78 or text[pos + 3] != 70:
                    break
                if text[pos + 4] != 68 or text[pos + 5] != 32:
                    break
                is_fd_line = 1
                pos += 5
                while text[pos] == 32:
                    pos += 1
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
            if text[pos] != 32:  # one more digit: the number is too large
                break
            while text[pos] == 32:
                pos += 1
            # direction, then the identifier; in a classic line the other way round
            mark = 0
            if is_fd_line:
                value = text[pos]
                if value not in (82, 84) or text[pos + 1] != 120 or text[pos + 2] != 32:
                    break
                if value == 84:
                    mark = 8
                pos += 2
                while text[pos] == 32:
                    pos += 1
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
            if digits == 0 or digits > 8:
                break
            if text[pos] == 120:  # x
                if identifier > extended_mask:
                    break
                identifier |= extended_bit
                pos += 1
            elif identifier > 2047:
                break
            if text[pos] != 32:
                break
            while pos + 8 <= end and words.load8(text, pos) == blanks:
                pos += 8
            while text[pos] == 32:
                pos += 1
            if is_fd_line:
                # switch of the bit rate, error state, DLC and length
                value = text[pos] - 48
                if value < 0 or value > 1 or text[pos + 1] != 32:  # the name of the message precedes them
                    if text[pos] == 35:  # or Kvaser's mark of an overrun
                        break
                    while text[pos] > 32:
                        pos += 1
                    if text[pos] != 32:
                        break
                    while text[pos] == 32:
                        pos += 1
                    value = text[pos] - 48
                    if value < 0 or value > 1 or text[pos + 1] != 32:
                        break
                mark |= value << 1
                pos += 1
                while text[pos] == 32:
                    pos += 1
                value = text[pos] - 48
                if value < 0 or value > 1 or text[pos + 1] != 32:
                    break
                mark |= value << 2
                pos += 1
                while text[pos] == 32:
                    pos += 1
                code = nibble[text[pos]]
                if code > 15 or text[pos + 1] != 32:
                    break
                pos += 1
                while text[pos] == 32:
                    pos += 1
                length = text[pos] - 48
                if length < 0 or length > 9:
                    break
                pos += 1
                value = text[pos] - 48
                if 0 <= value <= 9 and length > 0:
                    length = length * 10 + value
                    pos += 1
                if length > 64:
                    break
            else:
                value = text[pos]
                if value not in (82, 84) or text[pos + 1] != 120 or text[pos + 2] != 32:
                    break
                if value == 84:
                    mark = 8
                pos += 2
                while text[pos] == 32:
                    pos += 1
                length = 0
                code = 0
                if text[pos] == 100:  # d
                    if text[pos + 1] != 32:
                        break
                    pos += 1
                    while text[pos] == 32:
                        pos += 1
                    code = nibble[text[pos]]
                    if code > 15:
                        break
                    pos += 1
                    length = code if code < 8 else 8
                elif text[pos] == 114:  # r, its length optional
                    identifier |= remote_bit
                    pos += 1
                    if text[pos] == 32:
                        while text[pos] == 32:
                            pos += 1
                        value = nibble[text[pos]]
                        if value <= 15:
                            code = value
                            pos += 1
                        elif text[pos] != 76 and text[pos] != 10 and text[pos] != 13:  # Length
                            break
                        else:
                            pos -= 1
                else:
                    break
        if not is_usual:
            begin = used
            index = 0
            while (
                index + 8 <= length and pos + 32 <= end and words.unhex_spaced(text, pos, payload, used) == 8
            ):
                used += 8
                pos += 24
                index += 8
            while index < length:
                if text[pos] != 32:
                    break
                value = nibble[text[pos + 1]]
                if value > 15:
                    break
                low = nibble[text[pos + 2]]
                if low > 15:
                    break
                payload[used] = value << 4 | low
                used += 1
                pos += 3
                index += 1
            if index < length or (text[pos] != 32 and text[pos] != 10 and text[pos] != 13):
                used = begin
                break
        # the fields after the data
        if is_fd_line:
            bits = 0
            tokens = 0
            index = pos + before_size + 1 + behind_size
            if (  # usually as canx writes them
                index < end
                and (text[index] <= 13 or text[index] == 32)
                and 48 <= text[pos + before_size] <= 57
                and words.same(text, pos, before_flags, before_size)
                and words.same(text, pos + before_size + 1, behind_flags, behind_size)
            ):
                bits = (text[pos + before_size] - 48) << 12
                tokens = 8
                pos = index
            while True:
                while pos + 8 <= end and words.load8(text, pos) == blanks:
                    pos += 8
                while text[pos] == 32:
                    pos += 1
                if text[pos] <= 13:
                    break
                tokens += 1
                if tokens == 3:
                    value = nibble[text[pos]]
                    digits = 0
                    while value <= 15 and digits < 8:
                        bits = bits << 4 | value
                        digits += 1
                        pos += 1
                        value = nibble[text[pos]]
                    if text[pos] != 32:
                        tokens = 1
                        break
                while text[pos] > 13 and text[pos] != 32:
                    pos += 1
            # Any other number of fields: the first may have been a name made of digits.
            if tokens not in (0, 6, 8):
                used = begin
                break
            if bits & 4194304:  # CAN XL
                used = begin
                break
            if bits & 16 or (length == 0 and code > 0):
                if length != 0 or bits & 4096 or mark & 2:
                    used = begin
                    break
                identifier |= remote_bit
                mark &= 8
            elif bits & 4096 or length > 8 or mark & 2:
                mark |= 1
                if length != lengths[code]:
                    used = begin
                    break
            else:
                mark &= 8
                if code != length and (length != 8 or code < 8):
                    used = begin
                    break
        else:
            while text[pos] != 10 and text[pos] != 13:
                pos += 1
        if text[pos] == 13:
            pos += 1
        if text[pos] != 10:
            used = begin
            break
        known = numbers[number]
        if known == no_channel:
            used = begin
            reason = unknown
            break
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = known
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
    numbers: UInt16s,
    start_ns: int,
    crlf: int,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (the next row, bytes written).

    ``numbers`` holds the number of each channel, times count from ``start_ns``. The fraction has six digits,
    or nine if a row needs them. Stops at a row for which ``out`` may have no room, and at an error frame, a
    CAN XL frame and one with a time before ``start_ns``, which the caller handles.
    """
    hexadecimal = HEX
    decimal = DECIMAL
    before_size, behind_size = len(FD_BEFORE_FLAGS), len(FD_BEHIND_FLAGS)
    before_flags = FD_BEFORE_FLAGS + bytes(8)  # so that they are copied as words
    behind_flags = FD_BEHIND_FLAGS + bytes(8)
    line_room = LINE_ROOM
    received = RECEIVED
    remote = 14 << 40  # from d to r
    error_bit, extended_mask, every_bit = 0x20000000, 0x1FFFFFFF, 0xFFFFFFFF
    latest = FAR_FUTURE if start_ns >= 0 else FAR_FUTURE + start_ns
    rows = len(timestamp_ns)
    room = len(out)
    payload_size = len(payload)
    number_count = len(numbers)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    blanks = BLANKS
    to = 0
    row = first
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_end = 0
    billion = 1000000000
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= number_count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        number = numbers[index]
        begin = offset[row]
        end = offset[row + 1]
        if to + line_room + 3 * (end - begin) > room:
            break
        word = can_id[row]
        time = timestamp_ns[row]
        if word & error_bit or flags[row] & 16 or time < start_ns or time > latest:
            break
        time -= start_ns
        since = time - stamp_ns
        if stamp_size and 0 <= since < billion:  # most lines: the digits of the line before
            words.store8(out, to, stamp)
            if stamp_size > 8:
                words.store8(out, to + 8, stamp_end)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            stamp_ns = seconds * billion
            rest = time - stamp_ns
            count = 1
            left = seconds
            while left > 9:
                left //= 10
                count += 1
            count = max(count, 4)
            left = seconds
            index = to + count
            while index > to:
                index -= 1
                out[index] = 48 + left % 10
                left //= 10
                if left == 0:
                    break
            while index > to:
                index -= 1
                out[index] = 32
            out[to + count] = 46
            stamp_size = count + 1
            stamp = words.reload8(out, to)
            stamp_end = words.reload8(out, to + 8)
            to += stamp_size
        micro = rest // 1000
        nano = rest - micro * 1000
        index = micro // 10000
        words.copy2(decimal, 2 * index, out, to)
        micro -= index * 10000
        index = micro // 100
        words.copy2(decimal, 2 * index, out, to + 2)
        words.copy2(decimal, 2 * (micro - index * 100), out, to + 4)
        to += 6
        if nano:
            out[to] = 48 + nano // 100
            words.copy2(decimal, 2 * (nano % 100), out, to + 1)
            to += 3
        # identifier: its digits are counted and written without a branch, which would be unpredictable
        identifier = word & extended_mask
        extended = word >> 31
        width = words.hex_width(identifier)
        digits = identifier << (32 - 4 * width) & every_bit
        mark = flags[row]
        code = dlc_code[row] & 15
        count = 1
        if number > 9:
            count = 2
            left = number // 100
            while left:
                count += 1
                left //= 10
        words.store8(out, to, blanks)
        if mark & 1:
            out[to + 1] = 67
            out[to + 2] = 65
            out[to + 3] = 78
            out[to + 4] = 70
            out[to + 5] = 68
            words.store4(out, to + 6, blanks & every_bit)
            to += 7
            if count < 3:
                to += 3 - count
        else:
            to += 1
        if count == 1:
            out[to] = 48 + number
            to += 1
        else:
            index = to + count
            left = number
            while index > to:
                index -= 1
                out[index] = 48 + left % 10
                left //= 10
            to += count
        if mark & 1:
            for index in range(0, 64, 8):
                words.store8(out, to + index, blanks)
            out[to + 1] = 84 if mark & 8 else 82
            out[to + 2] = 120
            if extended:
                out[to + 14] = 120
            # right-aligned in eight columns, x in the next: all digits, then spaces over leading zeros
            words.copy2(hexadecimal, 2 * (identifier >> 24), out, to + 6)
            words.copy2(hexadecimal, 2 * (identifier >> 16 & 255), out, to + 8)
            words.copy2(hexadecimal, 2 * (identifier >> 8 & 255), out, to + 10)
            words.copy2(hexadecimal, 2 * (identifier & 255), out, to + 12)
            index = to + 6
            while width < 8:
                out[index] = 32
                index += 1
                width += 1
            to += 49
            out[to] = 48 + (mark >> 1 & 1)
            out[to + 2] = 48 + (mark >> 2 & 1)
            out[to + 4] = 48 + code if code < 10 else 87 + code
            index = end - begin
            if index > 9:
                out[to + 6] = 48 + index // 10
            out[to + 7] = 48 + index % 10
            to += 8
        else:
            words.store4(out, to, blanks & every_bit)
            to += 1 + (count < 2)
            # left-aligned in fifteen columns
            words.copy2(hexadecimal, 2 * (digits >> 24), out, to)
            words.copy2(hexadecimal, 2 * (digits >> 16 & 255), out, to + 2)
            words.copy2(hexadecimal, 2 * (digits >> 8 & 255), out, to + 4)
            words.copy2(hexadecimal, 2 * (digits & 255), out, to + 6)
            words.store8(out, to + 8, blanks)
            words.store8(out, to + width, blanks + 88 * extended)  # x
            words.store8(out, to + 16, received + (mark >> 2 & 2) + (word >> 30 & 1) * remote)  # Tx, r
            out[to + 23] = hexadecimal[2 * code + 1]
            to += 24
        while begin + 8 <= payload_size:
            # always 8 bytes: the following output overwrites the surplus
            words.hex8_spaced(payload, begin, out, to)
            if end - begin <= 8:
                to += 3 * (end - begin)
                begin = end
                break
            to += 24
            begin += 8
        while begin < end:
            out[to] = 32
            words.copy2(hexadecimal, 2 * payload[begin], out, to + 1)
            to += 3
            begin += 1
        if mark & 1:
            for index in range(0, before_size, 8):
                words.store8(out, to + index, words.load8(before_flags, index))
            to += before_size
            out[to] = 49 + (mark & 6)  # 1000, and 2000 and 4000 as the frame has them
            out[to + 1] = 48
            out[to + 2] = 48
            out[to + 3] = 48
            to += 4
            for index in range(0, behind_size, 8):
                words.store8(out, to + index, words.load8(behind_flags, index))
            to += behind_size
        if crlf:
            out[to] = 13
            to += 1
        out[to] = 10
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
