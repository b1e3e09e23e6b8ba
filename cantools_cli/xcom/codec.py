"""Encoding and decoding of Xcom-CAN requests, replies and notifications, without bus or clock.

::

    bit 28 ......... 19 | 18 .......... 9 | 8 .. 6  | 5 ... 1    0
    destination         | source          | service | reserved   error       always 29 bits

    service              request                      reply
    0 read user info     id:u16                       id:u16 value:f32
    1 read parameter     id:u16 part:u8               id:u16 part:u8 value:f32
    2 write parameter    id:u16 part:u8 value:f32     id:u16 part:u8 value:f32
    3 message            -                            id:u16 value:u32, unsolicited
    error in a reply                                  id:u16 code:u32

Numbers are big-endian; values of every object are IEEE 754 single precision. A request of service 2 and its
reply have the same layout; only the sender distinguishes them.

Source: Studer Innotec, public Xcom-CAN client packages; Xtender serial protocol V1.6.32 for error codes.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from cantools_cli.frame.message import Message

ADDRESS_MASK = 0x3FF
ERROR_FLAG = 0x01
LARGEST_ID = 0xFFFF


class Service(IntEnum):
    """The service of a frame."""

    READ_USER_INFO = 0
    READ_PARAMETER = 1
    WRITE_PARAMETER = 2
    MESSAGE = 3


class Part(IntEnum):
    """A value of a parameter. RAM is lost at a restart; reading it returns the value in flash."""

    FLASH = 0
    MIN = 1
    MAX = 2
    RAM = 4


REQUEST_LENGTHS = {Service.READ_USER_INFO: 2, Service.READ_PARAMETER: 3, Service.WRITE_PARAMETER: 7}
REPLY_LENGTHS = {
    Service.READ_USER_INFO: 6,
    Service.READ_PARAMETER: 7,
    Service.WRITE_PARAMETER: 7,
    Service.MESSAGE: 6,
}
ERROR_LENGTH = 6

#: code -> (name, explanation)
ERRORS = {
    0x01: ("INVALID_FRAME", "the frame is malformed"),
    0x02: ("DEVICE_NOT_FOUND", "no such device"),
    0x03: ("RESPONSE_TIMEOUT", "the device did not answer the gateway"),
    0x11: ("SERVICE_NOT_SUPPORTED", "no such service"),
    0x12: ("INVALID_SERVICE_ARGUMENT", "an argument of the service is wrong"),
    0x13: ("GATEWAY_BUSY", "the gateway is busy"),
    0x21: ("TYPE_NOT_SUPPORTED", "no such type of object"),
    0x22: ("OBJECT_ID_NOT_FOUND", "the device has no such object"),
    0x23: ("PROPERTY_NOT_SUPPORTED", "the object has no such property"),
    0x24: ("INVALID_DATA_LENGTH", "wrong number of data bytes"),
    0x25: ("PROPERTY_IS_READ_ONLY", "the property is read-only"),
    0x26: ("INVALID_DATA", "the value is invalid"),
    0x27: ("DATA_TOO_SMALL", "the value is below the minimum"),
    0x28: ("DATA_TOO_BIG", "the value is above the maximum"),
    0x29: ("WRITE_PROPERTY_FAILED", "writing failed in the device"),
    0x2A: ("READ_PROPERTY_FAILED", "reading failed in the device"),
    0x2B: ("ACCESS_DENIED", "the access level is too low"),
    0x2C: ("OBJECT_NOT_SUPPORTED", "the object is not supported"),
    0x2D: ("MULTICAST_READ_NOT_SUPPORTED", "groups of devices cannot be read"),
    0x2E: ("OBJECT_PROPERTY_INVALID", "the property of the object is invalid"),
    0x2F: ("FILE_OR_DIR_NOT_PRESENT", "no such file"),
    0x30: ("FILE_CORRUPTED", "the file is damaged"),
    0x81: ("INVALID_SHELL_ARG", "wrong argument"),
}
ERROR_CODES = {name: code for code, (name, _) in ERRORS.items()}
error_identifier_dictionary = {code: name for code, (name, _) in ERRORS.items()}  # the vendor's name


def error_name(code: int) -> str:
    """Return the name of an error code, or UNKNOWN."""
    return ERRORS[code][0] if code in ERRORS else "UNKNOWN"


class Identifier(NamedTuple):
    """The fields of a 29-bit identifier; the lowest of the 6 ``flags`` marks an error."""

    destination: int
    source: int
    service: int
    flags: int = 0

    @property
    def is_error(self) -> bool:
        return bool(self.flags & ERROR_FLAG)


class MessageNotification(NamedTuple):
    """A message of a device to all; devices do not use ``value`` yet."""

    message_id: int
    value: int

    def __repr__(self) -> str:
        return f"MessageNotification{{'message_id': {self.message_id}, 'value': {self.value}}}"


class Reply(NamedTuple):
    """The content of a reply: a value, or an error code."""

    object_id: int
    part: int | None = None
    value: float | None = None
    error_code: int | None = None


def encode_identifier(destination: int, source: int, service: int, flags: int = 0) -> int:
    """Return the 29-bit arbitration_id."""
    for what, number, limit in (
        ("destination", destination, ADDRESS_MASK),
        ("source", source, ADDRESS_MASK),
        ("service", service, 7),
        ("flags", flags, 0x3F),
    ):
        if not 0 <= number <= limit:
            raise ValueError(f"{what} {number} is not from 0 to {limit}")
    return destination << 19 | source << 9 | service << 6 | flags


def decode_identifier(arbitration_id: int) -> Identifier:
    """Split a 29-bit arbitration_id into its fields."""
    return Identifier(
        arbitration_id >> 19 & ADDRESS_MASK,
        arbitration_id >> 9 & ADDRESS_MASK,
        arbitration_id >> 6 & 7,
        arbitration_id & 0x3F,
    )


def encode_value(value: float) -> bytes:
    """Return the 4 bytes of a value.

    Raises:
        OverflowError: the value is too large for single precision.
    """
    return struct.pack(">f", value)


def decode_value(data: bytes) -> float:
    """Return the value of 4 bytes."""
    value: float = struct.unpack(">f", data)[0]
    return value


def rounded(value: float) -> float:
    """Round ``value`` to single precision."""
    return decode_value(encode_value(value))


def _field(what: str, number: int, size: int) -> bytes:
    limit = (1 << 8 * size) - 1
    if not 0 <= number <= limit:
        raise ValueError(f"{what} {number} is not from 0 to {limit}")
    return number.to_bytes(size, "big")


def encode_request(
    service: int, object_id: int, part: int | None = None, value: float | None = None
) -> bytes:
    """Return the data of a request; ``part`` is for parameters, ``value`` for writing.

    Raises:
        ValueError: a number is missing or out of range.
        OverflowError: the value is too large for single precision.
    """
    data = _field("number", object_id, 2)
    if service in (Service.READ_PARAMETER, Service.WRITE_PARAMETER):
        if part is None:
            raise ValueError("a parameter needs a part")
        data += _field("part", part, 1)
    if service == Service.WRITE_PARAMETER:
        if value is None:
            raise ValueError("writing needs a value")
        data += encode_value(value)
    return data


def encode_reply(service: int, reply: Reply) -> bytes:
    """Return the data of a reply; raises like ``encode_request``."""
    data = _field("number", reply.object_id, 2)
    if reply.error_code is not None:
        return data + reply.error_code.to_bytes(4, "big")
    if service != Service.READ_USER_INFO:
        data += _field("part", reply.part or 0, 1)
    if reply.value is None:
        raise ValueError("a reply needs a value")
    return data + encode_value(reply.value)


def decode_request(service: int, data: bytes) -> Reply:
    """Return the object of a request, with its part and value if it has them.

    Raises:
        ValueError: wrong length for the service.
    """
    if service not in REQUEST_LENGTHS or len(data) != REQUEST_LENGTHS[Service(service)]:
        raise ValueError(f"a request of service {service} does not have {len(data)} bytes")
    object_id = int.from_bytes(data[:2], "big")
    part = data[2] if len(data) > 2 else None
    return Reply(object_id, part, decode_value(data[3:7]) if len(data) > 3 else None)


def decode_reply(service: int, data: bytes, is_error: bool = False) -> Reply:
    """Return the content of a reply. Extra bytes are ignored, as in the vendor's client.

    Raises:
        ValueError: the data is too short, or the service has no replies.
    """
    if is_error:
        if len(data) < ERROR_LENGTH:
            raise ValueError(f"an error of {len(data)} bytes, not {ERROR_LENGTH}")
        return Reply(int.from_bytes(data[:2], "big"), error_code=int.from_bytes(data[2:6], "big"))
    if service not in REQUEST_LENGTHS:
        raise ValueError(f"service {service} has no replies")
    needed = REPLY_LENGTHS[Service(service)]
    if len(data) < needed:
        raise ValueError(f"a reply of {len(data)} bytes, not {needed}")
    object_id = int.from_bytes(data[:2], "big")
    if service == Service.READ_USER_INFO:
        return Reply(object_id, None, decode_value(data[2:6]))
    return Reply(object_id, data[2], decode_value(data[3:7]))


def encode_notification(notification: MessageNotification) -> bytes:
    """Return the data of a notification."""
    return _field("number", notification.message_id, 2) + notification.value.to_bytes(4, "big")


def decode_notification(data: bytes) -> MessageNotification:
    """Return the notification in ``data``.

    Raises:
        ValueError: the data is too short.
    """
    if len(data) < REPLY_LENGTHS[Service.MESSAGE]:
        raise ValueError(f"a message of {len(data)} bytes, not 6")
    return MessageNotification(int.from_bytes(data[:2], "big"), int.from_bytes(data[2:6], "big"))


def frame(destination: int, source: int, service: int, data: bytes, flags: int = 0) -> Message:
    """Return the CAN frame, extended even if the number would fit in 11 bits."""
    arbitration_id = encode_identifier(destination, source, service, flags)
    return Message(arbitration_id=arbitration_id, is_extended_id=True, data=data)


def is_carrier(message: Message) -> bool:
    """Return whether ``message`` can carry Xcom-CAN: a classic, extended data frame."""
    is_other = message.is_remote_frame or message.is_error_frame or message.is_fd or message.is_xl
    return message.is_extended_id and not is_other
