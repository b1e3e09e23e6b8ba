"""Typical packets of pcap and pcapng to columns and back.

::

    pcap    0 seconds, 4 | 4 part of the second, 4 | 8 captured, 4 | 12 original, 4 | 16 packet
    pcapng  0 type 6, 4 | 4 size, 4 | 8 interface, 4 | 12 time, 8 | 20 captured, 4 | 24 original, 4
            28 packet, padded to 4 bytes | options [code, 2 | size, 2 | value, padded] ... | size, 4
    packet  [cooked header, 16 or 20] 0 identifier word, 4 | 4 length | 5 flags (FD) | 7 raw DLC | 8 data
            bytes 5 to 7 of a classic frame are undefined

Numbers have the byte order of the file, those of cooked headers are big-endian. The identifier word has the
byte order of the file after a cooked header, else it is usually big-endian. ``io/capture/records.py`` handles
unusual and malformed packets.

Sources: the pcap and pcapng drafts of the IETF opsawg; tcpdump.org, LINKTYPE_CAN_SOCKETCAN,
LINKTYPE_LINUX_SLL and SLL2; Linux ``linux/can.h``.
"""

from __future__ import annotations

from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

DONE = 0  #: the end of the text is reached
FULL = 1  #: the batch has no room for the next frame
STRANGE = 2  #: an unusual record, left to the reader
CUT = 3  #: the next record continues after the end of the text

#: link type 227 of a writer that did not swap its identifier words; not a real link type
SWAPPED = 0xFFE3
#: the table entry of an unknown interface
UNKNOWN = 0xFFFF
#: maximum size of a packet, which is that of tcpdump, and of a record that is parsed here
LARGEST_PACKET = 1 << 18
LARGEST_RECORD = 1 << 19
#: maximum size of a written record
RECORD_ROOM = 116

#: data length of a CAN FD frame, padded to a valid CAN FD length
PADDED = bytes([*range(9), *[12] * 4, *[16] * 4, *[20] * 4, *[24] * 4, *[32] * 8, *[48] * 16, *[64] * 16])


def _word(text: ReadBuffer, at: int, big: int) -> int:
    """Return the unsigned 32-bit integer at ``at``."""
    if not big:
        return words.load4(text, at)
    high = text[at]
    return high << 24 | text[at + 1] << 16 | text[at + 2] << 8 | text[at + 3]


