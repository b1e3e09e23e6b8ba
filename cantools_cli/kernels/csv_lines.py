"""Rows of python-can's CSV to columns and back: ``1700000000.123456,0x123,0,0,0,3,AQID``.

The grammar of ``parse``; anything else, such as a header, is left to the reader, ``cantools_cli/io/csv.py``::

    row    = seconds ["." fraction] ",0x" id "," extended "," remote "," error "," length "," data [more]
    more   = "," channel "," fd "," brs "," esi "," received

The fast path: most rows share their seconds with an earlier one, are data or error frames of up to 8 bytes,
and have no further columns. Their fields are read as words and checked by one condition. The general path
reads field by field.

``parse`` stops with ``NAME`` at a frame of a channel that is not in the table.
"""

from __future__ import annotations

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SEXTET = bytes(
    ALPHABET.index(c) if c in ALPHABET else 0xFF for c in range(256)
)  #: value of a base64 character, 0xFF for any other byte
PAIRS = b"".join(bytes((high, low)) for high in ALPHABET for low in ALPHABET)  #: of 12 bits each
#: number of base64 characters of up to 8 bytes, and of the following ``=``
DATA_DIGITS = bytes((0, 2, 3, 4, 6, 7, 8, 10, 11)) + bytes(7)
DATA_PADS = bytes((0, 2, 1, 0, 2, 1, 0, 2, 1)) + bytes(7)

