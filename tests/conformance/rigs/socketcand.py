from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import pytest

from cantools_cli.backends.socketcand import bus as module
from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from cantools_cli.serve.server import SocketcandServer
from tests.backends.socketcand.test_bus import HANDSHAKE, Emulator
from tests.conformance.network_rig import NetworkRig, free_port
from tests.conformance.rig import Node


class SocketcandRig(NetworkRig):
    """A server of canx with a virtual bus, whose other node is the test."""

    interface = "socketcand"
    remote = {"fd": True}  # an extension of the protocol, as CAN FD
    wrong = ({"channel": ""}, {"host": None, "port": None}, {"port": "many"}, {"connect_timeout": "soon"})
    without = {
        "state": "the protocol does not carry the state of the controller",
    }

    @contextmanager
    def connected(self) -> Iterator[None]:
        self.channel = "can0"
        beacons = free_port(socket.SOCK_DGRAM)
        with ExitStack() as stack:
            stack.enter_context(pytest.MonkeyPatch.context()).setattr(module.beacon, "BEACON_PORT", beacons)
            served = stack.enter_context(VirtualBus("conformance"))
            server = stack.enter_context(
                SocketcandServer({"can0": served}, port=0, error_frames=True, beacon=("127.0.0.1", beacons))
            )
            thread = threading.Thread(target=server.serve)
            thread.start()
            stack.callback(thread.join, 30)
            stack.callback(server.stop)
            self.settings = {"host": "127.0.0.1", "port": server.address[1]}
            self.detected = {"channel": "can0", "port": server.address[1]}
            self._emulator = Emulator(b"< hi >", HANDSHAKE, 4096)
            stack.callback(self._emulator.close)
            self.counting = {"port": self._emulator.port}
            yield

    def node(self, **settings: Any) -> AbstractContextManager[Node]:
        if settings.get("port") == self._emulator.port:
            return nullcontext(_Scripted(self._emulator))
        return VirtualBus("conformance")

    def lose(self, bus: BusABC, node: Node) -> None:
        self._emulator.say(b"< frame 123 1.0 ABC >")

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        self.channel, self.settings = "can0", {"host": "127.0.0.1", "port": free_port()}
        yield


class _Scripted:
    """A server that sends what the test writes."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def send(self, message: Message) -> None:
        self._emulator.say(f"< frame {message.arbitration_id:X} 1.0 >".encode())

    def recv(self, timeout: float) -> Message | None:
        raise NotImplementedError


RIG = SocketcandRig()
