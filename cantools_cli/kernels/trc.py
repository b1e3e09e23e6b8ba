"""Lines of PEAK's TRC to columns and back.

::

          1      1059.900 DT 1      0300 Rx -  7    00 00 00 00 04 00 00
          5      1334.416 FD 1      0500 Tx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C
         12     48937.600 RR 1      0704 Rx -  1
         1)      1059.9  Rx         0300  7  00 00 00 00 04 00 00

``parse`` handles data and remote frames of all versions, with columns in any order and the data last. It
leaves any other line to the reader. Grammar: ``cantools_cli/io/trc/lines.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels._tables import FD_CODES, FD_LENGTHS, HEX, NIBBLE
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual or malformed line
CHANNEL = 3  #: a frame of a bus that is not in the table

NO_CHANNEL = 0xFFFF  #: the table entry of an unknown bus
CHANNELS = 256  #: number of entries of that table
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
#: two upper-case digits per byte, then as many spaces
PADDED_HEX = HEX + b"  " * 256
#: types of data frames
DT, FD, FB, FE, BI = (int.from_bytes(kind, "little") for kind in (b"DT", b"FD", b"FB", b"FE", b"BI"))

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
    nibble = NIBBLE
    lengths = FD_LENGTHS
    codes = FD_CODES
    done, full, strange, unknown, no_channel = DONE, FULL, STRANGE, CHANNEL, NO_CHANNEL
    extended_bit, extended_mask, base_mask, remote_bit = 0x80000000, 0x1FFFFFFF, 0x7FF, 0x40000000
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
    count = len(columns) - 1
    if count < 1 or columns[count] != 68:
        raise ValueError("the data must be the last column")
    if len(layout) < 72:
        raise ValueError("no layout")
    usual, usual_fd = USUAL, USUAL_FD
    blanks = BLANKS
    data_type, fd_type, switched_type, passive_type, both_type = DT, FD, FB, FE, BI
    mask, mask_1 = words.load8(layout, 32), words.load8(layout, 40)
    mask_2, mask_3 = words.load8(layout, 48), words.load8(layout, 56)
    head, head_1 = words.load8(layout, 0) & mask, words.load8(layout, 8) & mask_1
    head_2, head_3 = words.load8(layout, 16) & mask_2, words.load8(layout, 24) & mask_3
    width, decimals, type_at, bus_at = layout[64], layout[65], layout[66], layout[67]
    id_at, way_at, size_at, data_at = layout[68], layout[69], layout[70], layout[71]
    coded = 1 if columns[count - 1] == 76 else 0
    most_size = 15 if coded else 8
    shift = 0  # by how much the numbers exceed their column
    stamp = 0xFFFFFFFFFFFFFFFF  # the milliseconds of a previous line without the last three digits
    stamp_ns = 0  # the value of those digits
    low_digits, high_digits = 0xFFFFFF, 0xFFFFFF000000
    row = first
    used = offset[first]
    reason = done
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        if width and at + usual <= end:
            # Most lines have the columns of the format's own examples: they are read as words and checked by
            # one condition. Any other line is read again below.
            is_usual = words.padded_decimal(words.load8(text, at), width + shift) >= 0
            pos = at + shift
            is_usual &= text[pos + 6] == 41 if width == 6 else text[pos + 7] == 32
            key = words.first_bytes(words.load8(text, pos + 7), 7)
            if key == stamp:  # of the same second
                word = words.load8(text, pos + 14)
                is_usual &= word >> 24 & 255 == 46
                time = words.decimal(word & low_digits | word >> 8 & high_digits, 6)
                is_usual &= time >= 0
                time = stamp_ns + time * 1000
                pos += 21
                if text[pos] != 32:
                    fraction = words.decimal(words.load8(text, pos), 3)
                    is_usual &= fraction >= 0
                    time += fraction
                    pos += 3
            else:
                is_usual &= (text[pos + 7] == 32) & (text[pos + 8] == 32)
                whole = words.padded_decimal(words.load8(text, pos + 9), 8)
                is_usual &= (whole >= 0) & (whole < most_ms)
                pos += 17
                fraction = 0
                if decimals:
                    is_usual &= text[pos] == 46
                    word = words.load8(text, pos + 1)
                    pos += 1 + decimals
                    if decimals == 1:
                        fraction = words.decimal(word, 1) * 100000
                    elif text[pos] == 32:
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
                        stamp_ns = start_ns + whole // 1000 * 1000000000
            is_usual &= (words.load8(text, pos) & mask == head) & (
                words.load8(text, pos + 8) & mask_1 == head_1
            )
            is_usual &= words.load8(text, pos + 16) & mask_2 == head_2
            is_usual &= words.load8(text, pos + 24) & mask_3 == head_3
            number = 1
            if bus_at != 255:
                number = text[pos + bus_at] - 48
                is_usual &= 0 <= number <= 9
            mark = 0
            if way_at != 255:
                value = text[pos + way_at]
                is_usual &= (value == 82) | (value == 84)
                mark = (value & 4) << 1  # T of a sent frame
            index = pos + id_at
            is_base = words.load4(text, index) == blanks >> 32
            found = words.hexadecimal(words.load8(text, index + 4 * is_base), 8 - 4 * is_base)
            is_usual &= (found >= 0) & (found <= (base_mask if is_base else extended_mask))
            size = text[pos + size_at] - 48
            is_usual &= 0 <= size <= 9
            value = text[pos + size_at + 1]
            if 48 <= value <= 57:
                size = size * 10 + value - 48
            else:
                is_usual &= value == 32
            if type_at != 255:
                value = text[pos + type_at] | text[pos + type_at + 1] << 8
                if value == fd_type:
                    mark |= 1
                elif value == switched_type:
                    mark |= 3
                elif value == passive_type:
                    mark |= 5
                elif value == both_type:
                    mark |= 7
                else:
                    is_usual &= value == data_type
            code = size
            length = size if size < 8 else 8
            if mark & 1 == 0:
                is_usual &= size <= most_size
            elif at + usual_fd > end or size < 0 or size > (15 if coded else 64):
                is_usual = False
            else:
                if coded == 0:
                    code = codes[size]
                length = lengths[code]
                is_usual &= (coded == 1) | (length == size)
            if is_usual:
                pos += data_at - 1
                index = used
                while length > 8 and words.unhex_spaced(text, pos, payload, index) == 8:
                    pos += 24
                    index += 8
                    length -= 8
                digits = words.unhex_spaced(text, pos, payload, index)
                pos += 3 * length
                pos += text[pos] == 32
                pos += text[pos] == 13
                known = numbers[number]
                if (length <= 8) & (digits >= length) & (text[pos] == 10) & (known != no_channel):
                    used = index + length
                    timestamp_ns[row] = time
                    can_id[row] = found | (1 - is_base) << 31
                    flags[row] = mark
                    channel[row] = known
                    dlc_code[row] = code
                    row += 1
                    offset[row] = used
                    at = pos + 1
                    reason = done
                    continue
        pos = at
        whole = 0
        fraction = 0
        identifier = 0
        mark = 0
        number = 1
        size = 0
        coded = 0
        letter = 0
        index = 0
        while index < count:
            while text[pos] == 32:
                pos += 1
            letter = columns[index]
            begin = pos
            if letter == 78:  # N, the number of the message
                while 48 <= text[pos] <= 57:
                    pos += 1
                if pos == begin:
                    break
                if text[pos] == 41:
                    pos += 1
                if index == 0:
                    shift = pos - at - 7
                    if shift < 0 or shift > 8 - width:
                        shift = 0
            elif letter == 79:  # O, milliseconds
                value = text[pos] - 48
                while 0 <= value <= 9:
                    whole = whole * 10 + value
                    pos += 1
                    value = text[pos] - 48
                    if pos - begin > 15:
                        break
                if pos == begin or pos - begin > 15 or whole >= most_ms:
                    break
                if value in (-2, -4):  # . or ,
                    pos += 1
                    begin = pos
                    value = text[pos] - 48
                    while 0 <= value <= 9:
                        fraction = fraction * 10 + value
                        pos += 1
                        value = text[pos] - 48
                        if pos - begin > 6:
                            break
                    digits = pos - begin
                    if digits == 0 or digits > 6:
                        break
                    while digits < 6:
                        fraction *= 10
                        digits += 1
            elif letter == 73:  # I
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
                if digits > 4:  # the width determines the kind, not the value
                    if identifier > extended_mask:
                        break
                    identifier |= extended_bit
                elif identifier > 2047:
                    break
            elif letter == 84:  # T: DT, FD, FB, FE, BI, RR
                value = text[pos]
                low = text[pos + 1] if value > 32 else 0
                if value == 68 and low == 84:
                    pass
                elif value == 70 and low == 68:
                    mark |= 1
                elif value == 70 and low == 66:
                    mark |= 3
                elif value == 70 and low == 69:
                    mark |= 5
                elif value == 66 and low == 73:
                    mark |= 7
                elif value == 82 and low == 82:
                    mark |= 16
                else:
                    break
                pos += 2
            elif letter in (100, 116):  # d, and the type of versions 1.x: Rx, Tx
                value = text[pos]
                if value not in (82, 84) or text[pos + 1] != 120:
                    break
                if value == 84:
                    mark |= 8
                pos += 2
            elif letter in (108, 76):  # l, bytes; L, their code
                size = text[pos] - 48
                if size < 0 or size > 9:
                    break
                pos += 1
                value = text[pos] - 48
                if 0 <= value <= 9:
                    size = size * 10 + value
                    pos += 1
                coded = 1 if letter == 76 else 0
            elif letter == 66:  # B
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
            elif letter == 82:  # R, reserved
                if text[pos] != 45:
                    break
                pos += 1
            else:
                break
            if text[pos] > 32 or text[pos] == 9:
                break
            index += 1
        if index < count:
            break
        # the length and its code, by the kind of frame
        code = size
        length = size
        if mark & 1:
            if coded:
                if code > 15:
                    break
                length = lengths[code]
            else:
                if length > 64:
                    break
                code = codes[length]
                if lengths[code] != length:
                    break
        elif coded:
            if code > 15:
                break
            length = min(code, 8)
        elif code > 8:
            break
        while text[pos] == 32:
            pos += 1
        if mark & 16 or text[pos] == 82:
            if mark & 16 == 0:  # RTR in place of the data, in versions 1.x
                if mark & 1 or text[pos + 1] != 84 or text[pos + 2] != 82:
                    break
                pos += 3
            mark &= 8
            identifier |= remote_bit
            length = 0
        # data
        begin = used
        index = 0
        while index < length:
            value = nibble[text[pos]]
            if value > 15:
                break
            low = nibble[text[pos + 1]]
            if low > 15:
                break
            payload[used] = value << 4 | low
            used += 1
            pos += 2
            index += 1
            if text[pos] != 32:
                break
            pos += 1
        while text[pos] == 32:
            pos += 1
        if text[pos] == 13:
            pos += 1
        if index < length or text[pos] != 10:
            used = begin
            break
        known = numbers[number]
        if known == no_channel:
            used = begin
            reason = unknown
            break
        timestamp_ns[row] = start_ns + whole * 1000000 + fraction
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
    hexadecimal = HEX
    line_room = LINE_ROOM
    error_bit, extended_mask = 0x20000000, 0x1FFFFFFF
    latest = FAR_FUTURE - 1000000 if start_ns >= 0 else FAR_FUTURE - 1000000 + start_ns
    rows = len(timestamp_ns)
    room = len(out)
    bus_count = len(numbers)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    is_new = version >= 200
    number_width = 7 if is_new else 6
    time_width = 14
    unit, units_ms, decimals = 1000, 1000, 3
    if version == 100:
        time_width = 10
        unit, units_ms, decimals = 1000000, 1, 0
    elif version == 101:
        time_width = 12
        unit, units_ms, decimals = 100000, 10, 1
    if len(layout) < 72:
        raise ValueError("no layout")
    payload_size = len(payload)
    blanks, line_end = BLANKS, BLANK_RETURN_NEWLINE
    data_type, fd_type, switched_type, passive_type, both_type = DT, FD, FB, FE, BI
    head, head_1 = words.load8(layout, 0), words.load8(layout, 8)
    head_2, head_3 = words.load8(layout, 16), words.load8(layout, 24)
    bus_at, id_at = layout[67], layout[68]
    way_at, size_at, data_at = layout[69], layout[70], layout[71]
    most_number = 10000000 if is_new else 1000000
    number_shift = 8 if is_new else 16
    number_end = (32 if is_new else NUMBER_END) << 64 - number_shift
    thousandths, padded_hex = THOUSANDTHS, PADDED_HEX
    to = 0
    rounded = 0
    row = first
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= bus_count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        bus = numbers[index]
        begin = offset[row]
        end = offset[row + 1]
        if to + line_room + 3 * (end - begin) > room:
            break
        word = can_id[row]
        time = timestamp_ns[row]
        mark = flags[row]
        if word & error_bit or time < start_ns or time > latest or (mark & 1 and not is_new):
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
                if 2 * part >= unit:
                    value += 1
        whole = value // units_ms
        part = value - whole * units_ms
        # usually every value fits its column
        if number < most_number and bus < 10 and whole < 100000000 and word >> 30 & 1 == 0:
            words.store8(out, to, words.padded_digits(number) >> number_shift | number_end)
            words.store8(out, to + 8, blanks)
            words.store8(out, to + 9, words.padded_digits(whole))
            to += 17
            if decimals == 3:
                words.copy4(thousandths, 4 * part, out, to)
                to += 4
                if nano:
                    words.copy4(thousandths, 4 * nano + 1, out, to)
                    to += 3
            elif decimals == 1:
                out[to] = 46
                out[to + 1] = 48 + part
                to += 2
            words.store8(out, to, head)
            words.store8(out, to + 8, head_1)
            words.store8(out, to + 16, head_2)
            words.store8(out, to + 24, head_3)
            if is_new:
                kind = data_type
                if mark & 1:
                    kind = fd_type
                    if mark & 6 == 6:
                        kind = both_type
                    elif mark & 2:
                        kind = switched_type
                    elif mark & 4:
                        kind = passive_type
                out[to + 1] = kind & 255
                out[to + 2] = kind >> 8
            if bus_at != 255:
                out[to + bus_at] = 48 + bus
            if way_at != 255:
                out[to + way_at] = 82 + (mark >> 2 & 2)
            identifier = word & extended_mask
            kind = (1 - (word >> 31)) << 8
            index = to + id_at
            words.copy2(padded_hex, 2 * (identifier >> 24 | kind), out, index)
            words.copy2(padded_hex, 2 * (identifier >> 16 & 255 | kind), out, index + 2)
            words.copy2(padded_hex, 2 * (identifier >> 8 & 255), out, index + 4)
            words.copy2(padded_hex, 2 * (identifier & 255), out, index + 6)
            code = dlc_code[row] & 15
            size = code
            if version != 201:
                size = end - begin if mark & 1 else min(code, 8)
            index = to + size_at
            if size > 9:
                out[index] = 48 + size // 10
                index += 1
            out[index] = 48 + size % 10
            to += data_at - 1
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
                words.copy2(padded_hex, 2 * payload[begin], out, to + 1)
                to += 3
                begin += 1
            words.store4(out, to, line_end)
            to += 3
            number += 1
            row += 1
            continue
        for index in range(96):
            out[to + index] = 32
        # number
        to += number_width
        index = to
        left = number
        while True:
            index -= 1
            out[index] = 48 + left % 10
            left //= 10
            if left == 0 or index == to - number_width:
                break
        if left:  # too long for its column
            width = 0
            value = left
            while value:
                width += 1
                value //= 10
            to += width
            index = to
            left = number
            while left:
                index -= 1
                out[index] = 48 + left % 10
                left //= 10
        if not is_new:
            out[to] = 41
            to += 1
        width = 1
        left = whole
        while left > 9:
            left //= 10
            width += 1
        index = time_width - decimals - (1 if decimals else 0)
        to += index if width < index else width + 1
        index = to
        left = whole
        while width:
            index -= 1
            out[index] = 48 + left % 10
            left //= 10
            width -= 1
        if decimals:
            out[to] = 46
            if decimals == 3:
                out[to + 1] = 48 + part // 100
                out[to + 2] = 48 + part // 10 % 10
                out[to + 3] = 48 + part % 10
            else:
                out[to + 1] = 48 + part
            to += decimals + 1
        if nano:
            out[to] = 48 + nano // 100
            out[to + 1] = 48 + nano // 10 % 10
            out[to + 2] = 48 + nano % 10
            to += 3
        # type and bus
        if is_new:
            first_letter, second_letter = 68, 84  # DT
            if word >> 30 & 1:
                first_letter, second_letter = 82, 82  # RR
            elif mark & 1:
                first_letter, second_letter = 70, 68  # FD
                if mark & 6 == 6:
                    first_letter, second_letter = 66, 73  # BI
                elif mark & 2:
                    second_letter = 66  # FB
                elif mark & 4:
                    second_letter = 69  # FE
            out[to + 1] = first_letter
            out[to + 2] = second_letter
            to += 3
        if version in (201, 102, 103):
            to += 2 if version == 102 else 1
            width = 1 + (bus > 9) + (bus > 99) + (bus > 999) + (bus > 9999)
            index = to + width
            left = bus
            while width:
                index -= 1
                width -= 1
                out[index] = 48 + left % 10
                left //= 10
            to += max(2, 1 + (bus > 9) + (bus > 99) + (bus > 999) + (bus > 9999))
        if not is_new and version > 100:
            to += 2 if version == 101 else 1
            out[to] = 84 if mark & 8 else 82
            out[to + 1] = 120
            to += 5
        to += 1 if is_new or version == 103 else 2
        # identifier
        identifier = word & extended_mask
        if word >> 31:
            index = identifier >> 24
            out[to] = hexadecimal[2 * index]
            out[to + 1] = hexadecimal[2 * index + 1]
            index = identifier >> 16 & 255
            out[to + 2] = hexadecimal[2 * index]
            out[to + 3] = hexadecimal[2 * index + 1]
        index = identifier >> 8 & 255
        out[to + 4] = hexadecimal[2 * index]
        out[to + 5] = hexadecimal[2 * index + 1]
        index = identifier & 255
        out[to + 6] = hexadecimal[2 * index]
        out[to + 7] = hexadecimal[2 * index + 1]
        to += 8
        # direction, reserved column, length
        if is_new:
            out[to + 1] = 84 if mark & 8 else 82
            out[to + 2] = 120
            to += 3
        if version in (201, 103):
            out[to + 1] = 45
            to += 2
        code = dlc_code[row] & 15
        size = code
        if version != 201:
            size = end - begin if mark & 1 else min(code, 8)
        to += 1 if version == 200 else 2
        index = to
        if size > 9:
            out[index] = 48 + size // 10
            index += 1
        out[index] = 48 + size % 10
        to += 5 if version in (201, 103) else 3
        # data
        if word >> 30 & 1 and not is_new:
            out[to] = 82
            out[to + 1] = 84
            out[to + 2] = 82
            to += 4
        while begin < end:
            octet = payload[begin]
            out[to] = hexadecimal[2 * octet]
            out[to + 1] = hexadecimal[2 * octet + 1]
            out[to + 2] = 32
            to += 3
            begin += 1
        out[to] = 13
        out[to + 1] = 10
        to += 2
        number += 1
        row += 1
    gil.acquire(thread)
    return row, to, rounded
