"""Lines of PEAK's TRC to columns and back.

::

          1      1059.900 DT 1      0300 Rx -  7    00 00 00 00 04 00 00
          5      1334.416 FD 1      0500 Tx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C
         12     48937.600 RR 1      0704 Rx -  1
         1)      1059.9  Rx         0300  7  00 00 00 00 04 00 00

The grammar of ``parse``; anything else is left to the reader, ``cantools_cli/io/trc/lines.py``::

    line    = the columns of the version, or of the file's own header, in any order; data last
    columns = N number [")"] | O milliseconds ["." fraction] | T type | B bus | I id | d, t direction
              | R "-" | l length | L dlc | D ({byte} | "RTR")
    type    = DT | FD | FB | FE | BI | RR

The fast path: most lines have the layout of the format's own examples. Their fields are read as words and
checked by one condition; the time of a line of the same second as an earlier one takes one operation. The
general path, ``_fields``, reads column by column.

``parse`` stops with ``NAME`` at a frame of a bus that is not in the table.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

FAR_FUTURE = 0x7FFFFFFFFFFFFFFF

#: maximum length of a formatted line without the data
LINE_ROOM = 128
#: maximum length of a usual line, and the bytes of it that are read as words; likewise of a CAN FD line
USUAL, USUAL_FD = 96, 256

BLANKS = 0x2020202020202020
BLANK_RETURN_NEWLINE = 0x0A0D20
NUMBER_END = 0x2029  #: a parenthesis and a space
#: decimals after the point, and room to read four bytes from the last ones
THOUSANDTHS = b"".join(b".%03d" % number for number in range(1000)) + bytes(4)
#: types of frames
DT, FD, FB, FE, BI, RR = (
    int.from_bytes(kind, "little") for kind in (b"DT", b"FD", b"FB", b"FE", b"BI", b"RR")
)
RTR = int.from_bytes(b" RTR", "little")  #: in place of the data of a remote frame, in versions 1.x

# The usual line of a version: the text after the time, by the letters of the columns; a length may have two
# digits. A layout is this text with spaces for letters, as words; masks of the constant bits; then numbers.
_LAYOUT_WORDS = 4
WIDTH, DECIMALS, TYPE, BUS, ID, DIRECTION, LENGTH, END = range(64, 72)
ABSENT = 255


def layout_of(width: int, decimals: int, line: bytes) -> bytes:
    """Return a layout: width of the number column, digits after the point, the following text."""
    text = bytearray(line.ljust(8 * _LAYOUT_WORDS))
    mask = bytearray(b"\xff" * len(line)).ljust(len(text), b"\0")
    for at, letter in enumerate(line):
        if letter in b"TBIdlL":
            text[at], mask[at] = 32, 0
            if letter in b"lL":
                mask[at + 1] = 0
    places = [place if (place := line.find(letter)) >= 0 else ABSENT for letter in (b"T", b"B", b"I", b"d")]
    length = max(line.find(b"l"), line.find(b"L"))
    return bytes(text + mask) + bytes((width, decimals, *places, length, len(line)))


#: by the letters of all columns
LAYOUTS = {
    b"NOIlD": layout_of(6, 0, b"  IIIIIIII  l  "),
    b"NOtIlD": layout_of(6, 1, b"  dx     IIIIIIII  l  "),
    b"NOBtIlD": layout_of(6, 3, b"  B  dx     IIIIIIII  l  "),
    b"NOBtIRlD": layout_of(6, 3, b" B  dx    IIIIIIII -  l    "),
    b"NOTIdlD": layout_of(7, 3, b" TT IIIIIIII dx l  "),
    b"NOTBIdRLD": layout_of(7, 3, b" TT B  IIIIIIII dx -  L    "),
}
#: the layout of columns in any other order
NO_LAYOUT = bytes(64 + 8)


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    columns: ReadBuffer,
    layout: ReadBuffer,
    numbers: UInt16s,
    start_ns: int,
    most_ms: int,
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

    ``columns`` are the letters of the columns, ``D`` last, ``layout`` is their usual layout, ``numbers`` maps
    each bus number to a channel of the batch. Times count from ``start_ns``; the caller handles one of
    ``most_ms`` milliseconds or more. Returns the position where it stopped (the start of a line), the number
    of filled rows, and the reason.
    """
    lines.check_text(text, at, end)
    lines.check_numbers(numbers)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    count = len(columns) - 1
    if count < 1 or columns[count] != ord("D"):
        raise ValueError("the data must be the last column")
    if len(layout) < 72:
        raise ValueError("no layout")
    room, payload_room = len(timestamp_ns), len(payload)
    usual, usual_fd, blanks = USUAL, USUAL_FD, BLANKS
    mask, mask_1 = words.load8(layout, 32), words.load8(layout, 40)
    mask_2, mask_3 = words.load8(layout, 48), words.load8(layout, 56)
    head, head_1 = words.load8(layout, 0) & mask, words.load8(layout, 8) & mask_1
    head_2, head_3 = words.load8(layout, 16) & mask_2, words.load8(layout, 24) & mask_3
    width, decimals, type_at, bus_at = layout[64], layout[65], layout[66], layout[67]
    id_at, way_at, size_at, data_at = layout[68], layout[69], layout[70], layout[71]
    coded = 0  # whether the length is a DLC
    for index in range(count):
        if columns[index] in (ord("l"), ord("L")):
            coded = columns[index] == ord("L")
    shift = 0  # by how much the numbers exceed their column
    stamp = 0xFFFFFFFFFFFFFFFF  # the milliseconds of a previous line without the last three digits
    stamp_ns = 0  # the value of those digits
    low_digits, high_digits = 0xFFFFFF, 0xFFFFFF000000
    row, used, reason = first, offset[first], lines.DONE
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        is_usual = 0
        if width and at + usual <= end:
            is_usual = words.padded_decimal(words.load8(text, at), width + shift) >= 0
            pos = at + shift
            is_usual &= text[pos + 6] == ord(")") if width == 6 else text[pos + 7] == ord(" ")
            key = words.first_bytes(words.load8(text, pos + 7), 7)
            if key == stamp:  # of the same second
                word = words.load8(text, pos + 14)
                is_usual &= word >> 24 & 255 == ord(".")
                time = words.decimal(word & low_digits | word >> 8 & high_digits, 6)
                is_usual &= time >= 0
                time = stamp_ns + time * 1000
                pos += 21
                if text[pos] != ord(" "):
                    fraction = words.decimal(words.load8(text, pos), 3)
                    is_usual &= fraction >= 0
                    time += fraction
                    pos += 3
            else:
                is_usual &= (text[pos + 7] == ord(" ")) & (text[pos + 8] == ord(" "))
                whole = words.padded_decimal(words.load8(text, pos + 9), 8)
                is_usual &= (whole >= 0) & (whole < most_ms)
                pos += 17
                fraction = 0
                if decimals:
                    is_usual &= text[pos] == ord(".")
                    word = words.load8(text, pos + 1)
                    pos += 1 + decimals
                    if decimals == 1:
                        fraction = words.decimal(word, 1) * 100000
                    elif text[pos] == ord(" "):
                        fraction = words.decimal(word, 3) * 1000
                    else:
                        fraction = words.decimal(word, 6)
                        pos += 3
                    is_usual &= fraction >= 0
                time = start_ns
                if is_usual:
                    time += whole * 1000000 + fraction
                    if decimals == 3 and 1000 <= whole < most_ms - 1000:
                        stamp = key
                        stamp_ns = start_ns + whole // 1000 * lines.BILLION
            is_usual &= (words.load8(text, pos) & mask == head) & (
                words.load8(text, pos + 8) & mask_1 == head_1
            )
            is_usual &= words.load8(text, pos + 16) & mask_2 == head_2
            is_usual &= words.load8(text, pos + 24) & mask_3 == head_3
            number = 1
            if bus_at != 255:
                number = text[pos + bus_at] - ord("0")
                is_usual &= 0 <= number <= 9
            mark = 0
            if way_at != 255:
                value = text[pos + way_at]
                is_usual &= (value == ord("R")) | (value == ord("T"))
                mark = (value & 4) << 1  # T of a sent frame
            index = pos + id_at
            is_base = words.load4(text, index) == blanks >> 32
            found = words.hexadecimal(words.load8(text, index + 4 * is_base), 8 - 4 * is_base)
            is_usual &= (found >= 0) & (found <= (0x7FF if is_base else 0x1FFFFFFF))
            identifier = found | (1 - is_base) << 31
            size = text[pos + size_at] - ord("0")
            is_usual &= 0 <= size <= 9
            value = text[pos + size_at + 1]
            if ord("0") <= value <= ord("9"):
                size = size * 10 + value - ord("0")
            else:
                is_usual &= value == ord(" ")
            if type_at != 255:
                value = _marks(text[pos + type_at], text[pos + type_at + 1])
                is_usual &= 0 <= value < 16
                mark |= value
            length = _length(size, mark, coded)
            is_usual &= length >= 0
            if mark & 1:
                is_usual &= at + usual_fd <= end
            if is_usual:
                pos += data_at - 1
                left = length
                index = used
                while left > 8 and words.unhex_spaced(text, pos, payload, index) == 8:
                    pos += 24
                    index += 8
                    left -= 8
                is_usual = (left <= 8) & (words.unhex_spaced(text, pos, payload, index) >= left)
                pos += 3 * left
                pos += text[pos] == ord(" ")
                pos += text[pos] == ord("\r")
                is_usual &= text[pos] == ord("\n")
        if not is_usual:
            pos, index, whole, fraction, identifier, mark, number, size = _fields(
                text, at, end, columns, most_ms
            )
            if pos < 0:
                break
            time = start_ns + whole * 1000000 + fraction
            shift = index - at - 7
            if shift < 0 or shift > 8 - width:
                shift = 0
            length = _length(size, mark & 15, coded)
            if length < 0:
                break
            if mark & 16 or text[pos] == ord("R"):
                if mark & 16 == 0:  # RTR in place of the data, in versions 1.x
                    if mark & 1 or text[pos + 1] != ord("T") or text[pos + 2] != ord("R"):
                        break
                    pos += 3
                mark &= 8
                identifier |= 0x40000000
                length = 0
            if length:
                pos = lines.spaced_data(text, pos - 1, end, payload, used, length)
                if pos < 0:
                    break
            pos = lines.after_line(text, lines.after_spaces(text, pos)) - 1
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
        dlc_code[row] = size if coded or not mark & 1 else words.fd_code(size)
        used += length
        row += 1
        offset[row] = used
        at = pos + 1
        reason = lines.DONE
    gil.acquire(thread)
    return at, row, reason


