"""The other side of a connection, as a function that gets its socket."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

PATIENCE = 20.0  # seconds after which a test that hangs fails


@contextmanager
def serving(*scripts: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve a port on loopback: each connection in turn gets its script. Yield the port."""
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            for script in scripts:
                end, _ = listener.accept()
                with end:
                    end.settimeout(PATIENCE)
                    script(end)
        except BaseException as error:  # told by the test
            failures.append(error)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        thread = Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(PATIENCE)
    if failures:
        raise failures[0]


def take(end: socket.socket, size: int) -> bytes:
    """Read exactly ``size`` bytes, fewer where the other side ends."""
    text = b""
    while len(text) < size and (piece := end.recv(size - len(text))):
        text += piece
    return text


def drain(end: socket.socket) -> bytes:
    """Read to the end."""
    text = b""
    while piece := end.recv(65536):
        text += piece
    return text
