"""Records of an MDF 4 file to columns and back; the caller reads and writes the bytes.

``parse`` follows plans, which locate the fields of each kind of record, so that one loop reads the files of
every program. It leaves rare and malformed records to the reader. ``format`` writes canx's own records.
Layouts: ``cantools_cli/io/mf4/layout.py`` and ``cantools_cli/io/mf4/head.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _plan
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Float64s, Int64s, ReadBuffer, UInt16s, WriteBuffer

if TYPE_CHECKING:
    from cantools_cli.kernels.buffers import UInt32s

DONE = 0  #: the end of the bytes is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: a rare or malformed record
CHANNEL = 3  #: a record of a channel that is not in the table
CUT = 4  #: the record continues after the end of the bytes
LOST = 5  #: an unknown record number: the start of the next record is unknown
WINDOW = 6  #: the record's data is not in the window of the data stream

SKIP, DATA, REMOTE, ERROR, RARE, VARIABLE = range(6)
#: the table entry of an unknown channel or kind
UNKNOWN = 0xFFFF

# A plan: PLAN numbers for each kind of record, first these, then WIDTH numbers for each field, then up to
# PLAN_MASKS pairs (byte, mask) of invalidation bits; MASKS holds their number.
PLAN = 112
WIDTH = 6
LENGTH, KIND, TIME_MODE, TIME_FACTOR, TIME_LIMIT = range(5)
DATA_MODE, DATA_AT, DATA_SIZE, DATA_GROUP, MASKS, USUAL = range(5, 11)
TIME, BUS, ID, IDE, DLC, SIZE, DIR, EDL, BRS, ESI, POINTER = range(11)
PLAN_FIELDS = 11
PLAN_MASKS = PLAN_FIELDS + 11 * WIDTH
MAX_MASKS = (PLAN - PLAN_MASKS) // 2

# The numbers of a field: (method, first byte, shift, bytes, mask, value); a CONSTANT has only a value, which
# is 0 for all others.
ABSENT, CONSTANT, LITTLE, BIG = range(4)
# The type of a time: an unsigned or signed multiple of TIME_FACTOR nanoseconds, or a number times ``scale``.
UNSIGNED, SIGNED, SCALED, FLOATING = range(4)
# The place of the data: in the record, in a following VARIABLE record, or in a separate stream.
NO_DATA, INLINE, BEHIND, STREAM = range(4)

FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))
#: the maximum time, in nanoseconds since the start, computed from a double
LARGEST_REAL = 9.0e18
#: maximum size of a written record
RECORD_ROOM = 81
#: bytes after a record that may be read with a usual frame: number, length, data, and a word
BEHIND_ROOM = 8 + 4 + 64 + 8


def _number(text: ReadBuffer, at: int, count: int) -> int:
    """Return the ``count`` bytes, at most 8, from ``at`` on as an unsigned number, little-endian."""
    value = 0
    for index in range(count):
        value = value << 8 | text[at + count - 1 - index]
    return value


def _field(text: ReadBuffer, at: int, plan: Int64s, base: int) -> int:
    """Return the field of the record at ``at`` that ``plan`` describes from ``base`` on; 0 if absent."""
    how = plan[base]
    value = 0
    if how == 1:
        value = plan[base + 5]
    elif how == 2:
        value = _number(text, at + plan[base + 1], plan[base + 3])
        value = value >> plan[base + 2] & plan[base + 4]
    elif how == 3:
        for index in range(plan[base + 3]):
            value = value << 8 | text[at + plan[base + 1] + index]
        value = value >> plan[base + 2] & plan[base + 4]
    return value


def _rounded(value: float) -> int:
    """Return the integer nearest to ``value``."""
    if value < 0:
        return -words.whole(0.5 - value)
    return words.whole(value + 0.5)


def parse_own(
    text: ReadBuffer,
    at: int,
    end: int,
    own: ReadBuffer,
    codes: ReadBuffer,
    lengths: ReadBuffer,
    limit: int,
    start_ns: int,
    table: UInt16s,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> int:
    """Parse a run of canx's own records of ordinary data frames from ``text[at:end]``.

    A separate loop, since compilers keep more of a short one in registers. ``own`` has the data size of each
    record number, 0 for all other kinds; ``limit`` is the latest time. Returns the position where it stopped
    times 2**32, plus the number of filled rows. ``parse`` checks the bounds.
    """
    unknown = 0xFFFF
    largest, every_id_bit, mask = 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFF, 0x1FFFFFFF
    room = len(timestamp_ns)
    payload_room = len(payload)
    channels = len(table)
    row = first
    used = offset[first]
    while row < room and used + 64 <= payload_room and end - at >= 33:
        size = own[text[at]]
        if size == 0 or end - at < 25 + size:
            break
        bits = words.load8(text, at + 1)
        word = words.load8(text, at + 9)
        bus = word & 255
        count = word >> 56
        if bus >= channels or count > size:
            break
        marks = word >> 40
        code = word >> 48 & 255
        word = word >> 8 & every_id_bit
        fd = marks >> 2 & 1
        extended = (marks | word >> 31) & 1
        word &= mask
        time = bits & largest
        known = table[bus]
        length_code = codes[count]
        wrong = (bits >> 63) | (code >> 4) | (time > limit) | (known == unknown)
        wrong |= (extended ^ 1) & (word > 0x7FF)
        wrong |= (count > 8) & ((fd ^ 1) | (count == code) | (lengths[length_code] != count))
        if wrong:
            break
        # always 8 bytes: the following output overwrites the surplus
        words.store8(payload, used, words.load8(text, at + 17))
        for place in range(8, count, 8):
            words.store8(payload, used + place, words.load8(text, at + 17 + place))
        timestamp_ns[row] = start_ns + time
        can_id[row] = word | extended << 31
        flags[row] = fd * (1 | marks >> 2 & 6) | (marks & 2) << 2
        channel[row] = known
        # the raw DLC code of a classic frame of 8 bytes may be above 8
        dlc_code[row] = length_code + (code - length_code) * ((fd ^ 1) & (code > 8) & (count == 8))
        used += count
        row += 1
        offset[row] = used
        at += 17 + size
    return at << 32 | row


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    id_size: int,
    kinds: UInt16s,
    plan: Int64s,
    scales: Float64s,
    own: ReadBuffer,
    running: Int64s,
    window: ReadBuffer,
    window_at: int,
    start_ns: int,
    table: UInt16s,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the records of ``text[at:end]`` into the rows from ``first`` on.

    A record begins with its number, of ``id_size`` bytes; ``kinds`` maps each number to the index of its
    plan. ``scales`` has a time factor for each plan, ``own`` the 256 bytes for ``parse_own``, empty if no
    records are canx's own. ``running`` counts the data bytes of each VARIABLE plan and is updated. ``window``
    is the available part of the data stream, from ``window_at`` on. Times count from ``start_ns``. ``table``
    maps each channel number to an entry of the channel column. Returns the position after the last record it
    handled, the number of filled rows, and the reason.
    """
    lengths = FD_LENGTHS
    codes = FD_CODES
    done, full, strange, new_channel, cut, lost, outside = DONE, FULL, STRANGE, CHANNEL, CUT, LOST, WINDOW
    skip, remote_kind, error_kind, variable = SKIP, REMOTE, ERROR, VARIABLE
    unknown = UNKNOWN
    stride, masks = PLAN, PLAN_MASKS
    largest_real = LARGEST_REAL
    behind_room = BEHIND_ROOM
    room = len(timestamp_ns)
    payload_room = len(payload)
    channels = len(table)
    numbers = len(kinds)
    window_size = len(window)
    if end > len(text) or at < 0 or id_size > 8:
        raise ValueError("the text is shorter than that")
    if len(can_id) < room or len(flags) < room or len(channel) < room or len(dlc_code) < room:
        raise ValueError("the columns differ in length")
    if len(offset) <= room or offset[first] > payload_room:
        raise ValueError("the offsets do not fit")
    if len(scales) * stride > len(plan) or len(running) < len(scales):
        raise ValueError("the plans differ in length")
    if len(own) not in (0, 256) or (len(own) and id_size != 1):
        raise ValueError("the table of canx's own records has another size")
    own_count = len(own)
    limit = 0x7FFFFFFFFFFFFFFF - start_ns
    every_bit = 0xFFFFFFFFFFFFFFFF
    number_bits = words.first_bytes(every_bit, id_size)
    group = 0
    row = first
    used = offset[first]
    reason = done
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        if own_count and own[text[at]]:
            number = parse_own(
                text,
                at,
                end,
                own,
                codes,
                lengths,
                limit,
                start_ns,
                table,
                row,
                timestamp_ns,
                can_id,
                flags,
                channel,
                dlc_code,
                offset,
                payload,
            )
            index = number & 0xFFFFFF
            if index > row:
                row = index
                used = offset[row]
                at = number >> 32
                reason = done
                continue
        if end - at >= 8:
            number = words.load8(text, at) & number_bits
        else:
            reason = cut
            if end - at < id_size:
                break
            number = _number(text, at, id_size)
        reason = lost
        if number >= numbers or kinds[number] == unknown:
            break
        index = kinds[number]
        base = index * stride
        if base + stride > len(plan):
            gil.acquire(thread)
            raise ValueError("the plans differ in length")
        pos = at + id_size
        kind = plan[base + 1]
        length = plan[base]
        # Most records are of ordinary data frames: their fields are read as words and checked by one
        # condition. An unusual one is read again below.
        if plan[base + 10] and end - pos >= length + 8:
            code = words.member(text, pos, plan, base + _plan.DLC)
            fd = words.member(text, pos, plan, base + _plan.EDL) & 1
            bus = words.member(text, pos, plan, base + _plan.BUS)
            data = pos + plan[base + 6]
            present = plan[base + 7]
            after = pos + length
            mode = plan[base + 5]
            if mode == 2:
                present = -1
                group = plan[base + 8]
                pointer = words.member(text, pos, plan, base + _plan.POINTER)
                if end - after >= behind_room and pointer >> 62 == 0:
                    number = words.load8(text, after) & number_bits
                    data = after + id_size + 4
                    if number < numbers and kinds[number] == group and running[group] == pointer:
                        present = words.load4(text, data - 4)
                        after = data + present
            elif mode == 3:
                present = -1
                pointer = words.member(text, pos, plan, base + _plan.POINTER)
                if pointer >> 62 == 0:
                    place = pointer
                    place = place - window_at
                    if 0 <= place <= window_size - behind_room:
                        present = words.load4(window, place)
                        data = place + 4
            is_usual = (code <= 15) & (present <= 64) & (bus < channels)
            count = 65
            if plan[base + _plan.SIZE]:
                count = words.member(text, pos, plan, base + _plan.SIZE)
            elif code <= 15:
                count = lengths[code] if fd else min(code, 8)
            if is_usual and count <= 64:
                size = codes[count]
                word = words.member(text, pos, plan, base + _plan.ID)
                state = word >> 31 & 1
                word &= 0x1FFFFFFF
                state |= words.member(text, pos, plan, base + _plan.IDE) & 1
                state |= (plan[base + _plan.IDE] == 0) & (word > 0x7FF)
                mark = fd
                if fd:
                    mark |= (words.member(text, pos, plan, base + _plan.BRS) & 1) << 1
                    mark |= (words.member(text, pos, plan, base + _plan.ESI) & 1) << 2
                bits = words.member(text, pos, plan, base + _plan.TIME)
                is_usual = (state == 1) | (word <= 0x7FF)
                is_usual &= (count <= present) & ((fd == 1) | (count <= 8)) & (table[bus] != unknown)
                is_usual &= (fd == 0) | (lengths[size] == count) & ((count != code) | (count <= 8))
                # the raw DLC code of a classic frame of 8 bytes may be above 8
                code = size + (code - size) * ((fd == 0) & (code > 8) & (count == 8))
                if plan[base + 2] == 0:
                    time = bits
                    is_usual &= (bits >> 63 == 0) & (time <= plan[base + 4])
                    if is_usual:
                        time = time * plan[base + 3]
                elif bits >> 52 & 0x7FF == 0x7FF:
                    is_usual = False
                else:
                    real = words.real(bits) * scales[index]
                    is_usual &= (real <= largest_real) & (real >= -largest_real)
                    if is_usual:
                        time = _rounded(real)
                        is_usual = time <= plan[base + 4]
                if is_usual:
                    # always 8 bytes: the following output overwrites the surplus
                    if mode == 3:
                        words.store8(payload, used, words.load8(window, data))
                        for place in range(8, count, 8):
                            words.store8(payload, used + place, words.load8(window, data + place))
                    else:
                        words.store8(payload, used, words.load8(text, data))
                        for place in range(8, count, 8):
                            words.store8(payload, used + place, words.load8(text, data + place))
                    if mode == 2:
                        running[group] += 4 + present
                    used += count
                    timestamp_ns[row] = start_ns + time
                    can_id[row] = word | state << 31
                    flags[row] = mark | (words.member(text, pos, plan, base + _plan.DIR) & 1) << 3
                    channel[row] = table[bus]
                    dlc_code[row] = code
                    row += 1
                    offset[row] = used
                    at = after
                    reason = done
                    continue
        reason = cut
        if kind == variable:
            if end - pos < 4:
                break
            size = _number(text, pos, 4)
            if size > end - pos - 4:
                break
            running[index] += 4 + size
            at = pos + 4 + size
            reason = done
            continue
        if length > end - pos:
            break
        if kind == skip:
            at = pos + length
            reason = done
            continue
        reason = strange
        if kind > error_kind:
            break
        for count in range(plan[base + 9]):
            if text[pos + plan[base + masks + 2 * count]] & plan[base + masks + 2 * count + 1]:
                kind = skip
        if kind == skip:
            break
        # time
        bits = _field(text, pos, plan, base + _plan.TIME)
        mode = plan[base + 2]
        if mode < 2:
            if bits >> 63:  # before the start, or out of range
                break
            time = bits
            if time > plan[base + 4]:
                break
            time = time * plan[base + 3]
        else:
            if mode == 3:
                if bits >> 52 & 0x7FF == 0x7FF:
                    break
                real = words.real(bits)
            else:
                real = float(bits)
            real = real * scales[index]
            if real > largest_real or real < -largest_real:
                break
            time = _rounded(real)
            if time > plan[base + 4]:
                break
        # identifier and flags
        word = _field(text, pos, plan, base + _plan.ID)
        state = word >> 31 & 1
        word &= 0x1FFFFFFF
        sent = _field(text, pos, plan, base + _plan.DIR) & 1
        mark = 0
        if kind == error_kind:
            mark = (state | _field(text, pos, plan, base + _plan.IDE) & 1) << 5
            state = word | 1 << 29
        else:
            if plan[base + _plan.IDE]:
                state |= _field(text, pos, plan, base + _plan.IDE) & 1
            elif word > 0x7FF:
                state = 1
            if state == 0 and word > 0x7FF:
                break
            state = word | state << 31
        # position and size of the data
        after = pos + length
        data = pos + plan[base + 6]
        present = plan[base + 7]
        from_window = 0
        mode = plan[base + 5]
        if mode == 2:
            present = -1
            pointer = _field(text, pos, plan, base + _plan.POINTER)
            group = plan[base + 8]
            reason = cut
            if end - after < id_size:
                break
            number = _number(text, after, id_size)
            if number < numbers and kinds[number] == group:
                if end - after - id_size < 4:
                    break
                size = _number(text, after + id_size, 4)
                if size > end - after - id_size - 4:
                    break
                reason = strange
                if pointer >> 62 or running[group] != pointer:
                    break
                present = size
                data = after + id_size + 4
                after = data + size
            reason = strange
        elif mode == 3:
            pointer = _field(text, pos, plan, base + _plan.POINTER)
            reason = outside
            if pointer >> 62:
                break
            place = pointer
            place = place - window_at
            if place < 0 or place > window_size - 4:
                break
            size = _number(window, place, 4)
            if size > window_size - 4 - place:
                break
            reason = strange
            present = size
            data = place + 4
            from_window = 1
        # length
        code = _field(text, pos, plan, base + _plan.DLC)
        fd = _field(text, pos, plan, base + _plan.EDL) & 1
        if code > 15:
            break
        if plan[base + _plan.SIZE]:
            count = _field(text, pos, plan, base + _plan.SIZE)
        elif plan[base + _plan.DLC]:
            count = lengths[code] if fd else min(code, 8)
        else:
            count = max(present, 0)
        if count > 64:
            break
        if plan[base + _plan.DLC] == 0:
            code = codes[count]
        if kind == remote_kind:
            state |= 1 << 30
            count = 0
        elif kind == error_kind:
            if count > 8 or count > present:
                break
            code = count
        else:
            if plan[base + _plan.EDL] == 0 and count > 8:
                fd = 1
            if fd:
                if count == code and count > 8 and present >= lengths[code]:
                    count = lengths[code]  # written by a program that confuses code and length
                code = codes[count]
                if lengths[code] != count:
                    break
                mark = _field(text, pos, plan, base + _plan.BRS) & 1
                mark = 1 | mark << 1 | (_field(text, pos, plan, base + _plan.ESI) & 1) << 2
            elif count > 8:
                break
            elif code < 8 or count < 8:
                code = count
            if count > present and (count or present >= 0):
                break
        bus = _field(text, pos, plan, base + _plan.BUS)
        reason = new_channel
        if bus >= channels:
            break
        if table[bus] == unknown:
            break
        reason = done
        if from_window:
            for place in range(count):
                payload[used + place] = window[data + place]
        elif count <= 8 and present >= 8:
            for place in range(8):
                payload[used + place] = text[data + place]
        else:
            for place in range(count):
                payload[used + place] = text[data + place]
        if mode == 2 and present >= 0:
            running[group] += 4 + present
        used += count
        timestamp_ns[row] = start_ns + time
        can_id[row] = state
        flags[row] = mark | sent << 3
        channel[row] = table[bus]
        dlc_code[row] = code
        row += 1
        offset[row] = used
        at = after
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
    counts: Int64s,
    out: WriteBuffer,
) -> tuple[int, int, int]:
    """Write the rows from ``first`` on as canx's records; return (the next row, bytes written, early times).

    ``numbers`` has the number, from 0, of each channel; ``counts`` counts the records by their number. A time
    before ``start_ns`` becomes ``start_ns`` and counts as early. Stops at a row for which ``out`` may have no
    room, and at a frame that no record can hold: too much data for its kind, or a channel number too large
    for the field.
    """
    record_room = RECORD_ROOM
    identifier_bits = 0x9FFFFFFF
    rows = len(timestamp_ns)
    room = len(out)
    channels = len(numbers)
    payload_size = len(payload)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows:
        raise ValueError("the offsets do not fit")
    if len(counts) < 5:
        raise ValueError("no room for the counts")
    to = 0
    early = 0
    row = first
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= channels:
            gil.acquire(thread)
            raise ValueError("no such channel")
        number = numbers[index] + 1
        begin = offset[row]
        count = offset[row + 1] - begin
        if count < 0 or begin + count > payload_size:
            gil.acquire(thread)
            raise ValueError("the offsets do not fit")
        word = can_id[row]
        mark = flags[row]
        if to + record_room > room or count > 64 or number > 255:
            break
        state = (mark >> 3 & 1) << 1
        size = 8
        kind = 1
        if word >> 29 & 1:  # error frame
            kind = 3
            state |= mark >> 5 & 1
            word &= 0x1FFFFFFF
        elif word >> 30 & 1:
            kind = 4
            size = 0
            state |= word >> 31
            word &= identifier_bits
        else:
            state |= word >> 31 | (mark & 1) << 2 | (mark & 7) >> 1 << 3
            word &= identifier_bits
            if count > 8:
                kind = 2
                size = 64
        if count > size or (kind == 2 and not mark & 1):
            break
        time = timestamp_ns[row]
        if time < start_ns:
            early += 1
            time = 0
        else:
            time = time - start_ns
        out[to] = kind
        words.store8(out, to + 1, time)
        out[to + 9] = number
        words.store4(out, to + 10, word)
        out[to + 14] = state
        out[to + 15] = dlc_code[row] & 15
        out[to + 16] = count
        to += 17
        if begin + size <= payload_size:
            # the data fields of the record, padded with zeros after the frame's data
            for index in range(0, size, 8):
                left = min(max(count - index, 0), 8)
                words.store8(out, to + index, words.first_bytes(words.load8(payload, begin + index), left))
        else:
            for index in range(count):
                out[to + index] = payload[begin + index]
            for index in range(count, size):
                out[to + index] = 0
        to += size
        counts[kind] += 1
        row += 1
    gil.acquire(thread)
    return row, to, early
