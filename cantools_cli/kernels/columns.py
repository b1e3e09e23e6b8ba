"""Rows of a batch moved between columns: gathered by a filter, appended to another batch."""

from __future__ import annotations

from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer


def payload_of(rows: UInt32s, offset: UInt32s) -> int:
    """Return the total size of the payload of ``rows``.

    Raises:
        IndexError: a row does not exist.
    """
    limit = len(offset) - 1
    size = 0
    for index in range(len(rows)):
        row = rows[index]
        if row >= limit:
            raise IndexError("no such row")
        size += offset[row + 1] - offset[row]
    return size


def gather(
    rows: UInt32s,
    from_timestamp_ns: Int64s,
    from_can_id: UInt32s,
    from_flags: ReadBuffer,
    from_channel: UInt16s,
    from_dlc_code: ReadBuffer,
    from_offset: UInt32s,
    from_payload: ReadBuffer,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> int:
    """Copy ``rows`` of one batch into the columns of another, from row 0; return the size of the payload.

    Raises:
        IndexError: a row does not exist, or the columns are too short.
    """
    count = len(rows)
    if len(timestamp_ns) < count or len(can_id) < count or len(flags) < count:
        raise IndexError("no room for the rows")
    if len(channel) < count or len(dlc_code) < count or len(offset) <= count:
        raise IndexError("no room for the rows")
    limit = len(from_timestamp_ns)
    room = len(payload)
    size = len(from_payload)
    used = 0
    for to in range(count):
        row = rows[to]
        if row >= limit:
            raise IndexError("no such row")
        timestamp_ns[to] = from_timestamp_ns[row]
        can_id[to] = from_can_id[row]
        flags[to] = from_flags[row]
        channel[to] = from_channel[row]
        dlc_code[to] = from_dlc_code[row]
        offset[to] = used
        at = from_offset[row]
        end = from_offset[row + 1]
        if used + end - at > room:
            raise IndexError("no room for the payload")
        if end <= at + 8 and at <= end and at + 8 <= size and used + 8 <= room:
            # always 8 bytes: the next row overwrites the surplus
            words.store8(payload, used, words.load8(from_payload, at))
            used += end - at
            continue
        while at < end:
            payload[used] = from_payload[at]
            used += 1
            at += 1
    offset[count] = used
    return used


def shift(column: UInt32s, first: int, by: int) -> None:
    """Add ``by`` to the entries of ``column`` from ``first`` on."""
    for row in range(first, len(column)):
        column[row] = column[row] + by


def translate(column: UInt16s, first: int, table: UInt16s) -> None:
    """Replace the entries of ``column`` from ``first`` on by their values in ``table``."""
    limit = len(table)
    for row in range(first, len(column)):
        old = column[row]
        if old >= limit:
            raise IndexError("no such channel")
        column[row] = table[old]


def count_bits(flags: ReadBuffer, mask: int) -> int:
    """Return the number of rows whose ``flags`` have any bit of ``mask``."""
    count = 0
    for row in range(len(flags)):
        count += (flags[row] & mask) != 0
    return count


def count_entries(column: UInt16s, entry: int) -> int:
    """Return the number of rows whose ``column`` is ``entry``; ``array.count`` creates an object per row."""
    count = 0
    for row in range(len(column)):
        count += column[row] == entry
    return count


def count_words(can_id: UInt32s, mask: int) -> int:
    """Return the number of rows whose ``can_id`` has any bit of ``mask``: EFF, RTR or ERR."""
    count = 0
    for row in range(len(can_id)):
        if can_id[row] & mask:
            count += 1
    return count


def count_raw_dlc(dlc_code: ReadBuffer, flags: ReadBuffer) -> int:
    """Return the number of classic frames with a DLC code above 8."""
    if len(flags) < len(dlc_code):
        raise ValueError("the columns differ in length")
    count = 0
    for row in range(len(dlc_code)):
        count += (dlc_code[row] > 8) & ~flags[row] & 1
    return count


def clear_raw_dlc(dlc_code: WriteBuffer, flags: ReadBuffer) -> None:
    """Make every DLC code above 8 of a classic frame 8."""
    if len(flags) < len(dlc_code):
        raise ValueError("the columns differ in length")
    for row in range(len(dlc_code)):
        if dlc_code[row] > 8 and not flags[row] & 1:
            dlc_code[row] = 8


def rows_without(can_id: UInt32s, mask: int, rows: UInt32s) -> int:
    """Write the rows whose ``can_id`` has no bit of ``mask`` into ``rows``; return their number."""
    if len(rows) < len(can_id):
        raise ValueError("no room for the rows")
    count = 0
    for row in range(len(can_id)):
        if not can_id[row] & mask:
            rows[count] = row
            count += 1
    return count


def rows_without_fd(dlc_code: ReadBuffer, flags: ReadBuffer, above: int, rows: UInt32s) -> int:
    """Write the rows except CAN FD frames with a code above ``above`` into ``rows``; return their number."""
    if len(rows) < len(flags) or len(dlc_code) < len(flags):
        raise ValueError("no room for the rows")
    count = 0
    for row in range(len(flags)):
        rows[count] = row  # no branch: it would be unpredictable
        count += (flags[row] & 1 == 0) | (dlc_code[row] <= above)
    return count
