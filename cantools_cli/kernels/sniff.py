"""The table of a live view: adds every frame of a batch to the row of its identifier and channel.

::

    slots      number of a row + 1, or 0: open addressing by identifier and channel
    figures    16 integers per row, see the constants
    changed    64 times per row: when each byte last changed, in the time of the view
    octets     6 planes of 64 bytes per row, see the constants
    past       a ring of 100 frames per row, 64 bytes each; their times and lengths in past_ns and past_size
    totals     8 integers per channel, see the constants
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

FIGURES = 16  #: integers per row
KEY, COUNT, FIRST, LAST, SEEN, PERIOD, SHORTEST, LONGEST = range(8)
MEAN, JITTER, SIZE, FLAGS, REMOTE, STORED = range(8, 14)
PLANES = 6  #: planes of bytes per row
DATA, RECENT, EVER, NOTCH, LOW, HIGH = range(6)
WIDTH = 64  #: bytes kept per row: all data of any frame except CAN XL
PAST = 100  #: frames kept per row
TOTALS = 8  #: integers per channel
FRAMES, ERRORS, NOMINAL, FAST, CROWDED = range(5)
NEVER = -1


def absorb(
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: ReadBuffer,
    channel: UInt16s,
    dlc_code: ReadBuffer,
    offset: UInt32s,
    payload: ReadBuffer,
    numbers: UInt16s,
    now: int,
    hold: int,
    limit: int,
    used: int,
    slots: UInt32s,
    figures: Int64s,
    changed: Int64s,
    octets: WriteBuffer,
    past_ns: Int64s,
    past_size: UInt16s,
    past: WriteBuffer,
    totals: Int64s,
) -> tuple[int, int]:
    """Add the frames of the batch from the row ``first`` on.

    ``numbers`` maps the channels of the batch to those of the table. Changes are stamped with ``now``, or
    with the time of their frame if it is ``NEVER``; changes within ``hold`` nanoseconds of one another count
    as one. ``used`` rows of the table are in use; from ``limit`` on no row is added, and frames without a row
    are counted.

    Returns (row, used): if ``row`` is not the last row, the caller has to enlarge the table and continue
    there.

    Raises:
        IndexError: the channel of a row is not in ``numbers`` or ``totals``.
        ValueError: the lengths of the columns or of the table contradict each other.
    """
    fields, planes, wide, kept, sums, never = FIGURES, PLANES, WIDTH, PAST, TOTALS, NEVER
    rows = len(timestamp_ns)
    capacity = len(figures) // fields
    around = len(slots) - 1
    longest = 72057594037927936  # 2**56 ns, so that no sum overflows
    xl_key, extended, no_remote = 4294967296, 0x80000000, 0xBFFFFFFF
    channels = len(numbers)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if len(offset) <= rows or (rows and offset[rows] > len(payload)) or first < 0:
        raise ValueError("the columns differ in length")
    if len(slots) < 4 or len(slots) & around or around < 2 * limit:
        raise ValueError("the table does not fit together")
    if len(changed) < capacity * wide or len(octets) < capacity * wide * planes:
        raise ValueError("the table does not fit together")
    if len(past_ns) < capacity * kept or len(past_size) < capacity * kept:
        raise ValueError("the table does not fit together")
    if len(past) < capacity * kept * wide or used < 0 or used > limit or used > capacity or now < never:
        raise ValueError("the table does not fit together")
    row = first
    while row < rows:
        if channel[row] >= channels:
            raise IndexError("no such channel")
        number = numbers[channel[row]]
        total = number * sums
        if total + sums > len(totals):
            raise IndexError("no such channel")
        begin = offset[row]
        size = offset[row + 1] - begin
        length = size
        mark = flags[row]
        word = can_id[row]
        remote = 0
        if word & 0x40000000:
            remote = 1
            length = min(dlc_code[row], 8)
            word &= no_remote
        time = timestamp_ns[row]
        time = max(time, 0)
        seen = time
        if now != never:
            seen = now
        key = number << 33
        key += word + 1
        if mark & 16:
            key += xl_key

        slot = ((word * 0x45D9F3B >> 16) ^ (number * 0x9E37) ^ (mark & 16)) & around
        at = slots[slot]
        while at != 0 and figures[(at - 1) * fields] != key:
            slot = (slot + 1) & around
            at = slots[slot]
        if at == 0 and used == capacity and used < limit:
            break

        # the load of the channel: one stuff bit per 16 bits, CAN XL approximated
        totals[total] += 1
        if word & 0x20000000:
            totals[total + 1] += 1
        elif mark & 16:
            totals[total + 2] += 45
            totals[total + 3] += 120 + 8 * size
        elif mark & 1:
            base = 48 if word & extended else 29
            data = (33 if size <= 16 else 38) + 8 * size
            if mark & 2:
                totals[total + 2] += base + 1
                totals[total + 3] += data + size // 2
            else:
                totals[total + 2] += base + data + 1 + size // 2
        else:
            base = 67 if word & extended else 47
            totals[total + 2] += base + 8 * size + (base - 13 + 8 * size) // 16
        row += 1
        if at == 0 and used == limit:
            totals[total + 4] += 1
            continue

        is_first = at == 0
        if is_first:
            used += 1
            slots[slot] = used
            at = used
        at -= 1
        field = at * fields
        byte = at * wide
        if is_first:
            figures[field] = key
            figures[field + 2] = time
            index = 0
            while index < wide:
                changed[byte + index] = never
                octets[at * wide * planes + 256 + index] = 255  # the lowest so far
                index += 1
        else:
            period = time - figures[field + 3]
            period = max(period, 0)
            period = min(period, longest)
            if figures[field + 1] == 1:
                figures[field + 6] = period
                figures[field + 7] = period
                figures[field + 8] = period * 16
            else:
                # mean and jitter, smoothed as in RFC 3550: a sixteenth of the new value
                step = period - figures[field + 5]
                if step < 0:
                    step = -step
                figures[field + 9] += step - (figures[field + 9] + 8 >> 4)
                figures[field + 8] += period - (figures[field + 8] + 8 >> 4)
                figures[field + 6] = min(figures[field + 6], period)
                figures[field + 7] = max(figures[field + 7], period)
            figures[field + 5] = period
        figures[field + 1] += 1
        figures[field + 3] = time
        figures[field + 4] = seen
        figures[field + 10] = length
        figures[field + 11] = mark
        figures[field + 12] = remote

        ring = at * kept + (figures[field + 1] - 1) % kept
        past_ns[ring] = time
        past_size[ring] = length if not remote else 0x8000 | length
        size = min(size, wide)
        index = 0
        while index < size:
            past[ring * wide + index] = payload[begin + index]
            index += 1
        if remote:  # a remote frame has no data: the row keeps its data
            continue

        plane = at * wide * planes
        before = figures[field + 13]
        figures[field + 13] = size + 1
        index = 0
        while index < size:
            value = payload[begin + index]
            place = plane + index
            if index < before - 1:
                bits = value ^ octets[place]
            elif before:
                bits = 255  # the frame grew
            else:
                bits = 0
            octets[place] = value
            octets[place + 256] = min(octets[place + 256], value)
            octets[place + 320] = max(octets[place + 320], value)
            if bits:
                octets[place + 128] |= bits
                bits &= 255 ^ octets[place + 192]
                if bits:
                    since = changed[byte + index]
                    if since != never and seen - since <= hold:
                        octets[place + 64] |= bits
                    else:
                        octets[place + 64] = bits
                    changed[byte + index] = seen
            index += 1
    return row, used
