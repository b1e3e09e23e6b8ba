"""Programs under attack: started as a user does, measured from outside, with a client that behaves."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.virtual.bus import VirtualBus
from tests.commands.conftest import CANX

#: bytes that a program may grow by, whatever is thrown at it
GROWTH = 48 << 20
PATIENCE = 30.0  #: seconds; only a hang takes them


class Target:
    """A running canx.

    Attributes:
        port: where it listens, 0 for nowhere.
        net: the network of its virtual buses.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, net: str) -> None:
        self.process = process
        self.port = port
        self.net = net
        self._before = self.memory()

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) << 10

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def check(self) -> None:
        """Check that it runs, and has not grown by what it was sent."""
        assert self.process.poll() is None
        assert self.memory() - self._before < GROWTH


class Good:
    """A socketcand client that behaves: it sees each frame of the bus, and the bus each of its own."""

    def __init__(self, target: Target) -> None:
        self.end = target.connect()
        self.text = b""
        self._count = 0
        self._bus = VirtualBus("bus", scope="host", net=target.net)
        self.until(b"< hi >")
        for command in (b"< open bus >", b"< rawmode >"):
            self.end.sendall(command)
            self.until(b"< ok >")

    def until(self, text: bytes) -> None:
        while text not in self.text:
            piece = self.end.recv(1 << 16)
            assert piece, f"closed before {text!r}"
            self.text = self.text[-len(text) :] + piece
        self.text = self.text.partition(text)[2]

    def check(self) -> None:
        """Check both ways with a frame that nothing else sends."""
        self._count += 1
        data = self._count.to_bytes(4, "big")
        self.end.sendall(b"< send 7E5 4 %b >" % data.hex(" ").encode())
        wanted = (0x7E5, data)
        deadline = time.monotonic() + PATIENCE
        while (message := self._bus.recv(PATIENCE)) is not None and time.monotonic() < deadline:
            if (message.arbitration_id, bytes(message.data)) == wanted:
                break
        else:
            raise AssertionError("the bus never had the frame of the client")
        self.end.sendall(b"< send 7E6 0 >")  # what comes back to others does not come back to it
        message.arbitration_id = 0x7E7
        self._bus.send(message)
        self.until(b"< frame 7E7 ")

    def close(self) -> None:
        self.end.close()
        self._bus.shutdown()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def launch(stack: ExitStack, tmp_path: Path) -> Callable[..., Target]:
    """Return a function that starts canx and waits until it says where it listens, or that it runs."""
    net = f"attack-{os.getpid()}-{tmp_path.name}"[-40:]

    def start(*arguments: str, ready: str = r"listening on \S+:(\d+)", **options: Any) -> Target:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CAN")}
        process = subprocess.Popen(
            [CANX, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment | {"CANX_NET": net, "HOME": str(tmp_path)},
            **options,
        )
        assert process.stderr is not None
        stack.callback(process.stderr.close)
        stack.callback(process.wait)
        stack.callback(process.kill)
        for line in process.stderr:
            found = re.search(ready, line.decode())
            if found:
                return Target(process, int(found[1]) if found.groups() else 0, net)
        raise AssertionError("it ended before it was ready")

    return start


@pytest.fixture
def good(stack: ExitStack) -> Callable[[Target], Good]:
    def connect(target: Target) -> Good:
        client = Good(target)
        stack.callback(client.close)
        return client

    return connect
