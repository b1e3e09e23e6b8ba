"""Datagrams of the virtual bus to columns and back: many consecutive frames after one header.

::

    header  0 version 1 | 1 kind: 1 = each record has its time, 2 = CAN XL | 2 zero | 4 total size, 4
            8 frames, 4 | 12 frames the reader missed before these, 4 | 16 sender, 8 | 24 time, 8
    record  0 identifier word, 4 | 4 flags: FD, BRS, ESI, EXTENDED_ERROR | 5 DLC code | 6 bytes of data, 2
            [8 time, 8] | data

A datagram of kind 2 holds one CAN XL frame as SocketCAN's record, with the time of the header; the caller
handles it.

All numbers are little-endian, all times int64 nanoseconds since the epoch. The direction of a frame follows
from the sender.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch has no room for the next datagram
MISSED = 2  #: frames are missing before the next datagram
BAD = 3  #: the next datagram is inconsistent
XL = 4  #: the next datagram holds a CAN XL frame, which the caller handles

VERSION = 1
HEADER_SIZE = 32
XL_KIND = 2
#: maximum size of a record: its fixed part, a time, the data of a CAN FD frame
RECORD_ROOM = 80


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    own: int,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the datagrams of ``text[at:end]`` into the rows from ``first`` on; all are on channel 0.

    Frames of the sender ``own`` are marked as sent. Returns the position where it stopped (the start of a
    datagram, of which no frame is in the rows), the number of filled rows, and the reason.
    """
    missed, bad, is_xl = MISSED, BAD, XL
    version, header = VERSION, HEADER_SIZE
    room = len(timestamp_ns)
    payload_room = len(payload)
    if at < 0 or end > len(text):
        raise ValueError("the text does not reach that far")
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    row = first
    used = offset[first]
    reason = lines.DONE
    while at < end:
        reason = bad
        if end - at < header or text[at] != version or text[at + 1] > 2:
            break
        size, count = words.load4(text, at + 4), words.load4(text, at + 8)
        if size > 0xFFFFFF or size < header or size > end - at or count > size:
            break
        if words.load4(text, at + 12):
            reason = missed
            break
        if text[at + 1] == 2:
            reason = is_xl
            break
        if count > room - row or size > payload_room - used:  # more than needed, but simple
            reason = lines.FULL
            break
        timed = text[at + 1]
        sent = 8 if words.load8(text, at + 16) == own else 0
        time = lines.int64(text, at + 24)
        pos = at + header
        stop = at + size
        last = row + count
        to = row
        taken = used
        fixed = 16 if timed else 8
        while to < last:
            if stop - pos < fixed:
                break
            word = words.load4(text, pos)
            mark = text[pos + 4]
            code = text[pos + 5]
            length = text[pos + 6] | text[pos + 7] << 8
            if mark & 216 or code > 15 or length > 64 or (length > 8 and not mark & 1):
                break
            if mark & 32 and not word & 0x20000000:
                break
            if timed:
                time = lines.int64(text, pos + 8)
            pos += fixed
            if length > stop - pos:
                break
            for index in range(length):
                payload[taken + index] = text[pos + index]
            pos += length
            taken += length
            timestamp_ns[to] = time
            can_id[to] = word
            flags[to] = mark | sent
            channel[to] = 0
            dlc_code[to] = code
            to += 1
            offset[to] = taken
        if to < last or pos != stop:
            break
        row = to
        used = taken
        at = stop
        reason = lines.DONE
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
    now: int,
    timed: int,
    sender: int,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as one datagram, as many as fit into ``out``.

    All get the time ``now``, or with ``timed`` keep their own. Stops at a CAN XL frame, which the caller
    handles. Returns (the next row, bytes written).
    """
    header, record_room = HEADER_SIZE, RECORD_ROOM
    every_bit = 0xFFFFFFFFFFFFFFFF
    rows = len(timestamp_ns)
    room = len(out)
    payload_size = len(payload)
    lines.check_columns(rows, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    if first < 0:
        raise ValueError("the offsets do not fit")
    if room < header + record_room or room >= 16777216:
        raise ValueError("a datagram has room for a frame, and at most 16 MiB")
    to = header
    row = first
    while row < rows and to + record_room <= room and not flags[row] & 16:
        begin = offset[row]
        end = offset[row + 1]
        if begin > end or end > payload_size or end - begin > 64:
            raise ValueError("the offsets do not fit")
        words.store4(out, to, can_id[row])
        out[to + 4] = flags[row] & 39
        out[to + 5] = dlc_code[row]
        out[to + 6] = end - begin
        out[to + 7] = 0
        to += 8
        if timed:
            words.store8(out, to, timestamp_ns[row] & every_bit)
            to += 8
        while begin < end:
            out[to] = payload[begin]
            to += 1
            begin += 1
        row += 1
    kind = 1 if timed else 0
    words.store4(out, 0, VERSION | kind << 8)
    words.store4(out, 4, to)
    words.store8(out, 8, row - first)
    words.store8(out, 16, sender)
    words.store8(out, 24, now & every_bit)
    return row, to
