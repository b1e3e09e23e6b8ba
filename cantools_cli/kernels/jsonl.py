"""canx JSON lines to columns and back: ``{"timestamp":1.5,"channel":"can0","arbitration_id":291,...}``.

``parse`` reads objects whose keys have the order of ``_KEYS``, which is that of canx, with or without spaces
after ``:`` and ``,``; any other JSON is left to the reader.

The fast path: most lines share their seconds with an earlier one, have six digits of fraction, no exact time,
a recent channel, up to 8 bytes of data and no key after it. They are read as words and checked by one
condition. The general path reads field by field.

``parse`` stops with ``NAME`` at a frame of a channel that is not in the table.
"""

from __future__ import annotations

from array import array

from cantools_cli.kernels import _gil as gil
from cantools_cli.kernels import _jsonl as fields
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels import _words as words
from cantools_cli.kernels.buffers import Int64s, ReadBuffer, UInt16s, UInt32s, WriteBuffer

_KEYS = (
    b'{"timestamp":',
    b'"timestamp_ns":',
    b'"channel":',
    b'"arbitration_id":',
    b'"is_extended_id":',
    b'"dlc":',
    b'"data":',
    b'"is_remote_frame":',  # the following keys only if the frame differs from a received classic data frame
    b'"is_error_frame":',
    b'"is_fd":',
    b'"bitrate_switch":',
    b'"error_state_indicator":',
    b'"is_rx":',
    b'"dlc_code":',
)
KEYS = b"".join(_KEYS)  #: the keys, concatenated
KEY_ENDS = array("I", [len(b"".join(_KEYS[: count + 1])) for count in range(len(_KEYS))])

_PIECES = (
    b'{"timestamp":',
    b',"timestamp_ns":"',
    b',"channel":',
    b',"arbitration_id":',
    b',"is_extended_id":false,"dlc":',
    b',"is_extended_id":true,"dlc":',
    b',"data":"',
    b',"is_remote_frame":true',
    b',"is_error_frame":true',
    b',"is_fd":true',
    b',"bitrate_switch":true',
    b',"error_state_indicator":true',
    b',"is_rx":false',
    b',"dlc_code":',
)
PIECES = b"".join(_PIECES)  #: the text between the values, concatenated
PIECE_ENDS = array("I", [len(b"".join(_PIECES[: count + 1])) for count in range(len(_PIECES))])

#: maximum length of a formatted line without the channel and the data
LINE_ROOM = 440
#: maximum length of a usual line, and the bytes of it that are read as words
USUAL = 176
#: the text between the values of a usual line, as words
CHANNEL_KEY = words.load8(b'channel"', 0)
ID_KEY = words.load8(b',"arbitr', 0), words.load8(b"ation_id", 0)
EXTENDED_KEY = words.load8(b',"is_ext', 0), words.load8(b"ended_id", 0)
DLC_KEY = words.load8(b'"dlc":\0,', 0)
DATA_KEY = words.load8(b'"data":"', 0)
COMMA_QUOTE = int.from_bytes(b',"', "little")
TRUE, FALSE = words.load4(b"true", 0), words.load4(b"fals", 0)


