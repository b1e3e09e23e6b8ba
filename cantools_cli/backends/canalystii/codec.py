"""The packets of a CANalyst-II: commands and replies of 64 bytes, and buffers of up to three frames.

::

    0A000000 04000000 0000 0000                   reply to MESSAGE_STATUS: received and unsent frames
    03                                            a buffer: number of frames, then three records
       23010000 10270000 01 00 00 00 03  0102030000000000
       id       time     |  |  |  |  |   data, padded with zeros
                         |  |  |  |  length of the data
                         |  |  |  extended
                         |  |  remote
                         |  how to send: 01 once, 02 with an echo
                         whether there is a time

All numbers are little-endian; the time counts 100 microseconds. The device has neither CAN FD nor error
frames, and does not report that a frame was acknowledged.

Loses: the raw DLC codes of classic frames.

Source: observed traffic of the adapter with the package ``canalystii``.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError, FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

PACKET = 64  #: bytes of a command, a reply and a buffer
FRAMES = 3  #: of a buffer
TICK_NS = 100_000
TICKS = 1 << 32

INIT, START, STOP, CLEAR_RX = 1, 2, 3, 5
MESSAGE_STATUS, CAN_STATUS = 0x0A, 0x0B

ECHO = 0x02

_RECORD = struct.Struct("<IIBBBBB8s")
_INIT = struct.Struct("<10I")
_MESSAGE_STATUS = struct.Struct("<IIHH")
_CAN_STATUS = struct.Struct("<9I")
#: names of the fields of CAN_STATUS after the command, guessed from their values
CAN_STATUS_FIELDS = (
    *("err_interrupt", "mode", "status", "arbitration_lost_capture", "error_code_capture"),
    *("error_warning_limit", "rx_error_counter", "tx_error_counter"),
)

#: bit rate -> bus timing registers 0 and 1 of an SJA1000 at 8 MHz
BIT_RATES = {
    5_000: (0xBF, 0xFF),
    10_000: (0x31, 0x1C),
    20_000: (0x18, 0x1C),
    33_330: (0x09, 0x6F),
    33_333: (0x09, 0x6F),
    40_000: (0x87, 0xFF),
    50_000: (0x09, 0x1C),
    66_660: (0x04, 0x6F),
    66_666: (0x04, 0x6F),
    80_000: (0x83, 0xFF),
    83_330: (0x03, 0x6F),
    83_333: (0x03, 0x6F),
    100_000: (0x04, 0x1C),
    125_000: (0x03, 0x1C),
    200_000: (0x81, 0xFA),
    250_000: (0x01, 0x1C),
    400_000: (0x80, 0xFA),
    500_000: (0x00, 0x1C),
    666_000: (0x80, 0xB6),
    800_000: (0x00, 0x16),
    1_000_000: (0x00, 0x14),
}


def command(number: int) -> bytes:
    """Return a command without parameters."""
    return number.to_bytes(4, "little").ljust(PACKET, b"\0")


def init(btr0: int, btr1: int) -> bytes:
    """Return the command that sets the bus timing registers and passes all identifiers.

    The mode is always 0, normal: other modes may crash the device.
    """
    return _INIT.pack(INIT, 1, 0xFFFFFFFF, 0, 1, 0, btr0, btr1, 0, 1).ljust(PACKET, b"\0")


def parse_message_status(reply: bytes) -> tuple[int, int]:
    """Return the number of received frames that wait in the device, and of those that it has not sent yet.

    Raises:
        FormatError: this is not such a reply.
    """
    _, received, unsent, _ = _reply(_MESSAGE_STATUS, MESSAGE_STATUS, reply)
    return received, unsent


def parse_can_status(reply: bytes) -> dict[str, int]:
    """Return the registers of the controller by name; the names are guesses.

    Raises:
        FormatError: this is not such a reply.
    """
    return dict(zip(CAN_STATUS_FIELDS, _reply(_CAN_STATUS, CAN_STATUS, reply)[1:], strict=True))


def _reply(layout: struct.Struct, expected: int, reply: bytes) -> tuple[int, ...]:
    if len(reply) < layout.size:
        raise FormatError(f"a reply of {len(reply)} bytes, not {PACKET}")
    values = layout.unpack_from(reply)
    if values[0] != expected:
        raise FormatError(f"a reply to command {values[0]:#x} instead of {expected:#x}")
    return values


def transfer_size(frames: int) -> int:
    """Return the size of the transfer that holds ``frames``: the last may be in one buffer more."""
    return ((frames + FRAMES - 1) // FRAMES + 1) * PACKET


def check(batch: MessageBatch) -> None:
    """Refuse frames that the device cannot send.

    Raises:
        CanOperationError: the batch contains an error or a CAN FD frame; ``sent`` is 0.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if flags & bits.FD or can_id & bits.CAN_ERR_FLAG:
            kind = "CAN FD frames" if flags & bits.FD else "error frames"
            raise CanOperationError(f"a CANalyst-II cannot send {kind}", sent=0)


