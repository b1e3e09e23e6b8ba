"""Rigs of buses over a network or within this computer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node, Rig

NO_STATE = "there is no CAN controller that has a state"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket(socket.AF_INET, kind) as end:
        end.bind(("127.0.0.1", 0))
        port: int = end.getsockname()[1]
        return port


class NetworkRig(Rig):
    """A client; without its server, nothing listens on the port."""

    def __init__(self) -> None:
        self.channel: Any = None

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        self.channel = f"127.0.0.1:{free_port()}"
        yield

    def lose(self, bus: BusABC, node: Node) -> None:
        raise NotImplementedError
