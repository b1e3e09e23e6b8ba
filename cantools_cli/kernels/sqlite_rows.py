"""Rows of python-can's SQLite table to columns.

``extract`` reads them from the pages of the file; alternatively SQLite returns values, which the reader
converts into the same buffers. ``parse`` converts ordinary frames and stops at any other.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Float64s, Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: all rows are read
FULL = 1  #: the batch is full
STRANGE = 2  #: a time that needs more digits, or an invalid frame
DAMAGED = 3  #: an invalid or unusual page

SLACK = 32  #: bytes after a page that may be read
IGNORED = 7  #: a column other than the table's seven


def _nanoseconds(seconds: float) -> int:
    """Return the nanoseconds of the shortest decimal that identifies ``seconds``; -1 if that is not simple.

    Doubles of today's times have steps of 2**-22 s. So a decimal with seven digits is always within half a
    step, and if there is one with six digits it is unique.
    """
    if not 0.0 <= seconds < 4000000000.0:
        return -1
    count = int(seconds * 1000000.0 + 0.5)
    if count / 1000000.0 == seconds:
        return count * 1000
    if seconds < 4194304.0:  # steps below a nanosecond
        count = int(seconds * 1000000000.0 + 0.5)
        return count if count / 1000000000.0 == seconds else -1
    if not 1073741824.0 <= seconds < 2147483648.0:
        return -1
    whole = int(seconds)
    fraction = (seconds - whole) * 10000000.0  # exact: 22 bits times 24
    count = int(fraction + 0.5)
    if fraction + 0.5 == count:  # halfway between two
        return -1
    return whole * 1000000000 + count * 100


def parse(
    at: int,
    end: int,
    seconds: Float64s,
    identifiers: UInt32s,
    extended: ReadBuffer,
    remote: ReadBuffer,
    error: ReadBuffer,
    dlc: ReadBuffer,
    ends: UInt32s,
    data: ReadBuffer,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the table's rows from ``at`` up to ``end`` into the batch's rows from ``first`` on.

    ``data`` holds the data of all rows, concatenated, ``ends`` the end of each. All frames are on channel 0.
    Returns the position where it stopped, the number of filled rows, and the reason.
    """
    room = len(timestamp_ns)
    payload_room = len(payload)
    if len(seconds) < end or len(identifiers) < end or len(ends) < end or len(dlc) < end:
        raise ValueError("the table's columns differ in length")
    if len(extended) < end or len(remote) < end or len(error) < end:
        raise ValueError("the table's columns differ in length")
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    begin = ends[at - 1] if at > 0 else 0
    row = first
    used = offset[first]
    reason = lines.DONE
    while at < end:
        stop = ends[at]
        if stop < begin or stop > len(data):
            raise ValueError("the ends do not fit")
        size = stop - begin
        reason = lines.STRANGE
        length = dlc[at]
        if length > 64:
            break
        if row >= room or used + size > payload_room:
            reason = lines.FULL
            break
        identifier = identifiers[at]
        if identifier > 0x1FFFFFFF or extended[at] > 1 or remote[at] > 1 or error[at] > 1:
            break
        code = length
        mark = 0
        if remote[at]:
            if error[at] or size or length > 8:
                break
            identifier |= 0x40000000
        elif size != length:
            break
        elif length > 8:
            code = words.fd_code(length)
            if code > 15:
                break
            mark = 1
        if error[at]:
            identifier |= 0x20000000
            mark |= extended[at] << 5
        elif extended[at]:
            identifier |= 0x80000000
        elif identifier & 0x1FFFFFFF > 0x7FF:
            break
        time = _nanoseconds(seconds[at])
        if time < 0:
            break
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = 0
        dlc_code[row] = code
        while begin < stop:
            payload[used] = data[begin]
            used += 1
            begin += 1
        row += 1
        offset[row] = used
        at += 1
        reason = lines.DONE
    return at, row, reason


def _number(data: ReadBuffer, at: int, kind: int) -> int:
    """Return the integer of the type ``kind`` at ``at``; -1 if it is negative or not an integer."""
    if kind in (8, 9):
        return kind - 8
    if kind < 1 or kind > 6 or data[at] > 127:
        return -1
    size = kind if kind < 5 else 2 * kind - 4
    value = 0
    for index in range(size):
        value = value << 8 | data[at + index]
    return value


