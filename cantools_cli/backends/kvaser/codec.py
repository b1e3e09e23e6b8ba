"""The messages of CANlib's canRead and canWrite: identifier, flags, length in bytes, and data.

::

    identifier  length  flags       time  data
    123         3       00000002    1000  01 02 03                std 123#010203, at 10 ms
    12ABCDEF    64      00030004    1001  00 01 02 ... 3F         ext 12ABCDEF##1..., FDF and BRS
    0           0       00002020    1002                          an error frame: CRC
    123         8       00000402    1003  ...                     frames were lost before this one

The time counts ticks of 10 microseconds, in 32 bits.

Loses: the raw DLC codes of classic frames; the ESI flag of frames to send.

Source: Kvaser's ``canlib.h`` and ``canstat.h`` 5.49; the Linux SDK 5.49.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError, InvalidMessageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch

#: a received message, with the computer's own ``long``: identifier, length, flags, time, data
RECORD = struct.Struct("@lIIL64s")
TICK_NS = 10_000
TICKS = 1 << 32  #: after which the time starts again

HARDWARE_OVERRUNS = "overruns reported by the device"
QUEUE_OVERRUNS = "overruns of the driver's receive queue"

_TICK_MASK = TICKS - 1

# Where the fields of a record are, in units of a long for identifier and time, of an int for the others.
_LONG, _INT = struct.calcsize("l"), struct.calcsize("I")
_LONGS, _WORDS = RECORD.size // _LONG, RECORD.size // _INT
_IDENTIFIER, _LENGTH, _FLAGS = 0, _LONG // _INT, _LONG // _INT + 1
_TIME, _DATA = (_LONG + 2 * _INT) // _LONG, 2 * _LONG + 2 * _INT

_BRS_ESI = c.canFDMSG_BRS | c.canFDMSG_ESI
_FD_SIZES = frozenset(bits.FD_LENGTHS)
#: flags of a data frame that is decoded with others as columns -> bit of the identifier word, frame flags
_COLUMNS = {
    kind | fd | local: (
        bits.CAN_EFF_FLAG if kind == c.canMSG_EXT else 0,
        (bits.FD if fd else 0)
        | (bits.BRS if fd & c.canFDMSG_BRS else 0)
        | (bits.ESI if fd & c.canFDMSG_ESI else 0)
        | (bits.TX if local else 0),
    )
    for kind in (c.canMSG_STD, c.canMSG_EXT)
    for fd in (0, *(c.canFDMSG_FDF | more for more in (0, c.canFDMSG_BRS, c.canFDMSG_ESI, _BRS_ESI)))
    for local in (0, c.canMSG_LOCAL_TXACK)
}
_ID_BITS = {flags: id_bit for flags, (id_bit, _) in _COLUMNS.items()}
_FRAME_FLAGS = {flags: frame_flags for flags, (_, frame_flags) in _COLUMNS.items()}
_CODES = {size: code for code, size in enumerate(bits.FD_LENGTHS)}
_OVERFLOW = bytes((0, error_frames.RX_OVERFLOW, 0, 0, 0, 0, 0, 0))
#: error flags -> data[2] and data[3] of an error frame
_KINDS = {
    c.canMSGERR_STUFF: (error_frames.KIND_STUFF, 0),
    c.canMSGERR_FORM: (error_frames.KIND_FORM, 0),
    c.canMSGERR_CRC: (0, error_frames.PLACE_CRC),
    c.canMSGERR_BIT0: (error_frames.KIND_DOMINANT, 0),
    c.canMSGERR_BIT1: (error_frames.KIND_RECESSIVE, 0),
}


class Outgoing(NamedTuple):
    """The arguments of canWrite: the data are ``length`` bytes from ``offset`` of the batch's payload."""

    identifier: int
    offset: int
    length: int
    flags: int


def check(batch: MessageBatch, is_fd: bool, place: str) -> None:
    """Refuse frames that the channel cannot send.

    Raises:
        InvalidMessageError: a CAN FD frame on a classic channel, or an error frame.
    """
    for flags, can_id in zip(batch.flags, batch.can_id, strict=True):
        if flags & bits.FD and not is_fd:
            text = f"{place}: cannot send a CAN FD frame on a channel opened without fd"
            raise InvalidMessageError(text, hint="fd=true opens it with CAN FD", sent=0)
        if can_id & bits.CAN_ERR_FLAG:
            raise InvalidMessageError(f"{place}: cannot send an error frame", sent=0)


