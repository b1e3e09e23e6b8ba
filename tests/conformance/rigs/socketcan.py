from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from tests.conformance.rig import Node, Rig


class SocketcanRig(Rig):
    """can0 and can1 on one bus, and vcan1 for CAN FD: see ``tests/linux``."""

    interface = "socketcan"
    channel = "can0"
    fd = {"fd": True, "channel": "vcan1"}
    counting = {"rcvbuf": 1}
    own_kernel = True
    remote = {"channel": "vcan1"}  # QEMU's SJA1000 spoils the frames that follow a remote frame
    errors = {"channel": "vcan1"}
    carries_errors = True
    wrong = ({"channel": "nowhere0"}, {"rcvbuf": "much"}, {"down": "maybe"})

    @contextmanager
    def connected(self) -> Iterator[None]:
        yield
        for name in ("can0", "can1"):
            subprocess.run(["ip", "link", "set", name, "up"], check=True)

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        return self.open(channel=settings.get("channel", "can1"), fd=settings.get("fd", False))

    def disturb(self, bus: BusABC, node: Node) -> None:
        subprocess.run(["ip", "link", "set", "can0", "down"], check=True)

    def lose(self, bus: BusABC, node: Node) -> None:
        for identifier in range(1000):
            node.send(Message(arbitration_id=identifier), 10)

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        self.channel = "can77"
        yield
        self.channel = "can0"


RIG = SocketcanRig()