def _marks(first: int, second: int) -> int:
    """Return the flags of a type of two letters; 16 for a remote frame, -1 for anything else."""
    if first == ord("D"):
        return 0 if second == ord("T") else -1
    if first == ord("F"):
        return 1 if second == ord("D") else 3 if second == ord("B") else 5 if second == ord("E") else -1
    if first == ord("B"):
        return 7 if second == ord("I") else -1
    return 16 if first == second == ord("R") else -1


def _length(size: int, mark: int, coded: int) -> int:
    """Return the bytes for a length, or a DLC if ``coded``; -1 if frames with these flags do not have it."""
    if size < 0:
        return -1
    if coded:
        return -1 if size > 15 else words.fd_length(size) if mark & 1 else min(size, 8)
    if mark & 1:
        return size if size <= 64 and words.fd_code(size) <= 15 else -1
    return size if size <= 8 else -1


def _fields(
    text: ReadBuffer, pos: int, end: int, columns: ReadBuffer, most_ms: int
) -> tuple[int, int, int, int, int, int, int, int]:
    """Parse all columns before the data.

    Return (position, end of the first number, milliseconds, nanoseconds of their fraction, identifier, flags
    (16 for a remote frame), bus, length); the position is -1 if they are malformed.
    """
    malformed = -1, 0, 0, 0, 0, 0, 0, 0
    number_end = whole = fraction = identifier = mark = size = 0
    number = 1
    for index in range(len(columns) - 1):
        begin = pos = lines.after_spaces(text, pos)
        letter = columns[index]
        if letter == ord("N"):
            _, pos = lines.number(text, begin, 18)
            pos += text[pos] == ord(")")
            if index == 0:
                number_end = pos
        elif letter == ord("O"):
            whole, pos = lines.long_decimal(text, begin, end)
            if whole >= most_ms:
                return malformed
            if pos > begin and text[pos] in (ord("."), ord(",")):
                begin = pos + 1
                fraction, pos = lines.number(text, begin, 6)
                for _ in range(6 - (pos - begin)):
                    fraction *= 10
        elif letter == ord("I"):
            identifier, pos = lines.hex_number(text, begin, end)
            extended = pos - begin > 4  # the width determines the kind, not the value
            if identifier > (0x1FFFFFFF if extended else 0x7FF):
                return malformed
            identifier |= extended << 31
        elif letter == ord("T"):
            kind = _marks(text[pos], text[pos + 1]) if text[pos] > ord(" ") else -1
            if kind < 0:
                return malformed
            mark |= kind
            pos += 2
        elif letter in (ord("d"), ord("t")):  # t is the type of versions 1.x: Rx, Tx
            kind = lines.direction(text, pos)
            if kind < 0:
                return malformed
            mark |= kind
            pos += 2
        elif letter in (ord("l"), ord("L")):
            size, pos = lines.number(text, begin, 2)
        elif letter == ord("B"):
            number, pos = lines.number(text, begin, 3)
            if number > 255:
                return malformed
        elif letter == ord("R"):
            pos += text[pos] == ord("-")
        else:
            return malformed
        if pos == begin or text[pos] > ord(" ") or text[pos] == ord("\t"):
            return malformed
    pos = lines.after_spaces(text, pos)
    return pos, number_end, whole, fraction, identifier, mark, number, size


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
    version: int,
    layout: ReadBuffer,
    number: int,
    out: WriteBuffer,
) -> tuple[int, int, int]:
    """Write the rows from ``first`` on as lines; return (the next row, bytes written, times rounded).

    ``numbers`` holds the number of each channel's bus, times count from ``start_ns``, lines are numbered from
    ``number``, and ``version`` is that of the format, 101 for 1.1, with its ``layout``. A time that three
    decimals do not hold gets six in versions 2.x and is rounded in those before. Stops at a row for which
    ``out`` may have no room, and at an error frame, one with a time before ``start_ns``, and one that the
    version has no line for, which are for the caller.
    """
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    if len(layout) < 72:
        raise ValueError("no layout")
    rows, room, bus_count, line_room = len(timestamp_ns), len(out), len(numbers), LINE_ROOM
    latest = FAR_FUTURE - 1000000 if start_ns >= 0 else FAR_FUTURE - 1000000 + start_ns
    is_new = version >= 200
    unit, units_ms, decimals = 1000, 1000, 3
    if version == 100:
        unit, units_ms, decimals = 1000000, 1, 0
    elif version == 101:
        unit, units_ms, decimals = 100000, 10, 1
    blanks, line_end, rtr, zero_to_blank = BLANKS, BLANK_RETURN_NEWLINE, RTR, 0x10101010
    data_type, fd_type, switched_type, passive_type, both_type, remote_type = DT, FD, FB, FE, BI, RR
    head, head_1 = words.load8(layout, 0), words.load8(layout, 8)
    head_2, head_3 = words.load8(layout, 16), words.load8(layout, 24)
    bus_at, id_at = layout[67], layout[68]
    way_at, size_at, data_at = layout[69], layout[70], layout[71]
    most_number = 10000000 if is_new else 1000000
    number_shift = 8 if is_new else 16
    number_end = (32 if is_new else NUMBER_END) << 64 - number_shift
    thousandths = THOUSANDTHS
    to, rounded, row = 0, 0, first
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= bus_count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        bus = numbers[index]
        begin, end = offset[row], offset[row + 1]
        if to + line_room + 3 * (end - begin) > room:
            break
        word, time, mark = can_id[row], timestamp_ns[row], flags[row]
        if word & 0x20000000 or time < start_ns or time > latest or (mark & 1 and not is_new):
            break
        time -= start_ns
        value = time // unit
        part = time - value * unit
        nano = 0
        if part:
            if is_new:
                nano = part
            else:
                rounded += 1
                value += 2 * part >= unit
        whole = value // units_ms
        part = value - whole * units_ms
        if number < most_number and whole < 100000000:  # usually both fit their columns
            words.store8(out, to, words.padded_digits(number) >> number_shift | number_end)
            words.store8(out, to + 8, blanks)
            words.store8(out, to + 9, words.padded_digits(whole))
            to += 17
        else:
            to = lines.put_right(number, 7 if is_new else 6, out, to)
            if not is_new:
                out[to] = ord(")")
                to += 1
            out[to] = ord(" ")
            to = lines.put_right(whole, 9, out, to + 1)
        if decimals == 3:
            words.copy4(thousandths, 4 * part, out, to)
            to += 4
            if nano:
                words.copy4(thousandths, 4 * nano + 1, out, to)
                to += 3
        elif decimals == 1:
            out[to] = ord(".")
            out[to + 1] = ord("0") + part
            to += 2
        begin_columns = to
        if bus > 99 and bus_at != 255:  # wider than its column, which moves the others
            words.store8(out, to, head)
            to += 1 + (bus > 999) + (bus > 9999)
        words.store8(out, to, head)
        words.store8(out, to + 8, head_1)
        words.store8(out, to + 16, head_2)
        words.store8(out, to + 24, head_3)
        if is_new:
            kind = data_type
            if word >> 30 & 1:
                kind = remote_type
            elif mark & 1:
                kind = fd_type
                if mark & 6 == 6:
                    kind = both_type
                elif mark & 2:
                    kind = switched_type
                elif mark & 4:
                    kind = passive_type
            out[begin_columns + 1] = kind & 255
            out[begin_columns + 2] = kind >> 8
        if bus_at != 255:
            lines.put_decimal(bus, 1, out, begin_columns + bus_at)
        if way_at != 255:
            out[to + way_at] = ord("R") + (mark >> 2 & 2)
        bits = words.hexadecimal8(word & 0x1FFFFFFF)
        words.store8(out, to + id_at, bits ^ (0 if word >> 31 else zero_to_blank))
        size = dlc_code[row] & 15
        if version != 201:
            size = end - begin if mark & 1 else min(size, 8)
        index = to + size_at
        if size > 9:
            out[index] = ord("0") + size // 10
            index += 1
        out[index] = ord("0") + size % 10
        to += data_at - 1
        if word >> 30 & 1 and not is_new:
            words.store4(out, to, rtr)
            to += 4
        else:
            to = lines.put_spaced_hex(payload, begin, end, out, to)
        words.store4(out, to, line_end)
        to += 3
        number += 1
        row += 1
    gil.acquire(thread)
    return row, to, rounded
