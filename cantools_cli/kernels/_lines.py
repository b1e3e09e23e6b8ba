"""What the kernels of text formats share: checks of arguments, and single fields of a line.

A kernel parses usual lines by words (``_words.py``) and other lines field by field. A function that parses a
field returns the position after it, or -1 if the field is malformed, and writes its value into the row of a
column. The newline at the end of the text stops every loop over bytes.

This form runs interpreted. ``_lines.pxd`` has the same functions inline for compiled kernels;
``python -m tests.kernels.inline`` writes it.
"""

from __future__ import annotations

from array import array

from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, Word, WriteBuffer

#: why ``parse`` stopped: at the end of the text, at a full batch, at an unusual or malformed line, or at a
#: frame of a channel that is not in the tables
DONE = 0
FULL = 1
STRANGE = 2
NAME = 3

BILLION = 1000000000  #: nanoseconds of a second
UPPER = 55  #: the letters of hexadecimal digits: what makes A of 10
LOWER = 87
NUMBERS = 256  #: entries of a table of channel numbers, and the entry of an unknown one
NO_CHANNEL = 0xFFFF
SLOTS = 64  #: channels that ``recent_channel`` can find


def check_text(text: ReadBuffer, at: int, end: int) -> None:
    """Raise ValueError unless ``text[at:end]`` is empty or ends with a newline."""
    if at < end and (end > len(text) or text[end - 1] != ord("\n")):
        raise ValueError("the text must end with a newline")


def check_columns(
    row: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: ReadBuffer,
    channel: UInt16s,
    dlc_code: ReadBuffer,
    offset: UInt32s,
    payload: ReadBuffer,
) -> None:
    """Raise ValueError unless the columns fit together and ``payload`` holds the rows before ``row``."""
    rows = len(timestamp_ns)
    if len(can_id) < rows or len(flags) < rows or len(channel) < rows or len(dlc_code) < rows:
        raise ValueError("the columns differ in length")
    if row < 0 or row > rows or len(offset) <= rows or offset[row] > len(payload):
        raise ValueError("the offsets do not fit")


def check_names(names: ReadBuffer, name_ends: UInt32s) -> None:
    """Raise ValueError unless ``names`` is as long as ``name_ends`` tells, for at most 65,536 channels."""
    count = len(name_ends)
    if count > 0x10000 or (count > 0 and name_ends[count - 1] > len(names)):
        raise ValueError("the names do not fit")


def check_numbers(numbers: UInt16s) -> None:
    """Raise ValueError unless ``numbers`` has an entry for each number of a channel."""
    if len(numbers) < NUMBERS:
        raise ValueError("the table of channels is too short")


def load(text: ReadBuffer, at: int, end: int) -> Word:
    """Return the 8 bytes at ``at`` as a word, with 0 for the bytes from ``end`` on."""
    if at + 8 <= end:
        return words.load8(text, at)
    word: Word = 0
    while end > at:
        end -= 1
        word = word << 8 | text[end]
    return word


def int64(text: ReadBuffer, at: int) -> int:
    """Return the signed little-endian integer of 8 bytes at ``at``."""
    high = words.load4(text, at + 4)
    return (high - (high >> 31 << 32) << 32) + words.load4(text, at)


def after_spaces(text: ReadBuffer, pos: int) -> int:
    """Return the position of the first byte from ``pos`` on that is not a space."""
    while text[pos] == ord(" "):
        pos += 1
    return pos


def after_many_spaces(text: ReadBuffer, pos: int, end: int) -> int:
    """Return the same as ``after_spaces``, fast for the wide columns of some formats."""
    while pos + 8 <= end and words.blanks(words.load8(text, pos)) == 8:
        pos += 8
    return after_spaces(text, pos)


def after_line(text: ReadBuffer, pos: int) -> int:
    """Return the position after the end of a line, LF or CR LF; -1 if the line does not end at ``pos``."""
    if text[pos] == ord("\r"):
        pos += 1
    return pos + 1 if text[pos] == ord("\n") else -1


