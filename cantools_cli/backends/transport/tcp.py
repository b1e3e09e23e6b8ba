"""TCP connections as ports."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from contextlib import suppress

from cantools_cli.backends.transport.stream import PIECE, StreamPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanInitializationError, UsageError, quoted, reason_of
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

_FAREWELL = 0.25  # seconds to wait for the other side to close as well


def endpoint(channel: object, default_port: int, default_host: str | None = None) -> tuple[str, int]:
    """Return the host and the port of ``host``, ``host:port``, ``[IPv6]:port`` or ``:port``.

    Raises:
        UsageError: the host is missing, or the port is not from 1 to 65535.
    """
    text = "" if channel is None else str(channel).strip()
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest[1:] if rest.startswith(":") else rest and "?"
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    host = host or default_host or ""
    is_number = port.isascii() and port.isdecimal() and 0 < int(port) < 65536
    if not host or (port and not is_number):
        raise UsageError(f"{quoted(text)} is not HOST:PORT", hint=f"such as localhost:{default_port}")
    return host, int(port) if port else default_port


def connect(host: str, port: int, timeout: float, name: str) -> socket.socket:
    """Return a connected socket.

    Raises:
        CanInitializationError: the host is unknown or unreachable, or does not answer in time.
    """
    try:
        return socket.create_connection((host, port), timeout)
    except (OSError, UnicodeError) as error:
        reason = f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else reason_of(error)
        is_name = isinstance(error, (socket.gaierror, UnicodeError))
        hint = "is the name of the host right?" if is_name else f"is the server running, on port {port}?"
        raise CanInitializationError(f"{name}: cannot connect: {reason}", hint=hint) from error


class TcpPort(StreamPort):
    """A connected socket and the protocol on it."""

    def __init__(
        self,
        end: socket.socket,
        decode: Callable[[bytes, int], MessageBatch],
        name: str,
        channel: Channel = None,
        losses: Losses | None = None,
    ) -> None:
        super().__init__(end, decode, name, channel, losses)
        self._socket = end
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _detect_death(end)

    def _finish(self) -> None:
        """Shut the connection down, and read to its end for a moment.

        If a socket is closed with unread data, the system resets the connection, and the other side loses
        what it has not read yet.
        """
        deadline = Deadline(_FAREWELL)
        with suppress(OSError):
            if not self.is_lost:
                self._socket.shutdown(socket.SHUT_WR)
                while self._wakeup.wait(deadline.remaining(), self._socket, select.POLLIN):
                    if deadline.passed or not self._socket.recv(PIECE):
                        break
        self._socket.shutdown(socket.SHUT_RDWR)


def _detect_death(end: socket.socket) -> None:
    """Have the system detect within half a minute that the other side is unreachable."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
