"""socketcand's beacon: an XML datagram that announces a server.

::

    <CANBeacon name="HOST" type="SocketCAN" description="socketcand">
    <URL>can://192.0.2.1:29536</URL><Bus name="can0"/><Bus name="can1"/></CANBeacon>

A server sends a beacon every three seconds, to UDP port 42000.

Source: socketcand's protocol description (linux-can/socketcand, ``doc/protocol.md``), "Service discovery".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cantools_cli.errors import FormatError, quoted

BEACON_PORT = 42000
#: seconds between beacons
PERIOD = 3.0
#: maximum size of a beacon in bytes
MAX_LENGTH = 2048

_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Beacon:
    """The contents of a beacon: the name of the server, its addresses as (host, port), and its buses."""

    name: str
    places: tuple[tuple[str, int], ...]
    buses: tuple[str, ...]


def format_beacon(name: str, url: str, buses: Iterable[str], description: str = "canx") -> bytes:
    """Return the datagram that announces ``buses`` at ``url``."""
    head = f'<CANBeacon name="{_escaped(name)}" type="SocketCAN" description="{_escaped(description)}">\n'
    rows = "".join(f'<Bus name="{_escaped(bus)}"/>' for bus in buses)
    return f"{head}<URL>{_escaped(url)}</URL>{rows}</CANBeacon>".encode()


def parse_beacon(datagram: bytes) -> Beacon:
    """Return the contents of ``datagram``.

    Raises:
        FormatError: the datagram is not a beacon, longer than 2048 bytes, or defines entities.
    """
    from xml.etree import ElementTree

    if (
        len(datagram) > MAX_LENGTH or b"<!" in datagram
    ):  # a document type could define entities that expand without bound
        raise FormatError("a beacon of more than 2048 bytes, or with a document type")
    try:
        root = ElementTree.fromstring(datagram)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise FormatError(f"not XML ({error}): {quoted(datagram)}") from error
    if root.tag != "CANBeacon":
        raise FormatError(f"not a beacon: {quoted(datagram)}")
    places = tuple(_place((url.text or "").strip()) for url in root.iter("URL"))
    buses = tuple(bus.get("name", "") for bus in root.iter("Bus") if bus.get("name"))
    return Beacon(root.get("name", ""), places, buses)


def _place(url: str) -> tuple[str, int]:
    """Return (host, port) of ``can://HOST:PORT``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FormatError(f"bad URL {quoted(url)}: {error}") from error
    if parts.scheme != "can" or not host or not port:
        raise FormatError(f"not a URL such as can://192.0.2.1:29536: {quoted(url)}")
    return host, port


def _escaped(text: str) -> str:
    text = _NOT_XML.sub("?", text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"))
    return text.encode("utf-8", "replace").decode()