def seconds(text: ReadBuffer, pos: int, end: int, timestamp_ns: Int64s, row: int) -> int:
    """Parse seconds of 1 to 10 digits, below 9e9 so that their nanoseconds fit into int64.

    At least 8 bytes follow ``pos``, or the field counts as malformed.
    """
    if pos + 8 > end:
        return -1
    run: Word = words.decimal_run(words.load8(text, pos))
    digits = run >> 32
    value = run - (digits << 32)
    pos += digits
    if digits == 8:
        while digits <= 10 and ord("0") <= text[pos] <= ord("9"):
            value = value * 10 + text[pos] - ord("0")
            digits += 1
            pos += 1
    if digits == 0 or digits > 10 or value // BILLION > 8:
        return -1
    timestamp_ns[row] = value * BILLION
    return pos


def fraction(text: ReadBuffer, pos: int, end: int, timestamp_ns: Int64s, row: int) -> int:
    """Parse 1 to 9 digits after a decimal point, and add them to the seconds in ``timestamp_ns[row]``.

    At least 8 bytes follow ``pos``, or the field counts as malformed. The caller checks the byte after it.
    """
    if pos + 8 > end:
        return -1
    run: Word = words.fraction_run(words.load8(text, pos))
    digits = run >> 32
    value = (run - (digits << 32)) * 10
    pos += digits
    if digits == 8 and ord("0") <= text[pos] <= ord("9"):
        value += text[pos] - ord("0")
        pos += 1
    timestamp_ns[row] += value
    return pos if digits > 0 else -1


def decimal(text: ReadBuffer, pos: int, most: int, column: UInt32s, row: int) -> int:
    """Parse up to ``most``, at most 9, decimal digits; return the position after them, ``pos`` if none."""
    column[row], pos = number(text, pos, most)
    return pos


def number(text: ReadBuffer, pos: int, most: int) -> tuple[int, int]:
    """Parse up to ``most``, at most 18, decimal digits; return the number and the position after them.

    That is ``pos`` if there is no digit.
    """
    end = pos + most
    value = 0
    while pos < end and ord("0") <= text[pos] <= ord("9"):
        value = value * 10 + text[pos] - ord("0")
        pos += 1
    return value, pos


def long_decimal(text: ReadBuffer, pos: int, end: int) -> tuple[int, int]:
    """Parse up to 16 decimal digits as ``number`` does, the first 8 at once."""
    run: Word = words.decimal_run(load(text, pos, end))
    value = words.first_bytes(run, 4)
    pos += run >> 32
    if run >> 32 == 8:
        last = pos + 8
        while pos < last and ord("0") <= text[pos] <= ord("9"):
            value = value * 10 + text[pos] - ord("0")
            pos += 1
    return value, pos


def hexadecimal(text: ReadBuffer, pos: int, end: int, column: UInt32s, row: int) -> int:
    """Parse up to 8 hexadecimal digits; return the position after them, ``pos`` if there is none."""
    if pos + 8 <= end:
        run: Word = words.hex_run(words.load8(text, pos))
        digits = run >> 32
        column[row] = run - (digits << 32)
        return pos + digits
    column[row] = 0
    while nibble(text[pos]) <= 15:
        column[row] = column[row] << 4 | nibble(text[pos])
        pos += 1
    return pos


def nibble(byte: int) -> int:
    """Return the value of a hexadecimal digit; 255 for any other byte."""
    return words.nibble(byte)


def hex_number(text: ReadBuffer, pos: int, end: int) -> tuple[int, int]:
    """Parse up to 8 hexadecimal digits; return the number and the position after them, as ``number``."""
    run: Word = words.hex_run(load(text, pos, end))
    return words.first_bytes(run, 4), pos + (run >> 32)


