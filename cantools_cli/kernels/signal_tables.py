"""Columns of signals, laid out as tables: rows of values in the order of the frames, bitmaps, records.

::

    place    the values of one signal into the rows of a long table, after those of the signals before it
    spread   the values of one signal into the rows of a wide table
    name     the index of the name of each raw value
    store    the values of one signal into records of fixed length

``frames`` are rows of a batch, ``valid`` has one byte per frame, 1 if it has the signal.
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import Float64s, Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

#: the index of a value without a name
NAMELESS = 0xFFFFFFFF


def count(frames: UInt32s, valid: ReadBuffer, counts: UInt32s) -> None:
    """Add 1 to ``counts`` for each frame that has the signal.

    Raises:
        ValueError: the columns differ in length, or a frame does not exist.
    """
    rows, limit = len(frames), len(counts)
    if len(valid) < rows:
        raise ValueError("the columns differ in length")
    for index in range(rows):
        frame = frames[index]
        if frame >= limit:
            raise ValueError("no such frame")
        counts[frame] += valid[index]


def begins(counts: UInt32s) -> int:
    """Replace each of ``counts`` by the sum of those before it; return the sum of all."""
    total = 0
    for frame in range(len(counts)):
        number = counts[frame]
        counts[frame] = total
        total += number
    return total


def place(
    frames: UInt32s,
    valid: ReadBuffer,
    values: Float64s,
    names: UInt32s,
    number: int,
    places: UInt32s,
    out_values: Float64s,
    out_names: UInt32s,
    out_numbers: UInt32s,
    out_frames: UInt32s,
) -> None:
    """Write a row for each frame that has the signal ``number``, at its entry in ``places``; add 1 to that.

    ``names`` may be empty: then no value has a name.

    Raises:
        ValueError: the columns differ in length, or a place is not in the table.
    """
    rows, limit, room = len(frames), len(places), len(out_values)
    if len(valid) < rows or len(values) < rows:
        raise ValueError("the columns differ in length")
    if len(out_names) < room or len(out_numbers) < room or len(out_frames) < room:
        raise ValueError("the columns of the table differ in length")
    named = len(names) >= rows
    nameless = NAMELESS
    for index in range(rows):
        if valid[index]:
            frame = frames[index]
            if frame >= limit or places[frame] >= room:
                raise ValueError("no such row")
            at = places[frame]
            places[frame] = at + 1
            out_values[at] = values[index]
            out_numbers[at] = number
            out_frames[at] = frame
            if named:
                out_names[at] = names[index]
            else:
                out_names[at] = nameless


def spread(frames: UInt32s, valid: ReadBuffer, values: Int64s, out: Int64s, out_valid: WriteBuffer) -> None:
    """Write the values of the frames that have the signal to their rows in ``out``.

    Raises:
        ValueError: the columns differ in length, or a frame does not exist.
    """
    rows, limit = len(frames), len(out)
    if len(valid) < rows or len(values) < rows or len(out_valid) < limit:
        raise ValueError("the columns differ in length")
    for index in range(rows):
        if valid[index]:
            frame = frames[index]
            if frame >= limit:
                raise ValueError("no such frame")
            out[frame] = values[index]
            out_valid[frame] = 1


def name(raw: Int64s, keys: Int64s, numbers: UInt32s, out: UInt32s) -> None:
    """Set ``out`` to the entry in ``numbers`` of each raw value's place in the ascending ``keys``.

    A value that is not there gets ``NAMELESS``.

    Raises:
        ValueError: ``out`` or ``numbers`` is too short.
    """
    rows, known = len(raw), len(keys)
    if len(out) < rows or len(numbers) < known:
        raise ValueError("the columns differ in length")
    nameless = NAMELESS
    for index in range(rows):
        value = raw[index]
        low, high = 0, known
        while low < high:
            middle = (low + high) >> 1
            if keys[middle] < value:
                low = middle + 1
            else:
                high = middle
        out[index] = nameless
        if low < known and keys[low] == value:
            out[index] = numbers[low]


def take(indices: UInt32s, source: UInt32s, out: UInt32s) -> None:
    """Set ``out[i]`` to ``source[indices[i]]``.

    Raises:
        ValueError: ``out`` is too short, or an index too high.
    """
    rows, limit = len(indices), len(source)
    if len(out) < rows:
        raise ValueError("the columns differ in length")
    for index in range(rows):
        at = indices[index]
        if at >= limit:
            raise ValueError("no such row")
        out[index] = source[at]


def take_short(indices: UInt32s, source: UInt16s, out: UInt32s) -> None:
    """Set ``out[i]`` to ``source[indices[i]]``, of 16 bits.

    Raises:
        ValueError: ``out`` is too short, or an index too high.
    """
    rows, limit = len(indices), len(source)
    if len(out) < rows:
        raise ValueError("the columns differ in length")
    for index in range(rows):
        at = indices[index]
        if at >= limit:
            raise ValueError("no such row")
        out[index] = source[at]


def identifiers(indices: UInt32s, can_id: UInt32s, out: Int64s) -> None:
    """Set ``out[i]`` to ``can_id[indices[i]]`` without its flags.

    Raises:
        ValueError: ``out`` is too short, or an index too high.
    """
    rows, limit = len(indices), len(can_id)
    if len(out) < rows:
        raise ValueError("the columns differ in length")
    for index in range(rows):
        at = indices[index]
        if at >= limit:
            raise ValueError("no such row")
        out[index] = can_id[at] & 0x1FFFFFFF


def present(valid: ReadBuffer) -> int:
    """Return how many bytes are not 0; ``bytes.count`` looks for them one by one."""
    count = 0
    for row in range(len(valid)):
        count += valid[row] != 0
    return count


def bitmap(valid: ReadBuffer, out: WriteBuffer) -> int:
    """Set the bits of ``out``, 0 at first, whose bytes in ``valid`` are not 0; count the others.

    Raises:
        ValueError: ``out`` is too short.
    """
    rows = len(valid)
    if len(out) * 8 < rows:
        raise ValueError("no room for the bits")
    absent = 0
    for row in range(rows):
        bit = valid[row] != 0
        out[row >> 3] |= bit << (row & 7)
        absent += 1 - bit
    return absent


def named(names: UInt32s, out: WriteBuffer) -> int:
    """Set the bits of ``out``, 0 at first, of the rows with a name; return the number of the others.

    Raises:
        ValueError: ``out`` is too short.
    """
    rows = len(names)
    if len(out) * 8 < rows:
        raise ValueError("no room for the bits")
    nameless = NAMELESS
    absent = 0
    for row in range(rows):
        bit = names[row] != nameless
        out[row >> 3] |= bit << (row & 7)
        absent += 1 - bit
    return absent


def store(values: Int64s, size: int, at: int, stride: int, out: WriteBuffer) -> None:
    """Write the low ``size`` bytes of each value to byte ``at`` of its record of ``stride`` bytes.

    Raises:
        ValueError: the records do not fit into ``out``, or the value not into a record.
    """
    rows = len(values)
    if size < 1 or size > 8 or at < 0 or at + size > stride or len(out) < rows * stride:
        raise ValueError("no room for the values")
    begin = at
    for row in range(rows):
        value = values[row]
        for octet in range(size):
            out[begin + octet] = value >> 8 * octet & 255
        begin += stride


def store_absent(valid: ReadBuffer, bit: int, at: int, stride: int, out: WriteBuffer) -> None:
    """Set bit number ``bit`` of byte ``at`` in the records of the frames without the signal.

    Raises:
        ValueError: the records do not fit into ``out``.
    """
    rows = len(valid)
    if bit < 0 or bit > 7 or at < 0 or at >= stride or len(out) < rows * stride:
        raise ValueError("no room for the bits")
    begin = at
    for row in range(rows):
        if not valid[row]:
            out[begin] |= 1 << bit
        begin += stride
