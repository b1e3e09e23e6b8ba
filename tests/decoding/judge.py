"""The same frames decoded by canx and by cantools, and what counts as equal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cantools_cli.decoding import dbc
from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.model import Database, MessageSpec, Value
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

Values = dict[str, Value]


def read(text: str) -> Database:
    return dbc.read(text.encode(), "x.dbc")


def frame(arbitration_id: int, data: bytes, *, is_extended_id: bool = False, **fields: Any) -> Message:
    return Message(
        arbitration_id=arbitration_id,
        is_extended_id=is_extended_id,
        data=data,
        is_fd=len(data) > 8,
        **fields,
    )


def decoded(
    database: Database, frames: Sequence[Message], *, with_names: bool = True
) -> list[tuple[str, Values] | None]:
    """Return the name of the message and the values of each frame, None for a frame without a message."""
    found: list[tuple[str, Values] | None] = [None] * len(frames)
    for table in Decoder(database).tables(MessageBatch(frames)):
        for index, row in enumerate(table.rows):
            found[row] = table.message.name, table.values(index, with_names=with_names)
    return found


def by_canx(
    database: Database, message: MessageSpec, payloads: Sequence[bytes], *, with_names: bool = True
) -> list[Values]:
    """Return the values of frames of ``message``, one mapping per payload."""
    frames = [frame(message.arbitration_id, data, is_extended_id=message.is_extended_id) for data in payloads]
    found = decoded(database, frames, with_names=with_names)
    assert all(entry is not None and entry[0] == message.name for entry in found)
    return [entry[1] for entry in found if entry is not None]


def values(text: str, arbitration_id: int, data: bytes | str, **options: Any) -> Values:
    """Return the values of one frame by the database ``text``; ``data`` may be hexadecimal."""
    payload = bytes.fromhex(data) if isinstance(data, str) else data
    entry = decoded(read(text), [frame(arbitration_id, payload)], **options)[0]
    assert entry is not None
    return entry[1]


def by_cantools(message: Any, data: bytes, *, with_names: bool = True) -> Values:
    """Return cantools' values of a frame of its ``message``, which may be longer or shorter than that.

    Raises:
        DecodeError: cantools refuses the frame.
    """
    found = message.decode(data, decode_choices=with_names, allow_truncated=True)
    return {name: value if isinstance(value, int | float) else str(value) for name, value in found.items()}


def are_same(first: Value, second: Value) -> bool:
    """Return whether two values have the same type and are equal; one NaN is like another."""
    if isinstance(first, float) and isinstance(second, float) and math.isnan(first):
        return math.isnan(second)
    return type(first) is type(second) and first == second


def differences(found: Mapping[str, Value], wanted: Mapping[str, Value]) -> dict[str, tuple[Any, Any]]:
    """Return both values of each signal that differs, None for one that is missing."""
    names = {*found, *wanted}
    return {
        name: (found.get(name), wanted.get(name))
        for name in sorted(names)
        if name not in found or name not in wanted or not are_same(found[name], wanted[name])
    }