def octet(text: ReadBuffer, pos: int) -> int:
    """Return the value of two hexadecimal digits; -1 if they are not."""
    high = nibble(text[pos])
    if high > 15:
        return -1
    low = nibble(text[pos + 1])
    return high << 4 | low if low <= 15 else -1


def direction(text: ReadBuffer, pos: int) -> int:
    """Return the flag of ``Rx`` or ``Tx``; -1 for anything else."""
    letter = text[pos]
    if letter not in (ord("R"), ord("T")) or text[pos + 1] != ord("x"):
        return -1
    return 8 * (letter == ord("T"))


def switches(text: ReadBuffer, pos: int, count: int) -> tuple[int, int]:
    """Parse ``count`` times a comma and 0 or 1; return the bits, the first one lowest, and the position.

    The position is -1 if they are malformed.
    """
    bits = 0
    for index in range(count):
        if text[pos] != ord(",") or text[pos + 1] not in (ord("0"), ord("1")):
            return bits, -1
        bits |= (text[pos + 1] & 1) << index
        pos += 2
    return bits, pos


def hex_data(text: ReadBuffer, pos: int, end: int, payload: WriteBuffer, at: int, most: int) -> int:
    """Decode pairs of hexadecimal digits to ``payload[at:]``, which has room for ``most`` bytes, at least 8.

    Return the number of bytes; -1 if there are more than ``most`` or the number of digits is odd.
    """
    size = 0
    digits = 16
    while digits == 16 and size + 8 <= most and pos + 16 <= end:
        digits = words.unhex(text, pos, payload, at + size)
        size += digits >> 1
        pos += digits & 30
    high = nibble(text[pos])
    while high <= 15:
        low = nibble(text[pos + 1])
        if low > 15 or size >= most:
            return -1
        payload[at + size] = high << 4 | low
        size += 1
        pos += 2
        high = nibble(text[pos])
    return size


def spaced_data(text: ReadBuffer, pos: int, end: int, payload: WriteBuffer, at: int, size: int) -> int:
    """Decode ``size`` bytes, each after a space, to ``payload[at:]``, which has room for 8 bytes more.

    Return the position after them; -1 if there are fewer.
    """
    if size <= 8 and pos + 26 <= end:  # no branch on the size, which varies
        return pos + 3 * size if words.unhex_spaced(text, pos, payload, at) >= size else -1
    done = 0
    while done < size and pos + 26 <= end:
        count = words.unhex_spaced(text, pos, payload, at + done)
        if count < 8 and count < size - done:
            return -1
        count = min(size - done, 8)
        done += count
        pos += 3 * count
    while done < size:
        value = octet(text, pos + 1) if text[pos] == ord(" ") else -1
        if value < 0:
            return -1
        payload[at + done] = value
        done += 1
        pos += 3
    return pos


def no_channels() -> Int64s:
    """Return an empty table of recent channels.

    A slot holds a name of up to 7 bytes and the byte after it as a word, and ``SLOTS`` entries later the
    number. The last entry is the number that was found last.
    """
    return array("q", bytes(8 * (2 * SLOTS + 1)))


def slot_of(key: Word) -> int:
    """Return the slot of a key: other for names whose digits, at the fourth to sixth byte, differ."""
    return (key >> 24 ^ key >> 30 ^ key >> 36) & (SLOTS - 1)


def recent_channel(recent: Int64s, key: Word) -> int:
    """Return the number of the channel of a name and the byte after it; -1 if it is not in the table."""
    slot = slot_of(key)
    return recent[SLOTS + slot] if recent[slot] == key else -1