def parse(
    text: ReadBuffer,
    at: int,
    end: int,
    names: ReadBuffer,
    name_ends: UInt32s,
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

    ``names`` holds the known channels as JSON, concatenated, ``name_ends`` the end of each. Returns the
    position where it stopped (the start of a line), the number of filled rows, and the reason.
    """
    lines.check_text(text, at, end)
    lines.check_columns(first, timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    keys, ends = KEYS, KEY_ENDS
    room, payload_room = len(timestamp_ns), len(payload)
    row = first
    used = offset[first]
    last = extended = 0
    reason = lines.DONE
    usual, channel_key, comma_quote = USUAL, CHANNEL_KEY, COMMA_QUOTE
    id_key, id_key_end = ID_KEY
    extended_key, extended_key_end = EXTENDED_KEY
    dlc_key, data_key, true, false = DLC_KEY, DATA_KEY, TRUE, FALSE
    dlc_mask = 0xFF00FFFFFFFFFFFF  # all but the digit
    every_value_bit = 0xFFFFFFFF
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length up to the point, and value
    recent = lines.no_channels()
    thread = gil.release()
    while at < end:
        if row >= room or used + 64 > payload_room:
            reason = lines.FULL
            break
        reason = lines.STRANGE
        is_usual = 0
        if stamp_size and at + usual <= end and words.same_start(text, at, stamp_at, stamp_size):
            pos = at + stamp_size
            word = words.load8(text, pos)
            fraction = words.decimal(word, 6)
            is_usual = (fraction >= 0) & (word >> 48 == comma_quote)
            is_usual &= (words.load8(text, pos + 8) == channel_key) & (text[pos + 16] == ord(":"))
            word = words.load8(text, pos + 17)
            size = words.until(word, ord(","))
            last = lines.recent_channel(recent, words.first_bytes(word, size + 1))
            pos += 17 + size
            is_usual &= (last >= 0) & (words.load8(text, pos) == id_key)
            is_usual &= (words.load8(text, pos + 8) == id_key_end) & (text[pos + 16] == ord('"'))
            is_usual &= text[pos + 17] == ord(":")
            pos += 18
            word = words.decimal_run(words.load8(text, pos))
            digits = word >> 32
            is_usual &= (digits > 0) & ((digits == 1) | (text[pos] != ord("0")))
            value = text[pos + 8] - ord("0")
            ninth = (digits == 8) & (0 <= value <= 9)
            identifier = word & every_value_bit
            identifier = identifier * (1 + 9 * ninth) + value * ninth
            pos += digits + ninth
            is_usual &= (words.load8(text, pos) == extended_key) & (text[pos + 16] == ord('"'))
            is_usual &= (words.load8(text, pos + 8) == extended_key_end) & (text[pos + 17] == ord(":"))
            kind = words.load4(text, pos + 18)
            extended = kind == true
            is_usual &= extended | ((kind == false) & (text[pos + 22] == ord("e")))
            pos += 23 - extended
            is_usual &= (text[pos] == ord(",")) & (identifier <= 0x1FFFFFFF)
            timestamp_ns[row] = stamp_ns + fraction * 1000
        is_short = 0
        if is_usual:
            # usually up to 8 bytes of data, then the end of the line, 94 to 134 bytes after its start:
            # computed early, so that the processor overlaps the next line with this one
            stop = at + 80 + words.newline_at(text, at + 80)
            word = words.load8(text, pos + 1)
            length = (word >> 48 & 255) - ord("0")
            is_short = (word & dlc_mask == dlc_key) & (words.load8(text, pos + 9) == data_key)
            size = words.unhex(text, pos + 17, payload, used)
            begin = pos + 17 + size
            is_short &= (size == 2 * length) & (begin + 2 == stop)
            is_short &= (text[begin] == ord('"')) & (text[begin + 1] == ord("}"))
            is_short &= extended | (identifier <= 0x7FF)
        else:
            pos = words.behind(text, at, end, keys, ends, 0)
            if pos < 0:
                break
            begin = pos
            pos = lines.seconds(text, pos, end, timestamp_ns, row)
            if pos < 0 or (pos - begin > 1 and text[begin] == ord("0")):
                break
            if text[pos] == ord("."):
                stamp_at, stamp_ns = at, timestamp_ns[row]
                stamp_size = pos + 1 - at if at + 32 <= end else 0
                pos = lines.fraction(text, pos + 1, end, timestamp_ns, row)
            begin = fields.after_key(text, pos, end, keys, ends, 1)
            if begin > 0:
                pos = fields.exact_time(text, begin, timestamp_ns, row)
            begin = fields.after_key(text, pos, end, keys, ends, 2)
            if begin < 0:
                break
            pos = fields.after_name(text, begin)
            if pos < 0:
                break
            last = lines.channel_at(text, begin, pos, end, names, name_ends, recent)
            if last < 0:
                reason = lines.NAME
                break
            begin = fields.after_key(text, pos, end, keys, ends, 3)
            if begin < 0:
                break
            pos = lines.decimal(text, begin, 9, can_id, row)
            identifier = can_id[row]
            if pos == begin or identifier > 0x1FFFFFFF or (pos - begin > 1 and text[begin] == ord("0")):
                break
            begin = fields.after_key(text, pos, end, keys, ends, 4)
            if begin < 0:
                break
            extended = text[begin] == ord("t")
            pos = fields.after_boolean(text, begin)
        if is_short:
            can_id[row] = identifier | extended << 31
            flags[row] = 0
            dlc_code[row] = length
            used += length
            pos = stop + 1
        else:
            can_id[row] = identifier
            pos = fields.rest(
                text, pos, end, keys, ends, extended, row, can_id, flags, dlc_code, offset, payload
            )
            if pos < 0:
                break
            used = offset[row + 1]
        channel[row] = last
        row += 1
        offset[row] = used
        at = pos
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
    out: WriteBuffer,
) -> tuple[int, int]:
    """Write the rows from ``first`` on as lines; return (the next row, bytes written).

    ``names`` holds the channels as JSON, ``name_ends`` the end of each. Stops at a row for which ``out`` may
    have no room, and at one with a negative time or of CAN XL, which the caller handles.
    """
    lines.check_columns(len(timestamp_ns), timestamp_ns, can_id, flags, channel, dlc_code, offset, payload)
    lines.check_names(names, name_ends)
    pieces, ends = PIECES + bytes(8), PIECE_ENDS
    rows, room, name_count = len(timestamp_ns), len(out), len(name_ends)
    line_room = LINE_ROOM
    billion = lines.BILLION
    latest = 9223372035  # the last second whose nanoseconds all fit into int64
    to = 0
    row = first
    stamp_at = stamp_size = stamp_ns = 0  # the last new second: its line, length up to the point, and value
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
        mark = flags[row]
        if time < 0 or mark & 16:
            break
        since = time - stamp_ns + 500  # rounded
        if stamp_size and 0 <= since < billion:  # usually the digits of an earlier line
            words.repeat32(out, stamp_at, to)
            to += stamp_size
            rest = since
        else:
            seconds = time // billion
            rest = time - seconds * billion
            rest += 500
            if rest >= lines.BILLION:
                rest -= lines.BILLION
                seconds += 1
            index = fields.put_piece(pieces, ends, 0, out, to)
            index = lines.put_decimal(seconds, 1, out, index)
            out[index] = ord(".")
            stamp_at, stamp_size = to, 0
            if seconds < latest:
                stamp_size = index + 1 - to
                stamp_ns = seconds * billion
            to = index + 1
        micro = rest // 1000
        words.store8(out, to, words.decimal6(micro))
        to += 6
        if rest - micro * 1000 != 500:  # nanoseconds that six digits lose
            to = fields.put_piece(pieces, ends, 1, out, to)
            to = lines.put_decimal(time, 1, out, to)
            out[to] = ord('"')
            to += 1
        to = fields.put_piece(pieces, ends, 2, out, to)
        to = lines.put(names, start, stop, out, to)
        # identifier: all 9 digits, then the key over the leading zeros
        word = can_id[row]
        kind = word >> 29
        identifier = word & 0x1FFFFFFF
        stop = to + 18 + words.decimal_width(identifier)
        high = identifier // 100000000
        out[stop - 9] = ord("0") + high
        words.store8(out, stop - 8, words.decimal8(identifier - high * 100000000))
        index = ends[2]
        words.store8(out, to, words.load8(pieces, index))
        words.store8(out, to + 8, words.load8(pieces, index + 8))
        words.copy2(pieces, index + 16, out, to + 16)
        to = fields.put_piece(pieces, ends, 4 + (kind >> 2), out, stop)
        code = dlc_code[row]
        size = end - begin
        if kind & 2:
            size = code if code < 8 else 8
            end = begin
        index = size // 10
        if index:
            out[to] = ord("0") + index
            to += 1
        out[to] = ord("0") + size - index * 10
        to = fields.put_piece(pieces, ends, 6, out, to + 1)
        to = lines.put_hex(payload, begin, end, out, to, lines.LOWER)
        out[to] = ord('"')
        to += 1
        if kind & 3 or mark or code > 8:
            if kind & 2:
                to = fields.put_piece(pieces, ends, 7, out, to)
            if kind & 1:
                to = fields.put_piece(pieces, ends, 8, out, to)
            if mark & 1:
                to = fields.put_piece(pieces, ends, 9, out, to)
            if mark & 2:
                to = fields.put_piece(pieces, ends, 10, out, to)
            if mark & 4:
                to = fields.put_piece(pieces, ends, 11, out, to)
            if mark & 8:
                to = fields.put_piece(pieces, ends, 12, out, to)
            if code > 8 and not mark & 1:
                to = fields.put_piece(pieces, ends, 13, out, to)
                to = lines.put_decimal(code, 1, out, to)
        out[to] = ord("}")
        out[to + 1] = ord("\n")
        to += 2
        row += 1
    gil.acquire(thread)
    return row, to
