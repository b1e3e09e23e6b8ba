"""Lines of Vector's ASC to columns and back.

::

       2.500900 1  64              Tx   d 8 00 01 02 03 04 05 06 07
       2.501000 2  C8x             Rx   r 4
       2.502000 CANFD   1 Rx         55                                   0 0 9 12 AA … 130000 130 1000 0 0 …

The grammar of ``parse``, with hexadecimal numbers and absolute times; anything else is left to the reader,
``cantools_cli/io/asc/lines.py``::

    classic   = time channel id direction ("d" dlc {octet} | "r" [dlc]) [anything]
    fd        = time "CANFD" channel direction id [name] brs esi dlc length {octet} [tail]
    tail      = duration bits flags, then 3 or 5 fields more
    time      = seconds ("." | ",") fraction
    id        = hexadecimal ["x"]

The fast paths: most lines share their seconds with an earlier one, and have the columns of a classic frame,
or of a CAN FD frame as canx writes them. Their fields are read as words and checked by one condition. The
general path, ``_head``, reads field by field.

``parse`` stops with ``NAME`` at a frame of a channel that is not in the table.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

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
    lines.check_text(text, at, end)
    lines.check_numbers(numbers)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    room, payload_room = len(timestamp_ns), len(payload)
    extended_mask, base_mask, every_bit, low_half = 0x1FFFFFFF, 0x7FF, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF
    usual, usual_fd, blanks, received = USUAL, USUAL_FD, BLANKS, RECEIVED
    canfd, fixed, fixed_mask = CANFD, FD_FIXED, FD_FIXED_MASK
    before_flags, behind_flags = FD_BEFORE_FLAGS, FLAGS_END + FD_BEHIND_FLAGS
    before_size, tail_size = len(before_flags), len(before_flags) + 1 + len(behind_flags)
    most_ns = min(most_seconds, 9000000000) * lines.BILLION
    row, used, reason = first, offset[first], lines.DONE
    stamp_size = stamp_ns = 0  # the last new second: its length up to the point, and value
    stamp = stamp_mask = 0  # that text as a word, and a mask of its bytes
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        is_usual = is_fd = 0
        if stamp_size and at + usual <= end and words.load8(text, at) & stamp_mask == stamp:
            pos = at + stamp_size
            word = words.load8(text, pos)
            fraction = words.decimal(word, 6)
            time = stamp_ns + fraction * 1000
            number = (word >> 56) - ord("0")
            is_usual = (fraction >= 0) & (word >> 48 & 255 == ord(" ")) & (0 <= number <= 9)
            is_usual &= (text[pos + 8] == ord(" ")) & (text[pos + 9] == ord(" "))
            word = words.hex_run(words.load8(text, pos + 10))
            digits = word >> 32
            identifier = word & low_half
            extended = text[pos + 10 + digits] == ord("x")
            is_usual &= (digits > 0) & (words.load8(text, pos + 10 + digits) == blanks + 88 * extended)
            is_usual &= words.load8(text, pos + 18) >> 8 == blanks >> 8
            is_usual &= identifier <= (extended_mask if extended else base_mask)
            identifier |= extended << 31
            word = words.load8(text, pos + 26)
            mark = word & 255
            code = lines.nibble(word >> 56)
            is_usual &= ((word ^ received) << 8 & every_bit) >> 16 == 0
            is_usual &= ((mark == ord("R")) | (mark == ord("T"))) & (code <= 15)
            mark = (mark & 4) << 1  # T of a sent frame
            length = code if code < 8 else 8
            is_usual &= words.unhex_spaced(text, pos + 34, payload, used) >= length
            value = text[pos + 34 + 3 * length]
            is_usual &= (value == ord("\n")) | (value == ord("\r")) | (value == ord(" "))
            if is_usual:
                pos += 34 + 3 * length
            elif at + usual_fd <= end:  # up to the data
                pos, number, identifier, mark, code, length = _fd_columns(
                    text, pos + 6, blanks, canfd, fixed, fixed_mask
                )
                is_fd = (fraction >= 0) & (pos > 0)
        if not is_usual:
            if not is_fd:
                begin = lines.after_spaces(text, at)
                pos = lines.seconds(text, begin, end, timestamp_ns, row)
                if pos < 0 or text[pos] not in (ord("."), ord(",")) or timestamp_ns[row] > most_ns:
                    break
                stamp_ns = start_ns + timestamp_ns[row]
                stamp_size = pos + 1 - at if pos - at < 8 and at + 8 <= end else 0
                stamp_mask = words.first_bytes(every_bit, stamp_size)
                stamp = lines.load(text, at, end) & stamp_mask
                pos = lines.fraction(text, pos + 1, end, timestamp_ns, row)
                if pos < 0 or text[pos] != ord(" "):
                    break
                time = start_ns + timestamp_ns[row]
                pos, number, identifier, mark, code, length, is_fd = _head(text, pos, end, canfd)
                if pos < 0:
                    break
            pos = lines.spaced_data(text, pos, end, payload, used, length)
            if pos < 0 or text[pos] not in (ord(" "), ord("\n"), ord("\r")):
                break
        if is_fd:
            index = pos + tail_size
            if (  # usually as canx writes it
                index < end
                and text[index] <= ord("\r")
                and ord("0") <= text[pos + before_size] <= ord("9")
                and words.same(text, pos, before_flags, before_size)
                and words.same(text, pos + before_size + 1, behind_flags, tail_size - before_size - 1)
            ):
                bits = (text[pos + before_size] - ord("0")) << 12
                pos = index
            else:
                pos, bits = _tail(text, pos, end)
            kind = _fd_kind(bits, mark, code, length)
            if pos < 0 or kind < 0:
                break
            mark = kind & 15
            identifier |= (kind >> 4) << 30
        else:
            while text[pos] != ord("\n") and text[pos] != ord("\r"):
                pos += 1
        pos = lines.after_line(text, pos)
        if pos < 0:
            break
        known = numbers[number]
        if known == lines.NO_CHANNEL:
            reason = lines.NAME
            break
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = known
        dlc_code[row] = code
        used += length
        row += 1
        offset[row] = used
        at = pos
        reason = lines.DONE
    gil.acquire(thread)
    return at, row, reason


def _fd_columns(
    text: ReadBuffer, pos: int, blanks: int, canfd: int, fixed: int, fixed_mask: int
) -> tuple[int, int, int, int, int, int]:
    """Read the columns of a CAN FD frame as canx writes them, from the time up to the data.

    Return (position, channel, identifier, flags, DLC, length); the position is -1 if they are not there.
    """
    is_fd = (words.load8(text, pos) == canfd) & (text[pos + 8] == ord(" "))
    number = text[pos + 9] - ord("0")
    word = words.load8(text, pos + 10)
    mark = word >> 8 & 255
    is_fd &= (words.first_bytes(word >> 16, 4) == 0x20202078) & (word & 255 == ord(" "))  # x and blanks
    is_fd &= ((mark == ord("R")) | (mark == ord("T"))) & (0 <= number <= 9)
    mark = (mark & 4) << 1
    word = words.load8(text, pos + 16)
    index = words.blanks(word)
    is_fd &= index < 8
    index &= 7
    identifier = words.hexadecimal(word >> 8 * index, 8 - index)
    extended = text[pos + 24] == ord("x")
    is_fd &= (identifier >= 0) & (identifier <= (0x1FFFFFFF if extended else 0x7FF))
    is_fd &= extended | (text[pos + 24] == ord(" "))
    is_fd &= (words.load8(text, pos + 25) == blanks) & (words.load8(text, pos + 33) == blanks)
    is_fd &= (words.load8(text, pos + 41) == blanks) & (words.load8(text, pos + 49) == blanks)
    word = words.load8(text, pos + 57)
    tens = text[pos + 65] - ord("0")
    is_fd &= (word & fixed_mask == fixed) & (text[pos + 58] == ord(" "))
    mark |= (word >> 16 & 1) << 1 | (word >> 32 & 1) << 2
    code = lines.nibble(word >> 48 & 255)
    length = text[pos + 66] - ord("0")
    is_fd &= (code <= 15) & (0 <= length <= 9) & ((tens == -16) | (1 <= tens <= 6))  # -16: a space
    length += 10 * tens if tens > 0 else 0
    is_fd &= (length <= 64) & (text[pos + 67] <= ord(" "))
    return pos + 67 if is_fd else -1, number, identifier | extended << 31, mark, code, length


def _fd_kind(bits: int, mark: int, code: int, length: int) -> int:
    """Return the flags of a frame with the ``bits`` of its tail, and 16 if it is a remote frame.

    -1 if it is none of CAN FD, or they contradict each other.
    """
    if bits & 0x400000:  # CAN XL
        return -1
    if bits & 16 or (length == 0 and code > 0):
        return -1 if length or bits & 0x1000 or mark & 2 else mark & 8 | 16
    if bits & 0x1000 or length > 8 or mark & 2:
        return mark | 1 if words.fd_code(length) == code else -1
    return mark & 8 if code == length or (length == 8 and code > 8) else -1


def _head(text: ReadBuffer, pos: int, end: int, canfd: int) -> tuple[int, int, int, int, int, int, int]:
    """Parse the fields between time and data.

    Return (position, channel, identifier, flags, DLC, length, 1 for CAN FD); the position is -1 if they are
    malformed.
    """
    malformed = -1, 0, 0, 0, 0, 0, 0
    pos = lines.after_spaces(text, pos)
    is_fd = 0
    if text[pos] == ord("C"):
        if words.first_bytes(lines.load(text, pos, end), 6) != words.first_bytes(canfd >> 8, 6):
            return malformed
        is_fd = 1
        pos = lines.after_spaces(text, pos + 5)
    number, begin = lines.number(text, pos, 3)
    if begin == pos or number > 255 or text[begin] != ord(" "):
        return malformed
    begin = lines.after_spaces(text, begin)
    mark = 0
    if is_fd:
        mark = lines.direction(text, begin)
        if mark < 0 or text[begin + 2] != ord(" "):
            return malformed
        begin = lines.after_spaces(text, begin + 2)
    identifier, pos = lines.hex_number(text, begin, end)
    extended = text[pos] == ord("x")
    if pos == begin or identifier > (0x1FFFFFFF if extended else 0x7FF) or text[pos + extended] != ord(" "):
        return malformed
    identifier |= extended << 31
    pos += extended
    pos = lines.after_many_spaces(text, pos, end)
    code = length = 0
    if is_fd:
        value = _switch(text, pos)
        # the name of the message may precede it, but not Kvaser's mark of an overrun
        if value < 0 and text[pos] != ord("#"):
            while text[pos] > ord(" "):
                pos += 1
            pos = lines.after_spaces(text, pos)
            value = _switch(text, pos)
        if value < 0:
            return malformed
        pos = lines.after_spaces(text, pos + 1)
        mark |= value << 1
        value = _switch(text, pos)
        if value < 0:
            return malformed
        mark |= value << 2
        pos = lines.after_spaces(text, pos + 1)
        code = lines.nibble(text[pos])
        if code > 15 or text[pos + 1] != ord(" "):
            return malformed
        begin = lines.after_spaces(text, pos + 1)
        length, pos = lines.number(text, begin, 2)
        if pos == begin or length > 64 or (length < 10 and pos == begin + 2):
            return malformed
    else:
        mark = lines.direction(text, pos)
        if mark < 0 or text[pos + 2] != ord(" "):
            return malformed
        pos = lines.after_spaces(text, pos + 2)
        if text[pos] not in (ord("d"), ord("r")):
            return malformed
        begin = lines.after_spaces(text, pos + 1)
        code = lines.nibble(text[begin])
        if text[pos] == ord("d"):
            if begin == pos + 1 or code > 15:
                return malformed
            length = min(code, 8)
            pos = begin + 1
        else:  # the length is optional, and "Length =" may follow
            identifier |= 0x40000000
            pos += 1
            if code <= 15 and begin > pos:
                pos = begin + 1
            else:
                code = 0
                if begin > pos and text[begin] not in (ord("L"), ord("\n"), ord("\r")):
                    return malformed
    return pos, number, identifier, mark, code, length, is_fd


def _switch(text: ReadBuffer, pos: int) -> int:
    """Return the value of a field that is 0 or 1, -1 if it is not."""
    value = text[pos] - ord("0")
    return value if 0 <= value <= 1 and text[pos + 1] == ord(" ") else -1


def _tail(text: ReadBuffer, pos: int, end: int) -> tuple[int, int]:
    """Parse the fields after the data of a CAN FD frame; return (position, bits).

    The position is -1 unless there are 0, 6 or 8 fields: the first may have been a name of digits.
    """
    bits = tokens = 0
    while True:
        pos = lines.after_many_spaces(text, pos, end)
        if text[pos] <= ord("\r"):
            return pos if tokens in (0, 6, 8) else -1, bits
        tokens += 1
        if tokens == 3:
            bits, pos = lines.hex_number(text, pos, end)
            if text[pos] != ord(" "):
                return -1, 0
        while text[pos] > ord("\r") and text[pos] != ord(" "):
            pos += 1


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
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    rows, room, number_count, line_room = len(timestamp_ns), len(out), len(numbers), LINE_ROOM
    before_size, behind_size = len(FD_BEFORE_FLAGS), len(FD_BEHIND_FLAGS)
    before_flags = FD_BEFORE_FLAGS + bytes(8)  # so that they are copied as words
    behind_flags = FD_BEHIND_FLAGS + bytes(8)
    received, blanks, canfd = RECEIVED, BLANKS, CANFD
    remote = 14 << 40  # from d to r
    every_bit, zero_to_blank = 0xFFFFFFFF, 0x1010101010101010
    latest = FAR_FUTURE if start_ns >= 0 else FAR_FUTURE + start_ns
    billion = lines.BILLION
    to, row = 0, first
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length up to the point, and value
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= number_count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        number = numbers[index]
        begin, end = offset[row], offset[row + 1]
        if to + line_room + 3 * (end - begin) > room:
            break
        word, mark, time = can_id[row], flags[row], timestamp_ns[row]
        if word & 0x20000000 or mark & 16 or time < start_ns or time > latest:
            break
        time -= start_ns
        since = time - stamp_ns
        if stamp_size and 0 <= since < billion:  # most lines: the digits of an earlier line
            words.repeat32(out, stamp_at, to)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            stamp_at, stamp_ns = to, seconds * billion
            rest = time - stamp_ns
            words.store4(out, to, blanks & every_bit)  # right-aligned in four columns
            index = (seconds < 1000) + (seconds < 100) + (seconds < 10)
            to = lines.put_decimal(seconds, 1, out, to + index)
            out[to] = ord(".")
            to += 1
            stamp_size = to - stamp_at
        micro = rest // 1000
        nano = rest - micro * 1000
        words.store8(out, to, words.decimal6(micro))
        to += 6
        if nano:
            words.store8(out, to, words.decimal8(nano) >> 40)
            to += 3
        # identifier: its digits are counted and written without a branch, which would be unpredictable
        identifier = word & 0x1FFFFFFF
        extended = word >> 31
        width = words.hex_width(identifier)
        code = dlc_code[row] & 15
        if mark & 1:
            words.store8(out, to, canfd)
            words.store4(out, to + 8, blanks & every_bit)
            to = lines.put_decimal(number, 1, out, to + 7 + (number < 100) + (number < 10))
            for index in range(0, 64, 8):
                words.store8(out, to + index, blanks)
            out[to + 1] = ord("T") if mark & 8 else ord("R")
            out[to + 2] = ord("x")
            if extended:
                out[to + 14] = ord("x")
            # right-aligned in eight columns: spaces over leading zeros
            bits = words.hexadecimal8(identifier) ^ words.first_bytes(zero_to_blank, 8 - width)
            words.store8(out, to + 6, bits)
            to += 49
            out[to] = ord("0") + (mark >> 1 & 1)
            out[to + 2] = ord("0") + (mark >> 2 & 1)
            out[to + 4] = lines.hex_digit(code, lines.LOWER)
            index = end - begin
            if index > 9:
                out[to + 6] = ord("0") + index // 10
            out[to + 7] = ord("0") + index % 10
            to += 8
        else:
            words.store8(out, to, blanks)
            to = lines.put_decimal(number, 1, out, to + 1)
            words.store4(out, to, blanks & every_bit)
            to += 1 + (number < 10)
            # left-aligned in fifteen columns
            words.store8(out, to, words.hexadecimal8(identifier << (32 - 4 * width) & every_bit))
            words.store8(out, to + 8, blanks)
            words.store8(out, to + width, blanks + 88 * extended)  # x
            words.store8(out, to + 16, received + (mark >> 2 & 2) + (word >> 30 & 1) * remote)  # Tx, r
            out[to + 23] = lines.hex_digit(code, lines.UPPER)
            to += 24
        to = lines.put_spaced_hex(payload, begin, end, out, to)
        if mark & 1:
            to = lines.put(before_flags, 0, before_size, out, to)
            out[to] = ord("1") + (mark & 6)  # 1000, and 2000 and 4000 as the frame has them
            out[to + 1] = out[to + 2] = out[to + 3] = ord("0")
            to = lines.put(behind_flags, 0, behind_size, out, to + 4)
        if crlf:
            out[to] = ord("\r")
            to += 1
        out[to] = ord("\n")
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