def encode(batch: MessageBatch, rows: Sequence[int], echo: bool = False) -> Iterator[bytes]:
    """Yield buffers with the given rows of a checked batch, three frames each.

    With ``echo`` the device returns each frame once it has sent it.
    """
    records = []
    for row in rows:
        can_id = batch.can_id[row]
        remote, extended = bool(can_id & bits.CAN_RTR_FLAG), bool(can_id & bits.CAN_EFF_FLAG)
        data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
        size = min(batch.dlc_code[row], 8) if remote else len(data)
        identifier = can_id & bits.CAN_EFF_MASK
        records.append(_RECORD.pack(identifier, 0, 1, ECHO if echo else 0, remote, extended, size, data))
    for first in range(0, len(records), FRAMES):
        part = records[first : first + FRAMES]
        yield b"".join((bytes((len(part),)), *part)).ljust(PACKET, b"\0")


def decode(
    data: bytes, channel: int, losses: Losses, times_ns: Callable[[Sequence[int]], array[int]]
) -> MessageBatch:
    """Return the frames of one transfer.

    ``times_ns`` turns counts of 100 microseconds into nanoseconds since the epoch. A record that is not a
    frame, a buffer with a wrong number of frames, and an incomplete buffer at the end are skipped and
    counted in ``losses``.
    """
    batch, ticks = MessageBatch(channels=(channel,)), array("I")
    whole = len(data) - len(data) % PACKET
    for start in range(0, whole, PACKET):
        count = data[start]
        if count > FRAMES:
            _skip(losses, "buffers", f"a buffer of {count} frames, at most {FRAMES}")
            continue
        for place in range(count):
            fields = _RECORD.unpack_from(data, start + 1 + place * _RECORD.size)
            fault = _append(batch, ticks, *fields)
            if fault:
                _skip(losses, "frames", fault)
    if whole < len(data):
        _skip(losses, "buffers", f"a buffer of {len(data) - whole} bytes, not {PACKET}")
    rows = len(ticks)
    batch.timestamp_ns = times_ns(ticks)
    batch.channel = array("H", bytes(2 * rows))
    return batch


def _append(
    batch: MessageBatch,
    ticks: array[int],
    identifier: int,
    count: int,
    _: int,
    sending: int,
    remote: int,
    extended: int,
    size: int,
    data: bytes,
) -> str | None:
    """Add a frame without its time, or return why it is malformed."""
    if size > 8:
        return f"{size} data bytes"
    if identifier > (bits.CAN_EFF_MASK if extended else bits.CAN_SFF_MASK):
        return f"identifier {identifier:#x} is out of range"
    can_id = identifier | (bits.CAN_EFF_FLAG if extended else 0) | (bits.CAN_RTR_FLAG if remote else 0)
    ticks.append(count)
    batch.can_id.append(can_id)
    batch.flags.append(bits.TX if sending & ECHO else 0)
    batch.dlc_code.append(size)
    if not remote:
        batch.payload += data[:size]
    batch.offset.append(len(batch.payload))
    return None


def _skip(losses: Losses, what: str, reason: str) -> None:
    losses.add_fault(f"malformed {what} skipped", FormatError(reason))