def encode(batch: MessageBatch) -> Iterator[Outgoing]:
    """Yield the arguments of each frame. A remote frame has a length without data."""
    rows = zip(batch.can_id, batch.flags, batch.dlc_code, batch.offset, batch.offset[1:], strict=False)
    for can_id, flags, code, begin, end in rows:
        kind = c.canMSG_EXT if can_id & bits.CAN_EFF_FLAG else c.canMSG_STD
        length = end - begin
        if can_id & bits.CAN_RTR_FLAG:
            kind |= c.canMSG_RTR
            length = min(code, 8)
        if flags & bits.FD:
            kind |= c.canFDMSG_FDF | (c.canFDMSG_BRS if flags & bits.BRS else 0)
        yield Outgoing(can_id & bits.CAN_EFF_MASK, begin, length, kind)


class Decoder:
    """Turns the records that canRead filled into columns.

    ``keeps_acknowledged`` keeps the acknowledgements of frames that the same handle sent, as own messages.
    A record that is not a frame is skipped and counted in ``losses``, and so are overruns.
    """

    def __init__(self, channel: int, losses: Losses, *, keeps_acknowledged: bool = False) -> None:
        self._channels = (channel,)
        self._losses = losses
        self._keeps_acknowledged = keeps_acknowledged

    def decode(self, records: memoryview) -> tuple[MessageBatch, list[int]]:
        """Return the frames of ``records`` without their times, and the tick of each frame."""
        words, longs = records.cast("I"), records.cast("L")
        identifiers = longs[_IDENTIFIER::_LONGS].tolist()
        sizes = words[_LENGTH::_WORDS].tolist()
        flags = words[_FLAGS::_WORDS].tolist()
        if not _are_columns(identifiers, sizes, flags):
            return self._decode_one_by_one(records)
        batch, rows, kinds = MessageBatch(channels=self._channels), len(sizes), {*flags}
        if kinds == {c.canMSG_STD}:
            batch.can_id, batch.flags = array("I", identifiers), bytearray(rows)
        else:
            pairs = zip(identifiers, map(_ID_BITS.__getitem__, flags), strict=True)
            batch.can_id = array("I", [identifier | id_bit for identifier, id_bit in pairs])
            batch.flags = bytearray(map(_FRAME_FLAGS.__getitem__, flags))
        longest = max(sizes, default=0)
        batch.dlc_code = bytearray(sizes if longest <= 8 else map(_CODES.__getitem__, sizes))
        batch.offset = array("I", accumulate(sizes, initial=0))
        if longest == _LONG == min(sizes):  # each frame has one long of data
            batch.payload = bytearray(longs[_DATA // _LONG :: _LONGS].tobytes())
        else:
            data, starts = bytes(records), range(_DATA, len(records), RECORD.size)
            parts = [data[at : at + size] for at, size in zip(starts, sizes, strict=True)]
            batch.payload = bytearray().join(parts)
        self._complete(batch, rows)
        ticks = longs[_TIME::_LONGS].tolist()
        return batch, ticks if max(ticks, default=0) < TICKS else [tick & _TICK_MASK for tick in ticks]

    def _decode_one_by_one(self, records: memoryview) -> tuple[MessageBatch, list[int]]:
        """Decode records of any kind, one by one."""
        batch, ticks = MessageBatch(channels=self._channels), list[int]()
        for identifier, size, flags, tick, data in RECORD.iter_unpack(records):
            self._add(batch, ticks, identifier, size, flags, tick & _TICK_MASK, data)
        self._complete(batch, len(ticks))
        return batch, ticks

    def _complete(self, batch: MessageBatch, rows: int) -> None:
        batch.timestamp_ns = array("q", bytes(8 * rows))
        batch.channel = array("H", bytes(2 * rows))

    def _add(
        self,
        batch: MessageBatch,
        ticks: list[int],
        identifier: int,
        size: int,
        flags: int,
        tick: int,
        data: bytes,
    ) -> None:
        """Add a message with any flags, and an error frame before it if it follows an overrun."""
        if flags & c.canMSGERR_OVERRUN:
            self._count_overrun(flags)
            _append(batch, ticks, tick, error_frames.CONTROLLER | bits.CAN_ERR_FLAG, 0, 8, _OVERFLOW)
        if flags & c.canMSG_ERROR_FRAME:
            error_class, detail = error_contents(flags)
            _append(batch, ticks, tick, error_class | bits.CAN_ERR_FLAG, 0, 8, detail)
            return
        if flags & c.canMSG_TXRQ or (flags & c.canMSG_TXACK and not self._keeps_acknowledged):
            return
        fault = _fault(identifier, size, flags)
        if fault:
            self._losses.add_fault("malformed frames skipped", FormatError(fault))
            return
        is_sent = flags & (c.canMSG_LOCAL_TXACK | c.canMSG_TXACK)
        frame_flags = bits.TX if is_sent else 0
        if _is_extended(flags):
            identifier |= bits.CAN_EFF_FLAG
        code = min(size, 8)
        if flags & c.canMSG_RTR:
            identifier |= bits.CAN_RTR_FLAG
            data = b""
        elif flags & c.canFDMSG_FDF:
            frame_flags |= bits.FD
            frame_flags |= bits.BRS if flags & c.canFDMSG_BRS else 0
            frame_flags |= bits.ESI if flags & c.canFDMSG_ESI else 0
            code = bits.len2dlc(size)
            data = data[:size]
        else:
            data = data[:code]
        _append(batch, ticks, tick, identifier, frame_flags, code, data)

    def _count_overrun(self, flags: int) -> None:
        if flags & c.canMSGERR_HW_OVERRUN:
            self._losses[HARDWARE_OVERRUNS] += 1
        if flags & c.canMSGERR_SW_OVERRUN:
            self._losses[QUEUE_OVERRUNS] += 1


def _are_columns(identifiers: list[int], sizes: list[int], flags: list[int]) -> bool:
    """Return whether all messages are data frames without a further mark or a fault."""
    if not (_COLUMNS.keys() >= {*flags} and {*sizes} <= _FD_SIZES):
        return False
    longest = max(sizes, default=0)
    if longest > 8 and any(
        size > 8 and not flag & c.canFDMSG_FDF for size, flag in zip(sizes, flags, strict=True)
    ):
        return False
    highest = max(identifiers, default=0)
    if highest <= bits.CAN_SFF_MASK:
        return min(identifiers, default=0) >= 0
    pairs = zip(identifiers, flags, strict=True)
    return highest <= bits.CAN_EFF_MASK and all(
        0 <= identifier <= (bits.CAN_SFF_MASK if flag & c.canMSG_STD else bits.CAN_EFF_MASK)
        for identifier, flag in pairs
    )


def error_contents(flags: int) -> tuple[int, bytes]:
    """Return (class bits, 8 data bytes) of an error frame with these flags; Linux reports no cause."""
    kind = place = 0
    for flag, (its_kind, its_place) in _KINDS.items():
        if flags & flag:
            kind |= its_kind
            place |= its_place
    error_class = error_frames.BUS_ERROR | (error_frames.PROTOCOL if kind or place else 0)
    return error_class, bytes((0, 0, kind, place, 0, 0, 0, 0))


def _is_extended(flags: int) -> bool:
    """Return whether the identifier has 29 bits; STD wins, as in the driver."""
    return bool(flags & c.canMSG_EXT and not flags & c.canMSG_STD)


def _fault(identifier: int, size: int, flags: int) -> str | None:
    """Return why a message is not a frame."""
    if identifier & ~(bits.CAN_EFF_MASK if _is_extended(flags) else bits.CAN_SFF_MASK):
        return f"identifier {identifier:#x} is out of range"
    if flags & c.canFDMSG_FDF:
        if flags & c.canMSG_RTR:
            return "a CAN FD remote frame"
        if size not in _FD_SIZES:
            return f"a CAN FD frame of {size} bytes"
    elif size > 15:  # a code of 9 to 15 means 8 bytes
        return f"a classic frame of {size} bytes"
    return None


def _append(
    batch: MessageBatch, ticks: list[int], tick: int, can_id: int, flags: int, code: int, data: bytes
) -> None:
    ticks.append(tick)
    batch.can_id.append(can_id)
    batch.flags.append(flags)
    batch.dlc_code.append(code)
    batch.payload += data
    batch.offset.append(len(batch.payload))
