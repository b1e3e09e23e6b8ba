"""ASC files for tests: their text, their frames, and both in short words."""

from __future__ import annotations

import io
from typing import Any

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.asc.writer import ASCWriter
from tests.named import ASCReader

SECONDS = 10**9
START = 1_700_000_000_000_000_000  # Tue Nov 14 22:13:20 2023 UTC
HEAD = (
    b"date Tue Nov 14 22:13:20.000 2023\nbase hex  timestamps absolute\ninternal events logged\n"
    b"// version 9.0.0\nBegin Triggerblock Tue Nov 14 22:13:20.000 2023\n   0.000000 Start of measurement\n"
)


def read(text: bytes, **options: Any) -> list[Message]:
    return list(reader(text, **options))


def reader(text: bytes, **options: Any) -> ASCReader:
    return ASCReader(io.BytesIO(text), **{"relative_timestamp": False, "tz": "UTC", **options})


def write(sent: list[Message], **options: Any) -> tuple[bytes, ASCWriter]:
    out = io.BytesIO()
    with ASCWriter(out, **{"tz": "UTC", **options}) as writer:
        for message in sent:
            writer.write(MessageBatch([message]))
    return out.getvalue(), writer


def notes(text: bytes, **options: Any) -> list[str]:
    source = reader(text, **options)
    list(source)
    return [note.removeprefix("-: ") for note in source.notes]


def shown(message: Message) -> str:
    """Return a frame as short text, its time from START."""
    time = message.timestamp_ns - START
    identifier = (
        f"X {message.arbitration_id:08X}" if message.is_extended_id else f"S {message.arbitration_id:03X}"
    )
    if message.is_error_frame:
        identifier = f"ERR {message.arbitration_id:03X}"
    words = [f"{time / SECONDS:.6f}", str(message.channel), identifier]
    words += ["RTR"] * message.is_remote_frame + ["FD"] * message.is_fd
    words += ["BRS"] * message.bitrate_switch + ["ESI"] * message.error_state_indicator
    words.append(
        f"[{message.dlc}]" + (f"/{message.dlc_code:X}" if not message.is_fd and message.dlc_code > 8 else "")
    )
    words += ["Tx"] * (not message.is_rx)
    return " ".join([*words, message.data.hex()]).rstrip()


def frame(offset_ns: int = 0, **settings: Any) -> Message:
    settings = {"channel": "can0", "is_extended_id": False, **settings}
    message = Message(**settings)
    message.timestamp_ns = START + offset_ns
    return message


KINDS = [
    frame(123_456_000, arbitration_id=0x64, data=b"\x00\x01", is_rx=False),
    frame(200_000_000, arbitration_id=0xC8, is_extended_id=True, data=bytes(range(8)), channel="can1"),
    frame(200_001_000, arbitration_id=0x7FF, is_remote_frame=True, dlc=4),
    frame(300_000_000, arbitration_id=0x55, is_fd=True, data=b"\xaa" * 12),
    frame(
        9_300_000_000,
        arbitration_id=0x1FFFFFFF,
        is_extended_id=True,
        is_fd=True,
        bitrate_switch=True,
        data=b"\xbb" * 64,
    ),
]