#: maximum length of a formatted row without the channel and the data
LINE_ROOM = 104
#: maximum length of a usual row, and the bytes of it that are read as words
USUAL = 80
#: ``,0,0,0,0`` and a mask of the bits that are not values
KINDS = words.load8(b",0,0,0,0", 0)
KINDS_MASK = 0x00FFFEFFFEFFFEFF


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    names: ReadBuffer,
    name_ends: UInt32s,
    full_rows: int,
    first: int,
    timestamp_ns: Int64s,
    can_id: UInt32s,
    flags: WriteBuffer,
    channel: UInt16s,
    dlc_code: WriteBuffer,
    offset: UInt32s,
    payload: WriteBuffer,
) -> tuple[int, int, int]:
    """Parse the lines of ``text[at:end]``, which ends with a newline, into the rows from ``first`` on.

    With ``full_rows`` five more columns follow: channel, FD, BRS, ESI, received. ``names`` holds the known
    channels as the file spells them, concatenated, ``name_ends`` the end of each. Without these columns all
    frames are on channel 0. Returns the position where it stopped (the start of a row), the number of filled
    rows, and the reason.
    """
    lines.check_text(text, at, end)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    room, payload_room = len(timestamp_ns), len(payload)
    usual, kinds_mask = USUAL, KINDS_MASK
    kinds = KINDS & kinds_mask
    sextet, data_digits, data_pads = SEXTET, DATA_DIGITS, DATA_PADS
    low_half, base_mask, extended_mask = 0xFFFFFFFF, 0x7FF, 0x1FFFFFFF
    before_id, both_pads = 0x78302C, 0x3D3D  # ,0x and ==
    last, recent = 0, lines.no_channels()
    row, used, reason = first, offset[first], lines.DONE
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its row, length up to the point, and value
    thread = gil.release()
    while at < end:
        if row >= room or used + 72 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        is_usual = usual_head = 0
        if (
            stamp_size
            and not full_rows
            and at + usual <= end
            and words.same_start(text, at, stamp_at, stamp_size)
        ):
            # computed early, so that the processor overlaps the next row with this one
            stop = at + 16 + words.newline_at(text, at + 16)
            pos = at + stamp_size
            word = words.fraction_run(words.load8(text, pos))
            digits = word >> 32
            usual_head = (digits > 0) & (digits < 8)
            time = stamp_ns + (word & low_half) * 10
            pos += digits
            usual_head &= words.load4(text, pos) & 0xFFFFFF == before_id
            word = words.hex_run(words.load8(text, pos + 3))
            digits = word >> 32
            usual_head &= digits > 0
            identifier = word & low_half
            pos += 3 + digits
            word = words.load8(text, pos)
            usual_head &= (word & kinds_mask == kinds) & (word >> 24 & 1 == 0)
            kind = (word >> 8 & 1) | (word >> 40 & 1) << 2
            usual_head &= (identifier <= base_mask) | ((kind > 0) & (identifier <= extended_mask))
            value = word >> 56
            value -= ord("0")
            pos += 7
        if usual_head:
            length = value & 15
            begin = pos + 2
            digits, size = data_digits[length], data_pads[length]
            is_usual = words.unbase64(text, begin, digits, payload, used)
            begin += digits
            is_usual &= (0 <= value <= 8) & (text[pos + 1] == ord(",")) & (begin + size == stop)
            is_usual &= (words.load4(text, begin) ^ both_pads) & ((1 << 8 * size) - 1) == 0
            size = code = length
            mark = 0
        if not is_usual:
            if not usual_head:
                pos = lines.seconds(text, at, end, timestamp_ns, row)
                if pos < 0:
                    break
                if text[pos] == ord("."):
                    stamp_at, stamp_ns = at, timestamp_ns[row]
                    stamp_size = pos + 1 - at if at + 32 <= end else 0
                    pos = lines.fraction(text, pos + 1, end, timestamp_ns, row)
                    if pos < 0:
                        break
                time = timestamp_ns[row]
                begin = pos + 3
                if lines.load(text, pos, end) & 0xFFFFFF != before_id:
                    break
                identifier, pos = lines.hex_number(text, begin, end)
                if pos == begin or identifier > extended_mask:
                    break
                kind, pos = lines.switches(text, pos, 3)
                if pos < 0 or text[pos] != ord(","):
                    break
                pos += 1
            length, begin = lines.number(text, pos, 2)
            if begin == pos or length > 64 or text[begin] != ord(","):
                break
            # data: as many bytes as the length tells, the last ones after each other where the text ends
            left = 0 if kind & 2 else length
            pos = begin + 1
            size = 0
            while size < left and pos + 16 <= end:
                value = min(left - size, 8)
                if value < left - size:
                    value = 6
                if not words.unbase64(text, pos, data_digits[value], payload, used + size):
                    break
                size += value
                pos += data_digits[value]
            digits = word = 0
            while size < left:
                value = sextet[text[pos]]
                if value > 63:
                    break
                word = word << 6 & 0xFFFF | value
                digits += 6
                pos += 1
                if digits >= 8:
                    digits -= 8
                    payload[used + size] = word >> digits & 255
                    size += 1
            if size < left or word & ((1 << digits) - 1):
                break
            value = data_pads[left % 3]
            while value and text[pos] == ord("="):
                value -= 1
                pos += 1
            if value:
                break
            mark = 1 if length > 8 else 0
            if full_rows:
                if text[pos] != ord(","):
                    break
                begin = pos + 1
                pos = begin
                while text[pos] != ord(",") and text[pos] != ord('"') and text[pos] >= ord(" "):
                    pos += 1
                stop = pos
                mark, pos = lines.switches(text, pos, 4)
                mark ^= 8  # received or sent
                if pos < 0 or ((mark & 6 or length > 8) and not mark & 1):
                    break
                last = lines.channel_at(text, begin, stop, end, names, name_ends, recent)
                if last < 0:
                    last = 0
                    reason = lines.NAME
                    break
            stop = lines.after_line(text, pos) - 1
            code = words.fd_code(length) if mark & 1 else length
            if stop < 0 or code > 15 or (kind & 2 and (kind & 4 or mark & 1)):
                break
            if identifier > base_mask and not kind & 5:
                break
        if kind & 4:
            identifier |= 0x20000000
            mark |= (kind & 1) << 5  # an error frame with an extended identifier
        else:
            identifier |= (kind & 1) << 31
        identifier |= (kind & 2) << 29
        timestamp_ns[row] = time
        can_id[row] = identifier
        flags[row] = mark
        channel[row] = last
        dlc_code[row] = code
        used += size
        row += 1
        offset[row] = used
        at = stop + 1
        reason = lines.DONE
    gil.acquire(thread)
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
    names: ReadBuffer,
    name_ends: UInt32s,
    full_rows: int,
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on; return (the next row, bytes written).

    ``names`` holds the channels as they are written, ``name_ends`` the end of each. Stops at a row for which
    ``out`` may have no room, and at one with a negative time, which the caller handles.
    """
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    rows, room, payload_size, name_count = len(timestamp_ns), len(out), len(payload), len(name_ends)
    alphabet, pairs, kinds, line_room = ALPHABET, PAIRS, KINDS, LINE_ROOM
    data_digits, data_pads = DATA_DIGITS, DATA_PADS
    before_id, pads, lower = 0x78302C, 0x3D3D, 0x2020202020202020  # ,0x and ==
    billion, every_bit = lines.BILLION, 0xFFFFFFFF
    to, row = 0, first
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its row, length up to the point, and value
    thread = gil.release()
    while row < rows:
        index = channel[row]
        if index >= name_count:
            gil.acquire(thread)
            raise ValueError("no such channel")
        start = name_ends[index - (index > 0)] * (index > 0)  # no branch: it would be unpredictable
        stop = name_ends[index]
        begin = offset[row]
        end = offset[row + 1]
        if to + line_room + stop - start + 2 * (end - begin) > room:
            break
        time = timestamp_ns[row]
        if time < 0:
            break
        since = time - stamp_ns
        if stamp_size and 0 <= since < billion:  # most rows: the digits of an earlier row
            words.repeat32(out, stamp_at, to)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            stamp_at, stamp_ns = to, seconds * billion
            rest = time - stamp_ns
            to = lines.put_decimal(seconds, 1, out, to) + 1
            out[to - 1] = ord(".")
            stamp_size = to - stamp_at
        # fraction: up to nine digits, without the zeros at their end
        high = rest // 10
        low = rest - high * 10
        digits = words.decimal8(high)
        words.store8(out, to, digits)
        if low:
            out[to + 8] = ord("0") + low
            to += 9
        else:
            to += words.significant(digits)
        words.store4(out, to, before_id)
        to += 3
        # identifier, without leading zeros: its digits are counted and written without a branch
        word = can_id[row]
        identifier = word & 0x1FFFFFFF
        kind = word >> 29
        width = words.hex_width(identifier)
        words.store8(out, to, words.hexadecimal8(identifier << (32 - 4 * width) & every_bit) | lower)
        to += width
        bits = kind
        bits = ((bits >> 2 | flags[row] >> 5) & 1) << 8 | (bits >> 1 & 1) << 24 | (bits & 1) << 40
        words.store8(out, to, kinds + bits)  # extended, remote, error
        to += 7
        size = end - begin
        if kind & 2:
            size = dlc_code[row]
            size = min(size, 8)
            end = begin
        to = lines.put_decimal(size, 1, out, to)
        out[to] = ord(",")
        to += 1
        # data
        if end - begin <= 8 and begin + 8 <= payload_size:
            # always 8 bytes, padded with zeros: the following output overwrites the surplus
            size = end - begin
            bits = words.swapped(words.first_bytes(words.load8(payload, begin), size))
            words.copy2(pairs, 2 * (bits >> 52), out, to)
            words.copy2(pairs, 2 * (bits >> 40 & 4095), out, to + 2)
            words.copy2(pairs, 2 * (bits >> 28 & 4095), out, to + 4)
            words.copy2(pairs, 2 * (bits >> 16 & 4095), out, to + 6)
            words.copy2(pairs, 2 * (bits >> 4 & 4095), out, to + 8)
            words.copy2(pairs, 2 * ((bits & 15) << 8), out, to + 10)
            to += data_digits[size]
            words.store4(out, to, pads)
            to += data_pads[size]
            begin = end
        while begin + 8 <= end:
            bits = words.swapped(words.load8(payload, begin))
            words.copy2(pairs, 2 * (bits >> 52), out, to)
            words.copy2(pairs, 2 * (bits >> 40 & 4095), out, to + 2)
            words.copy2(pairs, 2 * (bits >> 28 & 4095), out, to + 4)
            words.copy2(pairs, 2 * (bits >> 16 & 4095), out, to + 6)
            to += 8
            begin += 6
        while begin < end:  # three bytes, or the last one or two
            size = end - begin
            word = payload[begin] << 16
            word |= payload[begin + 1] << 8 if size > 1 else 0
            word |= payload[begin + 2] if size > 2 else 0
            out[to] = alphabet[word >> 18]
            out[to + 1] = alphabet[word >> 12 & 63]
            out[to + 2] = alphabet[word >> 6 & 63] if size > 1 else ord("=")
            out[to + 3] = alphabet[word & 63] if size > 2 else ord("=")
            to += 4
            begin += 3
        if full_rows:
            out[to] = ord(",")
            to = lines.put(names, start, stop, out, to + 1)
            bits = flags[row] ^ 8
            bits = (bits & 1) << 8 | (bits & 2) << 23 | (bits & 4) << 38 | (bits & 8) << 53
            words.store8(out, to, kinds + bits)  # FD, BRS, ESI, received
            to += 8
        out[to] = ord("\n")
        to += 1
        row += 1
    gil.acquire(thread)
    return row, to
