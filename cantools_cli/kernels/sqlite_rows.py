"""Rows of python-can's SQLite table to columns.

SQLite hands them over as values, which plain Python has made into buffers; ``parse`` takes the frames that
need no second look, and stops at each other one.
"""

from __future__ import annotations

from cantools_cli.buffers import Doubles, Ints, Longs, Octets, Room, Shorts

DONE = 0  #: the rows are used up
FULL = 1  #: the batch has no more room
STRANGE = 2  #: a time that takes more digits, or no frame

FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))


def _nanoseconds(seconds: float) -> int:
    """Return the nanoseconds of the shortest decimal that names ``seconds``; -1 where that is not simple.

    At the times of today a double has steps of 2**-22 s, so that a decimal with seven digits is always
    within half a step, and one with six, where there is one, is the only one.
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
    if fraction + 0.5 == count:  # in the middle of two
        return -1
    return whole * 1000000000 + count * 100


def parse(
    at: int,
    end: int,
    seconds: Doubles,
    identifiers: Ints,
    extended: Octets,
    remote: Octets,
    error: Octets,
    dlc: Octets,
    ends: Ints,
    data: Octets,
    first: int,
    timestamp_ns: Longs,
    can_id: Ints,
    flags: Room,
    channel: Shorts,
    dlc_code: Room,
    offset: Ints,
    payload: Room,
) -> tuple[int, int, int]:
    """Read the table's rows from ``at`` to before ``end`` into the batch's rows from ``first`` on.

    ``data`` holds the data of all rows end to end, ``ends`` where that of each ends. All frames are on
    channel 0. Returns where it stopped, how many rows are filled, and why.
    """
    codes = FD_CODES
    lengths = FD_LENGTHS
    done, full, strange = DONE, FULL, STRANGE
    room = len(timestamp_ns)
    payload_room = len(payload)
    if len(seconds) < end or len(identifiers) < end or len(ends) < end or len(dlc) < end:
        raise ValueError("the table's columns differ in length")
    if len(extended) < end or len(remote) < end or len(error) < end:
        raise ValueError("the table's columns differ in length")
    if len(can_id) < room or len(flags) < room or len(channel) < room or len(dlc_code) < room:
        raise ValueError("the columns differ in length")
    if len(offset) <= room or first > room or offset[first] > payload_room:
        raise ValueError("the offsets do not fit")
    begin = ends[at - 1] if at > 0 else 0
    row = first
    used = offset[first]
    reason = done
    while at < end:
        stop = ends[at]
        if stop < begin or stop > len(data):
            raise ValueError("the ends do not fit")
        size = stop - begin
        reason = strange
        length = dlc[at]
        if length > 64:
            break
        if row >= room or used + size > payload_room:
            reason = full
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
            code = codes[length]
            if lengths[code] != length:
                break
            mark = 1
        if error[at]:
            identifier |= 0x20000000
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
        reason = done
    return at, row, reason
