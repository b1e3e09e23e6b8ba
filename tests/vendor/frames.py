"""Frames that tests of several vendors' buses exchange."""

from __future__ import annotations

from typing import Any

from cantools_cli.frame.message import Message

PATIENCE = 20.0  #: seconds after which a wait fails

FRAMES = [
    Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2\3"),
    Message(arbitration_id=0x7FF, is_extended_id=False),
    Message(arbitration_id=0x1FFFFFFF, data=bytes(range(8))),
    Message(arbitration_id=0x10, data=b"\xff"),
    Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=5),
    Message(arbitration_id=0x12345, is_remote_frame=True, dlc=0),
]
FD_FRAMES = [
    *FRAMES,
    Message(arbitration_id=1, is_extended_id=False, is_fd=True, data=b"\1"),
    Message(arbitration_id=2, is_fd=True, bitrate_switch=True, data=bytes(range(64))),
    Message(arbitration_id=3, is_fd=True, data=bytes(12)),
]


def same(got: Any, sent: Message) -> bool:
    """Return whether both are the same frame, whenever and from wherever they came."""
    return bool(got.equals(sent, timestamp_delta=None, check_channel=False, check_direction=False))


def received(bus: Any, count: int) -> list[Message]:
    """Return the next ``count`` frames of ``bus``."""
    found: list[Message] = []
    while len(found) < count:
        message = bus.recv(PATIENCE)
        assert message is not None, found
        found.append(message)
    return found
