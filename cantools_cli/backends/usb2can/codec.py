"""CANAL messages and the status records of USB2CAN adapters.

::

    01000000 00000000 2301000001 04 0102030400000000 000000 40420F00     a frame of 28 bytes:
    flags    object   identifier |  data             padding |
                                 length              microseconds
    04030000 00000000 00000000   04 0300800000000000 ...
                                    status record: code 03, error-passive; error counters RX 0, TX 128; 0

All numbers are little-endian.

Sources: ``canal.h`` of the VSCP project; the driver ``usb2can`` of 8devices in the same repository; Linux
``drivers/net/can/usb/usb_8dev.c`` (codes of status records).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cantools_cli.backends.usb2can.canal import (
    FROM_APPLICATION,
    IS_ERROR_FRAME,
    IS_FD_FRAME,
    IS_ID_TYPE,
    IS_REMOTE_FRAME,
)
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch

SIZE = 28  #: bytes of a message
SIZE_AT = 12  #: place of the length in a message
UNTOUCHED = 0xFF  #: a length that the library never sets
#: a message before the library has filled it
BLANK = bytes(12) + bytes((UNTOUCHED,)) + bytes(15)

OVERRUNS = "overruns reported by the adapter"
_MALFORMED = "malformed frames skipped"
_TOO_LONG = "frames with more than 8 data bytes cut"

_MESSAGE = struct.Struct("<IIIB8s3xI")
_KNOWN_FLAGS = IS_ID_TYPE | IS_REMOTE_FRAME

BACK_TO_NORMAL, OVERRUN, WARNING, PASSIVE, BUS_OFF = range(5)
#: code of a status record -> class bits, kind and place of the error frame
_BUS_ERRORS = {
    0x20: (error_frames.PROTOCOL, error_frames.KIND_STUFF, 0),
    0x21: (error_frames.PROTOCOL, error_frames.KIND_FORM, 0),
    0x23: (error_frames.NO_ACK, 0, 0),
    0x24: (error_frames.PROTOCOL, error_frames.KIND_RECESSIVE, 0),
    0x25: (error_frames.PROTOCOL, error_frames.KIND_DOMINANT, 0),
    0x27: (error_frames.PROTOCOL, 0, error_frames.PLACE_CRC),
}
_RX_WARNING, _TX_WARNING, _RX_PASSIVE, _TX_PASSIVE = 0x04, 0x08, 0x10, 0x20  # of CONTROLLER_WORDS


class StatusRecord(NamedTuple):
    """A status record: its code, and the error counters of the controller."""

    code: int
    rx_errors: int
    tx_errors: int


def encode(batch: MessageBatch, row: int) -> bytes:
    """Return the message of a data or remote frame."""
    can_id = batch.can_id[row]
    flags = FROM_APPLICATION
    if can_id & bits.CAN_EFF_FLAG:
        flags |= IS_ID_TYPE
    data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
    size = len(data)
    if can_id & bits.CAN_RTR_FLAG:
        flags |= IS_REMOTE_FRAME
        size = min(batch.dlc_code[row], 8)
    return _MESSAGE.pack(flags, 0, can_id & bits.CAN_EFF_MASK, size, bytes(data), 0)


class Decoder:
    """Turns messages into frames, and status records into error frames of ``channel``.

    ``times_ns`` turns counts of the adapter into nanoseconds since the epoch. With ``raw_status``, the data
    of an error frame is the status record. Messages that are not frames of this adapter are skipped and
    counted in ``losses``, and so are overruns.

    Attributes:
        status: the last status record, None before the first.
    """

    def __init__(
        self,
        channel: str,
        losses: Losses,
        times_ns: Callable[[Sequence[int]], array[int]],
        *,
        raw_status: bool = False,
    ) -> None:
        self.status: StatusRecord | None = None
        self._channels = (channel,)
        self._losses = losses
        self._times_ns = times_ns
        self._raw_status = raw_status

    def decode(self, data: bytes | bytearray | memoryview) -> MessageBatch:
        """Return the frames of whole messages; a status record without an error gives none."""
        batch, ticks = MessageBatch(channels=self._channels), array("I")
        identifiers, codes, offset, payload = batch.can_id, batch.dlc_code, batch.offset, batch.payload
        for flags, _, identifier, size, content, stamp in _MESSAGE.iter_unpack(data):
            if flags & (IS_ERROR_FRAME | IS_FD_FRAME):
                found = self._special(flags, content)
                if found is None:
                    continue
                can_id, part = found
                code = len(part)
            else:
                if size > 8:
                    self._losses.add_fault(_TOO_LONG, FormatError(f"{size} data bytes, at most 8"))
                    size = 8
                code = size
                part = content[:size]
                can_id = identifier & (bits.CAN_EFF_MASK if flags & IS_ID_TYPE else bits.CAN_SFF_MASK)
                if flags & _KNOWN_FLAGS:
                    can_id |= bits.CAN_EFF_FLAG if flags & IS_ID_TYPE else 0
                    if flags & IS_REMOTE_FRAME:
                        can_id |= bits.CAN_RTR_FLAG
                        part = b""
            identifiers.append(can_id)
            codes.append(code)
            payload += part
            offset.append(len(payload))
            ticks.append(stamp)
        rows = len(ticks)
        batch.timestamp_ns = self._times_ns(ticks)
        batch.flags = bytearray(rows)
        batch.channel = array("H", bytes(2 * rows))
        return batch

    def _special(self, flags: int, content: bytes) -> tuple[int, bytes] | None:
        """Return the identifier and the data of the error frame for another message than a frame, or None."""
        if not flags & IS_ERROR_FRAME:
            self._losses.add_fault(_MALFORMED, FormatError(f"a CAN FD frame, flags {flags:#x}"))
            return None
        self.status = StatusRecord(*content[:3])
        if self.status.code == OVERRUN:
            self._losses[OVERRUNS] += 1
        frame = error_frame(self.status)
        if frame is None:
            if self.status.code != BACK_TO_NORMAL:
                text = f"unknown code {self.status.code:#x} of a status record"
                self._losses.add_fault(_MALFORMED, FormatError(text))
            return None
        error_class, details = frame
        return error_class | bits.CAN_ERR_FLAG, content[:4] if self._raw_status else details


def error_frame(status: StatusRecord) -> tuple[int, bytes] | None:
    """Return the class bits and the data of an error frame, None if the record is not an error."""
    code, rx_errors, tx_errors = status
    controller = kind = place = 0
    if code == OVERRUN:
        error_class, controller = error_frames.CONTROLLER, error_frames.RX_OVERFLOW
    elif code == WARNING:
        error_class = error_frames.CONTROLLER
        controller = _side(status, 96, _RX_WARNING, _TX_WARNING)
    elif code == PASSIVE:
        error_class = error_frames.CONTROLLER
        controller = _side(status, 128, _RX_PASSIVE, _TX_PASSIVE)
    elif code == BUS_OFF:
        error_class = error_frames.BUS_OFF
    elif code in _BUS_ERRORS:
        error_class, kind, place = _BUS_ERRORS[code]
        error_class |= error_frames.BUS_ERROR
    else:
        return None
    if rx_errors or tx_errors:
        error_class |= error_frames.COUNTERS
    return error_class, bytes((0, controller, kind, place, 0, 0, tx_errors, rx_errors))


def _side(status: StatusRecord, limit: int, rx_bit: int, tx_bit: int) -> int:
    """Return the bit of the counter that has reached ``limit``, both if neither or both have."""
    found = (rx_bit if status.rx_errors >= limit else 0) | (tx_bit if status.tx_errors >= limit else 0)
    return found or rx_bit | tx_bit
