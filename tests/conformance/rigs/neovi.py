from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from cantools_cli.bus.base import BusABC
from tests.backends.neovi.conftest import stand_in
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, compiled, compiler, loaded

_VARIABLE = "CANX_NEOVI_LIBRARY"
_STUFF_ERROR, _BUS_OFF = 0x10000, 0x200


class NeoviRig(Rig):
    interface = "neovi"
    channel = "HSCAN"
    settings = {"serial": "CVV6KO", "receive_own_messages": False}
    without = {"fileno": "the module offers no descriptor"}
    detected = {"serial": "CVV6KO"}
    wrong = (
        *({"channel": "HSCAN99"}, {"channel": -1}, {"bitrate": 1}, {"bitrate": 0}, {"serial": "NONE"}),
        *({"fd": True, "data_bitrate": 9_000_000}, {"listen_only": True}, {"type_filter": 1}),
    )

    def obstacle(self) -> str | None:
        return None if compiler() else "there is no C compiler"

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("neovi")
        with (
            patch.dict(os.environ, {_VARIABLE: str(path)}),
            patch.dict(sys.modules, {"ics": stand_in()}),
            loaded(path) as self.stub,
        ):
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        return self.open(serial="123456", **{key: value for key, value in settings.items() if key in self.fd})

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_ERROR, code=_STUFF_ERROR)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_STATE, code=_BUS_OFF)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_OVERRUN)
        self.stub.inject(1, arbitration_id=1)

    def without_driver(self) -> AbstractContextManager[Any]:
        return patch.dict(sys.modules, {"ics": None})  # type: ignore[dict-item]  # as if it were not installed


RIG = NeoviRig()
