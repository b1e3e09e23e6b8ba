"""The events of the XL Driver Library, as bytes in the memory of a program.

::

    01 00 0000 3412 00 00 40E2010000000000   classic: tag, channel index, number, port, flags, time in ns
       23010080 0000 0300 0000000000000000      identifier, flags, length
       0102030000000000 0000000000000000        data

    80000000 0004 0000 00000000 0000 0000 ...   CAN FD: size, tag, channel index, handle, flags of the chip
       23010080 03000000 ... 0A ...             identifier, flags, DLC code, 64 bytes of data

Bit 31 of an identifier marks an extended one. The numbers have the byte order of the computer.

Loses: the raw DLC codes of classic frames, and the ESI bit of frames to send.

Source: Vector, XL Driver Library manual, "XLevent", "XLcanRxEvent" and "XLcanTxEvent".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError, InvalidMessageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

CLASSIC_SIZE, FD_RX_SIZE, FD_TX_SIZE = 48, 128, 88  #: bytes of an event

#: kinds of events; those of a CAN FD port begin at RX_OK
RECEIVE_MSG, CHIP_STATE, TRANSMIT_MSG = 1, 4, 10
RX_OK, RX_ERROR, TX_ERROR, TX_OK, FD_CHIP_STATE, TX_MSG = 0x400, 0x401, 0x402, 0x404, 0x409, 0x440

#: the loss of received frames before an event
OVERRUNS = "overruns of the driver's queue (frames may be lost)"
MALFORMED = "malformed frames skipped"

_EXTENDED = 0x80000000
_MAX_STAMP = (1 << 63) - 1
_EVENT_OVERRUN = 0x01
_ERROR_FRAME, _OVERRUN, _REMOTE, _COMPLETED, _REQUEST = 0x01, 0x02, 0x10, 0x40, 0x80
_EDL, _BRS, _ESI, _RTR, _EF = 0x01, 0x02, 0x04, 0x10, 0x200
_QUEUE_OVERFLOW = 0x100  # in the flags of the chip

_CLASSIC = struct.Struct("=BB4xBxQIHH8x8s8x")
_FD_RX = struct.Struct("=4xHH4xH10xQII18xB5x64s")
_FD_TX = struct.Struct("=HHB3xIIB7x64s")
_CHIP_STATE = struct.Struct("=BBB")

#: the cause of an error event -> the number of the cause in Vector's logs
_CAUSES = {
    1: error_frames.CODE_BIT,
    2: error_frames.CODE_FORM,
    3: error_frames.CODE_STUFF,
    5: error_frames.CODE_CRC,
    6: error_frames.CODE_ACK_DELIMITER,
    7: error_frames.CODE_NO_ACK,
    8: error_frames.CODE_OVERLOAD,
}
_FD_FLAGS = tuple(
    bits.FD | (bits.BRS if flags & _BRS else 0) | (bits.ESI if flags & _ESI else 0) for flags in range(8)
)


@dataclass
class Decoded:
    """The events of one reading.

    Attributes:
        batch: the frames; a timestamp is the driver's time in ns.
        others: the numbers of the events that are not frames.
    """

    batch: MessageBatch
    others: list[int] = field(default_factory=list)


def decode_classic(
    events: bytes | memoryview, slots: Mapping[int, int], channels: tuple[Channel, ...], losses: Losses
) -> Decoded:
    """Return the frames of classic events.

    ``slots`` maps the index of a channel to its place in ``channels``; the last place is that of unknown
    ones. An overrun of the driver's queue is counted in ``losses`` and marked by an error frame.
    """
    found = Decoded(MessageBatch(channels=channels))
    if not events:
        return found
    columns, unknown = _EventColumns(found.batch), len(channels) - 1
    tags, indexes, overruns, stamps, words, kinds, codes, data = zip(
        *_CLASSIC.iter_unpack(events), strict=True
    )
    if {*tags} == {RECEIVE_MSG} and {*kinds} in ({0}, {_COMPLETED}) and not any(overruns):
        kind = bits.TX if kinds[0] else 0
        places = [slots.get(index, unknown) for index in indexes]
        if columns.fill(stamps, places, words, kind, codes, data):
            return found
    for number, event in enumerate(_CLASSIC.iter_unpack(events)):
        tag, index, event_flags, stamp, word, flags, code, data = event
        is_frame = tag == RECEIVE_MSG
        slot = slots.get(index, unknown)
        if event_flags & _EVENT_OVERRUN or (is_frame and flags & _OVERRUN):
            columns.overrun(stamp, slot, losses)
        if not is_frame:
            found.others.append(number)
        elif flags & _REQUEST:
            continue  # it was only handed over: the receipt follows
        elif flags & _ERROR_FRAME:
            columns.error(stamp, slot, error_frames.CODE_OTHER, bool(flags & _COMPLETED))
        else:
            kind = bits.TX if flags & _COMPLETED else 0
            fault = columns.frame(stamp, slot, word, kind, code, flags & _REMOTE, data)
            if fault is not None:
                losses.add_fault(MALFORMED, fault)
    return found


def decode_fd(
    events: bytes | memoryview, slots: Mapping[int, int], channels: tuple[Channel, ...], losses: Losses
) -> Decoded:
    """Return the frames of CAN FD events, as ``decode_classic`` does."""
    found = Decoded(MessageBatch(channels=channels))
    if not events:
        return found
    columns, unknown = _EventColumns(found.batch), len(channels) - 1
    tags, indexes, overruns, stamps, words, kinds, codes, data = zip(*_FD_RX.iter_unpack(events), strict=True)
    if {*tags} in ({RX_OK}, {TX_OK}) and len({*kinds}) == 1 and kinds[0] < 8 and not any(overruns):
        kind = (_FD_FLAGS[kinds[0]] if kinds[0] & _EDL else 0) | (bits.TX if tags[0] == TX_OK else 0)
        places = [slots.get(index, unknown) for index in indexes]
        if columns.fill(stamps, places, words, kind, codes, data):
            return found
    for number, event in enumerate(_FD_RX.iter_unpack(events)):
        tag, index, chip_flags, stamp, word, flags, code, data = event
        slot = slots.get(index, unknown)
        if chip_flags & _QUEUE_OVERFLOW:
            columns.overrun(stamp, slot, losses)
        if tag in (RX_OK, TX_OK):
            if flags & _EF:
                columns.error(stamp, slot, error_frames.CODE_OTHER, tag == TX_OK)
                continue
            kind = _FD_FLAGS[flags & 7] if flags & _EDL else 0
            if tag == TX_OK:
                kind |= bits.TX
            fault = columns.frame(stamp, slot, word, kind, code, flags & _RTR, data)
            if fault is not None:
                losses.add_fault(MALFORMED, fault)
        elif tag in (RX_ERROR, TX_ERROR):
            cause = _CAUSES.get(word & 0xFF, error_frames.CODE_OTHER)
            columns.error(stamp, slot, cause, tag == TX_ERROR)
            found.others.append(number)
        else:
            found.others.append(number)
    return found


class _EventColumns:
    """Adds rows to an empty batch."""

    def __init__(self, batch: MessageBatch) -> None:
        self._batch = batch
        self._payload = batch.payload
        self._stamps = batch.timestamp_ns.append
        self._can_ids = batch.can_id.append
        self._flags = batch.flags.append
        self._channels = batch.channel.append
        self._codes = batch.dlc_code.append
        self._offsets = batch.offset.append

    def fill(
        self,
        stamps: Sequence[int],
        slots: Sequence[int],
        words: Sequence[int],
        flags: int,
        codes: Sequence[int],
        data: Sequence[bytes],
    ) -> bool:
        """Add data frames with the same ``flags`` at once; return False if one of them may be malformed."""
        low, high = min(words), max(words)
        is_valid = high <= bits.CAN_SFF_MASK or _EXTENDED <= low <= high <= _EXTENDED | bits.CAN_EFF_MASK
        lengths = bits.FD_LENGTHS if flags & bits.FD else range(9)
        if not is_valid or max(codes) >= len(lengths) or max(stamps) > _MAX_STAMP:
            return False
        sizes = [lengths[code] for code in codes]
        batch = self._batch
        batch.timestamp_ns.extend(stamps)
        batch.channel.extend(slots)
        batch.can_id.extend(words)  # bit 31 is that of SocketCAN
        batch.flags.extend(bytes((flags,)) * len(words))
        batch.dlc_code.extend(codes)
        batch.payload += b"".join([one[:size] for one, size in zip(data, sizes, strict=True)])
        batch.offset.extend(accumulate(sizes))
        return True

    def frame(
        self, stamp: int, slot: int, word: int, flags: int, code: int, remote: int, data: bytes
    ) -> FormatError | None:
        """Add a frame, or return why it is malformed."""
        if word & _EXTENDED:
            word &= _EXTENDED | bits.CAN_EFF_MASK  # bit 31 is that of SocketCAN
        elif word > bits.CAN_SFF_MASK:
            return FormatError(f"an impossible frame: identifier {word:#x} of 11 bits")
        if code > 15 or (remote and flags & bits.FD):
            return FormatError(f"an impossible frame: DLC {code}, flags {flags:#x}")
        if remote:
            word |= bits.CAN_RTR_FLAG
            data = b""
        elif flags & bits.FD:
            data = data[: bits.FD_LENGTHS[code]]
        else:
            data = data[: code if code < 8 else 8]
        self._row(stamp, slot, word, flags, code, data)
        return None

    def _row(self, stamp: int, slot: int, can_id: int, flags: int, code: int, data: bytes) -> None:
        self._stamps(stamp & _MAX_STAMP)
        self._channels(slot)
        self._can_ids(can_id)
        self._flags(flags)
        self._codes(code)
        self._payload += data
        self._offsets(len(self._payload))

    def error(self, stamp: int, slot: int, cause: int, transmitting: bool) -> None:
        error_class, data = error_frames.from_code(cause, 0, transmitting)
        flags = bits.TX if transmitting else 0
        self._row(stamp, slot, error_class | bits.CAN_ERR_FLAG, flags, len(data), data)

    def overrun(self, stamp: int, slot: int, losses: Losses) -> None:
        losses[OVERRUNS] += 1
        mark = error_frames.rx_overflow(0, None)
        can_id = mark.arbitration_id | bits.CAN_ERR_FLAG
        self._row(stamp, slot, can_id, 0, len(mark.data), bytes(mark.data))


def tag_of(event: bytes | memoryview, is_fd: bool) -> tuple[int, int]:
    """Return the tag and the index of the channel of an event."""
    if is_fd:
        tag, index = struct.unpack_from("=HH", event, 4)
    else:
        tag, index = struct.unpack_from("=BB", event)
    return tag, index


def chip_state(event: bytes | memoryview, is_fd: bool) -> tuple[int, int, int]:
    """Return the state of a controller as XL_BusStatus, and its transmit and receive error counters."""
    status, tx_errors, rx_errors = _CHIP_STATE.unpack_from(event, 32 if is_fd else 16)
    return status, tx_errors, rx_errors


def check(batch: MessageBatch, is_fd: bool) -> None:
    """Refuse frames that the driver cannot send.

    Raises:
        InvalidMessageError: the batch contains an error frame, or a CAN FD frame for a classic port; ``sent``
            is 0.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if can_id & bits.CAN_ERR_FLAG:
            raise InvalidMessageError("the XL Driver Library cannot send error frames", sent=0)
        if flags & bits.FD and not is_fd:
            raise InvalidMessageError("cannot send FD message over bus with CAN FD disabled", sent=0)


