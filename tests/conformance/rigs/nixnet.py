from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, compiled, compiler, loaded

_VARIABLE = "CANX_NIXNET_LIBRARY"
_BUS_OFF = 0x00000002


class NixnetRig(Rig):
    interface = "nixnet"
    channel = "CAN1"
    without = {"fileno": "NI-XNET offers no descriptor"}
    wrong = (
        *({"channel": "CAN9"}, {"channel": "LIN1"}, {"bitrate": 123_456}, {"bitrate": 0}),
        *({"poll_interval": 0}, {"queue_size": 1}, {"fd": True, "data_bitrate": 9_000_000}),
    )

    def obstacle(self) -> str | None:
        if find_spec("nixnet") is None:
            return "the package nixnet is not installed"
        return None if compiler() else "there is no C compiler"

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("nixnet")
        with patch.dict(os.environ, {_VARIABLE: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        return self.open(channel="CAN2", **{key: value for key, value in settings.items() if key in self.fd})

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_ERROR, data=bytes((0, 5, 6, 1, 0)))

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_STATE, code=_BUS_OFF)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_OVERRUN)
        self.stub.inject(1, arbitration_id=1)

    def without_driver(self) -> AbstractContextManager[Any]:
        return patch.dict(os.environ, {_VARIABLE: "/nowhere/libnixnet.so"})


RIG = NixnetRig()
