"""A gateway for tests, written from the specification alone: nothing here is of canx's own Xcom code.

``EmulatedBus`` is a bus whose other end is a function: from the frames that are sent to those that come.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

#: a frame as the specification writes it: 29-bit identifier and data
Frame = tuple[int, bytes]
Device = Callable[[Frame], Iterable["Frame | Message"]]


def identifier(destination: int, source: int, service: int, flags: int = 0) -> int:
    return destination * 2**19 + source * 2**9 + service * 2**6 + flags


def message(frame: Frame | Message) -> Message:
    return frame if isinstance(frame, Message) else Message(arbitration_id=frame[0], data=frame[1])


class EmulatedBus(BusABC):
    """Whatever is sent goes to ``device``, and what that returns is received.

    Attributes:
        sent: the frames that were sent.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.sent: list[Frame] = []
        self.waiting: list[Message] = []
        self.channel_info = f"emulated {id(self)}"
        super().__init__(None)

    def __del__(self) -> None:
        """Say nothing: there is nothing to release."""

    def deliver(self, *frames: Frame | Message) -> None:
        self.waiting += [message(frame) for frame in frames]

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        for one in batch:
            assert one.is_extended_id
            self.sent.append((one.arbitration_id, bytes(one.data)))
            self.deliver(*self.device(self.sent[-1]))

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        return MessageBatch([self.waiting.pop(0)]) if self.waiting else None

    def _apply_filters(self, filters: Any) -> None:
        pass


class EmulatedGateway:
    """Xtender 101 with two parameters and two infos, and BSP 601, as the specification says they answer."""

    def __init__(self) -> None:
        self.flash = {1286: 230.0, 1107: 32.0}
        self.ram = dict(self.flash)
        self.limits = {1286: (110.0, 280.0), 1107: (2.0, 50.0)}
        self.infos = {101: {3000: 51.8125, 3010: 4.0}, 601: {7002: 87.0}}
        self.writes: list[tuple[int, int, float]] = []

    def __call__(self, frame: Frame) -> Iterable[Frame]:
        number, data = frame
        destination, source, service = number >> 19, number >> 9 & 0x3FF, number >> 6 & 7
        answer = self.answer(destination, service, data)
        if answer is not None:
            reply, is_error = answer
            yield identifier(source, destination, service, is_error), reply

    def answer(self, destination: int, service: int, data: bytes) -> tuple[bytes, int] | None:
        (object_id,) = struct.unpack(">H", data[:2])

        def error(code: int) -> tuple[bytes, int]:
            return struct.pack(">HI", object_id, code), 1

        if destination == 100 and service != 2:
            return error(0x2D)
        if destination not in (100, 101, 601):
            return error(0x02)
        if service == 0:
            value = self.infos.get(destination, {}).get(object_id)
            return error(0x22) if value is None else (struct.pack(">Hf", object_id, value), 0)
        if object_id not in self.flash or destination == 601:
            return error(0x22)
        part = data[2]
        low, high = self.limits[object_id]
        if service == 1:
            value = {0: self.flash[object_id], 1: low, 2: high, 4: self.flash[object_id]}.get(part)
            return error(0x12) if value is None else (struct.pack(">HBf", object_id, part, value), 0)
        (value,) = struct.unpack(">f", data[3:7])
        if part not in (0, 4):
            return error(0x25)
        if not low <= value <= high:
            return error(0x27 if value < low else 0x28)
        self.writes.append((object_id, part, value))
        self.ram[object_id] = value
        if part == 0:
            self.flash[object_id] = value
        return data, 0
