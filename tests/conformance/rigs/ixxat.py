from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from cantools_cli.backends.ixxat import constants
from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, Stub, compiled, loaded


class IxxatRig(Rig):
    """Two controllers of a device; the checks of CAN FD use vcinpl2, all others vcinpl."""

    interface = "ixxat"
    channel = 0
    settings = {"rx_fifo_size": 256}  # the documented 16 are fewer than some checks send at once
    wrong = (
        *({"channel": -1}, {"channel": 2}, {"channel": "x"}, {"bitrate": 1234}, {"rx_fifo_size": 0}),
        *({"unique_hardware_id": "HW1"}, {"state": "ERROR"}, {"fd": True, "data_bitrate": 3_000_000}),
    )
    without = {"fileno": "the library has no descriptor to wait for"}
    stub: Stub

    @contextmanager
    def connected(self) -> Iterator[None]:
        classic, fast = compiled("ixxat"), compiled("ixxat", "FD=1")
        variables = {"CANX_IXXAT_LIBRARY": str(classic), "CANX_IXXAT_FD_LIBRARY": str(fast)}
        with mock.patch.dict(os.environ, variables), loaded(fast), loaded(classic) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        for key in ("can_filters", "receive_own_messages"):
            settings.pop(key, None)
        return self.open(channel=1, **settings)

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_ERROR, code=constants.CAN_ERROR_STUFF)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=constants.CAN_STATUS_BUSOFF)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_OVERRUN)
        node.send(Message(arbitration_id=0x100, is_extended_id=False))

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        with mock.patch.dict(os.environ):
            for name in ("CANX_IXXAT_LIBRARY", "CANX_IXXAT_FD_LIBRARY"):
                os.environ.pop(name, None)
            yield


RIG = IxxatRig()
