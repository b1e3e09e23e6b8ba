"""Reads MDF 4 files of unknown layout with asammdf: in memory, and slowly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cantools_cli import clock
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.base import GATHERED
from cantools_cli.io.mf4.layout import KINDS
from cantools_cli.io.mf4.source import Source


def is_installed() -> bool:
    from importlib.util import find_spec

    return find_spec("asammdf") is not None


def batches(source: Source, tz: str | None) -> Iterator[MessageBatch]:
    """Yield the frames of ``source`` in the order of their times."""
    import io

    from asammdf import MDF

    try:
        file = MDF(io.BytesIO(source.read(0, source.size)))
        messages = sorted(_messages(file, _start(file, tz)), key=lambda message: message.timestamp_ns)
    except Exception as error:  # the parser of another program may raise anything
        raise FormatError(f"asammdf cannot read it: {error}", byte=0) from error
    for begin in range(0, len(messages), GATHERED):
        yield MessageBatch(messages[begin : begin + GATHERED])


def _start(file: Any, tz: str | None) -> int:
    start = int(file.header.abs_time)
    if file.header.time_flags & 1:
        return clock.wall_to_ns(clock.ns_to_wall(start, "UTC"), tz or "local") + start % 1000
    return start


def _messages(file: Any, start_ns: int) -> Iterator[Message]:
    for index, group in enumerate(file.groups):
        names = {channel.name for channel in group.channels}
        for event in KINDS:
            if event not in names and f"{event}.ID" not in names:
                continue
            columns = {
                name.rpartition(".")[2]: file.get(name, group=index).samples
                for name in names
                if name.startswith(f"{event}.")
            }
            times = file.get_master(index)
            for row in range(len(times)):
                message = _message(event, {name: column[row] for name, column in columns.items()})
                message.timestamp_ns = start_ns + round(float(times[row]) * 1e9)
                yield message


def _message(event: str, fields: dict[str, Any]) -> Message:
    word = int(fields.get("ID", 0))
    direction = fields.get("Dir", 0)
    if isinstance(direction, bytes):
        direction = direction[:1] in (b"T", b"t")
    code = int(fields.get("DLC", 0))
    is_extended = bool(int(fields["IDE"]) if "IDE" in fields else word & 0x1FFFFFFF > 0x7FF)
    message = Message(
        arbitration_id=word & 0x1FFFFFFF,
        is_extended_id=(is_extended or bool(word >> 31)) and event != "CAN_ErrorFrame",
        is_rx=not int(direction),
        channel=f"can{max(int(fields.get('BusChannel', 1)) - 1, 0)}",
    )
    if event == "CAN_RemoteFrame":
        message.is_remote_frame, message.dlc = True, min(code, 8)
        return message
    message.is_error_frame = event not in ("CAN_DataFrame", "CAN_RemoteFrame")
    data = fields.get("DataBytes", b"")
    raw = bytes(data) if hasattr(data, "__len__") else bytes([int(data)])
    message.data = bytearray(raw[: int(fields.get("DataLength", min(code, 8)))])
    message.dlc = len(message.data)
    message.is_fd = bool(int(fields.get("EDL", fields.get("FDF", len(message.data) > 8))))
    message.bitrate_switch = message.is_fd and bool(int(fields.get("BRS", 0)))
    message.error_state_indicator = message.is_fd and bool(int(fields.get("ESI", 0)))
    return message
