"""The frames of PCAN-Basic: structures of the host's byte order, without input and output.

::

    23010000 00 03 0102030000000000    std 123, 3 bytes; a CAN FD message has 64 data bytes
    |        |  |  data
    |        |  length, of a CAN FD channel the DLC code
    |        type: 01 remote, 02 extended, 04 FD, 08 BRS, 10 ESI, 20 echo, 40 error frame, 80 status
    identifier

    00D5D8F0 9001 E703                 a time: milliseconds, their overflows, microseconds

An error frame has the kind of the error as its identifier (1 bit, 2 form, 4 stuff, 8 other, 0 for counters
only), and four data bytes: 0 while sending or 1 while receiving, the segment as an SJA1000 numbers it, the
receive and the transmit error counter. A batch has SocketCAN's error frames instead.

Sources: PEAK-System, "PCAN-Basic API", TPCANMsg, TPCANMsgFD, TPCANTimestamp and TPCANMessageType; "PCAN-Basic
Parameters", PCAN_ALLOW_ERROR_FRAMES.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable
from itertools import accumulate

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError, FormatError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

#: bytes of a message
CLASSIC_SIZE, FD_SIZE = 16, 72
STAMP_SIZE = 8
#: where the type and the length are
TYPE, LENGTH, DATA = 4, 5, 6
NOTHING = 0x80  #: the type before a call that may leave the message as it is

RTR, EXTENDED, FD, BRS, ESI, ECHO, ERROR, STATUS = (1 << bit for bit in range(8))

_CLASSIC = struct.Struct("=IBB8s2x")
_FD = struct.Struct("=IBB64s2x")
_STAMP = struct.Struct("=IHH")
_OVERFLOW_US = 1000 << 32

_FEW = 16  # frames whose data is sooner collected one by one
_FLAGS = bytes(
    (bits.FD if kind & FD else 0)
    | (bits.BRS if kind & BRS else 0)
    | (bits.ESI if kind & ESI else 0)
    | (bits.TX if kind & ECHO else 0)
    for kind in range(256)
)
_ID_BITS = [
    (bits.CAN_EFF_FLAG if kind & EXTENDED else 0) | (bits.CAN_RTR_FLAG if kind & RTR else 0)
    for kind in range(256)
]
_FD_LENGTHS = bytes(bits.FD_LENGTHS[min(code, 15)] for code in range(256))
#: types of frames whose data is as long as their code says
_PLAIN = frozenset(kind for kind in range(256) if not kind & (RTR | ERROR | STATUS))
_STANDARD = frozenset(kind for kind in _PLAIN if not kind & EXTENDED)
_PLAIN_FD = frozenset(kind for kind in _PLAIN if kind & FD)
_INVALID = frozenset(
    kind
    for kind in range(256)
    if not kind & (ERROR | STATUS) and ((kind & FD and kind & RTR) or (kind & (BRS | ESI) and not kind & FD))
)


def check(batch: MessageBatch, *, is_fd: bool, name: str) -> None:
    """Refuse frames that a channel cannot send; ``name`` begins the message.

    Raises:
        CanOperationError: the batch contains an error frame, or a CAN FD frame for a classic channel.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if can_id & bits.CAN_ERR_FLAG:
            raise CanOperationError(f"{name}: a controller cannot send error frames", sent=0)
        if flags & bits.FD and not is_fd:
            text = f"{name}: a CAN FD frame on a channel that was opened without fd"
            raise CanOperationError(text, hint="open it with fd=true and a data bit rate", sent=0)


def encode(batch: MessageBatch, row: int, *, is_fd: bool) -> bytes:
    """Return the message of one row of a checked batch."""
    can_id, flags = batch.can_id[row], batch.flags[row]
    kind = EXTENDED if can_id & bits.CAN_EFF_FLAG else 0
    code = batch.dlc_code[row]
    if flags & bits.FD:
        kind |= FD | (BRS if flags & bits.BRS else 0) | (ESI if flags & bits.ESI else 0)
        code = bits.len2dlc(batch.offset[row + 1] - batch.offset[row])
    elif can_id & bits.CAN_RTR_FLAG:
        kind |= RTR
        code = min(code, 8)
    else:
        code = batch.offset[row + 1] - batch.offset[row]
    data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
    return (_FD if is_fd else _CLASSIC).pack(can_id & bits.CAN_EFF_MASK, kind, code, data)


def times(stamps: bytearray, *, is_fd: bool, per_microsecond: int = 1) -> list[int]:
    """Return the times of messages, in microseconds of the library's clock times ``per_microsecond``."""
    if is_fd:
        counts = memoryview(stamps).cast("Q").tolist()
        return counts if per_microsecond == 1 else [count * per_microsecond for count in counts]
    per_milli, per_overflow = 1000 * per_microsecond, _OVERFLOW_US * per_microsecond
    return [
        millis * per_milli + micros * per_microsecond + overflow * per_overflow
        for millis, overflow, micros in _STAMP.iter_unpack(stamps)
    ]


def without_status(messages: bytearray, stamps: bytearray, *, is_fd: bool) -> tuple[bytearray, bytearray]:
    """Return the messages and times without those of status messages and calls that filled in nothing."""
    size = FD_SIZE if is_fd else CLASSIC_SIZE
    kinds = messages[TYPE::size]
    if not kinds or max(kinds) < STATUS:
        return messages, stamps
    kept = [row for row, kind in enumerate(kinds) if kind < STATUS]
    return _rows(messages, size, kept), _rows(stamps, STAMP_SIZE, kept)


