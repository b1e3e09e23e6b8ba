"""Frames of the tests, and what they compare."""

from __future__ import annotations

from typing import Any

from cantools_cli.frame import error_frames
from cantools_cli.frame.message import Message

PATIENCE = 30.0
QUIET = 0.02


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def facts(message: Message | None) -> tuple[object, ...]:
    assert message is not None
    kind = message.is_extended_id, message.is_remote_frame, message.is_fd, message.bitrate_switch
    return message.arbitration_id, kind, message.error_state_indicator, message.dlc, bytes(message.data)


def words(message: Message | None) -> str:
    assert message is not None
    assert message.is_error_frame
    return error_frames.explain(message.arbitration_id, message.data)
