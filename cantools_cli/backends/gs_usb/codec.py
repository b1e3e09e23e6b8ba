"""The requests and frames of gs_usb adapters, the protocol of candleLight and CANtact.

::

    FFFFFFFF 23010000 03 00 00 00 0102030000000000 40420F00      std 123, 3 bytes, at 1,000,000 us
    |        |        |  |  |     data, 8 bytes,   counter in us, if the mode has it
    |        |        |  |  flags: 01 overflow, 02 FD, 04 BRS, 08 ESI      or 64 for FD
    |        |        |  channel
    |        |        DLC code
    |        identifier with SocketCAN's flag bits
    the echo of a sent frame has the number that came with it

All numbers are little-endian, since HOST_FORMAT asks for that. A transfer is one frame.

Sources: Linux ``drivers/net/can/usb/gs_usb.c``; the firmware candleLight_fw; for CANtact Pro the driver of
github.com/linklayer/cantact.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import NamedTuple

from cantools_cli.bit_timing.calculator import Limits
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.message import Message


class ControlRequest(IntEnum):
    """The numbers of the control requests."""

    HOST_FORMAT = 0
    BITTIMING = 1
    MODE = 2
    BT_CONST = 4
    DEVICE_CONFIG = 5
    TIMESTAMP = 6
    IDENTIFY = 7
    DATA_BITTIMING = 10
    BT_CONST_EXT = 11
    SET_TERMINATION = 12
    GET_TERMINATION = 13
    GET_STATE = 14
    DATA_BITTIMING_OF_CANTACT = 8  #: firmware 2 and older of CANtact Pro


class Feature(IntFlag):
    """What an adapter can do; those up to FD, and BUS_ERRORS, are flags of the mode as well."""

    LISTEN_ONLY = 1 << 0
    LOOPBACK = 1 << 1
    TRIPLE_SAMPLING = 1 << 2
    ONE_SHOT = 1 << 3
    TIMESTAMPS = 1 << 4
    IDENTIFY = 1 << 5
    FD = 1 << 8
    PAD_BYTE = 1 << 9
    BT_CONST_EXT = 1 << 10
    TERMINATION = 1 << 11
    BUS_ERRORS = 1 << 12
    STATE = 1 << 13


#: the data of HOST_FORMAT
LITTLE_ENDIAN = b"\xef\xbe\0\0"
FROM_BUS = 0xFFFFFFFF  #: the echo number of a frame that another node sent
BUFFERS = 10  #: frames that the adapter keeps for sending, per channel
WRAP = 1 << 32  #: of the counter, in us

CONFIG_SIZE, CONST_SIZE, CONST_EXT_SIZE, STATE_SIZE = 12, 40, 72, 12
CLASSIC_SIZE, FD_SIZE, STAMP_SIZE = 20, 76, 4
OVERFLOW, FDF, BRS, ESI = 0x01, 0x02, 0x04, 0x08

_MAX_SEGMENT = 4096  # quanta; the longest segment of a known controller has 512

_HEAD = struct.Struct("<IIBBBB")
_REST = struct.Struct("<IBBBB")  # without the echo number
_NUMBER = struct.Struct("<I")
_OUT_OF_STD = bits.CAN_EFF_MASK & ~bits.CAN_SFF_MASK


class Config(NamedTuple):
    """The reply to DEVICE_CONFIG."""

    channels: int
    software: int
    hardware: int


class Constants(NamedTuple):
    """The reply to BT_CONST: ``data`` are the limits of the data phase, None without BT_CONST_EXT."""

    features: Feature
    clock: int
    nominal: Limits
    data: Limits | None = None


class Registers(NamedTuple):
    """The bit timing that an adapter gets, in quanta."""

    prop_seg: int
    phase_seg1: int
    phase_seg2: int
    sjw: int
    brp: int

    def packed(self) -> bytes:
        return struct.pack("<5I", *self)

    def bitrate(self, clock: int) -> int:
        quanta = 1 + self.prop_seg + self.phase_seg1 + self.phase_seg2
        return clock // (self.brp * quanta)


class State(NamedTuple):
    """The reply to GET_STATE: 0 active, 1 warning, 2 passive, 3 bus off, 4 stopped, 5 sleeping."""

    state: int
    rx_errors: int
    tx_errors: int


class Received(NamedTuple):
    """A frame from the adapter; ``stamp`` is None if there is no counter."""

    echo: int
    can_id: int
    code: int
    channel: int
    flags: int
    data: bytes
    stamp: int | None


def parse_config(reply: bytes) -> Config:
    """Parse the reply to DEVICE_CONFIG.

    Raises:
        FormatError: it is too short.
    """
    if len(reply) < CONFIG_SIZE:
        raise FormatError(f"a configuration of {len(reply)} bytes, not {CONFIG_SIZE}")
    highest, software, hardware = struct.unpack_from("<3xBII", reply)
    return Config(highest + 1, software, hardware)


def parse_constants(reply: bytes) -> Constants:
    """Parse the reply to BT_CONST or BT_CONST_EXT.

    Raises:
        FormatError: it is too short, or the clock or a limit is impossible.
    """
    if len(reply) < CONST_SIZE:
        raise FormatError(f"timing constants of {len(reply)} bytes, not {CONST_SIZE}")
    features, clock = struct.unpack_from("<II", reply)
    data = _limits(reply, CONST_SIZE) if len(reply) >= CONST_EXT_SIZE else None
    if not clock:
        raise FormatError("timing constants with a clock of 0 Hz")
    return Constants(Feature(features), clock, _limits(reply, 8), data)


def _limits(reply: bytes, place: int) -> Limits:
    low1, high1, low2, high2, sjw, low_brp, high_brp, step = struct.unpack_from("<8I", reply, place)
    limits = Limits((low1, high1), (low2, high2), sjw, (low_brp, high_brp), step or 1)
    are_ordered = low1 <= high1 and 1 <= low2 <= high2 and 1 <= low_brp <= high_brp and sjw
    if not are_ordered or max(high1, high2) > _MAX_SEGMENT:
        raise FormatError(f"impossible timing constants {reply[place : place + 32].hex()}")
    return limits


def parse_state(reply: bytes) -> State:
    """Parse the reply to GET_STATE.

    Raises:
        FormatError: it is too short.
    """
    if len(reply) < STATE_SIZE:
        raise FormatError(f"a state of {len(reply)} bytes, not {STATE_SIZE}")
    return State(*struct.unpack_from("<3I", reply))


def parse_number(reply: bytes) -> int:
    """Parse the reply to TIMESTAMP or GET_TERMINATION.

    Raises:
        FormatError: it is too short.
    """
    if len(reply) < 4:
        raise FormatError(f"a number of {len(reply)} bytes, not 4")
    return int(_NUMBER.unpack_from(reply)[0])


def number(value: int) -> bytes:
    """Return the data of IDENTIFY or SET_TERMINATION."""
    return _NUMBER.pack(value)


def mode(start: bool, flags: int = 0) -> bytes:
    """Return the data of MODE."""
    return struct.pack("<II", start, flags)


def encode(message: Message, channel: int, *, pad_byte: bool = False) -> bytes:
    """Return the transfer that sends ``message``, without the four bytes of its echo number.

    Raises:
        ValueError: it is an error frame, which a controller cannot send.
    """
    if message.is_error_frame:
        raise ValueError("an adapter cannot send error frames")
    can_id = message.arbitration_id
    if message.is_extended_id:
        can_id |= bits.CAN_EFF_FLAG
    if message.is_remote_frame:
        can_id |= bits.CAN_RTR_FLAG
    pad = b"\0" if pad_byte else b""
    if not message.is_fd:
        head = _REST.pack(can_id, message.dlc_code, channel, 0, 0)
        return head + bytes(message.data).ljust(8, b"\0") + pad
    flags = FDF | (BRS if message.bitrate_switch else 0) | (ESI if message.error_state_indicator else 0)
    head = _REST.pack(can_id, bits.len2dlc(message.dlc), channel, flags, 0)
    return head + bytes(message.data).ljust(64, b"\0") + pad


def decode(transfer: bytes, *, has_stamp: bool) -> Received:
    """Return the frame of a transfer.

    Raises:
        FormatError: the transfer is too short, has more than one frame, or its frame is impossible.
    """
    size = len(transfer)
    if size < CLASSIC_SIZE:
        raise FormatError(f"a transfer of {size} bytes, at least {CLASSIC_SIZE}: {transfer.hex()}")
    echo, can_id, code, channel, flags, _ = _HEAD.unpack_from(transfer)
    is_fd = flags & FDF
    end = FD_SIZE if is_fd else CLASSIC_SIZE
    if size < end:
        raise FormatError(f"a CAN FD frame of {size} bytes, not {FD_SIZE}: {transfer.hex()}")
    if (
        code > 15
        or (is_fd and can_id & (bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG))
        or (can_id & _OUT_OF_STD and not can_id & (bits.CAN_EFF_FLAG | bits.CAN_ERR_FLAG))
    ):
        raise FormatError(f"an impossible frame: {transfer[:end].hex()}")
    stamp = None
    last = end
    if has_stamp and size >= end + STAMP_SIZE:
        [stamp] = _NUMBER.unpack_from(transfer, end)
        last += STAMP_SIZE
    if size > last and any(transfer[last:]) and size - last >= CLASSIC_SIZE:
        raise FormatError(f"{size - last} bytes after a frame: {transfer[last:].hex()}")
    if can_id & bits.CAN_RTR_FLAG and not can_id & bits.CAN_ERR_FLAG:
        length = 0
    elif is_fd:
        length = bits.FD_LENGTHS[code]
    else:
        length = min(code, 8)
    return Received(echo, can_id, code, channel, flags, transfer[12 : 12 + length], stamp)
