"""python-can-remote's messages in a WebSocket: binary frames and JSON objects.

::

    01 3FF8000000000000 00000123 03 00 010203       one frame, all numbers big-endian
    |  timestamp        id       |  |  data
    |  float64, seconds          |  01 extended, 02 remote, 04 error, 08 FD, 10 BRS, 20 ESI
    always 01                    length of the data in bytes

    {"type": "message", "payload": {"timestamp": 1.5, "arbitration_id": 291, "is_extended_id": false, ...

The subprotocol selects the form of frames. All other messages are JSON: ``bus_request``, ``bus_response``,
``error``, ``periodic_start``, ``periodic_stop``.

Data of a length that CAN FD lacks is padded with zeros, as by a controller.

Loses: the direction, the raw DLC codes of classic frames, and the part of timestamps that a double cannot
hold.

Source: the server and the client of github.com/christiansandberg/python-can-remote.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message, timestamp_to_ns

#: subprotocols in order of preference
BINARY = "can.binary+json.v1"
JSON = "can.json.v1"

MESSAGE = 0x01
EXTENDED, REMOTE, ERROR, FD, BRS, ESI = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20

HEAD = struct.Struct(">BdIBB")

#: the latest time in seconds that fits 64 bits of nanoseconds
_LATEST = 9_223_372_036
_TRUTHS = ("is_remote_frame", "is_error_frame", "is_fd", "bitrate_switch", "error_state_indicator")


def encode(batch: MessageBatch) -> list[bytes]:
    """Return the binary frames of ``batch``."""
    frames: list[bytes] = []
    offset, payload, codes = batch.offset, batch.payload, batch.dlc_code
    columns = zip(batch.timestamp_ns, batch.can_id, batch.flags, strict=True)
    for row, (timestamp_ns, can_id, column) in enumerate(columns):
        data = payload[offset[row] : offset[row + 1]]
        length = min(codes[row], 8) if can_id & bits.CAN_RTR_FLAG else len(data)
        identifier = can_id & bits.CAN_EFF_MASK
        flags = EXTENDED if can_id & bits.CAN_EFF_FLAG else 0
        if can_id & bits.CAN_ERR_FLAG:
            # peers check the error class like an identifier
            is_extended = column & bits.EXTENDED_ERROR or identifier > bits.CAN_SFF_MASK
            flags |= ERROR | (EXTENDED if is_extended else 0)
        flags |= REMOTE if can_id & bits.CAN_RTR_FLAG else 0
        if column & bits.FD:
            flags |= FD | (BRS if column & bits.BRS else 0) | (ESI if column & bits.ESI else 0)
        frames.append(HEAD.pack(MESSAGE, timestamp_ns / 1e9, identifier, length, flags) + data)
    return frames


def decode(text: bytes, batch: MessageBatch) -> None:
    """Add the binary frame ``text`` to ``batch``; messages of other types are ignored.

    Raises:
        FormatError: the message is truncated or is not a valid frame.
    """
    if not text or text[0] != MESSAGE:
        return
    if len(text) < HEAD.size:
        raise FormatError(f"a frame of {len(text)} bytes")
    _, seconds, identifier, length, flags = HEAD.unpack_from(text)
    data = text[HEAD.size :]
    is_fd = bool(flags & FD)
    if flags & REMOTE:
        if flags & (ERROR | FD) or length > 8:
            raise FormatError("a remote frame with the CAN FD or the error flag, or of more than 8 bytes")
        data = b""
    elif length != len(data):
        raise FormatError(f"length {length}, but {len(data)} data bytes")
    if length > (64 if is_fd else 8):
        raise FormatError(f"{length} data bytes")
    if identifier > (bits.CAN_EFF_MASK if flags & (EXTENDED | ERROR) else bits.CAN_SFF_MASK):
        raise FormatError(f"identifier {identifier:#x} is out of range")
    column = 0
    if is_fd:
        column = bits.FD | (bits.BRS if flags & BRS else 0) | (bits.ESI if flags & ESI else 0)
        length = bits.len2dlc(length)
        data = data.ljust(bits.dlc2len(length), b"\0")
    if flags & ERROR:
        identifier |= bits.CAN_ERR_FLAG
        column |= bits.EXTENDED_ERROR if flags & EXTENDED else 0
    elif flags & EXTENDED:
        identifier |= bits.CAN_EFF_FLAG
    batch.timestamp_ns.append(_nanoseconds(seconds))
    batch.can_id.append(identifier | (bits.CAN_RTR_FLAG if flags & REMOTE else 0))
    batch.flags.append(column)
    batch.channel.append(0)
    batch.dlc_code.append(length)
    batch.payload += data
    batch.offset.append(len(batch.payload))


def format_object(kind: str, payload: object) -> str:
    """Return the JSON object of type ``kind``.

    Raises:
        UsageError: ``payload`` contains a value that JSON cannot express.
    """
    try:
        return json.dumps({"type": kind, "payload": payload})
    except (TypeError, ValueError) as error:
        raise UsageError(f"cannot be sent to a remote server: {error}") from error


def parse_object(text: str) -> tuple[str, Any]:
    """Return the type and the payload of a JSON object.

    Raises:
        FormatError: ``text`` is not an object with a type.
    """
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}") from error
    if not isinstance(entries, dict) or not isinstance(entries.get("type"), str):
        raise FormatError("not an object with a type")
    return entries["type"], entries.get("payload")


def message_payload(message: Message) -> dict[str, Any]:
    """Return ``message`` as the payload of a JSON object."""
    is_wide = message.is_error_frame and message.arbitration_id > bits.CAN_SFF_MASK
    payload = {
        "timestamp": message.timestamp,
        "arbitration_id": message.arbitration_id,
        "is_extended_id": message.is_extended_id or is_wide,
        "is_remote_frame": message.is_remote_frame,
        "is_error_frame": message.is_error_frame,
        "dlc": message.dlc,
        "data": [*message.data],
    }
    if message.is_fd:
        payload["is_fd"] = True
        payload["bitrate_switch"] = message.bitrate_switch
        payload["error_state_indicator"] = message.error_state_indicator
    return payload


def parse_message(payload: Any, batch: MessageBatch) -> None:
    """Add the frame in the payload of a JSON object to ``batch``.

    Raises:
        FormatError: the payload is not a frame.
    """
    if not isinstance(payload, dict):
        raise FormatError("a message without a payload")
    truths = {key: payload.get(key, False) for key in _TRUTHS}
    extended = payload.get("is_extended_id", True)
    identifier, length = payload.get("arbitration_id"), payload.get("dlc")
    seconds, data = payload.get("timestamp", 0.0), payload.get("data") or []
    if not all(isinstance(truth, bool) for truth in (extended, *truths.values())):
        raise FormatError("a flag is neither true nor false")
    if type(identifier) is not int or type(seconds) not in (int, float):
        raise FormatError("arbitration_id or timestamp is not a number")
    if not isinstance(data, list) or not all(type(byte) is int and 0 <= byte <= 255 for byte in data):
        raise FormatError("data is not an array of bytes")
    if length is not None and type(length) is not int:
        raise FormatError("dlc is not an integer")
    message = Message(
        arbitration_id=identifier, is_extended_id=extended, dlc=length, data=bytes(data), **truths
    )
    message.timestamp_ns = _nanoseconds(seconds)
    if message.is_fd and message.dlc == len(data) <= 64:
        message.dlc = bits.dlc2len(bits.len2dlc(len(data)))
        message.data = message.data.ljust(message.dlc, b"\0")
    message.channel = batch.channels[0]
    try:
        batch.append(message)
    except ValueError as error:
        raise FormatError(str(error)) from error


def _nanoseconds(seconds: float) -> int:
    if not -_LATEST < seconds < _LATEST:  # nor NaN
        raise FormatError(f"timestamp {seconds} is out of range")
    return timestamp_to_ns(seconds)
