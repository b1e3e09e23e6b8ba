"""Elements of a queue of BOA as columns, and frames as elements.

::

    type     reserved time in ticks    tag      id       flags   size
    08000000 00000000 40E2010000000000 00000000 23010000 4800 00 0C 00000000 00 01 .. 0B ..   FD, BRS, 123
    |        |                                                      |        data, 64 bytes
    |        |                                                      type of an error frame
    01 a classic frame, 08 a CAN FD frame, others are errors and events: 96 bytes each, 40 before API 1.3

    type     reserved id       flags   size
    02000000 00000000 23010000 0000 00 02 AA55 ..       a frame to send

All numbers are little-endian, since BOA is for x86.

Source: ETAS BOA 2, header of OCI CAN, "OCI_CANMessageEx".
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence

from cantools_cli.backends.etas.constants import (
    ERROR_BIT,
    ControllerState,
    ErrorType,
    MessageFlag,
    MessageType,
    QueueEvent,
)
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError, InvalidMessageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

OVERFLOWS = "overflows of the receive queue"
MALFORMED = "malformed frames skipped"

_RECEIVED = {96: struct.Struct("<I4xqIIHBBI64s"), 40: struct.Struct("<I4xqIIHBBI8s")}
_TO_SEND = {96: struct.Struct("<I4xIHxB64s16x"), 40: struct.Struct("<I4xIHxB8s16x")}
# plain numbers, since an operation on members of IntFlag takes a microsecond
_RX, _FD_RX = int(MessageType.RX), int(MessageType.FD_RX)
_EXTENDED, _REMOTE, _OWN = (
    int(flag) for flag in (MessageFlag.EXTENDED, MessageFlag.REMOTE, MessageFlag.SELF_RECEPTION)
)
_FD, _BRS = int(MessageFlag.FD), int(MessageFlag.BIT_RATE_SWITCH)

#: SocketCAN's flags of an identifier by the two lowest flags of a frame
_ID_FLAGS = (0, bits.CAN_EFF_FLAG, bits.CAN_RTR_FLAG, bits.CAN_EFF_FLAG | bits.CAN_RTR_FLAG)
#: the ``flags`` column of a batch by the flags of a frame
_CLASSIC_FLAGS = bytes(bits.TX if flags & MessageFlag.SELF_RECEPTION else 0 for flags in range(128))
_FD_FLAGS = bytes(
    bits.FD
    | (bits.BRS if flags & MessageFlag.BIT_RATE_SWITCH else 0)
    | (bits.ESI if flags & MessageFlag.ERROR_PASSIVE else 0)
    | _CLASSIC_FLAGS[flags]
    for flags in range(128)
)

_KINDS = {
    ErrorType.STUFF: error_frames.KIND_STUFF,
    ErrorType.FORM: error_frames.KIND_FORM,
    ErrorType.BIT: error_frames.KIND_BIT,
    ErrorType.BIT_RECESSIVE: error_frames.KIND_RECESSIVE,
    ErrorType.BIT_DOMINANT: error_frames.KIND_DOMINANT,
    ErrorType.OVERLOAD: error_frames.KIND_OVERLOAD,
}
#: what a bus event reports of the controller; BOA does not tell which of the two counters it is
_STATES = {
    ControllerState.ACTIVE: 0x40,
    ControllerState.PASSIVE: 0x30,
    ControllerState.ERROR_LIMIT: 0x0C,
}

TimesNs = Callable[[Sequence[int]], "array[int]"]
ErrorFrame = tuple[int, bytes]  # class bits, 8 data bytes


class Decoder:
    """Turns elements of a receive queue into frames of ``channel``.

    ``times_ns`` converts ticks to nanoseconds since the epoch. Without ``keeps_own``, frames that this
    controller sent are left out. ``losses`` counts overflows and malformed frames.

    Attributes:
        internal_errors: result codes that the driver reported; the caller takes them.
    """

    def __init__(self, channel: Channel, losses: Losses, times_ns: TimesNs, keeps_own: bool) -> None:
        self.internal_errors: list[int] = []
        self._channels = (channel,)
        self._losses = losses
        self._times_ns = times_ns
        self._keeps_own = keeps_own

    def feed(self, data: bytes, size: int) -> MessageBatch:
        """Return the frames and errors of elements of ``size`` bytes, in their order."""
        ticks: list[int] = []
        batch = MessageBatch(channels=self._channels)
        can_ids, flag_column, codes = batch.can_id, batch.flags, batch.dlc_code
        payload, offsets = batch.payload, batch.offset
        for kind, stamp, _, word, flags, res, length, more, room in _RECEIVED[size].iter_unpack(data):
            if kind in (_RX, _FD_RX):
                is_fd = kind == _FD_RX
                if self._is_impossible(word, flags, length, is_fd):
                    continue
                if flags & _OWN and not self._keeps_own:
                    continue
                if is_fd:
                    code = bits.len2dlc(length)
                    piece = room[:length].ljust(bits.FD_LENGTHS[code], b"\0")
                else:
                    code = length
                    piece = b"" if flags & _REMOTE else room[: min(length, 8)]
                can_ids.append(word | _ID_FLAGS[flags & 3])
                flag_column.append((_FD_FLAGS if is_fd else _CLASSIC_FLAGS)[flags & 0x7F])
            else:
                error = self._error(kind, word, flags | res << 16 | length << 24, more)
                if error is None:
                    continue
                can_ids.append(error[0] | bits.CAN_ERR_FLAG)
                flag_column.append(0)
                code, piece = 8, error[1]
            ticks.append(stamp)
            codes.append(code)
            payload += piece
            offsets.append(len(payload))
        batch.timestamp_ns = self._times_ns(ticks)
        batch.channel = array("H", bytes(2 * len(ticks)))
        return batch

    def _is_impossible(self, word: int, flags: int, length: int, is_fd: bool) -> bool:
        """Count a frame that cannot exist, and return whether it is one."""
        limit = bits.CAN_EFF_MASK if flags & _EXTENDED else bits.CAN_SFF_MASK
        if word <= limit and length <= (64 if is_fd else 15) and not (is_fd and flags & _REMOTE):
            return False
        reason = f"a frame with identifier {word:#x}, flags {flags:#x} and size {length}"
        self._losses.add_fault(MALFORMED, FormatError(reason))
        return True

    def _error(self, kind: int, word: int, code: int, error_type: int) -> ErrorFrame | None:
        """Return the error frame of an element that is not a frame, or None."""
        if kind == MessageType.ERROR_FRAME:
            return _error_frame(error_type)
        if kind == MessageType.BUS_EVENT:
            return _bus_event(word)
        if kind == MessageType.QUEUE_EVENT and word == QueueEvent.OVERFLOW:
            self._losses[OVERFLOWS] += 1
            return error_frames.CONTROLLER, bytes((0, error_frames.RX_OVERFLOW, 0, 0, 0, 0, 0, 0))
        if kind == MessageType.INTERNAL_ERROR and code & ERROR_BIT:
            self.internal_errors.append(code)
        return None


def _error_frame(error_type: int) -> ErrorFrame:
    """Return the error frame of a bit set of causes."""
    kind = 0
    for bit, socketcan in _KINDS.items():
        if error_type & bit:
            kind |= socketcan
    place = error_frames.PLACE_CRC if error_type & ErrorType.CRC else 0
    error_class = error_frames.BUS_ERROR
    if kind or place:
        error_class |= error_frames.PROTOCOL
    if error_type & ErrorType.ACK:
        error_class |= error_frames.NO_ACK
    return error_class, bytes((0, 0, kind, place, 0, 0, 0, 0))


def _bus_event(state: int) -> ErrorFrame:
    """Return the error frame of a new state of the controller."""
    error_class = controller = 0
    for bit, socketcan in _STATES.items():
        if state & bit:
            error_class = error_frames.CONTROLLER
            controller |= socketcan
    if state & ControllerState.BUS_OFF:
        error_class |= error_frames.BUS_OFF
    if state & ControllerState.SINGLE_WIRE_FAULT:
        error_class |= error_frames.TRANSCEIVER
    return error_class, bytes((0, controller, 0, 0, 0, 0, 0, 0))


def check(batch: MessageBatch, has_fd: bool) -> None:
    """Refuse frames that the controller cannot send.

    Raises:
        InvalidMessageError: the batch contains an error frame, or a CAN FD frame for a classic bus.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if can_id & bits.CAN_ERR_FLAG:
            raise InvalidMessageError("a controller cannot send error frames", sent=0)
        if flags & bits.FD and not has_fd:
            raise InvalidMessageError("the bus is classic", hint="fd=true enables CAN FD", sent=0)


def encode(batch: MessageBatch, row: int, size: int) -> bytes:
    """Return the element of ``size`` bytes that sends a row of a checked batch."""
    can_id, column = batch.can_id[row], batch.flags[row]
    data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
    flags = 0
    if can_id & bits.CAN_EFF_FLAG:
        flags |= _EXTENDED
    if can_id & bits.CAN_RTR_FLAG:
        flags |= _REMOTE
    if column & bits.FD:
        flags |= _FD
        if column & bits.BRS:
            flags |= _BRS
        kind, length = MessageType.FD_TX, len(data)
    else:
        kind, length = MessageType.TX, min(batch.dlc_code[row], 8)
    return _TO_SEND[size].pack(kind, can_id & bits.CAN_EFF_MASK, flags, length, data)
