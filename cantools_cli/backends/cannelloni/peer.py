"""The other end of a cannelloni tunnel, and local sockets that reach it."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address
from typing import Any

from cantools_cli.errors import CanInitializationError, reason_of


class Peer:
    """The other end, at the first address of its host.

    Raises:
        CanInitializationError: the host is unknown.
    """

    def __init__(self, host: str, port: int, name: str) -> None:
        self.name = name
        self.family: socket.AddressFamily
        self.address: Any  # a tuple that depends on the family
        try:
            self.family, _, _, _, self.address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError) as error:
            raise CanInitializationError(f"{name}: unknown host: {reason_of(error)}") from error
        self._numbers = _numbers(self.address[0])

    def is_at(self, source: Any) -> bool:
        """Return whether the socket address ``source`` is the peer's, ignoring the port."""
        return source[0] == self.address[0] or _numbers(source[0]) == self._numbers

    def local_address(self) -> str:
        """Return the address from which this computer reaches the peer; nothing is sent."""
        with socket.socket(self.family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(self.address)
            except OSError as error:
                raise CanInitializationError(f"{self.name}: no route: {reason_of(error)}") from error
            return str(probe.getsockname()[0])

    def socket_at(self, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        """Return a socket bound to the local ``address`` and ``port``.

        Raises:
            CanInitializationError: the address is in use or not local.
        """
        end = socket.socket(self.family, kind)
        try:
            if kind == socket.SOCK_STREAM:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            scope = self.address[3] if len(self.address) == 4 else 0
            end.bind((address, port) if self.family == socket.AF_INET else (address, port, 0, scope))
        except (OSError, UnicodeError) as error:
            end.close()
            hint = (
                "local_port= selects another port" if getattr(error, "errno", 0) == errno.EADDRINUSE else None
            )
            text = f"{self.name}: cannot listen on {address}, port {port}: {reason_of(error)}"
            raise CanInitializationError(text, hint=hint) from error
        return end


def _numbers(address: str) -> object:
    """Return an address without its zone; an IPv4 address mapped to IPv6 as IPv4."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return getattr(parsed, "ipv4_mapped", None) or parsed
