"""The raw frames of NI-XNET.

::

    00C0AD5C7E27DC01 23010000 00 80 00 03 0102030000000000     own frame 123, 3 bytes
    time             |        |  |  |  |  payload, 8 bytes; longer ones continue, padded to a multiple of 8
                     |        |  |  |  length of the payload
                     |        |  |  info, 0
                     |        |  flags: 80 own frame
                     |        type
                     identifier, with bit 29 if it is extended

All numbers are little-endian; the time counts 100 ns from 1601-01-01 UTC. A frame takes 24 bytes, one of 64
data bytes 80. The payload of a bus error is the state, the error counters of sending and receiving, the last
error, and whether the transceiver reports an error. The requested length of a remote frame is its length
field.

Loses: the error state indicator of CAN FD frames, and the raw DLC codes of classic frames.

Source: NI-XNET Hardware and Software Manual, "Raw Frame Format".
"""

from __future__ import annotations

import struct

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError, InvalidMessageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

UNIT = 24  #: bytes of a frame with up to 8 data bytes
LONGEST = 80  #: bytes of a frame with 64

DATA, REMOTE, BUS_ERROR, CAN20_DATA, FD_DATA, FD_BRS_DATA = 0x00, 0x01, 0x02, 0x08, 0x10, 0x18
EXTENDED = 0x20000000
ECHO = 0x80

#: of the communication state
ACTIVE, PASSIVE, BUS_OFF = range(3)

_EPOCH = 116_444_736_000_000_000  # 1970-01-01, in 100 ns from 1601
_LATEST = (1 << 63) // 100 - 1  # that fits into a timestamp; times before 1970 become 0
_BASE = struct.Struct("<QIBBBB8s")
_ERROR = struct.Struct("<5B")
_WARNING_LIMIT, _PASSIVE_LIMIT = 96, 128

_CLASSIC_TYPES = (DATA, CAN20_DATA, REMOTE)
_FD_FLAGS = {FD_DATA: bits.FD, FD_BRS_DATA: bits.FD | bits.BRS}


def size_of(length: int) -> int:
    """Return the bytes of a frame whose payload has ``length`` bytes."""
    return UNIT if length <= 8 else 16 + (length + 7 & ~7)


