"""Signals taken out of the data of frames: which message a frame is, raw values, and their scaling.

::

    match    identifier -> number of the message, by a table of open addressing
    group    rows in the order of their messages
    extract  the raw value of one signal in the given rows
    select   which rows a multiplexer's value selects

A raw value is 64 bits: of a signed signal with its sign extended, of an unsigned one as it stands.
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import Float64s, Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

#: the number of a frame that no message describes
UNKNOWN = 0xFFFF
#: an empty entry of a table
EMPTY = 0xFFFFFFFF
#: the mark of a key with a source address
SOURCE = 0x40000000
#: multiplier of the hash, from the golden ratio
HASH = 0x9E3779B1


def match(
    can_id: UInt32s,
    flags: ReadBuffer,
    channel: UInt16s,
    wanted: ReadBuffer,
    keys: UInt32s,
    values: UInt16s,
    pgn_keys: UInt32s,
    pgn_values: UInt16s,
    numbers: UInt16s,
) -> int:
    """Set the number of the message of each row that has one; return the data frames that have none.

    Rows of channels whose ``wanted`` is 0 are left alone. The sizes of ``keys`` and ``pgn_keys`` are powers
    of two, at least one entry of each is ``EMPTY``. A key is an identifier word with SocketCAN's EFF bit. A
    key of a group is a J1939 parameter group number, with ``SOURCE`` and the source address in bits 18 to 25
    for one source only; it is looked up for extended identifiers that are not in ``keys``. Remote, error and
    CAN XL frames have no message, and are not counted.

    Raises:
        ValueError: a table is not of that form, or ``numbers`` is too short.
    """
    size, pgn_size = len(keys), len(pgn_keys)
    if size == 0 or size & (size - 1) or pgn_size == 0 or pgn_size & (pgn_size - 1):
        raise ValueError("the size of a table is not a power of two")
    if len(values) < size or len(pgn_values) < pgn_size:
        raise ValueError("a table is too short")
    rows, channels = len(can_id), len(wanted)
    if len(flags) < rows or len(channel) < rows or len(numbers) < rows:
        raise ValueError("the columns differ in length")
    empty, factor, every_bit, with_source = EMPTY, HASH, 0xFFFFFFFF, SOURCE
    last, pgn_last = size - 1, pgn_size - 1
    unknown = 0
    for row in range(rows):
        word = can_id[row]
        if word & 0x60000000 or flags[row] & 16:
            continue
        if channel[row] >= channels:
            raise ValueError("no such channel")
        if not wanted[channel[row]]:
            continue
        at = ((word * factor & every_bit) >> 15) & last
        while keys[at] != empty and keys[at] != word:
            at = (at + 1) & last
        if keys[at] == word:
            numbers[row] = values[at]
            continue
        found = 0
        if word >> 31 and pgn_size > 1:
            group = word >> 8 & 0x3FFFF
            if (group >> 8 & 255) < 240:  # PDU 1: the low byte is the destination
                group = group & 0x3FF00
            step = 0
            while step < 2 and not found:
                key = group
                if step == 0:
                    key = group | (word & 255) << 18 | with_source
                at = ((key * factor & every_bit) >> 15) & pgn_last
                while pgn_keys[at] != empty and pgn_keys[at] != key:
                    at = (at + 1) & pgn_last
                if pgn_keys[at] == key:
                    numbers[row] = pgn_values[at]
                    found = 1
                step += 1
        if not found:
            unknown += 1
    return unknown


def group(first: int, numbers: UInt16s, starts: UInt32s, rows: UInt32s) -> int:
    """Set ``rows`` to the rows from ``first`` on in the order of their messages, without unknown ones.

    ``starts``, which is zero at first and has an entry more than there are messages, becomes the place in
    ``rows`` where each message begins. Returns the number of rows.

    Raises:
        ValueError: a number is too high, or ``rows`` is too short.
    """
    count, messages = len(numbers), len(starts) - 1
    if first < 0 or messages < 0 or len(rows) < count - first:
        raise ValueError("no room for the rows")
    unknown = UNKNOWN
    total = 0
    for row in range(first, count):
        number = numbers[row]
        if number != unknown:
            if number >= messages:
                raise ValueError("no such message")
            starts[number + 1] += 1
            total += 1
    for number in range(messages):
        starts[number + 1] += starts[number]
    # fill from the back, so that starts need no copy: each end moves to its beginning
    row = count - 1
    while row >= first:
        number = numbers[row]
        if number != unknown:
            starts[number + 1] -= 1
            rows[starts[number + 1]] = row
        row -= 1
    # starts[n + 1] is now the beginning of message n: shift by one
    for number in range(messages):
        starts[number] = starts[number + 1]
    starts[messages] = total
    return total


def extract(
    rows: UInt32s,
    begin: int,
    end: int,
    offset: UInt32s,
    payload: ReadBuffer,
    start: int,
    size: int,
    is_big_endian: int,
    is_signed: int,
    raw: Int64s,
    valid: WriteBuffer,
) -> int:
    """Set ``raw[i]`` to the signal in the frame ``rows[begin + i]`` if ``valid[i]``; return the short frames.

    ``start`` is the place of the lowest bit, counted from bit 0 of byte 0, upwards in each byte; for big
    endian that of the highest bit, counted from bit 7 of byte 0 downwards. ``size`` is 1 to 64 bits. A frame
    that ends before the signal does is counted, and becomes invalid.

    Raises:
        ValueError: the columns do not fit together.
    """
    count = end - begin
    if begin < 0 or end > len(rows) or len(raw) < count or len(valid) < count:
        raise ValueError("the columns differ in length")
    if start < 0 or size < 1 or size > 64:
        raise ValueError("no such signal")
    limit, room = len(offset) - 1, len(payload)
    first = start >> 3
    lead = start & 7  # bits before the signal, in the order of reading
    width = (lead + size + 7) >> 3
    rest = 8 * width - lead - size  # bits after it
    every_bit = 0xFFFFFFFFFFFFFFFF
    mask = every_bit >> (64 - size)
    top = (mask >> 1) + 1
    sign = (every_bit >> 1) + 1
    short = 0
    for index in range(count):
        raw[index] = 0
        if not valid[index]:
            continue
        row = rows[begin + index]
        if row >= limit or offset[row + 1] > room:
            raise ValueError("no such row")
        at = offset[row] + first
        if at + width > offset[row + 1]:
            valid[index] = 0
            short += 1
            continue
        value = 0
        place = 0
        if is_big_endian:
            while place < width and place < 8:
                octet = payload[at + place]
                value = (value << 8 | octet) & every_bit
                place += 1
            if width == 9:
                octet = payload[at + 8]
                value = (value << (8 - rest) | octet >> rest) & every_bit
            else:
                value = value >> rest
        else:
            while place < width and place < 8:
                octet = payload[at + place]
                value = value | octet << 8 * place
                place += 1
            value = value >> lead
            if width == 9:
                octet = payload[at + 8]
                value = (value | octet << (64 - lead)) & every_bit
        value = value & mask
        if is_signed and value & top:
            value = value | (every_bit ^ mask)
        raw[index] = (value ^ sign) - sign  # the same bits as a number with a sign
    return short


def select(selector: Int64s, known: ReadBuffer, lows: Int64s, highs: Int64s, valid: WriteBuffer) -> None:
    """Clear ``valid[i]`` unless ``known[i]``, and ``selector[i]`` is from one low to its high, inclusive.

    Raises:
        ValueError: the columns differ in length.
    """
    count, ranges = len(valid), len(lows)
    if len(selector) < count or len(known) < count or len(highs) < ranges:
        raise ValueError("the columns differ in length")
    for index in range(count):
        if valid[index]:
            found = 0
            if known[index]:
                value = selector[index]
                for number in range(ranges):
                    if lows[number] <= value <= highs[number]:
                        found = 1
            valid[index] = found


def scale(raw: Int64s, count: int, is_signed: int, factor: float, shift: float, out: Float64s) -> None:
    """Set ``out[i]`` to ``raw[i] * factor + shift``.

    Raises:
        ValueError: the columns are shorter than ``count``.
    """
    if len(raw) < count or len(out) < count:
        raise ValueError("the columns differ in length")
    low_bits = 0x7FFFFFFFFFFFFFFF
    for index in range(count):
        whole = raw[index]
        if not is_signed and whole < 0:  # from 2^63 on: half of it, whose last bit decides how it is rounded
            whole = (whole >> 1 & low_bits) | (whole & 1)
            value = 2.0 * float(whole)
        else:
            value = float(whole)
        out[index] = value * factor + shift


def scale_whole(raw: Int64s, count: int, factor: int, shift: int, out: Int64s) -> None:
    """Set ``out[i]`` to ``raw[i] * factor + shift``; the caller knows that no result exceeds 64 bits.

    Raises:
        ValueError: the columns are shorter than ``count``.
    """
    if len(raw) < count or len(out) < count:
        raise ValueError("the columns differ in length")
    for index in range(count):
        out[index] = raw[index] * factor + shift


def times(rows: UInt32s, begin: int, end: int, timestamp_ns: Int64s, out: Int64s) -> None:
    """Set ``out[i]`` to the time of the frame ``rows[begin + i]``.

    Raises:
        ValueError: a row does not exist, or ``out`` is too short.
    """
    count, limit = end - begin, len(timestamp_ns)
    if begin < 0 or end > len(rows) or len(out) < count:
        raise ValueError("the columns differ in length")
    for index in range(count):
        row = rows[begin + index]
        if row >= limit:
            raise ValueError("no such row")
        out[index] = timestamp_ns[row]
