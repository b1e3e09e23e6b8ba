from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from cantools_cli.backends.usb2can import finder
from cantools_cli.backends.usb2can.queue import LENGTH
from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, Stub, compiled, loaded

_VARIABLE = "CANX_USB2CAN_LIBRARY"


class Usb2canRig(Rig):
    interface = "usb2can"
    channel = "ED000200"
    wrong = (
        *({"channel": "ED;200"}, {"channel": "ED2"}, {"bitrate": 123_456}, {"bitrate": 0}),
        *({"timestamps": "never"}, {"flags": "silent"}),
    )
    without = {
        "FD": "the adapter has no CAN FD",
        "fileno": "the library has no descriptor to wait for",
    }
    stub: Stub

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("usb2can")
        devices = [lambda: [self.channel, "ED000201"]]
        with (
            mock.patch.dict(os.environ, {_VARIABLE: str(path)}),
            mock.patch.object(finder, "SOURCES", devices),
            loaded(path) as self.stub,
        ):
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        for key in ("can_filters", "receive_own_messages"):
            settings.pop(key, None)
        return self.open(channel="ED000201", **settings)

    def _handle(self, bus: BusABC) -> int:
        return int(vars(bus)["handle"]) - 1681

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(self._handle(bus), kind=KIND_ERROR, code=0x20)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(self._handle(bus), kind=KIND_ERROR, code=3, data=b"\x00\x80")

    def lose(self, bus: BusABC, node: Node) -> None:
        for _ in range(LENGTH + 1):
            self.stub.inject(self._handle(bus), arbitration_id=0x123)

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        with mock.patch.dict(os.environ):
            os.environ.pop(_VARIABLE, None)
            yield


RIG = Usb2canRig()
