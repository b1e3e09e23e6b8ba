"""Captures put together byte by byte, for tests of what reads them."""

from __future__ import annotations

import io
import struct

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.capture.pcap import PcapReader
from cantools_cli.io.capture.pcapng import PcapngReader
from cantools_cli.io.capture.reader import CaptureReader

START = 1_700_000_000


def pcap_head(link: int = 227, order: str = "<", magic: int = 0xA1B23C4D) -> bytes:
    return struct.pack(order + "L2H4L", magic, 2, 4, 0, 0, 1 << 18, link)


def pcap_record(packet: bytes, part: int = 0, order: str = "<", original: int | None = None) -> bytes:
    size = len(packet)
    return struct.pack(order + "4L", START, part, size, size if original is None else original) + packet


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "L", 12 + len(body))
    return struct.pack(order + "L", kind) + size + body + size


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "2H", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "L2Hq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 227, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(order + "2HL", link, 0, 0) + options, order)


def packet_block(
    packet: bytes, ticks: int = 0, number: int = 0, options: bytes = b"", order: str = "<"
) -> bytes:
    size = len(packet)
    head = struct.pack(order + "5L", number, ticks >> 32, ticks & 0xFFFFFFFF, size, size)
    return block(6, head + packet + bytes(-size % 4) + options, order)


def classic(identifier: int, data: bytes = b"\xaa\xbb") -> bytes:
    """Return SocketCAN's record of a frame, with a big-endian identifier."""
    return struct.pack(">LB3x", identifier, len(data)) + data.ljust(8, b"\0")


def reader_of(content: bytes, on_error: str = "stop") -> CaptureReader:
    reader = PcapngReader if content[:4] == b"\x0a\x0d\x0d\x0a" else PcapReader
    return reader(io.BytesIO(content), on_error=on_error)


def read_all(content: bytes) -> list[Message]:
    return list(reader_of(content))


def read_lenient(content: bytes) -> tuple[list[int], CaptureReader]:
    """Return the identifiers of all frames, and the reader, which skipped what is malformed."""
    reader = reader_of(content, on_error="skip")
    return [message.arbitration_id for message in reader], reader


def read_up_to_fault(content: bytes) -> tuple[list[int], FormatError | None]:
    found: list[int] = []
    try:
        for message in reader_of(content):
            found.append(message.arbitration_id)
    except FormatError as error:
        return found, error
    return found, None