def encode(batch: MessageBatch, rows: Sequence[int], is_fd: bool) -> bytes:
    """Return the events that send the given rows of a checked batch."""
    return b"".join(_fd_events(batch, rows) if is_fd else _classic_events(batch, rows))


def _classic_events(batch: MessageBatch, rows: Sequence[int]) -> Iterator[bytes]:
    for row in rows:
        word, remote, data = _content(batch, row)
        size = min(batch.dlc_code[row], 8)
        flags = _REMOTE if remote else 0
        yield _CLASSIC.pack(TRANSMIT_MSG, 0, 0, 0, word, flags, size, data)


def _fd_events(batch: MessageBatch, rows: Sequence[int]) -> Iterator[bytes]:
    for row in rows:
        word, remote, data = _content(batch, row)
        kind, code = batch.flags[row], batch.dlc_code[row]
        flags = _RTR if remote else 0
        if kind & bits.FD:
            flags = _EDL | (_BRS if kind & bits.BRS else 0)
            code = bits.len2dlc(len(data))
        yield _FD_TX.pack(TX_MSG, 0xFFFF, 0, word, flags, code if kind & bits.FD else min(code, 8), data)


def _content(batch: MessageBatch, row: int) -> tuple[int, int, bytes]:
    """Return the identifier with its bit 31, whether the frame is remote, and its data."""
    can_id = batch.can_id[row]
    word = can_id & bits.CAN_EFF_MASK | (_EXTENDED if can_id & bits.CAN_EFF_FLAG else 0)
    return word, can_id & bits.CAN_RTR_FLAG, bytes(batch.payload[batch.offset[row] : batch.offset[row + 1]])


def flush_event(is_fd: bool) -> bytes:
    """Return the frame of high priority that makes current devices discard what they have not sent yet.

    It has the identifier 0 and no data; the driver does send it.
    """
    if is_fd:
        return _FD_TX.pack(TX_MSG, 0xFFFF, 0, 0, 0x80, 0, b"")
    return _CLASSIC.pack(TRANSMIT_MSG, 0, 0, 0, 0, _OVERRUN | 0x08, 0, b"")
