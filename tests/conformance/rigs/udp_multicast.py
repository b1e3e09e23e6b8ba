from __future__ import annotations

import socket
from contextlib import AbstractContextManager
from typing import Any

from cantools_cli.backends.udp_multicast import UdpMulticastBus
from cantools_cli.bus.base import BusABC
from tests.backends.test_udp_multicast import PORT
from tests.conformance.network_rig import NO_STATE
from tests.conformance.rig import Node, Rig


class MulticastRig(Rig):
    interface = "udp_multicast"
    channel = UdpMulticastBus.DEFAULT_GROUP_IPv4
    fd: dict[str, Any] = {}
    carries_errors = True
    own_network = True
    wrong = ({"channel": "192.0.2.1"}, {"port": 70_000}, {"hop_limit": 300})
    without = {
        "own messages": "the documentation of python-can excludes them",
        "state": NO_STATE,
        "missing driver": "nothing is needed",
    }

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        return self.open()

    def lose(self, bus: BusABC, node: Node) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"\x8b noise", (self.channel, PORT))


RIG = MulticastRig()
