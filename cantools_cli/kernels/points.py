"""Points of a curve, thinned without losing a peak, and the figures of frames that become points.

::

    append     valid points to the end of a curve
    thin       a curve to at most four points per interval of time
    frames_of  the rows of one identifier
    rows_of    the rows of one channel
    durations  the time that each frame occupies the bus
    tally      the sum of weights per interval of time

A curve is a column of times (int64, nanoseconds) and one of values. A value that is not a number breaks it.
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import Float64s, Int64s, ReadBuffer, UInt16s, UInt32s


def append(
    times: Int64s,
    values: Float64s,
    valid: ReadBuffer,
    begin: int,
    end: int,
    out_times: Int64s,
    out_values: Float64s,
    at: int,
) -> tuple[int, int, int]:
    """Copy the points of ``begin`` to ``end`` with ``valid`` to ``at`` and after it, while there is room.

    An infinite value becomes one that is not a number. Returns where reading and writing stopped, and how
    many of the values copied are not finite.

    Raises:
        ValueError: the columns differ in length.
    """
    room = len(out_times)
    if begin < 0 or at < 0 or len(times) < end or len(values) < end or len(valid) < end:
        raise ValueError("the columns differ in length")
    if len(out_values) < room:
        raise ValueError("the columns differ in length")
    endless = 0
    while begin < end and at < room:
        if valid[begin]:
            value = values[begin]
            difference = value - value  # 0 for a finite number
            if difference != 0:
                value = difference
                endless += 1
            out_times[at] = times[begin]
            out_values[at] = value
            at += 1
        begin += 1
    return begin, at, endless


def thin(times: Int64s, values: Float64s, count: int, shift: int) -> int:
    """Keep the first, the lowest, the highest and the last point of each interval; return how many remain.

    An interval is all times with the same ``time >> shift``. The points kept are moved to the beginning of
    the columns, in the order of time. Returns -1, and changes nothing, if the times are not ascending.

    Raises:
        ValueError: the columns are shorter than ``count``, or ``shift`` is not 0 to 63.
    """
    if count < 0 or len(times) < count or len(values) < count:
        raise ValueError("the columns are too short")
    if shift < 0 or shift > 63:
        raise ValueError("the shift is not 0 to 63")
    for at in range(1, count):
        if times[at] < times[at - 1]:
            return -1
    kept = 0
    begin = 0
    while begin < count:
        interval = times[begin] >> shift
        low, high = -1, -1
        lowest, highest = 0.0, 0.0
        end = begin
        while end < count and times[end] >> shift == interval:
            value = values[end]
            if value - value == 0:  # a finite number
                if low < 0:
                    low, high = end, end
                    lowest, highest = value, value
                elif value < lowest:
                    low, lowest = end, value
                elif value > highest:
                    high, highest = end, value
            end += 1
        last = end - 1
        if low > high:
            low, high = high, low
        # begin <= low <= high <= last, each at least as far on as the place written
        times[kept] = times[begin]
        values[kept] = values[begin]
        kept += 1
        if low > begin and low < last:
            times[kept] = times[low]
            values[kept] = values[low]
            kept += 1
        if high > begin and high < last and high != low:
            times[kept] = times[high]
            values[kept] = values[high]
            kept += 1
        if last > begin:
            times[kept] = times[last]
            values[kept] = values[last]
            kept += 1
        begin = end
    return kept


def frames_of(can_id: UInt32s, key: int, rows: UInt32s) -> int:
    """Write the rows of the identifier ``key``, with the EFF bit of an extended one; return their number.

    Remote frames count, error frames do not.

    Raises:
        ValueError: ``rows`` is too short.
    """
    count = len(can_id)
    if len(rows) < count:
        raise ValueError("no room for the rows")
    no_remote = 0xBFFFFFFF
    found = 0
    for row in range(count):
        if can_id[row] & no_remote == key:
            rows[found] = row
            found += 1
    return found


def rows_of(channel: UInt16s, index: int, rows: UInt32s) -> int:
    """Write the rows of the channel ``index``; return their number.

    Raises:
        ValueError: ``rows`` is too short.
    """
    count = len(channel)
    if len(rows) < count:
        raise ValueError("no room for the rows")
    found = 0
    for row in range(count):
        if channel[row] == index:
            rows[found] = row
            found += 1
    return found


def durations(
    can_id: UInt32s, flags: ReadBuffer, offset: UInt32s, bit: float, data_bit: float, out: Float64s
) -> None:
    """Set ``out`` to the seconds that each frame occupies the bus.

    This is an estimate, with one stuff bit per 16 bits. ``bit`` and ``data_bit`` are seconds. Error frames
    take no time, CAN XL frames are approximated.

    Raises:
        ValueError: the columns differ in length.
    """
    count = len(can_id)
    if len(flags) < count or len(offset) <= count or len(out) < count:
        raise ValueError("the columns differ in length")
    extended = 0x80000000
    for row in range(count):
        word = can_id[row]
        mark = flags[row]
        size = 0 if word & 0x40000000 else offset[row + 1] - offset[row]
        slow, fast = 0, 0
        if word & 0x20000000:
            slow = 0
        elif mark & 16:
            slow, fast = 45, 120 + 8 * size
        elif mark & 1:
            slow = 48 if word & extended else 29
            data = (33 if size <= 16 else 38) + 8 * size
            if mark & 2:
                slow += 1
                fast = data + size // 2
            else:
                slow += data + 1 + size // 2
        else:
            slow = 67 if word & extended else 47
            slow += 8 * size + (slow - 13 + 8 * size) // 16
        out[row] = slow * bit + fast * data_bit


def tally(
    times: Int64s,
    weights: Float64s,
    count: int,
    interval: int,
    state: Int64s,
    total: Float64s,
    out_times: Int64s,
    out_values: Float64s,
) -> int:
    """Write a point per interval that ended: its middle, and the sum of the weights in it; return how many.

    ``state`` is the start of the interval under way, which the caller sets at first, ``total[0]`` its sum so
    far; both go on in the next call. A row of empty intervals gives its first and its last. A time before the
    interval counts as one in it. The columns of points need three entries per row.

    Raises:
        ValueError: the columns differ in length, or the interval is not positive.
    """
    if count < 0 or len(times) < count or len(weights) < count or len(state) < 1 or len(total) < 1:
        raise ValueError("the columns differ in length")
    if len(out_times) < 3 * count or len(out_values) < 3 * count:
        raise ValueError("no room for the points")
    if interval <= 0:
        raise ValueError("the interval is not positive")
    start = state[0]
    so_far = total[0]
    half = interval >> 1
    at = 0
    for row in range(count):
        time = times[row]
        if time >= start and time - start >= interval:
            out_times[at] = start + half
            out_values[at] = so_far
            at += 1
            so_far = 0.0
            passed = (time - start) // interval
            if passed > 1:
                out_times[at] = start + interval + half
                out_values[at] = 0.0
                at += 1
            if passed > 2:
                out_times[at] = start + (passed - 1) * interval + half
                out_values[at] = 0.0
                at += 1
            start += passed * interval
        so_far += weights[row]
    state[0] = start
    total[0] = so_far
    return at
