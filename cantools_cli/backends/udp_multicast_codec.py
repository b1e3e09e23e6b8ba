"""python-can's datagrams: one frame a datagram, a msgpack map of eleven entries.

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

Read leniently: in any order, the timestamp as an integer, the data as an array, most entries left out; other
entries are passed over.

Loses: the direction, and the raw DLC codes of classic frames.

Source: what python-can 4.1.0 and 4.6.1 send, and what they take.
"""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]  # it ships no types

from cantools_cli.errors import FormatError
from cantools_cli.frame.bits import CAN_SFF_MASK
from cantools_cli.frame.message import Message

#: bytes of the largest datagram that is looked at
MAX_LENGTH = 65535

#: seconds since the epoch that 64 bits of nanoseconds hold
_LATEST = 9_223_372_036
_TRUTHS = ("is_remote_frame", "is_error_frame", "is_fd", "bitrate_switch", "error_state_indicator")


def encode(message: Message) -> bytes:
    """Return the datagram of ``message``."""
    is_wide = (
        message.is_error_frame and message.arbitration_id > CAN_SFF_MASK
    )  # peers check it like any other
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
    """Return the frame in ``datagram``, with the sender's timestamp, or 0 where it has none.

    Raises:
        FormatError: it is not one map, or what it says is no frame.
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
    """Return the entries of the map; bounded before anything is allocated."""
    try:
        entries = msgpack.unpackb(
            datagram,
            max_str_len=255,
            max_bin_len=64,
            max_array_len=64,
            max_map_len=64,
            max_ext_len=0,
        )
    except (ValueError, RecursionError) as error:  # all of msgpack's are a ValueError
        raise FormatError(f"not msgpack: {str(error) or type(error).__name__}") from error
    if not isinstance(entries, dict):
        raise FormatError("not a map of entries")
    return entries


def _truth(entries: dict[object, Any], key: str, *, default: bool = False) -> bool:
    value = entries.get(key, default)
    if value not in (False, True):  # 0 and 1 are as good
        raise FormatError(f"{key} is neither true nor false")
    return bool(value)


def _whole(entries: dict[object, Any], key: str) -> int:
    value = entries.get(key)
    if not isinstance(value, int):
        raise FormatError(f"{key} is not a whole number")
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
