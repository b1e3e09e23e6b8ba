"""What the tests of the bus share."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.etas.bus import EtasBus
from cantools_cli.frame.message import Message
from tests.vendor.kit import Stub

DEVICE = "ETAS://ETH/ES910:abcd"
URI, OTHER = f"{DEVICE}/CAN:1", f"{DEVICE}/CAN:2"
SECONDS = 20.0


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def received(bus: EtasBus, count: int) -> list[Message]:
    frames = []
    while len(frames) < count:
        frame = bus.recv(SECONDS)
        assert frame is not None, f"{len(frames)} of {count} frames"
        frames.append(frame)
    return frames


def calls(stub: Stub, name: str = "") -> list[str]:
    return [line for line in stub.calls() if line.split()[0] == name or not name]
