"""Messages and status codes of the library iscandrv.

::

    23010000 00 01 04 0000000000000000 00     a frame of 16 bytes, all numbers little-endian
    id       |  |  |  data             unused
             |  |  length
             |  remote
             extended

Loses: the raw DLC codes of classic frames.

Source: Thorsis ``iscandrv.h``.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence

from cantools_cli.backends.iscan import errors
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

SIZE = 16  #: bytes of a message
_TOO_LONG = "frames with more than 8 data bytes cut"

_MESSAGE = struct.Struct("<IBBB8sx")
_WARNING, _PASSIVE = 0x0C, 0x30  # of CONTROLLER_WORDS, for both directions

#: status code -> class bits and detail of the error frame
_ERRORS = {
    errors.BUFFER_OVERRUN: (error_frames.CONTROLLER, error_frames.RX_OVERFLOW),
    errors.DATA_OVERRUN: (error_frames.CONTROLLER, error_frames.RX_OVERFLOW),
    errors.BUS_ERROR: (error_frames.BUS_ERROR, 0),
    errors.BUS_OFF: (error_frames.BUS_OFF, 0),
    errors.ERROR_PASSIVE: (error_frames.CONTROLLER, _PASSIVE),
    errors.ERROR_WARNING: (error_frames.CONTROLLER, _WARNING),
    errors.BUS_RESET: (error_frames.RESTARTED, 0),
    errors.BUS_CRITICAL: (error_frames.CONTROLLER, _PASSIVE),
}


def encode(batch: MessageBatch, row: int) -> bytes:
    """Return the message of a data or remote frame."""
    can_id = batch.can_id[row]
    data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
    is_remote = bool(can_id & bits.CAN_RTR_FLAG)
    size = min(batch.dlc_code[row], 8) if is_remote else len(data)
    return _MESSAGE.pack(
        can_id & bits.CAN_EFF_MASK, bool(can_id & bits.CAN_EFF_FLAG), is_remote, size, bytes(data)
    )


def decode(messages: bytes, times_ns: Sequence[int], channel: Channel, losses: Losses) -> MessageBatch:
    """Return the frames of whole messages; data beyond 8 bytes are cut, and counted in ``losses``."""
    batch = MessageBatch(channels=(channel,))
    identifiers, lengths, offset, payload = batch.can_id, batch.dlc_code, batch.offset, batch.payload
    for identifier, extended, remote, size, data in _MESSAGE.iter_unpack(messages):
        if size > 8:
            losses.add_fault(_TOO_LONG, FormatError(f"{size} data bytes, at most 8"))
            size = 8
        can_id = identifier & bits.CAN_SFF_MASK
        if extended:
            can_id = identifier & bits.CAN_EFF_MASK | bits.CAN_EFF_FLAG
        if remote:
            can_id |= bits.CAN_RTR_FLAG
        else:
            payload += data[:size]
        identifiers.append(can_id)
        lengths.append(size)
        offset.append(len(payload))
    batch.timestamp_ns = array("q", times_ns)
    batch.flags = bytearray(len(times_ns))
    batch.channel = array("H", bytes(2 * len(times_ns)))
    return batch


def append_error(batch: MessageBatch, code: int, time_ns: int) -> None:
    """Add the error frame of a status code to a batch of one channel."""
    error_class, detail = _ERRORS[code]
    batch.timestamp_ns.append(time_ns)
    batch.can_id.append(error_class | bits.CAN_ERR_FLAG)
    batch.flags.append(0)
    batch.channel.append(0)
    batch.dlc_code.append(8)
    batch.payload += bytes((0, detail, 0, 0, 0, 0, 0, 0))
    batch.offset.append(len(batch.payload))
