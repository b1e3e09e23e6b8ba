from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, compiled, compiler, loaded

_VARIABLE = "CANX_KVASER_LIBRARY"


class KvaserRig(Rig):
    interface = "kvaser"
    channel = 0
    wrong = (
        *({"channel": 7}, {"channel": "a"}, {"channel": -1}, {"bitrate": 0}, {"bitrate": 1_234_567}),
        *({"tseg1": 5}, {"no_samp": 2}, {"fd": True, "channel": 2}, {"channel": 2, "accept_virtual": False}),
    )

    def obstacle(self) -> str | None:
        return None if compiler() else "there is no C compiler"

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("kvaser")
        with patch.dict(os.environ, {_VARIABLE: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        kept = {key: value for key, value in settings.items() if key in self.fd}
        return self.open(channel=1, **kept)

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_ERROR, code=c.canMSGERR_STUFF)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=c.canSTAT_BUS_OFF)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_OVERRUN, code=c.canMSGERR_SW_OVERRUN)
        self.stub.inject(0, arbitration_id=1)

    def without_driver(self) -> AbstractContextManager[Any]:
        return patch.dict(os.environ, {_VARIABLE: "/nowhere/libcanlib.so"})


RIG = KvaserRig()
