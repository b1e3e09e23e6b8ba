"""Frames of an slcan adapter to columns: ``t1232DEAD`` and a carriage return.

::

    t1232DEAD      11 bits, 2 bytes       T000001230     29 bits, no data; x is another name of T
    r1234          remote, 4 bytes        R000001230
    d123A...       CAN FD, DLC code A     D...           b and B: with bit rate switch
    t1232DEADEA5F  with a counter of 4 or 8 digits

``parse`` handles frames. Other lines are left to ``cantools_cli/backends/slcan/codec.py``.
"""

from __future__ import annotations

from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch is full
STRANGE = 2  #: a line that is not a usual frame

NIBBLE = bytes(
    int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256)
)  #: value of a hexadecimal digit, 0xFF for any other byte
FD_LENGTHS = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
#: what a letter stands for: 0x80 a frame, 0x01 CAN FD, 0x02 bit rate switch, 0x10 29 bits, 0x20 remote
KINDS = bytes(
    {
        "t": 0x80,
        "T": 0x90,
        "x": 0x90,
        "r": 0xA0,
        "R": 0xB0,
        "d": 0x81,
        "D": 0x91,
        "b": 0x83,
        "B": 0x93,
    }.get(chr(c), 0)
    for c in range(256)
)


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    digits: int,
    time_ns: int,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the lines of ``text[at:end]``, which ends with CR, LF or BEL, into the rows from ``first`` on.

    A frame ends with a counter of ``digits`` digits, which becomes its time; ``time_ns`` is that of frames
    without one. All frames are on channel 0. Returns the position where it stopped (the start of a line), the
    number of filled rows, and the reason.
    """
    nibble = NIBBLE
    lengths = FD_LENGTHS
    kinds = KINDS
    done, full, strange = DONE, FULL, STRANGE
    room = len(timestamp_ns)
    payload_room = len(payload)
    if at >= end:
        return at, first, done
    if at < 0 or end > len(text) or text[end - 1] not in (7, 10, 13):
        raise ValueError("the text must end with the end of a line")
    if len(can_id) < room or len(flags) < room or len(channel) < room or len(dlc_code) < room:
        raise ValueError("the columns differ in length")
    if first < 0 or first > room or len(offset) <= room or offset[first] > payload_room:
        raise ValueError("the offsets do not fit")
    extended = 1
    extended <<= 31
    remote = 1
    remote <<= 30
    row = first
    used = offset[first]
    reason = done
    while at < end:
        if text[at] == 10:  # the second half of a line end
            at += 1
            continue
        if row >= room or used + 64 > payload_room:
            reason = full
            break
        reason = strange
        # The end of a line is not a digit, so that no loop passes it.
        kind = kinds[text[at]]
        if not kind:
            break
        pos = at + 1
        stop = pos + (8 if kind & 0x10 else 3)
        number = 0
        while pos < stop:
            value = nibble[text[pos]]
            if value > 15:
                break
            number = number << 4 | value
            pos += 1
        if pos < stop or number >> (29 if kind & 0x10 else 11):
            break
        code = nibble[text[pos]]
        if code > 15:
            break
        pos += 1
        size = lengths[code]
        if not kind & 1:
            size = 0 if kind & 0x20 else min(code, 8)
        to = used
        stop = used + size
        while to < stop:
            value = nibble[text[pos]]
            if value > 15:
                break
            low = nibble[text[pos + 1]]
            if low > 15:
                break
            payload[to] = value << 4 | low
            to += 1
            pos += 2
        if to < stop:
            break
        count = time_ns
        if digits:
            count = 0
            stop = pos + digits
            while pos < stop:
                value = nibble[text[pos]]
                if value > 15:
                    break
                count = count << 4 | value
                pos += 1
            if pos < stop:
                break
        if text[pos] != 13:
            break
        identifier = number
        if kind & 0x10:
            identifier |= extended
        if kind & 0x20:
            identifier |= remote
        timestamp_ns[row] = count
        can_id[row] = identifier
        flags[row] = kind & 3
        channel[row] = 0
        dlc_code[row] = code
        used = to
        row += 1
        offset[row] = used
        at = pos + 1
        reason = done
    return at, row, reason
