"""Lines as candump prints them on a screen, to columns and back: `` (1.249713)  can0  123   [2]  DE AD``.

``parse`` handles typical lines with any of candump's kinds of time, and leaves any other line to the reader.
Grammar: ``cantools_cli/io/candump/screen_reader.py``. ``format`` belongs to ``screen_writer.py`` in the same
folder.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _words as words
from cantools_cli.kernels._tables import DECIMAL, FD_CODES, FD_LENGTHS, HEX, NIBBLE
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: an unusual or malformed line

#: the state shared by lines, as entries of ``state``: the sum of all short times, split into units of 2**62
#: ns and the rest; the last of them; their number, and the number that do not increase; whether they are
#: differences; the nanoseconds of the current date and second; whether lines without a time are accepted
SUM, SUM_HIGH, LAST, STEPS, BACK, DIFFERENCES, SECOND_NS, TIMELESS = range(8)
STATE = 8
UNIT_BITS = 62
UNIT = 1 << UNIT_BITS

#: maximum length of a usual line up to its first 8 bytes of data, and the bytes of it that are read as words
USUAL = 112
MAX_STAMP = 24  #: bytes that a time has at most up to its decimal point, blanks before it included
DATE = 19  #: bytes of a date and time: ``2023-11-14 22:13:20``

BLANKS = 0x2020202020202020
DIRECTION = words.load8(b"RX - -  ", 0)
LENGTH = words.load8(b"   [\0] \0", 0)
FD_LENGTH = LENGTH ^ words.load8(b"  [\0\0] \0", 0)  #: the difference of a CAN FD line
LENGTH_MASK = words.load8(b"\xff\xff\xff\xff\0\xff\xff\0", 0)
REMOTE = b"remote request"
ERROR = b"ERRORFRAME"

#: kinds of time that ``format`` writes
NO_TIME, ABSOLUTE, DATED, SINCE_FIRST, DIFFERENCE = range(5)
#: the state shared by written lines: the time from which the next one counts, and whether it is set; whether
#: 11-bit identifiers are aligned with 29-bit ones, which is the case after the first of these; the
#: nanoseconds of the second
ZERO_NS, HAS_ZERO, INDENTS, SECOND_BEGIN = range(4)
FORMAT_STATE = 4
DATE_ROOM = 24  #: size of the text of a date and second, with the surrounding bytes
DATE_SIZE = 22  #: bytes of it that are written
#: maximum length of a formatted line without the interface's name and the data, and of the surplus written
#: after it
LINE_ROOM = 128
BEFORE_DIRECTION = words.load8(b"  RX - -", 0)
REMOTE_END = b" remote request\n"


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    names: ReadBuffer,
    name_ends: UInt32s,
    second: ReadBuffer,
    state: Int64s,
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

    ``names`` holds the known interfaces, concatenated, ``name_ends`` the end of each. ``second`` is the only
    date and time that is handled, of 19 bytes, or empty; ``state``, described above, is updated. Returns the
    position where it stopped (the start of a line), the number of filled rows, and the reason.
    """
    nibble = NIBBLE
    codes = FD_CODES
    lengths = FD_LENGTHS
    remote, error = REMOTE, ERROR
    remote_size, error_size = len(remote), len(error)
    done, full, strange = DONE, FULL, STRANGE
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
    if name_count and name_ends[name_count - 1] > len(names):
        raise ValueError("the names do not fit")
    if len(state) < STATE or len(second) not in (0, DATE):
        raise ValueError("the state does not fit")
    date_size = len(second)
    total, total_high, latest = state[SUM], state[SUM_HIGH], state[LAST]
    steps, back, differences = state[STEPS], state[BACK], state[DIFFERENCES]
    second_ns, timeless = state[SECOND_NS], state[TIMELESS]
    row = first
    used = offset[first]
    reason = done
    last = 0
    usual, most_stamp, unit_bits = USUAL, MAX_STAMP, UNIT_BITS
    most_seconds = 9000000000
    unit = UNIT
    every_bit = 0xFFFFFFFFFFFFFFFF
    blanks, direction = BLANKS, DIRECTION
    usual_length, fd_length, length_mask = LENGTH, FD_LENGTH, LENGTH_MASK
    sent, switched, passive = 82 ^ 84, (45 ^ 66) << 24, (45 ^ 69) << 40  # R or T, - or B, - or E
    indent = 0xFFFFFFFFFF  # 5 bytes
    tens_byte = 0xFF000000
    after_fraction = 0x2029  # ) and a blank
    # the previous line's time up to the decimal point; its size is 0 at first
    stamp_size = 0
    stamp_ns = 0
    stamp_is_short = 0
    stamp = stamp_mask = stamp_middle = middle_mask = stamp_end = end_mask = 0
    # the two most recent interfaces, from after two spaces to the following space; empty at first
    first_key = second_key = every_bit
    first_mask = second_mask = 0
    first_name = second_name = 0
    first_size = second_size = 0
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        # Most lines share their seconds with the previous one, or have no time, and have the name of one of
        # the two most recent interfaces: their head is read as words and checked by one condition. No branch
        # on the kind of identifier or frame: it would be unpredictable.
        usual_head = 0
        pos = 0
        is_whole = 0
        begin_data = used
        if at + usual <= end:
            word = words.load8(text, at)
            differs = word ^ stamp
            differs &= stamp_mask
            differs |= (words.load8(text, at + 8) ^ stamp_middle) & middle_mask
            differs |= (words.load8(text, at + 16) ^ stamp_end) & end_mask
            if stamp_size and differs == 0:
                pos = at + stamp_size
                word = words.load8(text, pos)
                time = words.decimal(word, 6)
                differs = (word >> 48) ^ after_fraction
                differs |= text[pos + 8] ^ 32
                usual_head = time >= 0
                time = stamp_ns + time * 1000
                is_short = stamp_is_short
                pos += 9
            elif timeless and word & 0xFFFF == 0x2020:
                differs = 0
                usual_head = 1
                time = 0
                is_short = 0
                pos = at + 2
            if usual_head:
                # computed early, so that the processor overlaps the next line with this one
                stop = pos + 12 + words.newline_at(text, pos + 12)
                key = words.load8(text, pos)
                is_first = key & first_mask == first_key
                is_second = key & second_mask == second_key
                usual_head = is_first | is_second
                last = is_first * first_name + is_second * second_name
                pos += is_first * first_size + is_second * second_size
                differs |= text[pos] ^ 32
                pos += 1
                mark = 0
                if text[pos + 1] == 88:  # X
                    word = words.load8(text, pos)
                    is_sent = word >> 2 & 1
                    is_switched = word >> 30 & 1
                    is_passive = word >> 46 & 1
                    word ^= is_sent * sent ^ is_switched * switched ^ is_passive * passive
                    differs |= word ^ direction
                    mark = is_sent << 3 | is_switched << 1 | is_passive << 2
                    pos += 8
                # the identifier: after 5 more spaces if 3 digits are aligned with 8
                word = words.load8(text, pos)
                is_indented = text[pos] == 32
                differs |= ((word ^ blanks) & indent) * is_indented
                pos += 5 * is_indented
                is_base = text[pos + 3] == 32
                digits = 8 - 5 * is_base
                number = words.hexadecimal(words.load8(text, pos), digits)
                usual_head &= number >> (29 - 18 * is_base) == 0
                pos += digits
                # the length: one digit, or two for CAN FD
                word = words.load8(text, pos)
                is_fd = word >> 16 & 255 == 91  # [
                differs |= (word ^ usual_length ^ fd_length * is_fd) & length_mask & ~(tens_byte * is_fd)
                tens = ((word >> 24 & 255) - 48) * is_fd
                code = (word >> 32 & 255) - 48
                length = code + 10 * tens
                usual_head &= (0 <= tens <= 6) & (0 <= code <= 9) & (length <= 8 + 56 * is_fd)
                usual_head &= differs == 0
                if usual_head:
                    identifier = number
                    pos += 7
                    code = codes[length]
                    mark = mark & (8 + 6 * is_fd) | is_fd
                    size = words.unhex_spaced(text, pos, payload, used)
                    size = min(size, length)
                    pos += 3 * size
                    used += size
                    is_whole = (size == length) & (pos == stop)
        if not usual_head:
            pos = at
            while text[pos] == 32:
                pos += 1
            time = 0
            is_short = 0
            is_timed = text[pos] == 40  # (
            key_at = at + 2
            if is_timed:
                # 1 to 10 digits of seconds, or the date; 1 to 9 digits of fraction
                pos += 1
                begin = pos
                seconds = 0
                value = text[pos] - 48
                while 0 <= value <= 9:
                    seconds = seconds * 10 + value
                    pos += 1
                    value = text[pos] - 48
                    if pos - begin > 10:
                        break
                digits = pos - begin
                if value == -3:  # -
                    if date_size == 0:
                        break
                    index = 0
                    while index < date_size and text[begin + index] == second[index]:
                        index += 1
                    if index < date_size:
                        break
                    pos = begin + date_size
                    value = text[pos] - 48
                    time = second_ns
                else:
                    if digits == 0 or digits > 10 or seconds > most_seconds:  # beyond int64 nanoseconds
                        break
                    is_short = digits <= 8
                    time = seconds * 1000000000
                if value not in (-2, -4):  # . or ,
                    break
                pos += 1
                stamp_size = 0
                if pos - at <= most_stamp and at + most_stamp <= end:
                    stamp_size = pos - at
                    stamp_ns = time
                    stamp_is_short = is_short
                    index = stamp_size if stamp_size < 8 else 8
                    stamp_mask = words.first_bytes(every_bit, index)
                    stamp = words.load8(text, at) & stamp_mask
                    left = stamp_size - index
                    index = left if left < 8 else 8
                    middle_mask = words.first_bytes(every_bit, index)
                    stamp_middle = words.load8(text, at + 8) & middle_mask
                    end_mask = words.first_bytes(every_bit, left - index)
                    stamp_end = words.load8(text, at + 16) & end_mask
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
                if digits == 0 or digits > 9 or value != -7:  # )
                    break
                while digits < 9:
                    fraction *= 10
                    digits += 1
                time += fraction
                pos += 1
                if text[pos] != 32:
                    break
                key_at = pos + 2
                while text[pos] == 32:
                    pos += 1
            elif timeless == 0 or text[pos] == 35:  # without times, a line that begins with # is a comment
                break
            # interface
            begin = pos
            while text[pos] > 32:
                pos += 1
            length = pos - begin
            if length == 0 or text[pos] != 32 or text[begin] == 40:
                break
            last = 0
            while last < name_count:
                start = name_ends[last - 1] if last > 0 else 0
                if name_ends[last] - start == length:
                    index = 0
                    while index < length and names[start + index] == text[begin + index]:
                        index += 1
                    if index == length:
                        break
                last += 1
            if last == name_count:
                break
            size = pos + 1 - key_at
            if key_at <= begin and size <= 8 and key_at + 8 <= end and text[begin] != 35:
                key = words.first_bytes(words.load8(text, key_at), size)
                if key not in (first_key, second_key):
                    first_key, second_key = second_key, key
                    first_mask, second_mask = second_mask, words.first_bytes(every_bit, size)
                    first_name, second_name = second_name, last
                    first_size, second_size = second_size, size
            while text[pos] == 32:
                pos += 1
            # direction, bit rate switch, error state
            mark = 0
            if text[pos] in (82, 84) and text[pos + 1] == 88:  # RX, TX
                mark = (text[pos] & 4) << 1
                pos += 2
                if text[pos] != 32 or text[pos + 1] not in (45, 66) or text[pos + 2] != 32:
                    break
                if text[pos + 3] not in (45, 69) or text[pos + 4] != 32:
                    break
                mark |= (text[pos + 1] == 66) << 1 | (text[pos + 3] == 69) << 2
                pos += 4
                while text[pos] == 32:
                    pos += 1
            # identifier
            number = 0
            begin = pos
            value = nibble[text[pos]]
            while value <= 15:
                number = number << 4 | value
                pos += 1
                if pos - begin > 8:
                    break
                value = nibble[text[pos]]
            digits = pos - begin
            is_base = digits == 3
            if digits not in (3, 8) or text[pos] != 32:
                break
            if number >> (30 - 19 * is_base):
                break
            identifier = number
            while text[pos] == 32:
                pos += 1
            # length or raw DLC
            is_fd = False
            if text[pos] == 91:  # [
                length = text[pos + 1] - 48
                if length < 0 or length > 9:
                    break
                pos += 2
                value = text[pos] - 48
                if 0 <= value <= 9:
                    is_fd = True
                    length = length * 10 + value
                    pos += 1
                if text[pos] != 93 or length > 8 + 56 * is_fd:
                    break
                code = codes[length]
            elif text[pos] == 123:  # {
                code = nibble[text[pos + 1]]
                if code > 15 or text[pos + 2] != 125:
                    break
                length = code if code < 8 else 8
                pos += 2
            else:
                break
            pos += 1
            mark = mark & (8 + 6 * is_fd) | is_fd
            size = 0
            if text[pos] == 32:  # to the last blank before the data
                while text[pos] == 32:
                    pos += 1
                pos -= 1
        identifier |= ((1 - is_base) & ~(identifier >> 29)) << 31
        if is_whole:
            pos = stop
        else:
            if is_fd and lengths[code] != length:
                used = begin_data
                break
            is_remote = 0
            if size == 0 and text[pos] == 32:
                index = pos
                while text[index] == 32:
                    index += 1
                if text[index] == 114:  # r
                    if is_fd or identifier >> 29 == 1 or index + remote_size > end:
                        break
                    if not words.same(text, index, remote, remote_size):
                        break
                    is_remote = 1
                    identifier |= 0x40000000
                    pos = index + remote_size
            if is_remote == 0:
                while size + 8 <= length and pos + 26 <= end:
                    if words.unhex_spaced(text, pos, payload, used) < 8:
                        break
                    used += 8
                    pos += 24
                    size += 8
                while size < length:
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
                    size += 1
                if size < length or text[pos] not in (32, 10, 13):
                    used = begin_data
                    break
            # the fields after the data: the mark of an error frame, the data as text
            while pos + 8 <= end and words.load8(text, pos) == blanks:
                pos += 8
            while text[pos] == 32:
                pos += 1
            if (
                text[pos] == 69  # E
                and is_remote == 0
                and pos + error_size <= end
                and words.same(text, pos, error, error_size)
            ):
                pos += error_size
                while text[pos] == 32:
                    pos += 1
            if text[pos] == 39 and is_remote == 0:  # '
                begin = pos
                while text[pos] >= 32:
                    pos += 1
                index = pos - 1
                while text[index] == 32:
                    index -= 1
                if index == begin or text[index] != 39:
                    used = begin_data
                    break
            if text[pos] == 13:
                pos += 1
            if text[pos] != 10:
                used = begin_data
                break
        if is_short:
            # since the first frame or since the previous one: times that decrease too often are the latter
            is_back = (differences == 0) & ((time < latest) | ((time == latest) & (latest > 0)))
            is_difference = differences | (is_back & ((back + is_back) * 8 > steps + 1))
            sum_now = total + time
            above = sum_now >> unit_bits
            if is_difference and total_high + above > 1:  # beyond int64 nanoseconds
                used = begin_data
                break
            total = sum_now - above * unit
            total_high += above
            if differences == 0:
                steps += 1
                back += is_back
                latest = time
                differences = is_difference
            if is_difference:
                time = total + total_high * unit
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = last
        dlc_code[row] = code
        row += 1
        offset[row] = used
        at = pos + 1
        reason = done
    gil.acquire(thread)
    state[SUM], state[SUM_HIGH], state[LAST] = total, total_high, latest
    state[STEPS], state[BACK], state[DIFFERENCES] = steps, back, differences
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
    form: int,
    second: ReadBuffer,
    directions: int,
    state: Int64s,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (the next row, bytes written).

    ``names`` holds the channels' names, each after its spaces, ``name_ends`` the end of each. ``form`` is the
    kind of time, ``second`` the text before the fraction of a ``DATED`` time, 24 bytes, of which 22 are
    written; ``state``, described above, is updated. Stops at a row for which ``out`` may have no room, at one
    of another second, and at one that the caller handles: an error frame, one of CAN XL, one before 1970.
    """
    hexadecimal = HEX
    decimal = DECIMAL
    remote_end = REMOTE_END
    line_room = LINE_ROOM
    no_time, absolute, dated, difference = NO_TIME, ABSOLUTE, DATED, DIFFERENCE
    blanks, before_direction, usual_length, fd_length = BLANKS, BEFORE_DIRECTION, LENGTH, FD_LENGTH
    sent, switched, passive = (82 ^ 84) << 16, (45 ^ 66) << 40, (45 ^ 69) << 56
    every_bit = 0xFFFFFFFF
    rows = len(timestamp_ns)
    room = len(out)
    payload_size = len(payload)
    name_count = len(name_ends)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or offset[rows] > len(payload):
        raise ValueError("the offsets do not fit")
    if name_count and name_ends[name_count - 1] > len(names):
        raise ValueError("the names do not fit")
    if len(state) < FORMAT_STATE or (form == dated and len(second) < DATE_ROOM):
        raise ValueError("the state does not fit")
    names_size = len(names)
    billion = 1000000000
    latest = 9223372035000000000  # after it the nanoseconds of a second may not fit into int64
    zero, has_zero, indents = state[ZERO_NS], state[HAS_ZERO], state[INDENTS]
    half = 500 if form in (absolute, dated) else 0
    least_digits = 10 if form == absolute else 3
    stamp_size = 0  # length of the previous line's time up to the decimal point; 0 at first
    stamp_ns = 0  # the value of those digits
    stamp = stamp_middle = stamp_end = 0
    if form == dated:
        stamp_size, stamp_ns = DATE_SIZE, state[SECOND_BEGIN]
        stamp, stamp_middle = words.load8(second, 0), words.load8(second, 8)
        stamp_end = words.load8(second, 16)
    to = 0
    row = first
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
        size = end - begin
        if to + line_room + stop - start + 3 * size > room:
            break
        time = timestamp_ns[row]
        mark = flags[row]
        kind = can_id[row]
        word = kind & 0x1FFFFFFF
        kind >>= 29
        is_fd = mark & 1
        is_remote = kind >> 1 & 1
        if time < 0 or time > latest or mark & 16 or kind & 1 or size > 8 + 56 * is_fd or is_remote & is_fd:
            break
        if form != no_time:
            since = time + half
            if form > dated:
                if has_zero and zero < 0:
                    break
                since = time - zero if has_zero and time > zero else 0
            rest_ns = since - stamp_ns
            if stamp_size == 0 or rest_ns < 0 or rest_ns >= billion:  # the previous line has other digits
                if form == dated:
                    break
                seconds = since // billion
                stamp_ns = seconds * billion
                rest_ns = since - stamp_ns
                out[to] = 32
                out[to + 1] = 40
                count = 1
                left = seconds
                while left > 9:
                    left //= 10
                    count += 1
                count = max(count, least_digits)
                left = seconds
                index = to + 1 + count
                while index > to + 1:
                    out[index] = 48 + left % 10
                    left //= 10
                    index -= 1
                out[to + 2 + count] = 46
                stamp = words.reload8(out, to)
                stamp_middle = words.reload8(out, to + 8)
                stamp_end = 0
                stamp_size = count + 3
            words.store8(out, to, stamp)
            words.store8(out, to + 8, stamp_middle)
            words.store8(out, to + 16, stamp_end)
            to += stamp_size
            rest = rest_ns
            micro = rest // 1000
            index = micro // 10000
            words.copy2(decimal, 2 * index, out, to)
            left_micro = micro - index * 10000
            index = left_micro // 100
            words.copy2(decimal, 2 * index, out, to + 2)
            words.copy2(decimal, 2 * (left_micro - index * 100), out, to + 4)
            out[to + 6] = 41
            to += 7
            if has_zero == 0 or form == difference:
                zero = time
                has_zero = 1
        index = stop - start
        if index <= 16 and start + 16 <= names_size:
            words.store8(out, to, words.load8(names, start))
            words.store8(out, to + 8, words.load8(names, start + 8))
            to += index
        else:
            while start < stop:
                out[to] = names[start]
                to += 1
                start += 1
        if directions:
            octets = before_direction ^ (mark >> 3 & 1) * sent
            octets ^= (mark >> 1 & 1) * switched ^ (mark >> 2 & 1) * passive
            words.store8(out, to, octets)
            to += 8
        # identifier: always 8 digits; the following output overwrites the last 5 of a base identifier; a
        # branch on the kind would be unpredictable
        wide = kind >> 2
        indents |= wide
        words.store8(out, to, blanks)
        to += 2 + 5 * (indents & (1 - wide))
        width = 3 + 5 * wide
        shifted = word << (32 - 4 * width) & every_bit
        words.copy2(hexadecimal, 2 * (shifted >> 24), out, to)
        words.copy2(hexadecimal, 2 * (shifted >> 16 & 255), out, to + 2)
        words.copy2(hexadecimal, 2 * (shifted >> 8 & 255), out, to + 4)
        words.copy2(hexadecimal, 2 * (shifted & 255), out, to + 6)
        to += width
        length = size
        if is_remote:
            length = dlc_code[row]
            length = min(length, 8)
        tens = length // 10
        octets = usual_length ^ fd_length * is_fd
        octets += (48 + length - 10 * tens) << 32
        octets += (48 + tens) * is_fd << 24
        words.store8(out, to, octets)
        to += 7
        if is_remote:
            words.store8(out, to, words.load8(remote_end, 0))
            words.store8(out, to + 8, words.load8(remote_end, 8))
            to += 16
            row += 1
            continue
        while begin < end and begin + 8 <= payload_size:
            # always 8 bytes: the following output overwrites the surplus
            words.hex8_spaced(payload, begin, out, to)
            index = end - begin
            index = min(index, 8)
            begin += index
            to += 3 * index
        while begin < end:
            out[to] = 32
            words.copy2(hexadecimal, 2 * payload[begin], out, to + 1)
            begin += 1
            to += 3
        out[to] = 10
        to += 1
        row += 1
    gil.acquire(thread)
    state[ZERO_NS], state[HAS_ZERO], state[INDENTS] = zero, has_zero, indents
    return row, to
