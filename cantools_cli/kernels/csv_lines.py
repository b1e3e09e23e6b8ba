"""Rows of python-can's CSV to columns and back: ``1700000000.123456,0x123,0,0,0,3,AQID``.

``parse`` handles rows as canx and python-can write them, and leaves any other row to the reader.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: a header, or an unusual or malformed row
NAME = 3  #: a frame of a channel that is not in the table

NIBBLE = bytes(
    int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256)
)  #: value of a hexadecimal digit, 0xFF for any other byte
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SEXTET = bytes(
    ALPHABET.index(c) if c in ALPHABET else 0xFF for c in range(256)
)  #: value of a base64 character, 0xFF for any other byte
FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))
MAX_SECONDS = 9_000_000_000  #: in nanoseconds, within int64

HEX = b"".join(b"%02x" % byte for byte in range(256))  #: two lower-case digits per byte
PAIRS = b"".join(bytes((high, low)) for high in ALPHABET for low in ALPHABET)  #: of 12 bits each
#: number of base64 characters of up to 8 bytes, and of the following ``=``
DATA_DIGITS = bytes((0, 2, 3, 4, 6, 7, 8, 10, 11)) + bytes(7)
DATA_PADS = bytes((0, 2, 1, 0, 2, 1, 0, 2, 1)) + bytes(7)

#: maximum length of a formatted row without the channel and the data
LINE_ROOM = 104
#: maximum length of a usual row, and the bytes of it that are read as words
USUAL = 80
#: ``,0,0,0,0`` and a mask of the bits that are not values
KINDS = words.load8(b",0,0,0,0", 0)
KINDS_MASK = 0x00FFFEFFFEFFFEFF


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    names: ReadBuffer,
    name_ends: UInt32s,
    full_rows: int,
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

    With ``full_rows`` five more columns follow: channel, FD, BRS, ESI, received. ``names`` holds the known
    channels as the file spells them, concatenated, ``name_ends`` the end of each. Without these columns all
    frames are on channel 0. Returns the position where it stopped (the start of a row), the number of filled
    rows, and the reason.
    """
    nibble = NIBBLE
    sextet = SEXTET
    codes = FD_CODES
    lengths = FD_LENGTHS
    most_seconds = MAX_SECONDS
    done, full, strange, name = DONE, FULL, STRANGE, NAME
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
    if name_count > 0x10000 or (name_count and name_ends[name_count - 1] > len(names)):
        raise ValueError("the names do not fit")
    row = first
    used = offset[first]
    reason = done
    last = 0
    usual, kinds_mask = USUAL, KINDS_MASK
    kinds = KINDS & kinds_mask
    data_digits = DATA_DIGITS
    data_pads = DATA_PADS
    extended_mask, ten = 0x1FFFFFFF, 10
    every_bit, every_value_bit = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF
    extended_bit, error_bit = 0x80000000, 0x20000000
    before_id = 0x78302C  # ,0x
    both_pads = 0x3D3D  # ==
    stamp_size = 0  # length of the previous row's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_mask = stamp_end = end_mask = 0
    thread = gil.release()
    while at < end:
        if row >= room or used + 72 > payload_room:
            reason = full
            break
        reason = strange
        # Most rows share their seconds with the previous one and are data or error frames: they are read as
        # words and checked by one condition.
        usual_head = 0
        if (
            at + usual <= end
            and stamp_size
            and not full_rows
            and words.load8(text, at) & stamp_mask == stamp
            and words.load8(text, at + 8) & end_mask == stamp_end
        ):
            # computed early, so that the processor overlaps the next row with this one
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            word = words.fraction_run(words.load8(text, pos))
            digits = word >> 32
            usual_head = (digits > 0) & (digits < 8)
            time = stamp_ns + (word & every_value_bit) * ten
            pos += digits
            usual_head &= words.load4(text, pos) & 0xFFFFFF == before_id
            pos += 3
            word = words.hex_run(words.load8(text, pos))
            digits = word >> 32
            usual_head &= digits > 0
            identifier = word & every_value_bit
            pos += digits
            word = words.load8(text, pos)
            usual_head &= (word & kinds_mask == kinds) & (word >> 24 & 1 == 0)
            is_error = word >> 40 & 1
            kind = (word >> 8 & 1) << 2 | is_error
            usual_head &= (identifier <= 0x7FF) | ((kind > 0) & (identifier <= extended_mask))
            value = word >> 56
            value -= 48
        if usual_head:
            length = value & 15
            digits = data_digits[length]
            size = data_pads[length]
            pos += 9
            is_usual = words.unbase64(text, pos, digits, payload, used)
            is_usual &= (0 <= value <= 8) & (text[pos - 1] == 44) & (pos + digits + size == stop)
            is_usual &= (words.load4(text, pos + digits) ^ both_pads) & ((1 << 8 * size) - 1) == 0
            if is_usual:
                timestamp_ns[row] = time
                can_id[row] = identifier | is_error * error_bit | (kind == 4) * extended_bit
                flags[row] = (kind == 5) << 5  # an error frame with an extended identifier
                channel[row] = 0
                dlc_code[row] = length
                used += length
                row += 1
                offset[row] = used
                at = stop + 1
                reason = done
                continue
            pos -= 3
        else:
            # time: 1 to 10 digits of seconds, 0 to 9 of fraction
            pos = at
            seconds = 0
            value = text[pos] - 48
            while 0 <= value <= 9 and pos - at <= 10:
                seconds = seconds * 10 + value
                pos += 1
                value = text[pos] - 48
            if pos == at or seconds > most_seconds:
                break
            time = seconds * 1000000000
            if value == -2:  # .
                pos += 1
                stamp_size = 0
                stamp_ns = time
                if at + 16 <= end:
                    stamp_size = pos - at
                    index = stamp_size if stamp_size < 8 else 8
                    stamp_mask = words.first_bytes(every_bit, index)
                    end_mask = words.first_bytes(every_bit, stamp_size - index)
                    stamp = words.load8(text, at) & stamp_mask
                    stamp_end = words.load8(text, at + 8) & end_mask
                begin = pos
                fraction = 0
                value = text[pos] - 48
                while 0 <= value <= 9 and pos - begin <= 9:
                    fraction = fraction * 10 + value
                    pos += 1
                    value = text[pos] - 48
                digits = pos - begin
                if digits == 0 or digits > 9:
                    break
                while digits < 9:
                    fraction *= 10
                    digits += 1
                time += fraction
            # identifier
            if text[pos] != 44 or text[pos + 1] != 48 or text[pos + 2] != 120:  # ,0x
                break
            pos += 3
            begin = pos
            identifier = 0
            value = nibble[text[pos]]
            while value <= 15 and pos - begin < 8:
                identifier = identifier << 4 | value
                pos += 1
                value = nibble[text[pos]]
            if pos == begin or identifier > 0x1FFFFFFF:
                break
            # extended, remote, error
            kind = 0
            digits = 0
            while digits < 3:
                if text[pos] != 44:
                    break
                value = text[pos + 1] - 48
                if not 0 <= value <= 1:
                    break
                kind = kind << 1 | value
                pos += 2
                digits += 1
            if digits < 3 or text[pos] != 44:
                break
        pos += 1
        # length
        length = text[pos] - 48
        if length < 0 or length > 9:
            break
        pos += 1
        value = text[pos] - 48
        if 0 <= value <= 9:
            length = length * 10 + value
            pos += 1
        if length > 64 or text[pos] != 44:
            break
        pos += 1
        # data: groups of four characters, the last one padded
        size = 0
        while size < 58 and pos + 16 <= end and words.unbase64(text, pos, 8, payload, used + size):
            size += 6
            pos += 8
        value = sextet[text[pos]]
        while value < 64 and size < 64:
            second = sextet[text[pos + 1]]
            if second > 63:
                break
            payload[used + size] = value << 2 | second >> 4
            size += 1
            third = sextet[text[pos + 2]]
            if third > 63:
                if text[pos + 2] != 61 or text[pos + 3] != 61 or second & 15:
                    size = -1
                    break
                pos += 4
                break
            payload[used + size] = (second & 15) << 4 | third >> 2
            size += 1
            fourth = sextet[text[pos + 3]]
            if fourth > 63:
                if text[pos + 3] != 61 or third & 3:
                    size = -1
                    break
                pos += 4
                break
            payload[used + size] = (third & 3) << 6 | fourth
            size += 1
            pos += 4
            value = sextet[text[pos]]
        if size < 0 or size > 64:
            break
        # the columns of canx
        mark = 1 if length > 8 else 0
        if full_rows:
            if text[pos] != 44:
                break
            pos += 1
            begin = pos
            while text[pos] != 44 and text[pos] != 34 and text[pos] >= 32:
                pos += 1
            if text[pos] != 44:
                break
            mark = 0
            digits = 0
            value = pos
            while digits < 4:
                if text[value] != 44:
                    break
                low = text[value + 1] - 48
                if not 0 <= low <= 1:
                    break
                mark |= low << digits
                value += 2
                digits += 1
            if digits < 4:
                break
            mark ^= 8
            if (mark & 6 or length > 8) and not mark & 1:
                break
            tried = 0
            while tried < name_count:
                start = name_ends[last - 1] if last > 0 else 0
                if name_ends[last] - start == pos - begin:
                    index = 0
                    while begin + index < pos and names[start + index] == text[begin + index]:
                        index += 1
                    if begin + index == pos:
                        break
                last += 1
                if last >= name_count:
                    last = 0
                tried += 1
            if tried == name_count:
                reason = name
                break
            pos = value
        if text[pos] == 13:
            pos += 1
        if text[pos] != 10:
            break
        # which flags can be combined
        code = length
        if kind & 2:
            if kind & 1 or size or mark & 1:
                break
        elif size != length:
            break
        elif mark & 1:
            code = codes[length]
            if lengths[code] != length:
                break
        if kind & 1:
            identifier |= error_bit
            mark |= (kind & 4) << 3
        elif kind & 4:
            identifier |= extended_bit
        elif identifier > 0x7FF:
            break
        if kind & 2:
            identifier |= 0x40000000
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = last
        dlc_code[row] = code
        used += size
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
    names: ReadBuffer,
    name_ends: UInt32s,
    full_rows: int,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on; return (the next row, bytes written).

    ``names`` holds the channels as they are written, ``name_ends`` the end of each. Stops at a row for which
    ``out`` may have no room, and at one with a negative time, which the caller handles.
    """
    alphabet = ALPHABET
    hexadecimal = HEX
    pairs = PAIRS
    kinds = KINDS
    pads = 0x3D3D  # ==
    before_id = 0x78302C  # ,0x
    data_digits = DATA_DIGITS
    data_pads = DATA_PADS
    billion = 1000000000
    every_bit = 0xFFFFFFFF
    payload_size = len(payload)
    line_room = LINE_ROOM
    rows = len(timestamp_ns)
    room = len(out)
    name_count = len(name_ends)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    if name_count and name_ends[name_count - 1] > len(names):
        raise ValueError("the names do not fit")
    to = 0
    row = first
    stamp_size = 0  # length of the previous row's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_end = 0
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
        if time < 0:
            break
        since = time - stamp_ns
        if stamp_size and 0 <= since < billion:  # most rows: the digits of the one before
            words.store8(out, to, stamp)
            words.store8(out, to + 8, stamp_end)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            stamp_ns = seconds * billion
            rest = time - stamp_ns
            count = 1
            number = seconds
            while number > 9:
                number //= 10
                count += 1
            number = seconds
            index = to + count
            while index > to:
                index -= 1
                out[index] = 48 + number % 10
                number //= 10
            out[to + count] = 46
            stamp_size = count + 1
            stamp, stamp_end = words.reload8(out, to), words.reload8(out, to + 8)
            to += stamp_size
        # fraction: up to nine digits, without the zeros at their end
        high = rest // 10
        low = rest - high * 10
        digits = words.decimal8(high)
        words.store8(out, to, digits)
        if low:
            out[to + 8] = 48 + low
            to += 9
        else:
            to += words.significant(digits)
        words.store4(out, to, before_id)
        to += 3
        # identifier, without leading zeros: its digits are counted and written without a branch
        word = can_id[row]
        identifier = word & 0x1FFFFFFF
        kind = word >> 29
        width = words.hex_width(identifier)
        digits = identifier
        digits = digits << (32 - 4 * width) & every_bit
        words.copy2(hexadecimal, 2 * (digits >> 24), out, to)
        words.copy2(hexadecimal, 2 * (digits >> 16 & 255), out, to + 2)
        words.copy2(hexadecimal, 2 * (digits >> 8 & 255), out, to + 4)
        words.copy2(hexadecimal, 2 * (digits & 255), out, to + 6)
        to += width
        bits = kind
        bits = ((bits >> 2 | flags[row] >> 5) & 1) << 8 | (bits >> 1 & 1) << 24 | (bits & 1) << 40
        words.store8(out, to, kinds + bits)  # extended, remote, error
        to += 7
        size = end - begin
        if kind & 2:
            size = dlc_code[row]
            size = min(size, 8)
            end = begin
        index = size // 10
        if index:
            out[to] = 48 + index
            to += 1
        out[to] = 48 + size - index * 10
        out[to + 1] = 44
        to += 2
        # data
        if end - begin <= 8 and begin + 8 <= payload_size:
            # always 8 bytes, padded with zeros: the following output overwrites the surplus
            size = end - begin
            bits = words.swapped(words.first_bytes(words.load8(payload, begin), size))
            words.copy2(pairs, 2 * (bits >> 52), out, to)
            words.copy2(pairs, 2 * (bits >> 40 & 4095), out, to + 2)
            words.copy2(pairs, 2 * (bits >> 28 & 4095), out, to + 4)
            words.copy2(pairs, 2 * (bits >> 16 & 4095), out, to + 6)
            words.copy2(pairs, 2 * (bits >> 4 & 4095), out, to + 8)
            words.copy2(pairs, 2 * ((bits & 15) << 8), out, to + 10)
            to += data_digits[size]
            words.store4(out, to, pads)
            to += data_pads[size]
            begin = end
        while begin + 8 <= end:
            bits = words.swapped(words.load8(payload, begin))
            words.copy2(pairs, 2 * (bits >> 52), out, to)
            words.copy2(pairs, 2 * (bits >> 40 & 4095), out, to + 2)
            words.copy2(pairs, 2 * (bits >> 28 & 4095), out, to + 4)
            words.copy2(pairs, 2 * (bits >> 16 & 4095), out, to + 6)
            to += 8
            begin += 6
        while end - begin >= 3:
            word = payload[begin] << 16 | payload[begin + 1] << 8 | payload[begin + 2]
            out[to] = alphabet[word >> 18]
            out[to + 1] = alphabet[word >> 12 & 63]
            out[to + 2] = alphabet[word >> 6 & 63]
            out[to + 3] = alphabet[word & 63]
            to += 4
            begin += 3
        if begin < end:
            word = payload[begin] << 16
            if end - begin == 2:
                word |= payload[begin + 1] << 8
            out[to] = alphabet[word >> 18]
            out[to + 1] = alphabet[word >> 12 & 63]
            out[to + 2] = alphabet[word >> 6 & 63] if end - begin == 2 else 61
            out[to + 3] = 61
            to += 4
        if full_rows:
            mark = flags[row]
            out[to] = 44
            to += 1
            while start < stop:
                out[to] = names[start]
                to += 1
                start += 1
            out[to] = 44
            out[to + 1] = 48 + (mark & 1)
            out[to + 2] = 44
            out[to + 3] = 48 + (mark >> 1 & 1)
            out[to + 4] = 44
            out[to + 5] = 48 + (mark >> 2 & 1)
            out[to + 6] = 44
            out[to + 7] = 49 - (mark >> 3 & 1)
            to += 8
        out[to] = 10
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
