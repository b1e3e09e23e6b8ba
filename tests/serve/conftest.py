"""A socketcand server on loopback, and clients of plain text."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus.base import BusABC
from cantools_cli.serve.server import SocketcandServer


class Peer:
    """A client of plain text."""

    def __init__(self, server: SocketcandServer, *commands: str) -> None:
        self.end = socket.create_connection(server.address, 20)
        self.text = b""
        self.until(b"< hi >")
        for command in commands:
            self.say(command)
            self.until(b"< ok >")

    def say(self, command: str) -> None:
        self.end.sendall(f"< {command} >".encode())

    def until(self, text: bytes) -> bytes:
        """Read until ``text`` came; return what stood before it."""
        while text not in self.text:
            piece = self.end.recv(4096)
            assert piece, f"the server closed before {text!r}"
            self.text += piece
        before, _, self.text = self.text.partition(text)
        return before

    def rest(self) -> bytes:
        """Return what comes until the server closes."""
        while True:
            try:
                piece = self.end.recv(4096)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return self.text
            self.text += piece


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def line(stack: ExitStack, request: pytest.FixtureRequest) -> Callable[[], VirtualBus]:
    """Return a function that opens the test's virtual bus once more."""
    return lambda: stack.enter_context(VirtualBus(request.node.name))


@pytest.fixture
def serve(stack: ExitStack, line: Callable[[], VirtualBus]) -> Callable[..., SocketcandServer]:
    """Return a function that serves the test's bus as can0, in a thread, until the test ends."""

    def start(**options: Any) -> SocketcandServer:
        buses: dict[str, BusABC] = {"can0": line(), **options.pop("buses", {})}
        server = stack.enter_context(SocketcandServer(buses, port=0, **options))
        thread = threading.Thread(target=server.serve)
        thread.start()
        stack.callback(thread.join, 30)
        stack.callback(server.stop)
        return server

    return start


@pytest.fixture
def peer(stack: ExitStack) -> Callable[..., Peer]:
    def connect(server: SocketcandServer, *commands: str) -> Peer:
        client = Peer(server, *commands)
        stack.callback(client.end.close)
        return client

    return connect