def channel_at(
    text: ReadBuffer, at: int, stop: int, end: int, names: ReadBuffer, name_ends: UInt32s, recent: Int64s
) -> int:
    """Return the number of the channel whose name is ``text[at:stop]``, -1 if it is not in ``names``.

    The byte after the name is not part of any name. Updates ``recent``.
    """
    key: Word = 0
    if stop - at < 8 and at + 8 <= end:
        key = words.first_bytes(words.load8(text, at), stop + 1 - at)
        number = recent_channel(recent, key)
        if number >= 0:
            return number
    count = len(name_ends)
    number = recent[2 * SLOTS]
    for _ in range(count):
        begin = name_ends[number - 1] if number > 0 else 0
        index = at
        if name_ends[number] - begin == stop - at:
            while index < stop and names[begin + index - at] == text[index]:
                index += 1
            if index == stop:
                recent[2 * SLOTS] = number
                if key > 0:
                    recent[slot_of(key)] = key
                    recent[SLOTS + slot_of(key)] = number
                return number
        number = number + 1 if number + 1 < count else 0
    return -1


def put(source: ReadBuffer, begin: int, end: int, out: WriteBuffer, to: int) -> int:
    """Write ``source[begin:end]`` and up to 7 bytes more; return the position after them."""
    stop = to + end - begin
    if end - begin <= 8 and begin + 8 <= len(source):  # no branch on the size, which varies
        words.store8(out, to, words.load8(source, begin))
        return stop
    while begin + 8 <= end:
        words.store8(out, to, words.load8(source, begin))
        begin += 8
        to += 8
    while begin < end:
        out[to] = source[begin]
        begin += 1
        to += 1
    return stop


def put_decimal(value: Word, least: int, out: WriteBuffer, to: int) -> int:
    """Write ``value`` in decimal with at least ``least`` digits; return the position after them."""
    if value < 10 and least < 2:
        out[to] = ord("0") + value
        return to + 1
    count = 1
    rest: Word = value
    while rest > 9:
        rest //= 10
        count += 1
    count = max(count, least)
    index = to + count
    while index > to:
        index -= 1
        out[index] = ord("0") + value % 10
        value //= 10
    return to + count


def put_right(value: Word, width: int, out: WriteBuffer, to: int) -> int:
    """Write ``value`` in decimal, right-aligned in ``width`` columns; return the position after it."""
    end = put_decimal(value, 1, out, to)
    gap = max(width - (end - to), 0)
    if gap:
        put_decimal(value, 1, out, to + gap)
    for index in range(gap):
        out[to + index] = ord(" ")
    return end + gap


def put_hex(payload: ReadBuffer, begin: int, end: int, out: WriteBuffer, to: int, letters: int) -> int:
    """Write ``payload[begin:end]`` in hexadecimal, and up to 14 digits more; return the position after it."""
    if end - begin <= 8 and begin + 8 <= len(payload):
        words.hex8(payload, begin, out, to, letters)
        return to + 2 * (end - begin)
    while begin + 8 <= end:
        words.hex8(payload, begin, out, to, letters)
        begin += 8
        to += 16
    while begin < end:
        out[to] = hex_digit(payload[begin] >> 4, letters)
        out[to + 1] = hex_digit(payload[begin] & 15, letters)
        begin += 1
        to += 2
    return to


def put_spaced_hex(payload: ReadBuffer, begin: int, end: int, out: WriteBuffer, to: int) -> int:
    """Write each byte as a space and 2 upper-case digits; return the position after them.

    Also writes up to 21 bytes more.
    """
    if end - begin <= 8 and begin + 8 <= len(payload):
        words.hex8_spaced(payload, begin, out, to)
        return to + 3 * (end - begin)
    while begin + 8 <= end:
        words.hex8_spaced(payload, begin, out, to)
        begin += 8
        to += 24
    while begin < end:
        out[to] = ord(" ")
        out[to + 1] = hex_digit(payload[begin] >> 4, UPPER)
        out[to + 2] = hex_digit(payload[begin] & 15, UPPER)
        begin += 1
        to += 3
    return to


def hex_digit(value: int, letters: int) -> int:
    """Return the hexadecimal digit of ``value``, 0 to 15."""
    return value + (ord("0") if value < 10 else letters)
