"""The tests of an expression on the columns of a batch; each narrows one mask.

``mask`` has one byte per row: 1 for rows that passed all tests so far, 0 for the others, which are not
tested. With ``inverted`` a test keeps the rows that fail.
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer


def words(
    can_id: UInt32s, bits: int, low: int, high: int, inverted: bool, errors: bool, mask: WriteBuffer
) -> None:
    """Keep rows with ``low <= can_id & bits <= high``; error frames depend on ``errors`` only."""
    rows = len(mask)
    if len(can_id) < rows:
        raise ValueError("the columns differ in length")
    for row in range(rows):
        word = can_id[row]
        value = word & bits
        hit = ((low <= value) & (value <= high)) != inverted
        if word & 0x20000000:
            hit = errors
        mask[row] &= hit


def octets(column: ReadBuffer, bits: int, low: int, high: int, inverted: bool, mask: WriteBuffer) -> None:
    """Keep rows with ``low <= column & bits <= high``: flags or DLC codes."""
    rows = len(mask)
    if len(column) < rows:
        raise ValueError("the columns differ in length")
    for row in range(rows):
        value = column[row] & bits
        mask[row] &= ((low <= value) & (value <= high)) != inverted


def lengths(
    can_id: UInt32s,
    dlc_code: ReadBuffer,
    offset: UInt32s,
    low: int,
    high: int,
    inverted: bool,
    mask: WriteBuffer,
) -> None:
    """Keep rows whose length in bytes is from ``low`` to ``high``; of a remote frame, its DLC."""
    rows = len(mask)
    if len(can_id) < rows or len(dlc_code) < rows or len(offset) <= rows:
        raise ValueError("the columns differ in length")
    for row in range(rows):
        size = offset[row + 1] - offset[row]
        if can_id[row] & 0x40000000:
            size = min(dlc_code[row], 8)
        mask[row] &= ((low <= size) & (size <= high)) != inverted


def data(
    offset: UInt32s,
    payload: ReadBuffer,
    begin: int,
    end: int,
    little: bool,
    bits: int,
    low: int,
    high: int,
    outside: bool,
    inverted: bool,
    mask: WriteBuffer,
) -> None:
    """Keep rows whose bytes from ``begin`` up to ``end``, as one integer, are from ``low`` to ``high``.

    ``outside`` reverses the test for a frame that has these bytes. A frame without all of them fails, so that
    it stays only with ``inverted``. ``little`` means little-endian.

    Raises:
        ValueError: not 1 to 8 bytes, or columns that do not fit together.
    """
    rows = len(mask)
    if not 0 <= begin < end <= begin + 8:
        raise ValueError("an integer has 1 to 8 bytes")
    if len(offset) <= rows or (rows and offset[rows] > len(payload)):
        raise ValueError("the columns differ in length")
    if end - begin == 1:  # the common case
        for row in range(rows):
            if mask[row]:
                at = offset[row] + begin
                hit = False
                if at < offset[row + 1]:
                    value = payload[at] & bits
                    hit = ((low <= value) & (value <= high)) != outside
                mask[row] = hit != inverted
        return
    for row in range(rows):
        if mask[row]:
            at = offset[row]
            stop = at + end
            hit = False
            if stop <= offset[row + 1]:
                value = 0
                if little:
                    at += begin
                    while stop > at:
                        stop -= 1
                        value = value << 8 | payload[stop]
                else:
                    at += begin
                    while at < stop:
                        value = value << 8 | payload[at]
                        at += 1
                value &= bits
                hit = ((low <= value) & (value <= high)) != outside
            mask[row] = hit != inverted


def payloads(
    can_id: UInt32s,
    offset: UInt32s,
    payload: ReadBuffer,
    pattern: ReadBuffer,
    anywhere: bool,
    outside: bool,
    inverted: bool,
    mask: WriteBuffer,
) -> None:
    """Keep rows whose data is ``pattern``, or with ``anywhere`` contains it.

    ``outside`` reverses the test for a frame that can have data. A remote frame fails either test, so that it
    stays only with ``inverted``.

    Raises:
        ValueError: the lengths of the columns contradict each other.
    """
    rows = len(mask)
    size = len(pattern)
    if len(can_id) < rows or len(offset) <= rows or (rows and offset[rows] > len(payload)):
        raise ValueError("the columns differ in length")
    for row in range(rows):
        if mask[row]:
            hit = False
            if not can_id[row] & 0x40000000:
                at = offset[row]
                last = offset[row + 1]
                last -= size
                if not anywhere and at != last:
                    at = last + 1
                while at <= last:
                    index = 0
                    while index < size and payload[at + index] == pattern[index]:
                        index += 1
                    if index == size:
                        hit = True
                        break
                    at += 1
                hit = hit != outside
            mask[row] = hit != inverted


def times(timestamp_ns: Int64s, low: int, high: int, inverted: bool, mask: WriteBuffer) -> None:
    """Keep rows whose time is from ``low`` to ``high``, both in nanoseconds."""
    rows = len(mask)
    if len(timestamp_ns) < rows:
        raise ValueError("the columns differ in length")
    for row in range(rows):
        time = timestamp_ns[row]
        mask[row] &= ((low <= time) & (time <= high)) != inverted


def channels(channel: UInt16s, verdicts: ReadBuffer, mask: WriteBuffer) -> None:
    """Keep rows of the channels whose entry of ``verdicts`` is 1.

    Raises:
        IndexError: the channel of a row is not in ``verdicts``.
    """
    rows = len(mask)
    limit = len(verdicts)
    if len(channel) < rows:
        raise ValueError("the columns differ in length")
    for row in range(rows):
        index = channel[row]
        if index >= limit:
            raise IndexError("no such channel")
        mask[row] &= verdicts[index]


def every(step: int, count: int, inverted: bool, mask: WriteBuffer) -> int:
    """Keep the first row and every ``step``-th after it; ``count`` is the position within a step after the
    last batch.

    Returns the count for the next batch.
    """
    if step < 1 or not 0 <= count < step:
        raise ValueError("a step is 1 or more")
    for row in range(len(mask)):
        if mask[row]:
            mask[row] = (count == 0) != inverted
            count += 1
            if count == step:
                count = 0
    return count


def marked(marks: ReadBuffer, inverted: bool, mask: WriteBuffer) -> None:
    """Keep rows whose entry of ``marks`` is 1."""
    rows = len(mask)
    if len(marks) < rows:
        raise ValueError("the columns differ in length")
    for row in range(rows):
        mask[row] &= (marks[row] != 0) != inverted


def scatter(rows: UInt32s, begin: int, end: int, passed: ReadBuffer, marks: WriteBuffer) -> None:
    """Set ``marks[rows[begin + i]]`` to 1 if ``passed[i]`` is not 0.

    Raises:
        ValueError: a row does not exist, or ``passed`` is too short.
    """
    count, limit = end - begin, len(marks)
    if begin < 0 or end > len(rows) or len(passed) < count:
        raise ValueError("the columns differ in length")
    for index in range(count):
        row = rows[begin + index]
        if row >= limit:
            raise ValueError("no such row")
        if passed[index]:
            marks[row] = 1


def settle(passed: ReadBuffer, found: WriteBuffer, left: WriteBuffer) -> None:
    """Move the rows of ``passed`` from ``left``, the rows that the next alternative tests, to ``found``."""
    rows = len(passed)
    if len(found) < rows or len(left) < rows:
        raise ValueError("the masks differ in length")
    for row in range(rows):
        hit = passed[row] != 0
        found[row] |= hit
        left[row] &= not hit


def chosen(mask: ReadBuffer, rows: UInt32s) -> int:
    """Write the rows whose mask is 1 into ``rows``, in order; return their number."""
    size = len(mask)
    if len(rows) < size:
        raise ValueError("no room for the rows")
    count = 0
    for row in range(size):
        rows[count] = row
        count += mask[row] != 0
    return count


def changes(
    first: int,
    can_id: UInt32s,
    channel: UInt16s,
    dlc_code: ReadBuffer,
    offset: UInt32s,
    payload: ReadBuffer,
    numbers: UInt16s,
    keys: Int64s,
    sizes: UInt32s,
    last: WriteBuffer,
    width: int,
    used: int,
    marks: WriteBuffer,
) -> tuple[int, int]:
    """Mark with 1 the rows from ``first`` on whose data differs from the last frame of their identifier and
    channel.

    ``numbers`` maps the channels of the batch to those of the table. The table uses open addressing:
    ``keys``, whose length is a power of two and whose free entries are 0, ``sizes``, and the ``last`` data,
    ``width`` bytes each. ``used`` entries are in use.

    Returns (row, used): if ``row`` is not the last row, the caller has to enlarge the table or ``width`` and
    continue there.

    Raises:
        IndexError: the channel of a row is not in ``numbers``.
        ValueError: the lengths of the columns or of the table contradict each other.
    """
    rows = len(marks)
    slots = len(keys)
    limit = len(numbers)
    around = slots - 1
    if len(can_id) < rows or len(channel) < rows or len(dlc_code) < rows or len(offset) <= rows:
        raise ValueError("the columns differ in length")
    if rows and offset[rows] > len(payload):
        raise ValueError("the columns differ in length")
    if slots < 4 or slots & around or len(sizes) < slots or len(last) < slots * width:
        raise ValueError("the table does not fit together")
    row = first
    while row < rows:
        if channel[row] >= limit:
            raise IndexError("no such channel")
        begin = offset[row]
        size = offset[row + 1] - begin
        if used * 2 >= slots or size > width:
            break
        word = can_id[row]
        number = numbers[channel[row]]
        key = number << 32
        key += word + 1
        slot = ((word * 0x45D9F3B >> 16) ^ (number * 0x9E37)) & around
        while keys[slot] != 0 and keys[slot] != key:
            slot = (slot + 1) & around
        length = size
        if word & 0x40000000:
            length = min(dlc_code[row], 8)
        at = slot * width
        changed = keys[slot] == 0 or sizes[slot] != length
        if keys[slot] == 0:
            keys[slot] = key
            used += 1
        sizes[slot] = length
        index = 0
        while index < size:
            if last[at + index] != payload[begin + index]:
                changed = True
                last[at + index] = payload[begin + index]
            index += 1
        marks[row] = changed
        row += 1
    return row, used


def resettle(
    old_keys: Int64s,
    old_sizes: UInt32s,
    old_last: ReadBuffer,
    old_width: int,
    keys: Int64s,
    sizes: UInt32s,
    last: WriteBuffer,
    width: int,
) -> None:
    """Move all entries of a table into a larger empty one.

    Raises:
        ValueError: it is not larger, or does not fit together.
    """
    slots = len(keys)
    around = slots - 1
    before = len(old_keys)
    if slots < 4 or slots & around or slots < before or width < old_width:
        raise ValueError("the table is too small")
    if len(sizes) < slots or len(last) < slots * width or len(old_sizes) < before:
        raise ValueError("the table does not fit together")
    if len(old_last) < before * old_width:
        raise ValueError("the table does not fit together")
    low_half = 0xFFFFFFFF
    for old in range(before):
        key = old_keys[old]
        if key == 0:
            continue
        word = (key - 1) & low_half
        number = (key - 1) >> 32
        slot = ((word * 0x45D9F3B >> 16) ^ (number * 0x9E37)) & around
        while keys[slot] != 0:
            slot = (slot + 1) & around
        keys[slot] = key
        sizes[slot] = old_sizes[old]
        at = old * old_width
        index = 0
        while index < old_width:
            last[slot * width + index] = old_last[at + index]
            index += 1


def gaps(
    first: int,
    can_id: UInt32s,
    channel: UInt16s,
    timestamp_ns: Int64s,
    numbers: UInt16s,
    keys: Int64s,
    last_ns: Int64s,
    means: Int64s,
    used: int,
    gap_ns: Int64s,
    period_ns: Int64s,
) -> tuple[int, int]:
    """Write for each row from ``first`` on the time since the last frame of its identifier, kind and channel.

    ``gap_ns`` is that time, 0 if time goes backwards; ``period_ns`` is the mean of these gaps, to which each
    new gap contributes a sixteenth. Both are -1 for the first frame of an identifier. The table is that of
    ``changes``, with the last time and 16 times the mean (-1 at first) instead of the data.

    Returns (row, used): if ``row`` is not the last row, the caller has to enlarge the table and continue
    there.

    Raises:
        IndexError: the channel of a row is not in ``numbers``.
        ValueError: the lengths of the columns or of the table contradict each other.
    """
    rows = len(gap_ns)
    slots = len(keys)
    limit = len(numbers)
    around = slots - 1
    if len(can_id) < rows or len(channel) < rows or len(timestamp_ns) < rows or len(period_ns) < rows:
        raise ValueError("the columns differ in length")
    if slots < 4 or slots & around or len(last_ns) < slots or len(means) < slots:
        raise ValueError("the table does not fit together")
    latest = (1 << 62) - 1  # so that a difference of two times fits into 64 bits
    longest = 1 << 58  # nine years: 16 times that fits as well
    row = first
    while row < rows:
        if channel[row] >= limit:
            raise IndexError("no such channel")
        if used * 2 >= slots:
            break
        word = can_id[row]
        number = numbers[channel[row]]
        key = number << 32
        key += word + 1
        slot = ((word * 0x45D9F3B >> 16) ^ (number * 0x9E37)) & around
        while keys[slot] != 0 and keys[slot] != key:
            slot = (slot + 1) & around
        time = timestamp_ns[row]
        time = min(time, latest)
        time = max(time, -latest)
        gap = -1
        period = -1
        if keys[slot] == 0:
            keys[slot] = key
            means[slot] = -1
            used += 1
        else:
            gap = time - last_ns[slot]
            gap = max(gap, 0)
            gap = min(gap, longest)
            mean = means[slot]
            if mean < 0:
                mean = gap * 16
            else:
                mean += gap - (mean + 8 >> 4)
            means[slot] = mean
            period = mean + 8 >> 4
        last_ns[slot] = time
        gap_ns[row] = gap
        period_ns[row] = period
        row += 1
    return row, used
