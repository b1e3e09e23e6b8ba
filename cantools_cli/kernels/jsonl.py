"""canx JSON lines to columns and back: ``{"timestamp":1.5,"channel":"can0","arbitration_id":291,...}``.

``parse`` handles objects whose keys have the order that canx writes, with or without spaces after ``:`` and
``,``. It leaves any other JSON to the reader.
"""

from __future__ import annotations

from array import array

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual or malformed line
NAME = 3  #: a frame of a channel that is not in the table

_KEYS = (
    b'{"timestamp":',
    b'"timestamp_ns":',
    b'"channel":',
    b'"arbitration_id":',
    b'"is_extended_id":',
    b'"dlc":',
    b'"data":',
    b'"is_remote_frame":',  # the following keys only if the frame differs from a received classic data frame
    b'"is_error_frame":',
    b'"is_fd":',
    b'"bitrate_switch":',
    b'"error_state_indicator":',
    b'"is_rx":',
    b'"dlc_code":',
)
KEYS = b"".join(_KEYS)  #: the keys, concatenated
KEY_ENDS = array("I", [len(b"".join(_KEYS[: count + 1])) for count in range(len(_KEYS))])

_PIECES = (
    b'{"timestamp":',
    b',"timestamp_ns":"',
    b',"channel":',
    b',"arbitration_id":',
    b',"is_extended_id":false,"dlc":',
    b',"is_extended_id":true,"dlc":',
    b',"data":"',
    b',"is_remote_frame":true',
    b',"is_error_frame":true',
    b',"is_fd":true',
    b',"bitrate_switch":true',
    b',"error_state_indicator":true',
    b',"is_rx":false',
    b',"dlc_code":',
)
PIECES = b"".join(_PIECES)  #: the text between the values, concatenated
PIECE_ENDS = array("I", [len(b"".join(_PIECES[: count + 1])) for count in range(len(_PIECES))])

NIBBLE = bytes(
    int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256)
)  #: value of a hexadecimal digit, 0xFF for any other byte
HEX = b"".join(b"%02x" % byte for byte in range(256))  #: two lower-case digits per byte
DECIMAL = b"".join(b"%02d" % number for number in range(100))  #: two decimal digits per number
FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))
MAX_SECONDS = 9_000_000_000  #: in nanoseconds, within int64
MAX_NANOSECONDS = (1 << 63) - 1

