from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from cantools_cli.backends.pcan import constants as c
from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, compiled, compiler, loaded

_VARIABLE = "CANX_PCAN_LIBRARY"


class PcanRig(Rig):
    interface = "pcan"
    channel = "PCAN_USBBUS1"
    fd = {"fd": True, "bitrate": 500_000, "data_bitrate": 2_000_000}
    wrong = (
        *({"channel": "PCAN_USBBUS99"}, {"channel": 0}, {"channel": "PCAN_USBBUS4"}, {"bitrate": 1_234_567}),
        *({"state": "ERROR"}, {"device_id": 99}, {"fd": True}, {"fd": True, "data_bitrate": 2_000_001}),
        {"channel": "PCAN_USBBUS3", **fd},
    )

    def obstacle(self) -> str | None:
        return None if compiler() else "there is no C compiler"

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("pcan")
        with patch.dict(os.environ, {_VARIABLE: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        kept = {key: value for key, value in settings.items() if key in self.fd}
        return self.open(channel="PCAN_USBBUS2", **kept)

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(c.PCAN_USBBUS1, kind=KIND_ERROR, arbitration_id=4, data=bytes((1, 10, 1, 0)))

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(c.PCAN_USBBUS1, kind=KIND_STATE, code=c.PCAN_ERROR_BUSOFF)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(c.PCAN_USBBUS1, kind=KIND_OVERRUN)
        self.stub.inject(c.PCAN_USBBUS1, arbitration_id=1)

    def without_driver(self) -> AbstractContextManager[Any]:
        return patch.dict(os.environ, {_VARIABLE: "/nowhere/libpcanbasic.so"})


RIG = PcanRig()
