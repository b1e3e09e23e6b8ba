from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_STATE, Stub, compiled, loaded

_VARIABLE = "CANX_SYSTEC_LIBRARY"


class SystecRig(Rig):
    interface = "systec"
    channel = 0
    settings = {"device_number": 0}
    wrong = (
        *(
            {"channel": 2},
            {"channel": "a"},
            {"device_number": 256},
            {"device_number": 7},
            {"bitrate": 123_456},
        ),
        *({"rx_buffer_entries": 0}, {"tx_buffer_entries": 70_000}, {"state": "ERROR"}, {"btr0btr1": 0x10000}),
    )
    detected = {"channel": 0, "device_number": 0}
    without = {
        "FD": "the module has no CAN FD",
        "fileno": "the library has no descriptor to wait for",
    }
    stub: Stub

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("systec")
        with mock.patch.dict(os.environ, {_VARIABLE: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        for key in ("can_filters", "receive_own_messages"):
            settings.pop(key, None)
        return self.open(**settings, device_number=1)

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=0x04, data=b"\x60\x00")

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=0x0C, data=b"\x80\x00")

    def lose(self, bus: BusABC, node: Node) -> None:
        for _ in range(4097):
            self.stub.inject(0, arbitration_id=0x123)

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        with mock.patch.dict(os.environ):
            os.environ.pop(_VARIABLE, None)
            yield


RIG = SystecRig()
