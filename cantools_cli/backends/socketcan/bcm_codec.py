"""Messages of the kernel's broadcast manager (CAN_BCM): a head, then frames.

::

    64-bit   32-bit
     0        0      operation
     4        4      flags
     8        8      count: number of frames sent at interval 1 before interval 2 starts
    16, 24   12, 16  interval 1: seconds, microseconds
    32, 40   20, 24  interval 2
    48       28      can_id: the handle of a transmission; with the FD flag, its key in the socket
    52       32      number of frames that follow
    56       40      frames, in the form of ``records``: 16 bytes each, or 72 with the FD flag

All numbers are in the byte order of the host. With count 0, interval 2 applies from the start; if interval 2
is 0, the transmission ends after count frames.

Sources: Linux ``linux/can/bcm.h``; Documentation/networking/can.rst, "Broadcast Manager protocol sockets".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from cantools_cli.errors import FormatError

TX_SETUP, TX_DELETE, TX_READ = 1, 2, 3
TX_STATUS, TX_EXPIRED = 8, 9

SETTIMER = 0x1
STARTTIMER = 0x2  #: send the first frame immediately
TX_COUNTEVT = 0x4  #: report the end of count by TX_EXPIRED
CAN_FD_FRAME = 0x800

#: maximum number of frames in a transmission
FRAMES_LIMIT = 256
#: the longest interval that the kernel accepts
INTERVAL_LIMIT_US = 400 * 86_400 * 1_000_000


def head_layout(long_size: int) -> struct.Struct:
    """Return the layout of the head for a C ``long`` of ``long_size`` bytes, 4 or 8."""
    return struct.Struct("=III4xqqqqII" if long_size == 8 else "=IIIiiiiII4x")


_HEAD = head_layout(struct.calcsize("@l"))
HEAD_SIZE = _HEAD.size


class BcmHead(NamedTuple):
    """The head of a message; intervals are in microseconds, ``number`` counts the frames that follow."""

    operation: int
    flags: int = 0
    initial: int = 0
    interval1_us: int = 0
    interval2_us: int = 0
    handle: int = 0
    number: int = 1

    @property
    def is_sending(self) -> bool:
        """Whether the transmission of a TX_STATUS is running."""
        return bool(self.interval2_us or (self.initial and self.interval1_us))


def encode_head(head: BcmHead, layout: struct.Struct = _HEAD) -> bytes:
    return layout.pack(
        *head[:3],
        *divmod(head.interval1_us, 1_000_000),
        *divmod(head.interval2_us, 1_000_000),
        head.handle,
        head.number,
    )


def decode_head(message: bytes, layout: struct.Struct = _HEAD) -> BcmHead:
    """Read the head of a message.

    Raises:
        FormatError: the message is shorter than a head.
    """
    if len(message) < layout.size:
        raise FormatError(f"a message of {len(message)} bytes, shorter than a head of {layout.size}")
    operation, flags, initial, s1, us1, s2, us2, handle, number = layout.unpack_from(message)
    return BcmHead(operation, flags, initial, s1 * 1_000_000 + us1, s2 * 1_000_000 + us2, handle, number)


def encode_start(
    handle: int, frames: Sequence[bytes], *, is_fd: bool, count: int, interval1_us: int, interval2_us: int
) -> bytes:
    """Return the message that sends ``frames`` in turn: ``count`` at interval 1, the rest at interval 2."""
    flags = SETTIMER | STARTTIMER | (TX_COUNTEVT if count and not interval2_us else 0) | _kind(is_fd)
    head = BcmHead(TX_SETUP, flags, count, interval1_us, interval2_us, handle, len(frames))
    return encode_head(head) + b"".join(frames)


def encode_update(handle: int, frames: Sequence[bytes], *, is_fd: bool) -> bytes:
    """Return the message that replaces the frames of a transmission and keeps its schedule."""
    return encode_head(BcmHead(TX_SETUP, _kind(is_fd), handle=handle, number=len(frames))) + b"".join(frames)


def encode_delete(handle: int, *, is_fd: bool) -> bytes:
    return encode_head(BcmHead(TX_DELETE, _kind(is_fd), handle=handle))


def encode_read(handle: int, *, is_fd: bool) -> bytes:
    """Return the message that requests the TX_STATUS of a transmission."""
    return encode_head(BcmHead(TX_READ, _kind(is_fd), handle=handle))


def _kind(is_fd: bool) -> int:
    return CAN_FD_FRAME if is_fd else 0
