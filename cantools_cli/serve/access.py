"""Which clients may connect: only this computer, unless an allow-list is given. There are no passwords."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cantools_cli.errors import UsageError, quoted


class Access:
    """The networks whose clients may connect; without any, all clients that can reach the server."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._networks = [_network(text) for text in allowed]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def lets_in(self, host: str) -> bool:
        """Return whether a client at the address ``host`` may connect."""
        if not self._networks:
            return True
        address = _address(host)
        return any(address in network for network in self._networks)


def parse_place(text: str, default_port: int, option: str) -> tuple[str, int]:
    """Return the host and the port of ``HOST``, ``HOST:PORT``, ``[IPv6]:PORT`` or ``:PORT``; also port 0."""
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port or (":" in host and not text.startswith("[")):
        host, port = text, ""
    host = host.strip("[]") or ("127.0.0.1" if colon else "")
    is_number = port.isascii() and port.isdecimal() and int(port) < 65536
    if not host or any(mark.isspace() for mark in host) or (colon and port and not is_number):
        raise UsageError(
            f"{option} {quoted(text)} is not ADDRESS:PORT", hint=f"such as 127.0.0.1:{default_port}"
        )
    return host, int(port) if port else default_port


def format_place(host: str, port: int) -> str:
    """Return the text of an address, the reverse of ``parse_place``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this computer can reach ``host``, a name or an address."""
    if host == "localhost":
        return True
    try:
        return _address(host).is_loopback
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address  # the form of IPv4 addresses on a socket for both versions


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise UsageError(
            f"--allow {quoted(text)} is neither an address nor a network",
            hint="such as 192.0.2.7, 192.0.2.0/24 or fd00::/8",
        ) from error