def extract(
    data: ReadBuffer,
    base: int,
    usable: int,
    cell: int,
    last: int,
    places: ReadBuffer,
    kinds: UInt32s,
    spots: UInt32s,
    swap: int,
    first: int,
    rowids: Int64s,
    seconds: Float64s,
    octets: WriteBuffer,
    identifiers: UInt32s,
    extended: WriteBuffer,
    remote: WriteBuffer,
    error: WriteBuffer,
    dlc: WriteBuffer,
    ends: UInt32s,
    blob: WriteBuffer,
) -> tuple[int, int, int]:
    """Read the rows of a leaf page, from ``cell`` on, into the columns of ``parse``, from ``first`` on.

    The page begins at ``data[base]``; at least ``SLACK`` bytes follow its ``usable`` ones. ``places`` maps
    each column of a record to one of the table's columns or ``IGNORED``; ``kinds`` and ``spots`` are scratch
    space of 8 entries. ``octets`` is the memory of ``seconds``; ``swap`` is 7 if that is little-endian. An
    unusual row gets a ``dlc`` of 255, so that ``parse`` stops there. Returns the cell where it stopped, the
    number of filled rows, and the reason.

    Source: SQLite, "Database File Format", 1.6 and 2.1.
    """
    damaged, slack, ignored = DAMAGED, SLACK, IGNORED
    room = len(rowids)
    blob_room = len(blob)
    count = len(places)
    limit = base + usable
    if base < 0 or usable < 64 or limit + slack > len(data) or cell < 0:
        raise ValueError("no whole page")
    if len(seconds) < room or len(octets) < 8 * room or len(identifiers) < room or len(ends) < room:
        raise ValueError("the columns differ in length")
    if len(extended) < room or len(remote) < room or len(error) < room or len(dlc) < room:
        raise ValueError("the columns differ in length")
    if first < 0 or first > room or len(kinds) < 8 or len(spots) < 8:
        raise ValueError("no room for the rows")
    row = first
    used = ends[row - 1] if row > 0 else 0
    cells = data[base + 3] << 8 | data[base + 4]
    if data[base] != 13 or 8 + 2 * cells > usable:
        return cell, row, damaged
    reason = lines.DONE
    while cell < cells:
        if row >= room or used + 64 > blob_room:
            reason = lines.FULL
            break
        reason = damaged
        at = base + 8 + 2 * cell
        at = base + (data[at] << 8 | data[at + 1])
        if at >= limit:
            break
        size = 0
        index = 0
        octet = data[at]
        while octet > 127 and index < 4:
            size = size << 7 | octet & 127
            index += 1
            octet = data[at + index]
        size = size << 7 | octet
        at += index + 1
        rowid = 0
        index = 0
        octet = data[at]
        while octet > 127 and index < 8:
            rowid = rowid << 7 | octet & 127
            index += 1
            octet = data[at + index]
        if index == 8:  # the ninth byte has 8 bits: above 2**56, or negative
            break
        rowid = rowid << 7 | octet
        at += index + 1
        if rowid <= last:
            break
        if size <= usable - 35:
            if at + size > limit or size < 2:
                break
            # types and positions of the values
            stop = at + size
            body = at + data[at]
            head_end = body
            at += 1
            found = 0
            index = 0
            if data[at - 1] > 127 or head_end > stop:
                head_end = at
            while at < head_end:
                kind = data[at]
                at += 1
                if kind > 127:
                    if data[at] > 127:  # three bytes and more
                        break
                    kind = (kind & 127) << 7 | data[at]
                    at += 1
                width = kind if kind < 5 else 2 * kind - 4 if kind < 7 else 8 if kind == 7 else 0
                if kind > 11:
                    width = (kind - 12) // 2
                if body + width > stop:
                    break
                if index < count and places[index] != ignored:
                    kinds[places[index] & 7] = kind
                    spots[places[index] & 7] = body - base
                    found += 1
                index += 1
                body += width
            is_whole = 1 if at == head_end and found == 7 else 0
        else:  # the rest of the row is on other pages
            is_whole = 0
        width = 0
        length = 255
        if is_whole:
            identifier = _number(data, base + spots[1], kinds[1])
            state = _number(data, base + spots[2], kinds[2])
            request = _number(data, base + spots[3], kinds[3])
            fault = _number(data, base + spots[4], kinds[4])
            length = _number(data, base + spots[5], kinds[5])
            kind = kinds[0]
            at = base + spots[0]
            if kind == 7:
                for index in range(8):
                    octets[8 * row + (index ^ swap)] = data[at + index]
            else:
                whole = _number(data, at, kind)
                seconds[row] = whole
                if whole < 0 or whole > 0xFFFFFFFF:
                    length = 255
            kind = kinds[6]
            width = (kind - 12) // 2 if kind > 11 else 0
            if kind < 12 or kind & 1 or width > 64 or length > 64 or length < 0:
                length = 255
            if identifier < 0 or identifier > 0x1FFFFFFF:
                length = 255
            if state < 0 or state > 1 or request < 0 or request > 1 or fault < 0 or fault > 1:
                length = 255
        if length == 255:
            width = 0
            identifier = state = request = fault = 0
        at = base + spots[6]
        for index in range(width):
            blob[used + index] = data[at + index]
        used += width
        rowids[row] = rowid
        identifiers[row] = identifier
        extended[row] = state
        remote[row] = request
        error[row] = fault
        dlc[row] = length
        ends[row] = used
        last = rowid
        row += 1
        cell += 1
        reason = lines.DONE
    return cell, row, reason
