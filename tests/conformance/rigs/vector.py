from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_STATE, Stub, compiled, compiler, loaded

_VARIABLE = "CANX_VECTOR_LIBRARY"
_QUEUE = 16  # events


class VectorRig(Rig):
    """Both virtual channels, which the application CANalyzer has by default."""

    interface = "vector"
    channel = 0
    fd = {"fd": True, "bitrate": 500_000, "data_bitrate": 2_000_000}
    counting = {"rx_queue_size": _QUEUE}
    detected = {"channel": 0, "serial": 0}
    wrong = (
        *({"channel": "a"}, {"channel": -1}, {"channel": 7}, {"serial": 7}, {"app_name": "unknown"}),
        *({"bitrate": 1_234_567}, {"rx_queue_size": 100}, {"fd": True, "tseg1_abr": 7}),
    )
    without = {"fileno": "the library has no descriptor to wait for"}
    stub: Stub

    def obstacle(self) -> str | None:
        return None if compiler() else "there is no C compiler"

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("vector")
        with patch.dict(os.environ, {_VARIABLE: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        return self.open(channel=1, **{key: settings[key] for key in settings if key in self.fd})

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_ERROR)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.set("bus_off", 1)

    def lose(self, bus: BusABC, node: Node) -> None:
        for number in range(_QUEUE + 1):
            self.stub.inject(0, arbitration_id=number)
        self.stub.inject(0, kind=KIND_STATE)

    def without_driver(self) -> AbstractContextManager[Any]:
        return patch.dict(os.environ, {_VARIABLE: "/nowhere/vxlapi64.dll"})


RIG = VectorRig()
