"""The columns of a batch whose layout differs in Arrow: booleans as bitmaps, identifiers without flags.

::

    bitmaps   concatenated, ``stride`` bytes each: extended, remote, error, fd, brs, esi, rx, xl
    kinds     one byte per row   1 extended | 2 remote | 4 error | 8 fd | 16 brs | 32 esi | 64 sent | 128 void

A CAN XL row is void here; the caller handles it.

The first bit of a bitmap is the lowest of its first byte.

Source: Apache Arrow, "Arrow Columnar Format", Validity bitmaps and Fixed-size Primitive Layout.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

EXTENDED = 1
REMOTE = 2
ERROR = 4
FD = 8
BRS = 16
ESI = 32
SENT = 64
VOID = 128  #: a required value is missing

BITMAPS = 8

ABSENT = 0xFFFF  #: a missing length


def split(
    can_id: UInt32s,
    flags: ReadBuffer,
    dlc_code: ReadBuffer,
    offset: UInt32s,
    arbitration_id: UInt32s,
    dlc: UInt16s,
    stride: int,
    bitmaps: WriteBuffer,
) -> None:
    """Fill ``arbitration_id``, ``dlc`` and the ``bitmaps``, which must be 0 initially."""
    rows = len(can_id)
    if len(flags) < rows or len(dlc_code) < rows or len(offset) <= rows:
        raise ValueError("the columns differ in length")
    if len(arbitration_id) < rows or len(dlc) < rows:
        raise ValueError("no room for the rows")
    if stride * 8 < rows or len(bitmaps) < 8 * stride:
        raise ValueError("no room for the bitmaps")
    extended = 0x80000000
    for row in range(rows):
        word = can_id[row]
        mark = flags[row]
        size = offset[row + 1] - offset[row]
        code = dlc_code[row]
        arbitration_id[row] = word & 0x1FFFFFFF
        at = row >> 3
        bit = row & 7
        if word & 0x40000000:
            dlc[row] = code if code < 8 else 8
        else:
            dlc[row] = size & 0xFFFF
        bitmaps[at] |= (1 if word & extended else 0) << bit
        bitmaps[at + stride] |= (word >> 30 & 1) << bit
        bitmaps[at + 2 * stride] |= (word >> 29 & 1) << bit
        mark ^= 8  # received or sent
        at += 3 * stride
        for index in range(5):
            bitmaps[at] |= (mark >> index & 1) << bit
            at += stride


def valid(channel: UInt16s, absent: int, bitmap: WriteBuffer) -> int:
    """Set the bit of each row whose channel is not ``absent``; return the number of other rows.

    ``bitmap`` must be 0 initially.
    """
    rows = len(channel)
    if len(bitmap) * 8 < rows:
        raise ValueError("no room for the bitmap")
    left = 0
    for row in range(rows):
        if channel[row] == absent:
            left += 1
        else:
            bitmap[row >> 3] |= 1 << (row & 7)
    return left


def mark_set(bitmap: ReadBuffer, first: int, invert: int, mark: int, kinds: WriteBuffer) -> None:
    """Set ``mark`` in ``kinds`` of the rows whose bit, from ``first`` on, is 1, or 0 if ``invert`` is 1."""
    rows = len(kinds)
    if first < 0 or len(bitmap) * 8 < first + rows:
        raise ValueError("the bitmap is too short")
    for row in range(rows):
        at = first + row
        if (bitmap[at >> 3] >> (at & 7) & 1) ^ invert:
            kinds[row] |= mark


def mark_above(numbers: UInt32s, limit: int, mark: int, kinds: WriteBuffer) -> None:
    """Set ``mark`` in ``kinds`` of the rows whose number is above ``limit``."""
    rows = len(kinds)
    if len(numbers) < rows:
        raise ValueError("the columns differ in length")
    for row in range(rows):
        if numbers[row] > limit:
            kinds[row] |= mark


def join(
    at: int,
    kinds: ReadBuffer,
    times: Int64s,
    identifiers: UInt32s,
    channels: UInt16s,
    given_dlc: UInt16s,
    given_code: ReadBuffer,
    begins: UInt32s,
    data: ReadBuffer,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int]:
    """Convert the rows from ``at`` on to frames; return the row where it stopped and the number of frames.

    A length ``ABSENT`` or a code of 255 is derived from the data. Stops at a row that is not a valid frame.
    """
    absent = ABSENT
    rows = len(kinds)
    room = len(timestamp_ns)
    payload_room = len(payload)
    size_of_data = len(data)
    if len(times) < rows or len(identifiers) < rows or len(channels) < rows or len(begins) <= rows:
        raise ValueError("the columns differ in length")
    if len(given_dlc) < rows or len(given_code) < rows:
        raise ValueError("the columns differ in length")
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    if at < 0:
        raise ValueError("the offsets do not fit")
    extended = 0x80000000
    row = first
    used = offset[first]
    while at < rows:
        kind = kinds[at]
        word = identifiers[at]
        begin = begins[at]
        end = begins[at + 1]
        dlc = given_dlc[at]
        code = given_code[at]
        if kind & 128 or end < begin or end > size_of_data or end - begin > 64:
            break
        size = end - begin
        if word > 0x1FFFFFFF or (word > 0x7FF and kind & 5 == 0):
            break
        if kind & 8 == 0 and (size > 8 or kind & 48):
            break
        if kind & 2:
            if size or kind & 12:  # a remote frame is classic, and has no data
                break
            if dlc == absent:
                dlc = 0 if code == 255 else code if code < 8 else 8
        elif dlc == absent:
            dlc = size
        elif dlc != size:
            break
        dlc_for = words.fd_code(dlc) if dlc <= 64 else 255
        if dlc_for == 255:
            break
        if code == 255:
            code = dlc_for
        if code != dlc_for and (kind & 8 or dlc != 8 or code < 9 or code > 15):
            break
        if kind & 2 and dlc > 8:
            break
        if row >= room or payload_room - used < size:
            break
        if kind & 4:
            word |= 0x20000000
        elif kind & 1:
            word |= extended
        if kind & 2:
            word |= 0x40000000
        for step in range(size):
            payload[used + step] = data[begin + step]
        timestamp_ns[row] = times[at]
        can_id[row] = word
        flags[row] = (kind >> 3 & 7) | (kind >> 3 & 8)
        channel[row] = channels[at]
        dlc_code[row] = code
        used += size
        row += 1
        offset[row] = used
        at += 1
    return at, row
