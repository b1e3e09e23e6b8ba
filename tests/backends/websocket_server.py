"""The server's side of a WebSocket, written from RFC 6455, and of python-can-remote's opening."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.backends.peers import serving, take

BINARY, JSON = "can.binary+json.v1", "can.json.v1"
TEXT_FRAME, BINARY_FRAME, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: bytes, magic: str = MAGIC) -> bytes:
    return base64.b64encode(hashlib.sha1(key + magic.encode()).digest())


class Session:
    """One connection."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.request = b""

    def agree(self, subprotocol: str | None = BINARY, *, magic: str = MAGIC) -> None:
        while not self.request.endswith(b"\r\n\r\n"):
            self.request += self.end.recv(1)
        found = re.search(rb"(?i)\r\nsec-websocket-key: *(\S+)\r\n", self.request)
        assert found is not None
        chosen = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
        self.end.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept_key(found[1], magic).decode()}\r\n{chosen}\r\n".encode()
        )

    def say(self, opcode: int, payload: bytes, *, fin: bool = True) -> None:
        size = bytes((len(payload),)) if len(payload) < 126 else b"\x7e" + struct.pack(">H", len(payload))
        self.end.sendall(bytes((fin << 7 | opcode,)) + size + payload)

    def tell(self, kind: str, payload: object) -> None:
        self.say(TEXT_FRAME, json.dumps({"type": kind, "payload": payload}).encode())

    def hear(self) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame."""
        first, second = take(self.end, 2)
        assert first & 0x80, "a fragment"
        assert second & 0x80, "not masked"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", take(self.end, 2))
        mask = take(self.end, 4)
        return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(take(self.end, size)))

    def hear_object(self) -> dict[str, Any]:
        opcode, payload = self.hear()
        assert opcode == TEXT_FRAME
        found: dict[str, Any] = json.loads(payload)
        return found

    def open(self, subprotocol: str | None = BINARY) -> dict[str, Any]:
        """Do all that comes before the first frame; return the settings asked for."""
        self.agree(subprotocol)
        request = self.hear_object()
        assert request["type"] == "bus_request"
        self.tell("bus_response", {"channel_info": "Bench 3"})
        config: dict[str, Any] = request["payload"]["config"]
        return config

    def end_politely(self) -> None:
        """Wait for the client to close."""
        while True:
            opcode, payload = self.hear()
            if opcode == CLOSE:
                self.say(CLOSE, payload)
                return


@contextmanager
def server(script: Callable[[Session], None]) -> Iterator[str]:
    with serving(lambda end: script(Session(end))) as port:
        yield f"127.0.0.1:{port}"