def check(batch: MessageBatch, name: str, is_fd: bool, switches: bool) -> None:
    """Refuse frames that the interface cannot send.

    Raises:
        InvalidMessageError: the batch contains an error frame, a CAN FD frame on a classic bus, or one with
            bit-rate switching on a bus without it.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if can_id & bits.CAN_ERR_FLAG:
            raise InvalidMessageError(f"{name}: a controller cannot send error frames", sent=0)
        if flags & bits.FD and not is_fd:
            text = f"{name}: a classic bus cannot send CAN FD frames"
            raise InvalidMessageError(text, hint="fd=true", sent=0)
        if flags & bits.BRS and not switches:
            text = f"{name}: this bus cannot send CAN FD frames with bit-rate switching"
            raise InvalidMessageError(text, hint="open it without brs=false", sent=0)


def encode(batch: MessageBatch, is_fd: bool) -> list[bytes]:
    """Return the raw frames of a checked batch.

    Classic frames of a CAN FD bus have a type of their own: without it, the interface would choose.
    """
    classic = CAN20_DATA if is_fd else DATA
    frames = []
    columns = zip(batch.can_id, batch.flags, batch.dlc_code, batch.offset, batch.offset[1:], strict=False)
    for can_id, flags, code, begin, end in columns:
        identifier = can_id & bits.CAN_EFF_MASK | (EXTENDED if can_id & bits.CAN_EFF_FLAG else 0)
        length = end - begin
        if can_id & bits.CAN_RTR_FLAG:
            kind, length = REMOTE, min(code, 8)
        elif flags & bits.FD:
            kind = FD_BRS_DATA if flags & bits.BRS else FD_DATA
        else:
            kind = classic
        data = batch.payload[begin:end]
        frame = _BASE.pack(0, identifier, kind, 0, 0, length, data[:8])
        if end - begin > 8:
            frame += data[8:].ljust(size_of(length) - UNIT, b"\0")
        frames.append(frame)
    return frames


def decode(data: bytes, channel: Channel, losses: Losses) -> MessageBatch:
    """Return the frames of ``data``, which are complete.

    Frames that are not CAN frames, such as a start trigger, are skipped and counted in ``losses``, as is the
    rest of the data after a malformed frame.
    """
    batch = MessageBatch(channels=(channel,))
    place, end = 0, len(data)
    while place < end:
        if end - place < UNIT:
            _skip(losses, data[place:])
            break
        ticks, identifier, kind, flags, _, length, payload = _BASE.unpack_from(data, place)
        size = size_of(length) if kind != REMOTE else UNIT
        if length > 64 or end - place < size or (kind not in _FD_FLAGS and length > 8):
            _skip(losses, data[place:])
            break
        time_ns = min(max(ticks - _EPOCH, 0), _LATEST) * 100
        if kind in _CLASSIC_TYPES:
            if kind == REMOTE:
                _append(batch, time_ns, _can_id(identifier) | bits.CAN_RTR_FLAG, flags, length, b"")
            else:
                _append(batch, time_ns, _can_id(identifier), flags, length, payload[:length])
        elif kind in _FD_FLAGS:
            if length > 8:
                payload += data[place + UNIT : place + 16 + length]
            code = bits.len2dlc(length)
            _append(batch, time_ns, _can_id(identifier), flags, code, payload[:length], _FD_FLAGS[kind])
        elif kind == BUS_ERROR:
            error_class, detail = bus_error(payload)
            _append(batch, time_ns, error_class | bits.CAN_ERR_FLAG, 0, 8, detail)
        else:
            losses["frames of other buses skipped"] += 1
        place += size
    return batch


def _append(
    batch: MessageBatch, time_ns: int, can_id: int, flags: int, code: int, data: bytes, kind: int = 0
) -> None:
    batch.timestamp_ns.append(time_ns)
    batch.can_id.append(can_id)
    batch.flags.append(kind | bits.TX if flags & ECHO else kind)
    batch.channel.append(0)
    batch.dlc_code.append(code)
    batch.payload += data
    batch.offset.append(len(batch.payload))


def _can_id(identifier: int) -> int:
    if identifier & EXTENDED:
        return identifier & bits.CAN_EFF_MASK | bits.CAN_EFF_FLAG
    return identifier & bits.CAN_SFF_MASK


def _skip(losses: Losses, rest: bytes) -> None:
    losses.add_fault("malformed records skipped", FormatError(f"not a raw frame: {rest[:UNIT].hex()}"))


def bus_error(payload: bytes) -> tuple[int, bytes]:
    """Return (class bits, 8 data bytes) of a bus error."""
    state, tx_errors, rx_errors, last, transceiver = _ERROR.unpack_from(payload)
    error_class, detail = error_frames.from_lec(last)
    controller = 0
    if state == PASSIVE:
        controller |= 0x20 if tx_errors >= _PASSIVE_LIMIT else 0
        controller |= 0x10 if rx_errors >= _PASSIVE_LIMIT or not controller else 0
    elif state == ACTIVE:
        controller |= 0x08 if tx_errors >= _WARNING_LIMIT else 0
        controller |= 0x04 if rx_errors >= _WARNING_LIMIT else 0
    if controller:
        error_class |= error_frames.CONTROLLER
    if state == BUS_OFF:
        error_class |= error_frames.BUS_OFF
    if transceiver:
        error_class |= error_frames.TRANSCEIVER
    if tx_errors or rx_errors:
        error_class |= error_frames.COUNTERS
    return error_class, bytes((0, controller, *detail[2:6], tx_errors, rx_errors))
