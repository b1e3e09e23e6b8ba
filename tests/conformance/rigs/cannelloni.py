from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from cantools_cli.bus.base import BusABC
from tests.conformance.network_rig import NO_STATE, NetworkRig, free_port
from tests.conformance.rig import Node


class CannelloniRig(NetworkRig):
    interface = "cannelloni"
    fd: dict[str, Any] = {}
    carries_errors = True
    wrong = ({"channel": "nowhere:x"}, {"transport": "carrier pigeon"}, {"local_port": 70_000})
    without = {
        "state": NO_STATE,
        "detection": "a peer does not announce itself",
    }

    @contextmanager
    def connected(self) -> Iterator[None]:
        self._here, self._there = (free_port(socket.SOCK_DGRAM) for _ in range(2))
        self.channel = f"127.0.0.1:{self._there}"
        self.settings = {"local_port": self._here}
        yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        return self.open(channel=f"127.0.0.1:{self._here}", local_port=self._there)  # which echoes nothing

    def lose(self, bus: BusABC, node: Node) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"\x01", ("127.0.0.1", self._here))

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        self.channel, self.settings = f"127.0.0.1:{free_port()}", {"transport": "tcp"}
        yield


RIG = CannelloniRig()
