"""python-can's datagrams: one frame per datagram, a msgpack map of eleven entries.

::

    8B                                      a map of 11
    A9 timestamp              CB float64    seconds
    AE arbitration_id         CD 0123
    AE is_extended_id         C2 or C3
    AF is_remote_frame        C2 or C3
    AE is_error_frame         C2 or C3
    A7 channel                C0            or a name, or a number
    A3 dlc                    02            the length in bytes
    A4 data                   C4 02 0102    a byte string
    A5 is_fd                  C2 or C3
    AE bitrate_switch         C2 or C3
    B5 error_state_indicator  C2 or C3

Reading is lenient: entries in any order, an integer as timestamp, an array as data; most entries may be
missing, and unknown entries are ignored.

Loses: the direction, and the raw DLC codes of classic frames.

Source: the datagrams that python-can 4.1.0 and 4.6.1 send and accept.
"""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]  # it has no type hints

from cantools_cli.errors import FormatError
from cantools_cli.frame.bits import CAN_SFF_MASK
from cantools_cli.frame.message import Message

#: maximum size of a datagram in bytes
MAX_LENGTH = 65535

#: the latest time in seconds that fits 64 bits of nanoseconds
_LATEST = 9_223_372_036
_TRUTHS = ("is_remote_frame", "is_error_frame", "is_fd", "bitrate_switch", "error_state_indicator")


def encode(message: Message) -> bytes:
    """Return the datagram of ``message``."""
    is_wide = (
        message.is_error_frame and message.arbitration_id > CAN_SFF_MASK
    )  # peers check the identifier of error frames too
    entries = {
        "timestamp": message.timestamp,
        "arbitration_id": message.arbitration_id,
        "is_extended_id": message.is_extended_id or is_wide,
        "is_remote_frame": message.is_remote_frame,
        "is_error_frame": message.is_error_frame,
        "channel": message.channel,
        "dlc": message.dlc,
        "data": bytes(message.data),
        "is_fd": message.is_fd,
        "bitrate_switch": message.bitrate_switch,
        "error_state_indicator": message.error_state_indicator,
    }
    return bytes(msgpack.packb(entries))


def decode(datagram: bytes | bytearray | memoryview) -> Message:
    """Return the frame in ``datagram``, with the sender's timestamp, or 0 if it has none.

    Raises:
        FormatError: the datagram is not a map, or the map is not a frame.
    """
    entries = _unpacked(datagram)
    data = _data(entries.get("data"))
    truths = {key: _truth(entries, key) for key in _TRUTHS}
    is_remote = truths["is_remote_frame"]
    try:
        return Message(
            timestamp=_seconds(entries.get("timestamp", 0.0)),
            arbitration_id=_whole(entries, "arbitration_id"),
            is_extended_id=_truth(entries, "is_extended_id", default=True),
            channel=_channel(entries.get("channel")),
            dlc=_whole(entries, "dlc") if "dlc" in entries else 0 if is_remote else len(data),
            data=data,
            check=True,
            **truths,
        )
    except ValueError as error:
        raise FormatError(f"not a CAN frame: {error}") from error


def _unpacked(datagram: bytes | bytearray | memoryview) -> dict[object, Any]:
    """Return the entries of the map; sizes are checked before memory is allocated."""
    try:
        entries = msgpack.unpackb(
            datagram,
            max_str_len=255,
            max_bin_len=64,
            max_array_len=64,
            max_map_len=64,
            max_ext_len=0,
        )
    except (ValueError, RecursionError) as error:  # all errors of msgpack are a ValueError
        raise FormatError(f"not msgpack: {str(error) or type(error).__name__}") from error
    if not isinstance(entries, dict):
        raise FormatError("not a map of entries")
    return entries


def _truth(entries: dict[object, Any], key: str, *, default: bool = False) -> bool:
    value = entries.get(key, default)
    if value not in (False, True):  # or 0 and 1
        raise FormatError(f"{key} is neither true nor false")
    return bool(value)


def _whole(entries: dict[object, Any], key: str) -> int:
    value = entries.get(key)
    if not isinstance(value, int):
        raise FormatError(f"{key} is not an integer")
    return int(value)


def _seconds(value: object) -> float:
    if not isinstance(value, int | float):
        raise FormatError("timestamp is not a number")
    if value > _LATEST:
        raise FormatError(f"timestamp {value} is too far in the future")
    return float(value)


def _channel(value: object) -> str | int | None:
    if value is not None and not isinstance(value, str | int):
        raise FormatError("channel is neither a name nor a number")
    return value


def _data(value: object) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte <= 255 for byte in value):
        return bytes(value)
    raise FormatError("data is not a byte string")
