"""Messages and status words of the library WDT_DIO.

::

    23010000 4000 00 04 0000000000000000     a frame of 16 bytes, all numbers little-endian
    id       |    |  |  data
             |    |  length
             |    unused
             flags: 0004 extended, 0040 remote, 0100 earlier frames were lost

Loses: the raw DLC codes of classic frames.

Source: Neousys ``wdt_dio.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from cantools_cli.backends.neousys.wdt_dio import (
    MSG_DATA_LOST,
    MSG_EXTENDED_ID,
    MSG_REMOTE_FRAME,
    STATUS_BUS_OFF,
    STATUS_LAST_ERROR,
    STATUS_PASSIVE,
    STATUS_WARNING,
)
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

SIZE = 16  #: bytes of a message
OVERRUNS = "overruns reported by the adapter"
_TOO_LONG = "frames with more than 8 data bytes cut"

_MESSAGE = struct.Struct("<IHBB8s")
_WARNING, _PASSIVE, _ACTIVE = 0x0C, 0x30, 0x40  # of CONTROLLER_WORDS, for both directions
#: last error -> class bits, kind and place of the error frame
_LAST_ERRORS = {
    1: (error_frames.PROTOCOL, error_frames.KIND_STUFF, 0),
    2: (error_frames.PROTOCOL, error_frames.KIND_FORM, 0),
    3: (error_frames.NO_ACK, 0, 0),
    4: (error_frames.PROTOCOL, error_frames.KIND_RECESSIVE, 0),
    5: (error_frames.PROTOCOL, error_frames.KIND_DOMINANT, 0),
    6: (error_frames.PROTOCOL, 0, error_frames.PLACE_CRC),
}
_LEVELS = STATUS_BUS_OFF | STATUS_PASSIVE | STATUS_WARNING

#: the time of arrival in nanoseconds since the epoch, and the bytes of messages or a status word
Arrival = tuple[int, "bytes | int"]


def encode(batch: MessageBatch, row: int) -> bytes:
    """Return the message of a data or remote frame."""
    can_id = batch.can_id[row]
    data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
    flags, size = MSG_EXTENDED_ID if can_id & bits.CAN_EFF_FLAG else 0, len(data)
    if can_id & bits.CAN_RTR_FLAG:
        flags |= MSG_REMOTE_FRAME
        size = min(batch.dlc_code[row], 8)
    return _MESSAGE.pack(can_id & bits.CAN_EFF_MASK, flags, 0, size, bytes(data))


class Decoder:
    """Turns arrivals into frames of ``channel``, and the status words among them into error frames.

    Frames that the library lost are counted in ``losses``.
    """

    def __init__(self, channel: Channel, losses: Losses) -> None:
        self._channel = channel
        self._losses = losses
        self._status = 0

    def decode(self, arrivals: Iterable[Arrival]) -> MessageBatch:
        """Return the frames; a status word without an error or a change gives none."""
        batch = MessageBatch(channels=(self._channel,))
        times, identifiers, lengths = batch.timestamp_ns, batch.can_id, batch.dlc_code
        offset, payload = batch.offset, batch.payload
        for time_ns, content in arrivals:
            if isinstance(content, int):
                self._append_status(batch, time_ns, content)
                continue
            for identifier, flags, _, size, data in _MESSAGE.iter_unpack(content):
                if flags & MSG_DATA_LOST:
                    self._losses[OVERRUNS] += 1
                    self._append(batch, time_ns, *_OVERFLOW)
                if size > 8:
                    self._losses.add_fault(_TOO_LONG, FormatError(f"{size} data bytes, at most 8"))
                    size = 8
                can_id = identifier & bits.CAN_SFF_MASK
                if flags & MSG_EXTENDED_ID:
                    can_id = identifier & bits.CAN_EFF_MASK | bits.CAN_EFF_FLAG
                if flags & MSG_REMOTE_FRAME:
                    can_id |= bits.CAN_RTR_FLAG
                else:
                    payload += data[:size]
                times.append(time_ns)
                identifiers.append(can_id)
                lengths.append(size)
                offset.append(len(payload))
        batch.flags += bytes(len(times))
        batch.channel.frombytes(bytes(2 * len(times)))
        return batch

    def _append_status(self, batch: MessageBatch, time_ns: int, status: int) -> None:
        found = explain(status, self._status)
        self._status = status
        if found is not None:
            self._append(batch, time_ns, *found)

    def _append(self, batch: MessageBatch, time_ns: int, error_class: int, data: bytes) -> None:
        batch.timestamp_ns.append(time_ns)
        batch.can_id.append(error_class | bits.CAN_ERR_FLAG)
        batch.dlc_code.append(8)
        batch.payload += data
        batch.offset.append(len(batch.payload))


_OVERFLOW = (error_frames.CONTROLLER, bytes((0, error_frames.RX_OVERFLOW, 0, 0, 0, 0, 0, 0)))


def explain(status: int, before: int) -> tuple[int, bytes] | None:
    """Return (class bits, 8 data bytes) of the error frame for a status word, None if it reports no error.

    The level of errors is part of it only if it differs from that of ``before``.
    """
    error_class, kind, place = _LAST_ERRORS.get(status & STATUS_LAST_ERROR, (0, 0, 0))
    detail = 0
    if error_class:
        error_class |= error_frames.BUS_ERROR
    if (status ^ before) & _LEVELS:
        if status & STATUS_BUS_OFF:
            error_class |= error_frames.BUS_OFF
        else:
            error_class |= error_frames.CONTROLLER
            detail = _PASSIVE if status & STATUS_PASSIVE else _WARNING if status & STATUS_WARNING else _ACTIVE
    if not error_class:
        return None
    return error_class, bytes((0, detail, kind, place, 0, 0, 0, 0))
