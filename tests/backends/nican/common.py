"""What the tests of the bus share."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.nican.bus import NicanBus
from cantools_cli.frame.message import Message
from tests.vendor.kit import Stub

SECONDS = 20.0


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def received(bus: NicanBus, count: int) -> list[Message]:
    frames: list[Message] = []
    while len(frames) < count:
        frame = bus.recv(SECONDS)
        assert frame is not None, f"{len(frames)} of {count} frames"
        frames.append(frame)
    return frames


def calls(stub: Stub, name: str = "") -> list[str]:
    return [line for line in stub.calls() if line.split()[0] == name or not name]


def configured(stub: Stub) -> dict[int, int]:
    """Return the attributes that were set before the last opening."""
    found: dict[int, int] = {}
    for line in stub.calls():
        if line.startswith("ncConfig"):
            found.clear()
        elif line.startswith("  "):
            key, _, value = line.partition("=")
            found[int(key, 16)] = int(value, 16)
    return found
