from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig
from tests.vendor.kit import KIND_ERROR, KIND_OVERRUN, KIND_STATE, Stub, compiled, loaded

_VARIABLE = "CANX_ETAS_LIBRARY"
_DEVICE = "ETAS://ETH/ES910:abcd"


class EtasRig(Rig):
    interface = "etas"
    channel = f"{_DEVICE}/CAN:2"
    wrong = (
        *({"channel": f"{_DEVICE}/CAN:9"}, {"bitrate": 0}, {"sample_point": 87.5}, {"data_sjw": 0}),
        *({"fd": False, "fd_non_iso": True}, {"timestamps": "never"}, {"timing": 5}),
    )
    without = {"fileno": "the library has no descriptor to wait for"}
    stub: Stub

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled("etas")
        with mock.patch.dict(os.environ, {_VARIABLE: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        """Open the other controller, whose number in the library is 0."""
        for key in ("can_filters", "receive_own_messages"):
            settings.pop(key, None)
        return self.open(channel=f"{_DEVICE}/CAN:1", **settings)

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_ERROR, code=0x04)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_STATE, code=0x08)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(1, kind=KIND_OVERRUN)

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        with mock.patch.dict(os.environ):
            os.environ.pop(_VARIABLE, None)
            yield


RIG = EtasRig()
