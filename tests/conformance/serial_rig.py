"""Rigs of adapters on a serial line: the emulated adapter is the other node as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from serial.tools import list_ports

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from tests.backends.transport.test_serial import device
from tests.conformance.rig import Node, Rig
from tests.emulators.line import Line, plugged


class SerialRig(Rig):
    """An adapter on a pseudo-terminal."""

    usb: dict[str, Any] = {"vid": 0x1A86, "pid": 0x7523}
    malformed = b"\x01\x02\x03"
    wrong: tuple[dict[str, Any], ...] = ({"channel": ""}, {"bitrate": "fast"})

    def __init__(self) -> None:
        self.line: Line
        self.device: Any

    def new_device(self) -> Any:
        raise NotImplementedError

    def packed(self, message: Message) -> bytes:
        """Return what the adapter sends to the host of a frame on the bus."""
        raise NotImplementedError

    def unpacked(self, frame: Any) -> Message:
        """Return a frame that the host sent."""
        raise NotImplementedError

    @contextmanager
    def connected(self) -> Iterator[None]:
        self.device = self.new_device()
        with plugged(self.device) as self.line, pytest.MonkeyPatch.context() as patch:
            self.channel = self.line.channel
            patch.setattr(list_ports, "comports", lambda *_: [device(self.line.channel, **self.usb)])
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        return nullcontext(_Adapter(self))

    def lose(self, bus: BusABC, node: Node) -> None:
        self.line.inject(self.malformed)

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        self.channel = "/dev/ttyUSB77"
        yield


class _Adapter:
    """The adapter's side of the bus."""

    def __init__(self, rig: SerialRig) -> None:
        self._rig = rig
        self._taken = 0

    def send(self, message: Message) -> None:
        self._rig.line.inject(self._rig.packed(message))

    def recv(self, timeout: float) -> Message | None:
        frames = self._rig.device.frames
        if not self._rig.line.wait_until(lambda: len(frames) > self._taken, timeout):
            return None
        self._taken += 1
        return self._rig.unpacked(frames[self._taken - 1])
