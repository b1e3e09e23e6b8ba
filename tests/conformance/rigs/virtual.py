from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from tests.conformance.network_rig import NO_STATE
from tests.conformance.rig import Node, Rig


class VirtualRig(Rig):
    interface = "virtual"
    channel = "vcan0"
    settings = {"scope": "host"}
    fd: dict[str, Any] = {}
    counting = {"rx_queue_size": 2}
    carries_errors = True
    wrong = ({"scope": "world"}, {"rx_queue_size": "many"})
    without = {"state": NO_STATE, "missing driver": "nothing is needed"}

    @contextmanager
    def connected(self) -> Iterator[None]:
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setenv("CANX_RUNTIME_DIR", folder)
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        others = {
            key: settings[key] for key in settings if key not in ("can_filters", "receive_own_messages")
        }
        return self.open(**others)

    def lose(self, bus: BusABC, node: Node) -> None:
        for identifier in range(20):
            node.send(Message(arbitration_id=identifier))


RIG = VirtualRig()
