from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, Stub, compiled, loaded

_VARIABLE = "CANX_NICAN_LIBRARY"


class NicanRig(Rig):
    interface = "nican"
    channel = "CAN0"
    wrong = (
        *({"channel": "CAN9"}, {"channel": "CÄN0"}, {"bitrate": 0}, {"bitrate": 1234}),
        *({"bitrate": 500_000, "btr0btr1": 0x001C}, {"btr0btr1": 0x10000}, {"timestamps": "never"}),
    )
    without = {
        "FD": "the interfaces have no CAN FD",
        "fileno": "the library has no descriptor to wait for",
    }
    stub: Stub

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("nican")
        with mock.patch.dict(os.environ, {_VARIABLE: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        for key in ("can_filters", "receive_own_messages"):
            settings.pop(key, None)
        return self.open(channel="CAN1", **settings)

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_ERROR, code=0xBFF6206B)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=0x00_00_90_01)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_OVERRUN)

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        with mock.patch.dict(os.environ):
            os.environ.pop(_VARIABLE, None)
            yield


RIG = NicanRig()
