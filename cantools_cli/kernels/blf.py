"""Objects of a Vector BLF to columns and back; the caller reads and writes the bytes.

``parse`` handles the objects of typical logs and skips those without a frame. It leaves any other object to
the reader. Layouts: ``cantools_cli/io/blf/objects.py``.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the bytes is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: a rare or malformed object
CHANNEL = 3  #: an object of a channel that is not in the table
CUT = 4  #: the object continues after the end of the bytes
LOST = 5  #: no object starts here or within 3 bytes

SKIP, CLASSIC, FD, FD64, ERROR, RARE = range(6)
#: the action for each type of object; types from 256 on are skipped
KINDS = bytes(
    {1: CLASSIC, 86: CLASSIC, 100: FD, 101: FD64, 73: ERROR}.get(
        kind, RARE if kind in (2, 3, 31, 74, 91, 104, 125, 126, 139, 140) else SKIP
    )
    for kind in range(256)
)

#: the maximum time in steps of 10 µs: twice its nanoseconds fit into 64 bits
LARGEST_10US = 400_000_000_000_000

# The first 24 bytes of a written object: base header of 32 bytes, size, type, times in nanoseconds.
_HEAD = "4c4f424a 2000 0100 %02x000000 %02x000000 02000000 00000000"
HEADS = b"".join(bytes.fromhex(_HEAD % sizes) for sizes in ((48, 1), (72, 101), (64, 73)))

#: maximum size of a written object
OBJECT_ROOM = 136


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    start_ns: int,
    earliest: int,
    latest: int,
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
    """Parse the objects of ``text[at:end]`` into the rows from ``first`` on.

    Times count from ``start_ns`` and are between ``earliest`` and ``latest``, so that sums fit. ``table``
    maps each channel number to an entry of the channel column. Returns the position after the last object it
    handled (padding may follow), the number of filled rows, and the reason.
    """
    kinds = KINDS
    cut, lost = CUT, LOST
    classic, fd, fd64, error, skip = CLASSIC, FD, FD64, ERROR, SKIP
    largest_10us = LARGEST_10US
    room = len(timestamp_ns)
    payload_room = len(payload)
    channels = len(table)
    if end > len(text) or at < 0:
        raise ValueError("the text is shorter than that")
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    row = first
    used = offset[first]
    reason = lines.DONE
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        # the object's header, after up to 3 bytes of padding
        if end - at < 20:
            reason = cut
            break
        pos = at
        while text[pos] != 76 and pos - at < 3:  # L
            pos += 1
        if words.load4(text, pos) != 0x4A424F4C:  # LOBJ
            reason = lost
            break
        at = pos
        header = text[at + 4] | text[at + 5] << 8
        version = text[at + 6] | text[at + 7] << 8
        size = words.load4(text, at + 8)
        number = words.load4(text, at + 12)
        reason = lines.STRANGE
        if header < 16 or header > 64 or size < header:
            break
        if size > end - at:
            reason = cut
            break
        kind = kinds[number] if number < 256 else skip
        if kind == skip:
            at += size
            reason = lines.DONE
            continue
        if kind > error or header < 32 or version < 1 or version > 3:
            break
        time = lines.int64(text, at + 24)
        mark = words.load4(text, at + 16)
        if mark == 1:
            if time > largest_10us or time < -largest_10us:
                break
            time *= 10000
        elif mark != 2:
            break
        if time < earliest or time > latest:
            break
        # the fields of each type
        body = at + header
        length = size - header
        sent = 0
        mark = 0
        if kind == classic:
            if length < 16:
                break
            number = text[body] | text[body + 1] << 8
            state = text[body + 2]
            code = text[body + 3]
            identifier = words.load4(text, body + 4)
            sent = state & 1
            remote = state >> 7
            data = body + 8
            count = code if code < 8 else 8
            present = 8
        elif kind == fd64:
            if length < 40:
                break
            number = text[body]
            code = text[body + 1]
            count = text[body + 2]
            identifier = words.load4(text, body + 4)
            state = words.load4(text, body + 12)
            remote = state >> 4 & 1
            mark = state >> 12 & 7
            sent = text[body + 34]
            if sent > 1:
                break
            data = body + 40
            present = length - 40
            extra = text[body + 35]  # the start of a block that is not data; undefined in old files
            if extra >= header + 40 and extra + 8 <= size:
                present = extra - header - 40
        elif kind == fd:
            if length < 84:
                break
            number = text[body] | text[body + 1] << 8
            state = text[body + 2]
            code = text[body + 3]
            identifier = words.load4(text, body + 4)
            sent = state & 1
            remote = state >> 7
            mark = text[body + 13] & 7
            count = text[body + 14]
            data = body + 20
            present = 64
        else:
            # handled here only if it has the class and data of an error frame
            if length < 32 or words.load4(text, body + 4) or text[body + 8]:
                break
            if text[body + 20] or text[body + 21]:
                break
            number = text[body] | text[body + 1] << 8
            code = text[body + 10] & 15
            code = min(code, 8)
            identifier = words.load4(text, body + 16) & 0x1FFFFFFF
            if identifier == 0 or identifier > 0x3FF:
                identifier = 0x80
            remote = 0
            data = body + 24
            count = code
            present = 8
        if code > 15:
            break
        if kind == error:
            identifier |= 0x20000000
        elif identifier >> 31:
            state = identifier >> 31
            identifier = identifier & 0x1FFFFFFF | state << 31
        elif identifier > 0x7FF:
            break
        if remote:
            if mark & 1:
                break
            identifier |= 0x40000000
            mark = 0
            count = 0
        elif mark & 1:
            if count > 64:
                break
            code = words.fd_code(count)
            if code > 15:
                break
        else:
            mark = words.load4(text, body + 16) >> 31 << 5 if kind == error else 0
            count = code if code < 8 else 8
        if number >= channels or table[number] == lines.NO_CHANNEL:
            reason = lines.NAME
            break
        # data, padded with zeros
        if present >= 8 and count <= 8:
            words.store8(payload, used, words.load8(text, data))
        else:
            present = min(present, count)
            for index in range(present):
                payload[used + index] = text[data + index]
            for index in range(present, count):
                payload[used + index] = 0
        used += count
        timestamp_ns[row] = start_ns + time
        can_id[row] = identifier
        flags[row] = mark | sent << 3
        channel[row] = table[number]
        dlc_code[row] = code
        row += 1
        offset[row] = used
        at += size
        reason = lines.DONE
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
    latest: int,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as objects; return (the next row, bytes written).

    ``numbers`` has the number, from 0, of each channel. A time before ``start_ns`` becomes ``start_ns``.
    Stops at a row for which ``out`` may have no room, at a CAN XL frame, which the caller handles, and at a
    frame that no object can hold: one later than ``latest``, with too much data for its kind, or with a
    channel number too large for the field.
    """
    heads = HEADS
    object_room = OBJECT_ROOM
    identifier_bits = 0x9FFFFFFF
    rows = len(timestamp_ns)
    room = len(out)
    channels = len(numbers)
    payload_size = len(payload)
    lines.check_columns(rows, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    to = 0
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
        time = timestamp_ns[row]
        mark = flags[row]
        if to + object_room > room or time > latest or count > 64 or mark & 16:
            break
        word = can_id[row]
        if word >> 29 & 1:  # error frame
            if count > 8 or number > 0xFFFF:
                break
            lines.put(heads, 48, 72, out, to)
            for index in range(33, 64):
                out[to + index] = 0
            out[to + 33] = number >> 8
            out[to + 42] = count
            word = word & 0x1FFFFFFF | (mark >> 5 & 1) << 31
            pos = to + 48
            data = to + 56
            size = 64
        elif mark & 1:
            if number > 255:
                break
            lines.put(heads, 24, 48, out, to)
            for index in range(33, 72):
                out[to + index] = 0
            size = 72 + count
            while size & 3:  # no padding: readers differ on the padding after this type
                out[to + size] = 0
                size += 1
            out[to + 8] = size
            out[to + 33] = dlc_code[row]
            out[to + 34] = count
            out[to + 45] = 0x10 | (mark & 6) << 4  # EDL, BRS, ESI
            out[to + 66] = mark >> 3 & 1
            word &= identifier_bits
            pos = to + 36
            data = to + 72
        else:
            if count > 8 or number > 0xFFFF:
                break
            lines.put(heads, 0, 24, out, to)
            for index in range(40, 48):
                out[to + index] = 0
            out[to + 33] = number >> 8
            out[to + 34] = mark >> 3 & 1 | (word >> 30 & 1) << 7
            out[to + 35] = dlc_code[row]
            word &= identifier_bits
            pos = to + 36
            data = to + 40
            size = 48
        time = time - start_ns if time > start_ns else 0
        words.store8(out, to + 24, time)
        out[to + 32] = number & 255
        words.store4(out, pos, word)
        for index in range(count):
            out[data + index] = payload[begin + index]
        to += size
        row += 1
    gil.acquire(thread)
    return row, to


def survey(
    timestamp_ns: Int64s, can_id: UInt32s, flags: ReadBuffer, start_ns: int
) -> tuple[int, int, int, int, int]:
    """Return (smallest time, largest time, frames before ``start_ns``, CAN FD frames, sent error frames).

    Raises:
        ValueError: there is no frame.
    """
    rows = len(timestamp_ns)
    if rows == 0 or len(can_id) < rows or len(flags) < rows:
        raise ValueError("no frame, or the columns differ in length")
    smallest = timestamp_ns[0]
    largest = smallest
    early = 0
    fd = 0
    sent_errors = 0
    for row in range(rows):
        time = timestamp_ns[row]
        smallest = min(smallest, time)
        largest = max(largest, time)
        if time < start_ns:
            early += 1
        if can_id[row] >> 29 & 1:
            sent_errors += flags[row] >> 3 & 1
        else:
            fd += flags[row] & 1
    return smallest, largest, early, fd, sent_errors
