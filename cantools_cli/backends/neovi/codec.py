"""The messages of Intrepid's API as frames.

A message has three words of status bits::

    StatusBitField   0001 an error, 0002 sent by this device, 0004 extended, 0008 remote, 0010 CRC error,
                     0020 error passive, 0080 arbitration lost, 0200 off the bus, 010000 messages were lost
    StatusBitField2  020000 an error frame
    StatusBitField3  CAN FD: 01 ESI, 10 BRS; classic: 01 error passive, 02 off the bus, 04 warning;
                     both: 0100 to 2000 the last error in the data phase, 010000 to 200000 in the other phase

``NetworkID2`` is the high byte of the network, ``ExtraDataPtr`` has the data of a CAN FD frame with more than
eight bytes. Assigning ``Data`` or ``ExtraDataPtr`` sets the length. Times count from 2007-01-01 UTC.

Loses: the raw DLC codes of classic frames.

Source: Intrepid Control Systems, "neoVI API: icsSpyMessage structure"; the package ``python-ics``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch

GLOBAL_ERR, TX_MSG, XTD_FRAME, REMOTE_FRAME = 0x1, 0x2, 0x4, 0x8
CRC_ERROR, ERROR_PASSIVE, LOST_ARBITRATION, BUS_OFF = 0x10, 0x20, 0x80, 0x200
COMM_IN_OVERFLOW = 0x10000
ERROR_FRAME = 0x20000
_OTHER = TX_MSG | REMOTE_FRAME
CANFD_ESI, CANFD_BRS = 0x1, 0x10
CAN_PASSIVE, CAN_BUS_OFF, CAN_WARNING = 0x1, 0x2, 0x4
PROTOCOL_CANFD = 30

EPOCH_NS = 1_167_609_600 * 1_000_000_000  #: 2007-01-01 UTC
OVERFLOWS = "receive buffer overflows"

#: the lowest bit of the last error in the data phase and in the other phase, in the order of Bosch's codes
_LAST_ERRORS = (8, 16)
_LEC_BITS = 0x3F


def decode(
    messages: Sequence[Any],
    times_ns: Iterable[int],
    places: Iterable[int],
    channels: tuple[int, ...],
    losses: Losses,
) -> MessageBatch:
    """Return the frames of ``messages``; ``places`` are those of their networks in ``channels``.

    An error frame marks the place where messages were lost, which is counted in ``losses``.
    """
    batch = MessageBatch(channels=channels)
    payload, size = batch.payload, 0
    for message, time_ns, place in zip(messages, times_ns, places, strict=True):
        status = message.StatusBitField
        if status & COMM_IN_OVERFLOW:
            losses[OVERFLOWS] += 1
            batch.append(error_frames.rx_overflow(time_ns, channels[place]))
            size = len(payload)
        if status & _OTHER or message.Protocol == PROTOCOL_CANFD or message.StatusBitField2 & ERROR_FRAME:
            can_id, flags, code, data = _other(message, status)
        else:
            can_id, flags, data = _can_id(message.ArbIDOrHeader, status), 0, bytes(message.Data)
            code = len(data)
        payload += data
        size += len(data)
        batch.timestamp_ns.append(time_ns)
        batch.can_id.append(can_id)
        batch.flags.append(flags)
        batch.channel.append(place)
        batch.dlc_code.append(code)
        batch.offset.append(size)
    return batch


def _can_id(identifier: int, status: int) -> int:
    if status & XTD_FRAME:
        return identifier & bits.CAN_EFF_MASK | bits.CAN_EFF_FLAG
    return identifier & bits.CAN_SFF_MASK


def _other(message: Any, status: int) -> tuple[int, int, int, bytes]:
    """Return (can_id, flags, code, data) of a frame that may be other than a received classic data frame."""
    is_fd = message.Protocol == PROTOCOL_CANFD
    if message.StatusBitField2 & ERROR_FRAME:
        error_class, data = error(status, message.StatusBitField3, is_fd)
        return error_class | bits.CAN_ERR_FLAG, 0, 8, data
    can_id = _can_id(message.ArbIDOrHeader, status)
    flags = bits.TX if status & TX_MSG else 0
    if is_fd:
        data, code = _fd_data(message)
        return can_id, flags | _fd_flags(message.StatusBitField3), code, data
    if status & REMOTE_FRAME:
        return can_id | bits.CAN_RTR_FLAG, flags, min(message.NumberBytesData, 8), b""
    data = bytes(message.Data)
    return can_id, flags, len(data), data


def _fd_data(message: Any) -> tuple[bytes, int]:
    """Return the data of a CAN FD frame, padded to a length that exists, and its code."""
    data = bytes((message.ExtraDataPtr if message.ExtraDataPtrEnabled else message.Data) or ())[:64]
    code = bits.len2dlc(len(data))
    return data.ljust(bits.FD_LENGTHS[code], b"\0"), code


def _fd_flags(status3: int) -> int:
    return bits.FD | (bits.BRS if status3 & CANFD_BRS else 0) | (bits.ESI if status3 & CANFD_ESI else 0)


def error(status: int, status3: int, is_fd: bool) -> tuple[int, bytes]:
    """Return (class bits, 8 data bytes) of an error frame."""
    lec = 6 if status & CRC_ERROR else 0
    for shift in _LAST_ERRORS:
        found = status3 >> shift & _LEC_BITS
        if found:
            lec = (found & -found).bit_length()
    error_class, detail = error_frames.from_lec(lec)
    controller = 0
    is_off, is_passive, is_warned = states(status, status3, is_fd)
    if is_off:
        error_class |= error_frames.BUS_OFF
    elif is_passive:
        controller = 0x10
    elif is_warned:
        controller = 0x04
    if controller:
        error_class |= error_frames.CONTROLLER
    if status & LOST_ARBITRATION:
        error_class |= error_frames.LOST_ARBITRATION
    return error_class, bytes((0, controller, *detail[2:]))


def states(status: int, status3: int, is_fd: bool) -> tuple[bool, bool, bool]:
    """Return whether the controller is off the bus, error passive, and above the warning limit."""
    classic = 0 if is_fd else status3
    is_off = bool(status & BUS_OFF or classic & CAN_BUS_OFF)
    return is_off, bool(status & ERROR_PASSIVE or classic & CAN_PASSIVE), bool(classic & CAN_WARNING)


def check(batch: MessageBatch, name: str, is_fd: bool) -> None:
    """Refuse frames that the device cannot send.

    Raises:
        InvalidMessageError: the batch contains an error frame, or a CAN FD frame on a classic bus.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if can_id & bits.CAN_ERR_FLAG:
            raise InvalidMessageError(f"{name}: a controller cannot send error frames", sent=0)
        if flags & bits.FD and not is_fd:
            text = f"{name}: a classic bus cannot send CAN FD frames"
            raise InvalidMessageError(text, hint="fd=true", sent=0)


def fill(message: Any, batch: MessageBatch, row: int, network: int, description: int) -> Any:
    """Make the empty ``message`` the frame in row ``row`` of a checked batch, and return it."""
    can_id, flags = batch.can_id[row], batch.flags[row]
    data = tuple(batch.payload[batch.offset[row] : batch.offset[row + 1]])
    is_extended, is_remote = can_id & bits.CAN_EFF_FLAG, can_id & bits.CAN_RTR_FLAG
    message.ArbIDOrHeader = can_id & bits.CAN_EFF_MASK
    message.NetworkID, message.NetworkID2 = network & 0xFF, network >> 8
    message.DescriptionID = description
    message.StatusBitField = (XTD_FRAME if is_extended else 0) | (REMOTE_FRAME if is_remote else 0)
    if flags & bits.FD:
        message.Protocol = PROTOCOL_CANFD
        message.StatusBitField3 = (CANFD_BRS if flags & bits.BRS else 0) | (
            CANFD_ESI if flags & bits.ESI else 0
        )
    message.Data = data[:8]
    if len(data) > 8:
        message.ExtraDataPtr = data
    if is_remote:
        message.NumberBytesData = min(batch.dlc_code[row], 8)
    return message