#: maximum length of a formatted line without the channel and the data
LINE_ROOM = 440
#: maximum length of a usual line, and the bytes of it that are read as words
USUAL = 176
#: the text between the values of a usual line, as words
CHANNEL_KEY = words.load8(b'channel"', 0)
ID_KEY = words.load8(b',"arbitr', 0), words.load8(b"ation_id", 0)
EXTENDED_KEY = words.load8(b',"is_ext', 0), words.load8(b"ended_id", 0)
DLC_KEY = words.load8(b'"dlc":\0,', 0)
DATA_KEY = words.load8(b'"data":"', 0)
COMMA_QUOTE = int.from_bytes(b',"', "little")
TRUE, FALSE = words.load4(b"true", 0), words.load4(b"fals", 0)


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

    ``names`` holds the known channels as JSON, concatenated, ``name_ends`` the end of each. Returns the
    position where it stopped (the start of a line), the number of filled rows, and the reason.
    """
    nibble = NIBBLE
    codes = FD_CODES
    lengths = FD_LENGTHS
    keys = KEYS
    ends = KEY_ENDS
    most_seconds, most_nanoseconds = MAX_SECONDS, MAX_NANOSECONDS
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
    usual, channel_key, comma_quote = USUAL, CHANNEL_KEY, COMMA_QUOTE
    id_key, id_key_end = ID_KEY
    extended_key, extended_key_end = EXTENDED_KEY
    dlc_key, data_key, true, false = DLC_KEY, DATA_KEY, TRUE, FALSE
    dlc_mask = 0xFF00FFFFFFFFFFFF  # all but the digit
    every_bit, every_value_bit = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF
    extended_bit = 0x80000000
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_middle = stamp_end = end_mask = 0
    # the two most recent channels, each with the following comma, and masks of these bytes; empty at first
    first_key = second_key = every_bit
    first_mask = second_mask = 0
    first_name = second_name = 0
    first_size = second_size = extended = 0
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        # Most lines share their seconds with the previous one, have six digits of fraction, no exact time,
        # and one of the two most recent channels: their head is read as words and checked by one condition.
        usual_head = 0
        if (
            at + usual <= end
            and stamp_size
            and words.load8(text, at) == stamp
            and words.load8(text, at + 8) == stamp_middle
            and words.load8(text, at + 16) & end_mask == stamp_end
        ):
            pos = at + stamp_size
            word = words.load8(text, pos)
            fraction = words.decimal(word, 6)
            usual_head = (fraction >= 0) & (word >> 48 == comma_quote)
            usual_head &= (words.load8(text, pos + 8) == channel_key) & (text[pos + 16] == 58)
            key_word = words.load8(text, pos + 17)
            is_first = key_word & first_mask == first_key
            is_second = key_word & second_mask == second_key
            last = is_first * first_name + is_second * second_name
            pos += 17 + is_first * first_size + is_second * second_size
            usual_head &= (is_first | is_second) & (words.load8(text, pos) == id_key)
            usual_head &= (words.load8(text, pos + 8) == id_key_end) & (text[pos + 16] == 34)
            usual_head &= text[pos + 17] == 58
            pos += 18
            word = words.decimal_run(words.load8(text, pos))
            digits = word >> 32
            usual_head &= (digits > 0) & ((digits == 1) | (text[pos] != 48))
            value = text[pos + 8] - 48
            ninth = (digits == 8) & (0 <= value <= 9)
            identifier = word & every_value_bit
            identifier = identifier * (1 + 9 * ninth) + value * ninth
            pos += digits + ninth
            usual_head &= (words.load8(text, pos) == extended_key) & (text[pos + 16] == 34)
            usual_head &= (words.load8(text, pos + 8) == extended_key_end) & (text[pos + 17] == 58)
            kind = words.load4(text, pos + 18)
            extended = kind == true
            usual_head &= extended | ((kind == false) & (text[pos + 22] == 101))
            pos += 23 - extended
            usual_head &= (text[pos] == 44) & (identifier <= 0x1FFFFFFF)
            pos += 1
            time = stamp_ns + fraction * 1000
        if usual_head:
            # usually up to 8 bytes of data, then the end of the line, 94 to 134 bytes after its start:
            # computed early, so that the processor overlaps the next line with this one
            stop = at + 80 + words.newline_at(text, at + 80)
            word = words.load8(text, pos)
            length = (word >> 48 & 255) - 48
            is_usual = (word & dlc_mask == dlc_key) & (words.load8(text, pos + 8) == data_key)
            size = words.unhex(text, pos + 16, payload, used)
            begin = pos + 16 + size
            is_usual &= (size == 2 * length) & (begin + 2 == stop)
            is_usual &= (text[begin] == 34) & (text[begin + 1] == 125)
            if is_usual & (extended | (identifier <= 0x7FF)):
                timestamp_ns[row] = time
                can_id[row] = identifier + extended * extended_bit
                flags[row] = 0
                channel[row] = last
                dlc_code[row] = length
                used += length
                row += 1
                offset[row] = used
                at = stop + 1
                reason = done
                continue
        else:
            # time: 1 to 10 digits of seconds, 0 to 9 of fraction
            pos = words.behind(text, at, end, keys, ends, 0)
            if pos < 0:
                break
            begin = pos
            seconds = 0
            value = text[pos] - 48
            while 0 <= value <= 9 and pos - begin <= 10:
                seconds = seconds * 10 + value
                pos += 1
                value = text[pos] - 48
            digits = pos - begin
            if digits == 0 or seconds > most_seconds or (digits > 1 and text[begin] == 48):
                break
            time = seconds * 1000000000
            if value == -2:  # .
                pos += 1
                stamp_size = 0
                stamp_ns = time
                if 16 <= pos - at <= 24 and at + 24 <= end:
                    stamp_size = pos - at
                    stamp, stamp_middle = words.load8(text, at), words.load8(text, at + 8)
                    end_mask = words.first_bytes(every_bit, stamp_size - 16)
                    stamp_end = words.load8(text, at + 16) & end_mask
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
            if text[pos] != 44:  # ,
                break
            pos += 1
            while text[pos] == 32:
                pos += 1
            begin = words.behind(text, pos, end, keys, ends, 1)
            if begin > 0:  # exact time, as a string
                if text[begin] != 34:
                    break
                begin += 1
                pos = begin
                exact = 0
                value = text[pos] - 48
                while 0 <= value <= 9 and pos - begin < 19:
                    exact = exact * 10 + value
                    pos += 1
                    value = text[pos] - 48
                if pos == begin or text[pos] != 34 or text[pos + 1] != 44 or exact > most_nanoseconds:
                    break
                time = exact
                pos += 2
                while text[pos] == 32:
                    pos += 1
            # channel: usually that of the previous line
            pos = words.behind(text, pos, end, keys, ends, 2)
            if pos < 0:
                break
            begin = pos
            if text[pos] == 34:
                pos += 1
                while text[pos] != 34 and text[pos] >= 32:
                    if text[pos] == 92 and text[pos + 1] >= 32:
                        pos += 1
                    pos += 1
                if text[pos] != 34:
                    break
                pos += 1
            else:
                while text[pos] > 32 and text[pos] != 44:
                    pos += 1
            length = pos - begin
            if text[pos] != 44:
                break
            tried = 0
            while tried < name_count:
                start = name_ends[last - 1] if last > 0 else 0
                if name_ends[last] - start == length:
                    index = 0
                    while index < length and names[start + index] == text[begin + index]:
                        index += 1
                    if index == length:
                        break
                last += 1
                if last >= name_count:
                    last = 0
                tried += 1
            if tried == name_count:
                reason = name
                break
            if length < 8 and begin + 8 <= end:
                key_word = words.first_bytes(words.load8(text, begin), length + 1)
                if key_word not in (first_key, second_key):
                    first_key, second_key = second_key, key_word
                    first_mask, second_mask = second_mask, words.first_bytes(every_bit, length + 1)
                    first_name, second_name = second_name, last
                    first_size, second_size = second_size, length
            pos += 1
            while text[pos] == 32:
                pos += 1
            # identifier and its kind
            pos = words.behind(text, pos, end, keys, ends, 3)
            if pos < 0:
                break
            begin = pos
            identifier = 0
            value = text[pos] - 48
            while 0 <= value <= 9 and pos - begin < 9:
                identifier = identifier * 10 + value
                pos += 1
                value = text[pos] - 48
            if pos == begin or identifier > 0x1FFFFFFF or (pos - begin > 1 and text[begin] == 48):
                break
            if text[pos] != 44:
                break
            pos += 1
            while text[pos] == 32:
                pos += 1
            pos = words.behind(text, pos, end, keys, ends, 4)
            if pos < 0:
                break
            extended = 0
            if text[pos] == 116 and text[pos + 1] == 114 and text[pos + 2] == 117:  # tru
                extended = 1
            elif text[pos] == 102 and text[pos + 1] == 97 and text[pos + 2] == 108 and text[pos + 3] == 115:
                pos += 1  # fals
            else:
                break
            if text[pos + 3] != 101 or text[pos + 4] != 44:  # e,
                break
            pos += 5
            while text[pos] == 32:
                pos += 1
        # length and data
        pos = words.behind(text, pos, end, keys, ends, 5)
        if pos < 0:
            break
        length = text[pos] - 48
        if length < 0 or length > 9:
            break
        pos += 1
        value = text[pos] - 48
        if 0 <= value <= 9 and length > 0:
            length = length * 10 + value
            pos += 1
        if text[pos] != 44:
            break
        pos += 1
        while text[pos] == 32:
            pos += 1
        pos = words.behind(text, pos, end, keys, ends, 6)
        if pos < 0 or text[pos] != 34:
            break
        pos += 1
        begin = used
        size = 0
        digits = 16
        while digits == 16 and size < 64 and pos + 16 <= end:
            digits = words.unhex(text, pos, payload, begin + size)
            size += digits >> 1
            pos += digits & 30
        value = nibble[text[pos]]
        while value <= 15 and size < 64:
            low = nibble[text[pos + 1]]
            if low > 15:
                break
            payload[begin + size] = value << 4 | low
            size += 1
            pos += 2
            value = nibble[text[pos]]
        if text[pos] != 34:
            break
        pos += 1
        # the rest, in any combination but in this order
        marks = 0
        raw = 0
        key = 7
        while text[pos] == 44:
            marks |= 128  # until this key and its value are complete
            pos += 1
            while text[pos] == 32:
                pos += 1
            begin = -1
            while key < 14:
                begin = words.behind(text, pos, end, keys, ends, key)
                if begin > 0:
                    break
                key += 1
            if begin < 0:
                break
            pos = begin
            if key == 13:
                value = text[pos] - 48
                raw = value
                if value == 1:
                    raw = 10 + text[pos + 1] - 48
                    pos += 1
                    if raw < 10 or raw > 15:
                        raw = 0
                elif value > 9:  # not a digit
                    raw = 0
                if raw < 9:
                    break
                pos += 1
            elif key == 12:
                if text[pos] != 102 or text[pos + 1] != 97 or text[pos + 2] != 108 or text[pos + 3] != 115:
                    break
                if text[pos + 4] != 101:
                    break
                pos += 5
            else:
                if text[pos] != 116 or text[pos + 1] != 114 or text[pos + 2] != 117 or text[pos + 3] != 101:
                    break
                pos += 4
            marks = marks ^ 128 | 1 << (key - 7)
            key += 1
        if marks & 128 or text[pos] != 125:  # }
            break
        pos += 1
        if text[pos] == 13:
            pos += 1
        if text[pos] != 10:
            break
        # which flags can be combined: 1 remote, 2 error, 4 FD, 8 BRS, 16 ESI, 32 sent, 64 raw DLC
        code = size
        if marks & 4:
            if marks & 67 or size != length:
                break
            code = codes[size]
            if lengths[code] != size:
                break
        elif marks & 24 or length > 8:
            break
        elif marks & 1:
            if marks & 2 or size:
                break
            code = length
        elif size != length:
            break
        if marks & 64:
            if code != 8:
                break
            code = raw
        if marks & 2:
            identifier |= 0x20000000
        elif extended:
            identifier |= extended_bit
        elif identifier > 0x7FF:
            break
        if marks & 1:
            identifier |= 0x40000000
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = marks >> 2 & 15
        channel[row] = last
        dlc_code[row] = code
        used += size
        row += 1
        offset[row] = used
        at = pos + 1
        reason = done
    gil.acquire(thread)
    return at, row, reason


def copied(pieces: ReadBuffer, ends: UInt32s, piece: int, out: WriteBuffer, to: int) -> int:
    """Copy piece number ``piece`` to ``out`` at ``to``; return the position after it.

    8 bytes at a time: 7 more bytes follow the last piece, and ``out`` has room for them.
    """
    index = ends[piece - 1] if piece > 0 else 0
    stop = ends[piece]
    behind = to + stop - index
    while index < stop:
        words.store8(out, to, words.load8(pieces, index))
        to += 8
        index += 8
    return behind


def number(value: int, out: WriteBuffer, to: int) -> int:
    """Write the non-negative ``value`` in decimal; return the position after it."""
    count = 1
    rest = value
    while rest > 9:
        rest //= 10
        count += 1
    index = to + count
    while index > to:
        index -= 1
        out[index] = 48 + value % 10
        value //= 10
    return to + count


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

    ``names`` holds the channels as JSON, ``name_ends`` the end of each. Stops at a row for which ``out`` may
    have no room, and at one with a negative time or of CAN XL, which the caller handles.
    """
    hexadecimal = HEX
    decimal = DECIMAL
    pieces = PIECES + bytes(8)
    ends = PIECE_ENDS
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
    names_size = len(names)
    payload_size = len(payload)
    to = 0
    row = first
    billion = 1000000000
    latest = 9223372035  # the last second whose nanoseconds all fit into int64
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_middle = stamp_end = 0
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
        if time < 0 or flags[row] & 16:
            break
        since = time - stamp_ns + 500  # rounded
        if stamp_size and 0 <= since < billion:  # usually the digits of the previous line
            words.store8(out, to, stamp)
            words.store8(out, to + 8, stamp_middle)
            words.store8(out, to + 16, stamp_end)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            rest = time - seconds * billion
            rest += 500
            if rest >= 1000000000:
                rest -= 1000000000
                seconds += 1
            index = copied(pieces, ends, 0, out, to)
            index = number(seconds, out, index)
            out[index] = 46
            stamp, stamp_middle = words.reload8(out, to), words.reload8(out, to + 8)
            stamp_end = words.reload8(out, to + 16)
            stamp_size = 0
            if seconds < latest:
                stamp_size = index + 1 - to
                stamp_ns = seconds * billion
            to = index + 1
        micro = rest // 1000
        nano = rest - micro * 1000 != 500
        index = micro // 10000
        words.copy2(decimal, 2 * index, out, to)
        micro -= index * 10000
        index = micro // 100
        words.copy2(decimal, 2 * index, out, to + 2)
        words.copy2(decimal, 2 * (micro - index * 100), out, to + 4)
        to += 6
        if nano:
            to = copied(pieces, ends, 1, out, to)
            to = number(time, out, to)
            out[to] = 34
            to += 1
        to = copied(pieces, ends, 2, out, to)
        if stop - start <= 8 and start + 8 <= names_size:
            words.store8(out, to, words.load8(names, start))
            to += stop - start
        else:
            while start < stop:
                out[to] = names[start]
                to += 1
                start += 1
        # identifier: all 9 digits, then the key over the leading zeros
        word = can_id[row]
        kind = word >> 29
        identifier = word & 0x1FFFFFFF
        stop = to + 18 + words.decimal_width(identifier)
        high = identifier // 100000000
        out[stop - 9] = 48 + high
        words.store8(out, stop - 8, words.decimal8(identifier - high * 100000000))
        index = ends[2]
        words.store8(out, to, words.load8(pieces, index))
        words.store8(out, to + 8, words.load8(pieces, index + 8))
        words.copy2(pieces, index + 16, out, to + 16)
        to = stop
        to = copied(pieces, ends, 4 + (kind >> 2), out, to)
        mark = flags[row]
        code = dlc_code[row]
        size = end - begin
        if kind & 2:
            size = code if code < 8 else 8
            end = begin
        index = size // 10
        if index:
            out[to] = 48 + index
            to += 1
        out[to] = 48 + size - index * 10
        to += 1
        to = copied(pieces, ends, 6, out, to)
        if end - begin <= 8 and begin + 8 <= payload_size:
            # always 8 bytes: the following output overwrites the surplus
            words.hex8(payload, begin, out, to, 87)
            to += 2 * (end - begin)
            begin = end
        while begin + 8 <= end:
            words.hex8(payload, begin, out, to, 87)
            to += 16
            begin += 8
        while begin < end:
            index = payload[begin]
            out[to] = hexadecimal[2 * index]
            out[to + 1] = hexadecimal[2 * index + 1]
            to += 2
            begin += 1
        out[to] = 34
        to += 1
        if kind & 3 or mark or code > 8:
            if kind & 2:
                to = copied(pieces, ends, 7, out, to)
            if kind & 1:
                to = copied(pieces, ends, 8, out, to)
            if mark & 1:
                to = copied(pieces, ends, 9, out, to)
            if mark & 2:
                to = copied(pieces, ends, 10, out, to)
            if mark & 4:
                to = copied(pieces, ends, 11, out, to)
            if mark & 8:
                to = copied(pieces, ends, 12, out, to)
            if code > 8 and not mark & 1:
                to = copied(pieces, ends, 13, out, to)
                to = number(code, out, to)
        out[to] = 125
        out[to + 1] = 10
        to += 2
        row += 1
    gil.acquire(thread)
    return row, to
