"""SocketCAN's records, as ``recvmmsg`` leaves them in memory, to columns and back for ``sendmmsg``.

::

    headers  64 bytes a message   48 flags, 4 | 40 size of its control messages, 8 | 56 size of its record, 4
    names    32 bytes a message   0 address family, 2 | 4 index of the network interface, 4
    records  72 bytes a message   0 identifier word, 4 | 4 length | 5 flags (FD) | 7 raw DLC | 8 data
    control  128 bytes a message  [0 size of the item, 8 | 8 level, 4 | 12 type, 4 | 16 data, to 8 bytes] ...
    vectors  16 bytes a message   0 address of its record, 8 | 8 size of its record, 8

The layout is that of 64-bit little-endian Linux. Elsewhere ``backends/socketcan/records.py`` does the same,
one record at a time.

Sources: Linux ``linux/can.h``, ``linux/socket.h``; recvmmsg(2), cmsg(3).
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: all messages are read
FULL = 1  #: the batch has no room for the next message
BAD = 2  #: the next message is not a valid record
DROPPED = 3  #: frames were dropped before the next message
STRANGE = 4  #: the interface of the next message is not in the table

HEADER_SIZE = 64
NAME_SIZE = 32
RECORD_SIZE = 72
CONTROL_SIZE = 128
VECTOR_SIZE = 16


def _time(text: ReadBuffer, at: int) -> int:
    """Return the nanoseconds of the seconds and nanoseconds there, 0 for none or beyond the year 2242."""
    seconds = words.load4(text, at + 4)
    if seconds > 1:
        return 0
    seconds = seconds << 16 << 16 | words.load4(text, at)
    return seconds * 1000000000 + words.load4(text, at + 8)


def parse(
    at: int,
    end: int,
    headers: ReadBuffer,
    names: ReadBuffer,
    records: ReadBuffer,
    control: ReadBuffer,
    indexes: UInt32s,
    now: int,
    dropped: int,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the messages from ``at`` up to ``end`` into the rows from ``first`` on.

    The channel of a frame is the position of its interface in ``indexes``, or 0 if that is empty. ``now`` is
    the time for messages without one, ``dropped`` the number of dropped frames already reported. Returns the
    message where it stopped, the number of filled rows, and the reason.
    """
    bad, lost, strange = BAD, DROPPED, STRANGE
    room = len(timestamp_ns)
    payload_room = len(payload)
    if at < 0 or end * 64 > len(headers) or end * 32 > len(names):
        raise ValueError("there are not that many messages")
    if end * 72 > len(records) or end * 128 > len(control):
        raise ValueError("there are not that many messages")
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    interfaces = len(indexes)
    extended = 0x80000000
    row = first
    used = offset[first]
    reason = lines.DONE
    while at < end:
        if row >= room or payload_room - used < 64:  # more than is needed, and simple
            reason = lines.FULL
            break
        pos = at * 128
        extra = words.load4(headers, at * 64 + 40)
        stop = pos + (extra if extra < 128 else 128)
        time = now
        raw_time = 0
        drops = dropped
        while stop - pos >= 16:
            length = words.load4(control, pos)
            if length < 16 or length > stop - pos:
                break
            kind = words.load4(control, pos + 12)
            if words.load4(control, pos + 8) == 1:
                if kind == 40 and length >= 20:
                    drops = words.load4(control, pos + 16)
                elif kind in (35, 64, 37, 65) and length >= 32:
                    value = _time(control, pos + 16)
                    if value:
                        time = value
                    if kind in (37, 65) and length >= 64:  # three times; the last is the adapter's
                        raw_time = _time(control, pos + 48)
            pos += (length + 7) & ~7
        if drops != dropped:
            reason = lost
            break
        place = 0
        if interfaces:
            index = words.load4(names, at * 32 + 4)
            while place < interfaces and indexes[place] != index:
                place += 1
            if place == interfaces:
                reason = strange
                break
        marks = words.load4(headers, at * 64 + 48)
        size = words.load4(headers, at * 64 + 56)
        pos = at * 72
        word = words.load4(records, pos)
        length = records[pos + 4]
        reason = bad
        if marks & 0x20 or size not in (16, 72) or length > size - 8:  # 0x20: cut, it was longer
            break
        if size == 72 and word & 0x60000000 == 0x40000000:  # there are no remote frames of CAN FD
            break
        reason = lines.DONE
        mark = 8 if marks & 4 else 0  # 4: sent on this host
        given = length
        code = length
        if size == 72:
            mark |= 1 | (records[pos + 5] & 3) << 1
            code = words.fd_code_for(length)
            length = words.fd_length(code)
        elif length == 8 and word & 0x20000000 == 0 and 8 < records[pos + 7] < 16:
            code = records[pos + 7]
        if word & 0x20000000:
            word &= 0x3FFFFFFF
        elif word & extended == 0:
            word &= 0x400007FF
        if word & 0x40000000:
            length = 0
        for step in range(length):
            payload[used + step] = records[pos + 8 + step] if step < given else 0
        timestamp_ns[row] = raw_time if raw_time else time
        can_id[row] = word
        flags[row] = mark
        channel[row] = place
        dlc_code[row] = code
        used += length
        row += 1
        offset[row] = used
        at += 1
    return at, row, reason


def format(
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: ReadBuffer,
    records: WriteBuffer,
    vectors: WriteBuffer,
) -> int:
    """Write the records of the rows from ``first`` on, and their sizes into the vectors.

    Returns the next row. ``vectors`` keep their addresses; the upper half of each size is already 0.
    """
    rows = len(can_id)
    room = min(len(records) // 72, len(vectors) // 16)
    if len(flags) < rows or len(dlc_code) < rows or len(offset) <= rows:
        raise ValueError("the columns differ in length")
    payload_size = len(payload)
    row = first
    at = 0
    while row < rows and at < room:
        begin = offset[row]
        length = offset[row + 1] - begin
        mark = flags[row]
        size = 72 if mark & 1 else 16
        if offset[row + 1] < begin or offset[row + 1] > payload_size or length > size - 8:
            raise ValueError("the offsets do not fit")
        word = can_id[row]
        code = dlc_code[row]
        pos = at * 72
        for step in range(0, size, 8):
            words.store8(records, pos + step, 0)
        words.store4(records, pos, word)
        records[pos + 4] = length
        if size == 72:
            records[pos + 5] = 4 | mark >> 1 & 3  # 4: CAN FD
        else:
            if word & 0x60000000 == 0x40000000:  # a remote frame has a length but no data
                records[pos + 4] = code if code < 8 else 8
            if 8 < code < 16:
                records[pos + 7] = code
        for step in range(length):
            records[pos + 8 + step] = payload[begin + step]
        vectors[at * 16 + 8] = size
        row += 1
        at += 1
    return row