def _rows(records: bytearray, size: int, rows: Iterable[int]) -> bytearray:
    return bytearray().join([records[row * size : (row + 1) * size] for row in rows])


def without_malformed(
    messages: bytearray, stamps: bytearray, losses: Losses, *, is_fd: bool
) -> tuple[bytearray, bytearray]:
    """Return the messages and times of possible frames; count the others in ``losses``."""
    size = FD_SIZE if is_fd else CLASSIC_SIZE
    kinds = messages[TYPE::size]
    identifiers = memoryview(messages).cast("I")[:: size // 4].tolist()
    if max(identifiers, default=0) <= bits.CAN_SFF_MASK and _INVALID.isdisjoint(kinds):  # the usual case
        return messages, stamps
    kept = []
    for row, (identifier, kind) in enumerate(zip(identifiers, kinds, strict=True)):
        limit = bits.CAN_EFF_MASK if kind & EXTENDED else bits.CAN_SFF_MASK
        if kind in _INVALID or (identifier > limit and not kind & ERROR):
            text = f"an impossible frame: identifier {identifier:#x}, type {kind:#04x}"
            losses.add_fault("malformed frames skipped", FormatError(text))
        else:
            kept.append(row)
    if len(kept) == len(kinds):
        return messages, stamps
    return _rows(messages, size, kept), _rows(stamps, STAMP_SIZE, kept)


def decode(messages: bytearray, times_ns: array[int], channel: Channel, *, is_fd: bool) -> MessageBatch:
    """Return the frames of possible messages without status messages, with their times since the epoch."""
    size = FD_SIZE if is_fd else CLASSIC_SIZE
    kinds, codes = messages[TYPE::size], messages[LENGTH::size]
    identifiers = memoryview(messages).cast("I")[:: size // 4].tolist()
    batch = MessageBatch(channels=(channel,))
    batch.timestamp_ns = times_ns
    batch.channel = array("H", bytes(2 * len(kinds)))
    batch.flags = kinds.translate(_FLAGS)
    different = {*kinds}
    if different <= _STANDARD:
        batch.can_id = array("I", identifiers)
    else:
        words = [word | _ID_BITS[kind] for word, kind in zip(identifiers, kinds, strict=True)]
        batch.can_id = array("I", words)
    if different <= _PLAIN and max(codes) <= (15 if different <= _PLAIN_FD else 8):
        batch.dlc_code = codes
        lengths = codes.translate(_FD_LENGTHS) if is_fd else codes
        _fill(batch, messages, size, lengths)
    else:
        _fill_with_unusual(batch, messages, size, kinds, codes)
    return batch


def _fill(batch: MessageBatch, messages: bytearray, size: int, lengths: bytearray) -> None:
    """Set the offsets and the payload of frames with all their data."""
    rows, length = len(lengths), lengths[0]
    if lengths.count(length) < rows:
        batch.offset = array("I", accumulate(lengths, initial=0))
        starts = range(DATA, len(messages), size)
        parts = [messages[start : start + n] for start, n in zip(starts, lengths, strict=True)]
        batch.payload = bytearray().join(parts)
        return
    batch.offset = array("I", range(0, rows * length + 1, length) if length else bytes(4 * (rows + 1)))
    if rows <= max(_FEW, length):
        batch.payload = bytearray().join(
            [messages[start : start + length] for start in range(DATA, len(messages), size)]
        )
        return
    batch.payload = bytearray(rows * length)
    for place in range(length):
        batch.payload[place::length] = messages[DATA + place :: size]


def _fill_with_unusual(
    batch: MessageBatch, messages: bytearray, size: int, kinds: bytearray, codes: bytearray
) -> None:
    """Set the codes, offsets and payload of frames, among them remote or error frames, or odd lengths."""
    for row, (kind, code) in enumerate(zip(kinds, codes, strict=True)):
        data = messages[row * size + DATA : (row + 1) * size]
        if kind & ERROR:
            batch.can_id[row], payload = error_frame(batch.can_id[row] & bits.CAN_EFF_MASK, data[:4])
            batch.flags[row] = 0
            code = 8
        else:
            code = min(code, 15)
            length = 0 if kind & RTR else bits.FD_LENGTHS[code if kind & FD else min(code, 8)]
            payload = bytes(data[:length])
        batch.dlc_code.append(code)
        batch.payload += payload
        batch.offset.append(len(batch.payload))


def error_frame(kind: int, data: bytes | bytearray) -> tuple[int, bytes]:
    """Return the ``can_id`` and the data of SocketCAN's form of an error frame."""
    receiving, place, rx_errors, tx_errors = data
    counters = bytes((tx_errors, rx_errors))
    if not kind & 0xF:
        return bits.CAN_ERR_FLAG | error_frames.COUNTERS, bytes(6) + counters
    error_class = error_frames.BUS_ERROR | error_frames.PROTOCOL
    if kind & 8 and place == error_frames.PLACE_ACK and not receiving:
        error_class |= error_frames.NO_ACK
    kinds = kind & 7 | (0 if receiving else error_frames.ON_TX)  # the kinds have SocketCAN's numbers
    return bits.CAN_ERR_FLAG | error_class, bytes((0, 0, kinds, place & 0x1F, 0, 0)) + counters
