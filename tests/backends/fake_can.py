"""A socket pair in place of a CAN socket: same calls, same records, no CAN."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cantools_cli.backends.socketcan import link as links
from cantools_cli.backends.socketcan import raw
from cantools_cli.backends.socketcan import records as codec
from cantools_cli.backends.socketcan.bus import SocketcanBus
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    import pytest


class FakeCan(socket.socket):
    """One end of a socket pair, with the options of a CAN socket; ``failures`` are raised in turn."""

    def __init__(self) -> None:
        ours, self.wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__(fileno=ours.detach())
        self.options: dict[int, list[int | bytes]] = {}
        self.bound: list[object] = []
        self.sent_to: list[tuple[bytes, object]] = []
        self.failures: dict[str, list[int]] = {}
        self.told: list[tuple[int, int, bytes]] = []

    def _may_fail(self, name: str) -> None:
        if self.failures.get(name):
            number = self.failures[name].pop(0)
            if number:  # 0 lets a call through
                raise OSError(number, os.strerror(number))

    def setsockopt(self, level: int, option: int, value: Any, *_: Any) -> None:  # type: ignore[override]  # no overloads
        self._may_fail(f"option {option}")
        if level == codec.SOL_CAN_RAW:
            self.options.setdefault(option, []).append(value)
        else:
            super().setsockopt(level, option, value)

    def bind(self, address: Any) -> None:
        self._may_fail("bind")
        self.bound.append(address)

    def recvmsg(self, *arguments: Any) -> Any:  # type: ignore[override]  # passes all arguments on
        self._may_fail("recv")
        record, items, marks, _ = super().recvmsg(*arguments)
        return record, [*items, *self.told], marks, ("can1",)

    def send(self, *arguments: Any) -> int:
        self._may_fail("send")
        return super().send(*arguments)

    def sendto(self, record: Any, flags: Any, address: Any = None) -> int:
        self.sent_to.append((bytes(record), address))
        return len(record)

    def close(self) -> None:
        self.wire.close()
        super().close()


Opener = Callable[..., tuple[SocketcanBus, FakeCan]]


@contextmanager
def fake_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCan]:
    """Let the next bus have a ``FakeCan``; the kernel has can0, and the classic vcan0."""
    end = FakeCan()
    monkeypatch.setattr(raw, "new_socket", lambda: end)
    monkeypatch.setattr(
        links, "links", lambda: [links.NetworkLink("can0"), links.NetworkLink("vcan0", mtu=72)]
    )
    yield end
    end.close()


@contextmanager
def opener(fake: FakeCan) -> Iterator[Opener]:
    """Return a function that opens a bus on the socket pair; gives the bus, and the pair."""
    opened: list[SocketcanBus] = []

    def open_it(
        channel: str = "can0", *, many: bool = False, **settings: Any
    ) -> tuple[SocketcanBus, FakeCan]:
        bus = SocketcanBus(channel, **settings)
        opened.append(bus)
        if many:  # as after the first burst
            bus._port._incoming = bus._port._messages(receiving=True)
            assert bus._port._incoming is not None
        return bus, fake

    yield open_it
    for bus in opened:
        bus.shutdown()


def base(identifier: int, **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, **more)


def numbered(count: int) -> MessageBatch:
    return MessageBatch(Message(arbitration_id=row, data=row.to_bytes(2, "big")) for row in range(count))
