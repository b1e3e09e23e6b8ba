"""Lines as candump prints them on a screen, to columns and back: `` (1.249713)  can0  123   [2]  DE AD``.

The grammar of ``parse``, in which any number of spaces can stand for one before the length; other lines are
left to the reader, ``cantools_cli/io/candump/screen_reader.py``::

    line = ["(" time ")"] " " interface " " [direction] identifier " " length {" " octet} end
    length = "[" digits "]" | "{" dlc "}"
    end = ["remote request" | "ERRORFRAME"] ["'" text "'"]

The fast path: most lines share their seconds with an earlier one, or have no time, and a recent interface.
Their head is read as words and checked by one condition; without a branch on the kind of identifier or frame,
which would be unpredictable. The general path reads field by field.

The time is one of candump's four kinds: times of up to 8 digits count from the first or the previous frame.
``format`` belongs to ``screen_writer.py`` in the same folder.
"""

from __future__ import annotations

from cantools_cli.kernels import _candump as fields
from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

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
    lines.check_text(text, at, end)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    if len(state) < STATE or len(second) not in (0, DATE):
        raise ValueError("the state does not fit")
    room, payload_room = len(timestamp_ns), len(payload)
    date_size = len(second)
    total, total_high, latest = state[SUM], state[SUM_HIGH], state[LAST]
    steps, back, differences = state[STEPS], state[BACK], state[DIFFERENCES]
    second_ns, timeless = state[SECOND_NS], state[TIMELESS]
    row = first
    used = offset[first]
    last = 0
    reason = lines.DONE
    remote, error = REMOTE, ERROR
    usual, most_stamp, unit_bits = USUAL, MAX_STAMP, UNIT_BITS
    unit = UNIT
    blanks, direction = BLANKS, DIRECTION
    usual_length, fd_length, length_mask = LENGTH, FD_LENGTH, LENGTH_MASK
    sent, switched, passive = 82 ^ 84, (45 ^ 66) << 24, (45 ^ 69) << 40  # R or T, - or B, - or E
    indent = 0xFFFFFFFFFF  # 5 bytes
    tens_byte = 0xFF000000
    after_fraction = 0x2029  # ) and a blank
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length up to the point, and value
    stamp_is_short = 0
    recent = lines.no_channels()
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        usual_head = 0
        pos = 0
        is_whole = 0
        begin_data = used
        if at + usual <= end:
            word = words.load8(text, at)
            if stamp_size and words.same_start(text, at, stamp_at, stamp_size):
                pos = at + stamp_size
                word = words.load8(text, pos)
                time = words.decimal(word, 6)
                differs = (word >> 48) ^ after_fraction
                differs |= text[pos + 8] ^ ord(" ")
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
                pos += words.blanks(words.load8(text, pos))
                word = words.load8(text, pos)
                size = words.until(word, ord(" ")) + 1
                last = lines.recent_channel(recent, words.first_bytes(word, size))
                usual_head = (last >= 0) & (text[pos] != ord("#"))  # of a comment
                pos += size
                differs |= text[pos] ^ ord(" ")
                pos += 1
                mark = 0
                if text[pos + 1] == ord("X"):
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
                is_indented = text[pos] == ord(" ")
                differs |= ((word ^ blanks) & indent) * is_indented
                pos += 5 * is_indented
                is_base = text[pos + 3] == ord(" ")
                digits = 8 - 5 * is_base
                number = words.hexadecimal(words.load8(text, pos), digits)
                usual_head &= number >> (29 - 18 * is_base) == 0
                pos += digits
                # the length: one digit, or two for CAN FD
                word = words.load8(text, pos)
                is_fd = word >> 16 & 255 == ord("[")
                differs |= (word ^ usual_length ^ fd_length * is_fd) & length_mask & ~(tens_byte * is_fd)
                tens = ((word >> 24 & 255) - 48) * is_fd
                code = (word >> 32 & 255) - 48
                length = code + 10 * tens
                usual_head &= (0 <= tens <= 6) & (0 <= code <= 9) & (length <= 8 + 56 * is_fd)
                usual_head &= differs == 0
                if usual_head:
                    identifier = number
                    pos += 7
                    code = words.fd_code(length)
                    mark = mark & (8 + 6 * is_fd) | is_fd
                    size = words.unhex_spaced(text, pos, payload, used)
                    size = min(size, length)
                    pos += 3 * size
                    used += size
                    is_whole = (size == length) & (pos == stop)
        if not usual_head:
            pos = lines.after_spaces(text, at)
            time = 0
            is_short = 0
            if text[pos] == ord("("):
                begin = pos + 1
                pos = lines.seconds(text, begin, end, timestamp_ns, row)
                if pos < 0:
                    break
                is_short = pos - begin <= 8
                if text[pos] == ord("-"):
                    index = 0
                    while index < date_size and text[begin + index] == second[index]:
                        index += 1
                    if date_size == 0 or index < date_size:
                        break
                    pos = begin + date_size
                    is_short = 0
                    timestamp_ns[row] = second_ns
                if text[pos] not in (ord("."), ord(",")):
                    break
                stamp_at, stamp_ns, stamp_is_short = at, timestamp_ns[row], is_short
                pos += 1
                stamp_size = pos - at if pos - at <= most_stamp and at + 32 <= end else 0
                pos = lines.fraction(text, pos, end, timestamp_ns, row)
                if pos < 0 or text[pos] != ord(")") or text[pos + 1] != ord(" "):
                    break
                time = timestamp_ns[row]
                pos = lines.after_spaces(text, pos + 1)
            elif timeless == 0 or text[pos] == ord("#"):  # without times, # begins a comment
                break
            begin = pos
            while text[pos] > ord(" "):
                pos += 1
            if pos == begin or text[pos] != ord(" ") or text[begin] == ord("("):
                break
            last = lines.channel_at(text, begin, pos, end, names, name_ends, recent)
            if last < 0:
                break
            begin = fields.directions(text, lines.after_spaces(text, pos), row, flags)
            if begin < 0:
                break
            pos = lines.hexadecimal(text, begin, end, can_id, row)
            is_base = pos - begin == 3
            identifier = can_id[row]
            if pos - begin not in (3, 8) or text[pos] != ord(" ") or identifier >> (30 - 19 * is_base):
                break
            pos = fields.length(text, lines.after_spaces(text, pos), row, flags, dlc_code, can_id)
            if pos < 0:
                break
            mark, code, length = flags[row], dlc_code[row], can_id[row]
            is_fd = (mark & 1) == 1
            size = 0
        identifier |= ((1 - is_base) & ~(identifier >> 29)) << 31
        if is_whole:
            pos = stop + 1
        else:
            used = begin_data
            can_id[row] = identifier
            pos = fields.screen_data(
                text, pos, end, row, length, size, code, is_fd, can_id, payload, used, remote, error
            )
            if pos < 0:
                break
            identifier = can_id[row]
            used += 0 if identifier >> 30 & 1 else length
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
        at = pos
        reason = lines.DONE
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
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    remote_end = REMOTE_END
    line_room = LINE_ROOM
    no_time, absolute, dated, difference = NO_TIME, ABSOLUTE, DATED, DIFFERENCE
    blanks, before_direction, usual_length, fd_length = BLANKS, BEFORE_DIRECTION, LENGTH, FD_LENGTH
    sent, switched, passive = (82 ^ 84) << 16, (45 ^ 66) << 40, (45 ^ 69) << 56
    every_bit = 0xFFFFFFFF
    rows, room, name_count = len(timestamp_ns), len(out), len(name_ends)
    if len(state) < FORMAT_STATE or (form == dated and len(second) < DATE_ROOM):
        raise ValueError("the state does not fit")
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
                out[to] = ord(" ")
                out[to + 1] = ord("(")
                index = lines.put_decimal(seconds, least_digits, out, to + 2)
                out[index] = ord(".")
                stamp = words.reload8(out, to)
                stamp_middle = words.reload8(out, to + 8)
                stamp_end = 0
                stamp_size = index + 1 - to
            words.store8(out, to, stamp)
            words.store8(out, to + 8, stamp_middle)
            words.store8(out, to + 16, stamp_end)
            to += stamp_size
            rest = rest_ns
            words.store8(out, to, words.decimal6(rest // 1000))
            out[to + 6] = ord(")")
            to += 7
            if has_zero == 0 or form == difference:
                zero = time
                has_zero = 1
        to = lines.put(names, start, stop, out, to)
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
        words.store8(out, to, words.hexadecimal8(word << (32 - 4 * width) & every_bit))
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
        to = lines.put_spaced_hex(payload, begin, end, out, to)
        out[to] = ord("\n")
        to += 1
        row += 1
    gil.acquire(thread)
    state[ZERO_NS], state[HAS_ZERO], state[INDENTS] = zero, has_zero, indents
    return row, to
