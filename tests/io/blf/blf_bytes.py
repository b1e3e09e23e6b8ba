"""BLF files put together byte by byte, for tests of what reads them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.blf.writer import BLFWriter
from tests.named import BLFReader

START_NS = 1_700_000_000_123_000_000
START = bytes.fromhex("e7070b0002000e0016000d0014007b00")
#: api 4.7.1.0, unknown application, canx's build number: times are UTC
CANX = bytes.fromhex("d41a3e0000000001")
PYTHON_CAN = bytes.fromhex("0500000002060801")

#: one frame in a stored container, which python-can, tshark and vector_blf read alike
GOLDEN = (
    bytes.fromhex(
        "4c4f474790000000d41a3e0000000001e000000000000000e000000000000000"
        "01000000786e6163e7070b0002000e0016000d0014007b00e7070b0002000e00"
        "16000d0014007b00"
    )
    + bytes(72)
    + bytes.fromhex(
        "4c4f424a10000100500000000a00000000000000000000003000000000000000"
        "4c4f424a200001003000000001000000020000000000000040f5060000000000"
        "01000003230100000102030000000000"
    )
)


def head(application: bytes = CANX, build: int = 0x63616E78, start: bytes = START) -> bytes:
    return (
        b"LOGG" + struct.pack("<L", 144) + application + bytes(20) + struct.pack("<L", build) + start
    ).ljust(144, b"\0")


def lobj(
    kind: int, body: str | bytes, time: int = 0, *, unit: int = 2, size: int | None = None, version: int = 1
) -> bytes:
    """Return an object with a header of 32 bytes and ``body``, without padding."""
    data = bytes.fromhex(body) if isinstance(body, str) else body
    length = 32 + len(data) if size is None else size
    return b"LOBJ" + struct.pack("<HHLLLHHq", 32, version, length, kind, unit, 0, 0, time) + data


def container(inner: bytes, *, stored: bool = False, claims: int | None = None, level: int = 6) -> bytes:
    payload = inner if stored else zlib.compress(inner, level)
    size = 32 + len(payload)
    claimed = len(inner) if claims is None else claims
    start = b"LOBJ" + struct.pack("<HHLLHHLLL", 16, 1, size, 10, 0 if stored else 2, 0, 0, claimed, 0)
    return start + payload + bytes(size % 4)


def classic(identifier: int, time: int = 0) -> bytes:
    return lobj(1, struct.pack("<HBBL", 1, 0, 2, identifier) + b"\xaa\xbb" + bytes(6), time)


def read(data: bytes, **options: Any) -> list[Message]:
    with BLFReader(io.BytesIO(data), **options) as reader:
        return list(reader)


def read_up_to_fault(data: bytes) -> tuple[list[int], FormatError | None]:
    """Return the identifiers of the frames before the first fault, and that."""
    found: list[int] = []
    try:
        for message in BLFReader(io.BytesIO(data)):
            found.append(message.arbitration_id)
    except FormatError as error:
        return found, error
    return found, None


def read_lenient(data: bytes) -> tuple[list[int], BLFReader]:
    """Return the identifiers of all frames, going on past faults, and the reader."""
    with BLFReader(io.BytesIO(data), on_error="skip") as reader:
        return [message.arbitration_id for message in reader], reader


def written(messages: list[Message], **options: Any) -> bytes:
    file = io.BytesIO()
    with BLFWriter(file, **options) as writer:
        for message in messages:
            writer.on_message_received(message)
    return file.getvalue()
