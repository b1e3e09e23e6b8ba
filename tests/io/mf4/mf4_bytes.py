"""MDF 4 files put together from the standard's blocks, for readers to be tested on."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.mf4.writer import MF4Writer
from tests.named import MF4Reader

START_NS = 1_700_000_000_123_456_789


class File:
    """Blocks behind an ID block and a header; ``add`` returns where a block is."""

    def __init__(
        self, *, magic: bytes = b"MDF     ", program: bytes = b"test    ", unfinished: int = 0
    ) -> None:
        self.data = bytearray(
            struct.pack("<8s8s8s4xH30xHH", magic, b"4.11    ", program, 411, unfinished, 0) + bytes(104)
        )

    def add(self, kind: bytes, links: Iterable[int], data: bytes, *, length: int | None = None) -> int:
        self.data += bytes(-len(self.data) % 8)
        at, links = len(self.data), tuple(links)
        size = 24 + 8 * len(links) + len(data) if length is None else length
        self.data += b"##" + kind + struct.pack("<IQQ", 0, size, len(links))
        self.data += struct.pack(f"<{len(links)}Q", *links) + data
        return at

    def text(self, text: str) -> int:
        return self.add(b"TX", (), text.encode() + b"\0")

    def linear(self, offset: float, factor: float) -> int:
        data = struct.pack("<BBHHHdddd", 1, 0, 0, 0, 2, 0, 0, offset, factor)
        return self.add(b"CC", (0, 0, 0, 0), data)

    def channel(
        self,
        name: str,
        byte: int,
        bit: int,
        bits: int,
        *,
        following: int = 0,
        kind: int = 0,
        data_type: int = 0,
        conversion: int = 0,
        composition: int = 0,
        stream: int = 0,
        flags: int = 0x400,
        invalid: int = 0,
    ) -> int:
        data = struct.pack("<BBBBIIII", kind, kind == 2, data_type, bit, byte, bits, flags, invalid)
        links = (following, composition, self.text(name), 0, conversion, stream, 0, 0)
        return self.add(b"CN", links, data.ljust(72, b"\0"))

    def chain(self, channels: list[tuple[Any, ...]]) -> int:
        """Add channels given as (name, byte, bit, bits, keywords); return the first one."""
        following = 0
        for name, byte, bit, bits, options in reversed(channels):
            following = self.channel(name, byte, bit, bits, following=following, **options)
        return following

    def group(
        self,
        first: int,
        size: int,
        *,
        following: int = 0,
        record_id: int = 0,
        flags: int = 6,
        invalid: int = 0,
    ) -> int:
        data = struct.pack("<QQHHIII", record_id, 0, flags, 46, 0, size, invalid)
        return self.add(b"CG", (following, first, self.text("CAN"), 0, 0, 0), data)

    def data_group(self, groups: int, data: int, *, id_size: int = 0, following: int = 0) -> int:
        return self.add(b"DG", (following, groups, data, 0), bytes((id_size, 0, 0, 0, 0, 0, 0, 0)))

    def finish(self, first: int, *, flags: int = 2, start_ns: int = START_NS) -> bytes:
        links = struct.pack("<6Q", first, 0, 0, 0, 0, 0)
        self.data[64:168] = (
            b"##HD"
            + struct.pack("<IQQ", 0, 104, 6)
            + links
            + struct.pack("<QhhBBBBdd", start_ns, 0, 0, flags, *[0] * 5)
        )
        return bytes(self.data)


def usual(
    event: str = "CAN_DataFrame", *, size: int = 8, data: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Return the channels of a record of f8 seconds and whole bytes, as python-can lays it out."""
    names = [("BusChannel", 8, 8), ("ID", 9, 32), ("IDE", 13, 8), ("DLC", 14, 8), ("DataLength", 15, 8)]
    channels: list[tuple[Any, ...]] = [("time", 0, 0, 64, {"kind": 2, "data_type": 4, "flags": 0})]
    channels += [(f"{event}.{name}", at, 0, bits, {}) for name, at, bits in names]
    channels.append((f"{event}.DataBytes", 16, 0, 8 * size, {"data_type": 10, **(data or {})}))
    return channels


def usual_record(
    number: int, data: bytes = b"", time: float = 0.0, size: int | None = None, bus: int = 1
) -> bytes:
    return struct.pack(
        "<dBIBBB", time, bus, number, 0, len(data), len(data) if size is None else size
    ) + data.ljust(8, b"\0")


def simple(records: bytes, *, data: int | None = None, file: File | None = None, **options: Any) -> bytes:
    """Return a file of ``usual`` records."""
    file = file or File()
    block = file.add(b"DT", (), records) if data is None else data
    return file.finish(file.data_group(file.group(file.chain(usual(**options)), 24), block))


def read(data: bytes, **options: Any) -> list[Message]:
    with MF4Reader(io.BytesIO(data), **options) as reader:
        return list(reader)


def read_lenient(data: bytes) -> tuple[list[int], MF4Reader]:
    """Return the identifiers of all frames, and the reader."""
    with MF4Reader(io.BytesIO(data), on_error="skip") as reader:
        return [message.arbitration_id for message in reader], reader


def read_up_to_fault(data: bytes) -> tuple[list[int], FormatError | None]:
    found: list[int] = []
    try:
        for message in MF4Reader(io.BytesIO(data)):
            found.append(message.arbitration_id)
    except FormatError as error:
        return found, error
    return found, None


def written(messages: Iterable[Message], **options: Any) -> bytes:
    file = io.BytesIO()
    with MF4Writer(file, **options) as writer:
        for message in messages:
            writer.on_message_received(message)
    return file.getvalue()
