"""The frames of the USB-CAN library, and its status words as error frames.

::

    78563412 80 04 0102030400000000 40420F00      extended 12345678, 4 bytes, at 1,000,000 ms
    |        |  |  data             time, of received frames
    |        |  DLC
    |        format: 80 extended, 40 remote, 20 echo of a sent frame
    identifier

All numbers are little-endian. The library delivers no error frames; it reports that its status has changed.

Source: the header ``usbcan32.h`` of SYS TEC electronic.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence

from cantools_cli.backends.systec.constants import CanStatus, MsgFrameFormat
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch

SIZE = 18  #: bytes of a frame
TICKS = 1 << 24  #: the wrap of the counter before version 4.11 of the driver; later ones have 32 bits
TICK_NS, FINE_TICK_NS = 1_000_000, 100_000

_FRAME = struct.Struct("<IBB8sI")
_EXTENDED, _REMOTE, _ECHO = (
    int(MsgFrameFormat.MSG_FF_EXT),
    int(MsgFrameFormat.MSG_FF_RTR),
    int(MsgFrameFormat.MSG_FF_ECHO),
)
_WARNING, _PASSIVE, _ACTIVE = 0x0C, 0x30, 0x40  # of CONTROLLER_WORDS, for both directions
_OVERRUN = CanStatus.CANERR_OVERRUN | CanStatus.CANERR_QOVERRUN
#: bits of a status whose changes are error frames
REPORTED = (
    _OVERRUN
    | CanStatus.CANERR_BUSLIGHT
    | CanStatus.CANERR_BUSHEAVY
    | CanStatus.CANERR_BUSOFF
    | CanStatus.CANERR_TXMSGLOST
)


def encode(batch: MessageBatch, first: int, last: int) -> bytes:
    """Return the data and remote frames of the rows ``first`` to ``last - 1``."""
    frames = []
    for row in range(first, last):
        can_id = batch.can_id[row]
        data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
        kind, size = _EXTENDED if can_id & bits.CAN_EFF_FLAG else 0, len(data)
        if can_id & bits.CAN_RTR_FLAG:
            kind |= _REMOTE
            size = min(batch.dlc_code[row], 8)
        frames.append(_FRAME.pack(can_id & bits.CAN_EFF_MASK, kind, size, bytes(data), 0))
    return b"".join(frames)


def decode(
    data: bytes | memoryview, channel: int, losses: Losses, times_ns: Callable[[Sequence[int]], array[int]]
) -> MessageBatch:
    """Return received frames and echoes.

    ``times_ns`` turns counts of the module into nanoseconds since the epoch. A DLC above 15 is counted in
    ``losses``, and its frame has 8 bytes.
    """
    batch, ticks = MessageBatch(channels=(channel,)), array("I")
    identifiers, codes, offset = batch.can_id, batch.dlc_code, batch.offset
    flags, payload = batch.flags, batch.payload
    for identifier, kind, size, content, stamp in _FRAME.iter_unpack(data):
        if size > 15:
            losses.add_fault("frames with an impossible length", FormatError(f"a DLC of {size}, at most 15"))
            size = 8
        if kind & _EXTENDED:
            identifier = identifier & bits.CAN_EFF_MASK | bits.CAN_EFF_FLAG
        else:
            identifier &= bits.CAN_SFF_MASK
        if kind & _REMOTE:
            identifier |= bits.CAN_RTR_FLAG
        else:
            payload += content[:size]
        identifiers.append(identifier)
        codes.append(size)
        flags.append(bits.TX if kind & _ECHO else 0)
        offset.append(len(payload))
        ticks.append(stamp)
    batch.timestamp_ns = times_ns(ticks)
    batch.channel = array("H", bytes(2 * len(ticks)))
    return batch


def error_frame(status: int, before: int, tx_errors: int, rx_errors: int) -> tuple[int, bytes] | None:
    """Return the class bits and data of the error frame for a change of the status; None for no error.

    The status words are those of ``REPORTED``; the counters are 0 if they are unknown.
    """
    new = status & ~before
    error_class = controller = 0
    if new & _OVERRUN:
        controller |= error_frames.RX_OVERFLOW
    if new & CanStatus.CANERR_TXMSGLOST:
        error_class |= error_frames.TX_TIMEOUT
    if _level(status) != _level(before):
        if status & CanStatus.CANERR_BUSOFF:
            error_class |= error_frames.BUS_OFF
        elif status & CanStatus.CANERR_BUSHEAVY:
            controller |= _side(_PASSIVE, 128, tx_errors, rx_errors)
        elif status & CanStatus.CANERR_BUSLIGHT:
            controller |= _side(_WARNING, 96, tx_errors, rx_errors)
        else:
            controller |= _ACTIVE
    if controller:
        error_class |= error_frames.CONTROLLER
    if not error_class:
        return None
    if tx_errors or rx_errors:
        error_class |= error_frames.COUNTERS
    counters = min(tx_errors, 255), min(rx_errors, 255)
    return error_class, bytes((0, controller, 0, 0, 0, 0, *counters))


def _level(status: int) -> int:
    """Return how bad the state of the controller is: 0 active, 1 warning, 2 passive, 3 bus off."""
    if status & CanStatus.CANERR_BUSOFF:
        return 3
    return 2 if status & CanStatus.CANERR_BUSHEAVY else 1 if status & CanStatus.CANERR_BUSLIGHT else 0


def _side(both: int, limit: int, tx_errors: int, rx_errors: int) -> int:
    """Return the bits of the directions whose counter has reached ``limit``; ``both`` if none has."""
    rx_bit = both & -both
    found = (rx_bit if rx_errors >= limit else 0) | (both ^ rx_bit if tx_errors >= limit else 0)
    return found or both