def _short(text: ReadBuffer, at: int, big: int) -> int:
    """Return the unsigned 16-bit integer at ``at``."""
    return text[at] << 8 | text[at + 1] if big else text[at + 1] << 8 | text[at]


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    blocks: int,
    big: int,
    links: UInt16s,
    scales: Int64s,
    starts: Int64s,
    largest: Int64s,
    channels: UInt16s,
    devices: UInt16s,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the records of ``text[at:end]`` into the rows from ``first`` on.

    ``blocks`` is 1 for pcapng, ``big`` for big-endian files. Per interface, of which pcap has one: the link
    type, nanoseconds per tick (0 leaves the record to the reader), the time of tick 0, the last tick whose
    time fits, the entry of the channel column. ``devices`` maps the interface number of an SLL2 header to
    that entry. The link type ``SWAPPED`` is 227 with identifier words that are little-endian. Returns the
    record where it stopped, the number of filled rows, and the reason.
    """
    cut, unknown, swapped = CUT, UNKNOWN, SWAPPED
    largest_packet, largest_record = LARGEST_PACKET, LARGEST_RECORD
    billion = 1000000000
    interfaces = len(links)
    devices_known = len(devices)
    room = len(timestamp_ns)
    payload_room = len(payload)
    if end > len(text) or at < 0:
        raise ValueError("the text is shorter than that")
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    if len(scales) < interfaces or len(starts) < interfaces or len(largest) < interfaces:
        raise ValueError("the tables differ in length")
    if len(channels) < interfaces or (interfaces == 0 and not blocks):
        raise ValueError("the tables differ in length")
    row = first
    used = offset[first]
    reason = lines.DONE
    while at < end:
        if row >= room or payload_room - used < 64:
            reason = lines.FULL
            break
        # the record: position of the packet, its time and direction
        left = end - at
        sent = 0
        if blocks:
            reason = cut
            if left < 12:
                break
            size = _word(text, at + 4, big)
            reason = lines.STRANGE
            if _word(text, at, big) != 6 or size < 32 or size & 3 or size > largest_record:
                break
            if size > left:
                reason = cut
                break
            index = _word(text, at + 8, big)
            captured = _word(text, at + 20, big)
            if _word(text, at + size - 4, big) != size or captured > size - 32 or index >= interfaces:
                break
            high = _word(text, at + 12, big)
            scale = scales[index]
            if scale == 0 or high >> 31:
                break
            time = high
            time = time << 32 | _word(text, at + 16, big)
            if time > largest[index]:
                break
            time = starts[index] + time * scale
            data = at + 28
            pos = data + ((captured + 3) & ~3)
            stop = at + size - 4
            while stop - pos >= 8:
                number = _short(text, pos, big)
                length = _short(text, pos + 2, big)
                if number == 0:
                    break
                if number == 2 and length == 4 and _word(text, pos + 4, big) & 3 == 2:
                    sent = 8
                pos += 4 + ((length + 3) & ~3)
        else:
            reason = cut
            if left < 16:
                break
            captured = _word(text, at + 8, big)
            size = captured + 16
            if captured > largest_packet:
                reason = lines.STRANGE
                break
            if size > left:
                break
            index = 0
            time = _word(text, at, big)
            time = time * billion + _word(text, at + 4, big) * scales[0]
            data = at + 16
        reason = lines.STRANGE
        # the packet: a cooked header, if any
        place = channels[index]
        protocol = 0
        order = 1
        number = links[index]
        if number == 113:
            if captured < 24:
                break
            protocol = _short(text, data + 14, 1)
            if _short(text, data, 1) == 4:
                sent = 8
            data += 16
            captured -= 16
            order = big
        elif number == 276:
            if captured < 28:
                break
            protocol = _short(text, data, 1)
            if text[data + 10] == 4:
                sent = 8
            number = _word(text, data + 4, 1)
            if number >= devices_known:
                break
            place = devices[number]
            if place == unknown:
                break
            data += 20
            captured -= 20
            order = big
        elif captured < 8:
            break
        elif number != 227:
            if number != swapped:
                break
            order = 0
        # the frame
        word = _word(text, data, order)
        length = text[data + 4]
        mark = text[data + 5]
        if protocol:
            fd = protocol == 13
            if not fd and protocol != 12:
                break
        else:
            # stale memory in the padding of a classic frame is not a flag
            fd = length > 8 or captured == 72
            fd |= (mark & 4 != 0) & (mark <= 7) & (text[data + 6] | text[data + 7] == 0)
        given = length
        if fd:
            if length > 64 or length > captured - 8 or word >> 29 & 3:
                break
            code = words.fd_code_for(length)
            length = words.fd_length(code)
            mark = (mark & 3) << 1 | 1
        else:
            if length > 8:
                break
            code = length
            if word >> 29 & 1:
                word &= 0x3FFFFFFF
            elif length == 8 and 8 < text[data + 7] < 16 and mark | text[data + 6] == 0:
                code = text[data + 7]
            mark = 0
            if word >> 30 & 1:
                length = 0
            if length > captured - 8:
                break
        if word >> 29 & 5 == 0 and word & 0x1FFFFFFF > 0x7FF:
            break
        data += 8
        given = min(given, length)
        for step in range(given):
            payload[used + step] = text[data + step]
        for step in range(given, length):
            payload[used + step] = 0
        timestamp_ns[row] = time
        can_id[row] = word
        flags[row] = mark | sent
        channel[row] = place
        dlc_code[row] = code
        used += length
        row += 1
        offset[row] = used
        at += size
        reason = lines.DONE
    return at, row, reason


def format(
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: ReadBuffer,
    channel: UInt16s,
    dlc_code: ReadBuffer,
    offset: UInt32s,
    payload: ReadBuffer,
    interfaces: UInt16s,
    blocks: int,
    unit: int,
    out: WriteBuffer,
) -> tuple[int, int, int]:
    """Write the rows from ``first`` on as little-endian records.

    Returns (the next row, bytes written, times moved).

    ``interfaces`` has the number of each channel's interface, for pcapng (``blocks``), whose times are in
    nanoseconds. pcap's are seconds and parts of ``unit`` nanoseconds, rounded half up. A time that the
    format cannot hold becomes the nearest that it can. Stops before a record that ``out`` may not hold, and
    before a CAN XL frame.
    """
    record_room = RECORD_ROOM
    billion = 1000000000
    last = 0xFFFFFFFF * billion + 999999999
    half = unit // 2
    low_half = 0xFFFFFFFF
    rows = len(timestamp_ns)
    room = len(out)
    channels = len(interfaces)
    payload_size = len(payload)
    lines.check_columns(rows, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    if unit <= 0:
        raise ValueError("a unit is 1 ns or more")
    to = 0
    moved = 0
    row = first
    while row < rows and room - to >= record_room:
        mark = flags[row]
        if mark & 16:
            break
        index = channel[row]
        begin = offset[row]
        word = can_id[row]
        count = offset[row + 1] - begin
        length = 64 if mark & 1 else 8
        if index >= channels:
            raise ValueError("no such channel")
        if count < 0 or count > length or begin + count > payload_size:
            raise ValueError("the offsets do not fit")
        time = timestamp_ns[row]
        if time < 0:
            time = 0
            moved += 1
        length += 8
        if blocks:
            size = length + 44
            words.store4(out, to, 6)
            words.store4(out, to + 4, size)
            words.store4(out, to + 8, interfaces[index])
            words.store4(out, to + 12, time >> 32)
            words.store4(out, to + 16, time & low_half)
            words.store4(out, to + 20, length)
            words.store4(out, to + 24, length)
            pos = to + size - 16  # options: the direction, the end; and the size once more
            words.store4(out, pos, 0x40002)
            words.store4(out, pos + 4, 2 if mark & 8 else 1)
            words.store4(out, pos + 8, 0)
            words.store4(out, pos + 12, size)
            pos = to + 28
        else:
            size = length + 16
            if time > last - half:
                moved += time > last
                time = last
            else:
                time += half
            part = time % billion // unit
            words.store4(out, to, time // billion)
            words.store4(out, to + 4, part)
            words.store4(out, to + 8, length)
            words.store4(out, to + 12, length)
            pos = to + 16
        # the frame
        out[pos] = word >> 24
        out[pos + 1] = word >> 16 & 255
        out[pos + 2] = word >> 8 & 255
        out[pos + 3] = word & 255
        number = dlc_code[row]
        words.store4(out, pos + 4, count)
        if mark & 1:
            out[pos + 5] = mark >> 1 & 3 | 4
        else:
            if word >> 29 & 3 == 2:  # a remote frame has a length but no data
                out[pos + 4] = number if number < 8 else 8
            if 8 < number < 16:
                out[pos + 7] = number
        for step in range(count):
            out[pos + 8 + step] = payload[begin + step]
        for step in range(count, length - 8):
            out[pos + 8 + step] = 0
        to += size
        row += 1
    return row, to, moved


def walk(text: ReadBuffer, at: int, end: int, blocks: int, big: int) -> tuple[int, int]:
    """Skip records from ``at`` on; return the position where it stopped, and the reason.

    Stops at the end, at a truncated record, and at one that is unusually large, invalid, or the start of a
    pcapng section.
    """
    cut = CUT
    largest_packet, largest_record = LARGEST_PACKET, LARGEST_RECORD
    section = 0x0A0D0D0A
    if end > len(text) or at < 0:
        raise ValueError("the text is shorter than that")
    reason = lines.DONE
    while at < end:
        reason = cut
        if end - at < 12 or (not blocks and end - at < 16):
            break
        if blocks:
            size = _word(text, at + 4, big)
            if _word(text, at, big) == section or size < 12 or size & 3 or size > largest_record:
                reason = lines.STRANGE
                break
        else:
            size = _word(text, at + 8, big)
            if size > largest_packet:
                reason = lines.STRANGE
                break
            size += 16
        if size > end - at:
            break
        if blocks and _word(text, at + size - 4, big) != size:
            reason = lines.STRANGE
            break
        at += size
        reason = lines.DONE
    return at, reason
