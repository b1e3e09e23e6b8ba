"""Packets of Robotell's USB-CAN adapters.

::

    AAAA EFCDAB12 11223344A555667788 08 00 01 00 E6 5555      extended 12ABCDEF, 11 22 33 44 55 66 77 88
    AAAA 23010000 0000000000000000 04 00 00 01 29 5555        remote 123, 4 bytes requested
    AAAA D0FEFF01 20A1070000000000 04 FF 01 00 9A 5555        set the bit rate to 500000

Between the two delimiters are 17 bytes: identifier (4, little-endian), data (8, padded with zeros), length
from 0 to 8, channel (FF for settings), 01 for an extended identifier, 01 for a remote frame, and the sum of
all these modulo 256. A5 precedes each AA, 55 and A5 among them and is not counted.

A packet on channel FF writes a setting, which the adapter confirms by the same packet as a remote one; a
remote packet reads a setting, which the answer contains.

Loses: CAN FD, error frames, the direction, the timestamp, raw DLC codes.

Source: the python-can manual, "Robotell CAN-USB interface"; the bytes of python-can 4.6.1.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from typing import NamedTuple

from cantools_cli.backends.framing import FramingDecoder
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

# settings: their identifiers
SERIAL_RATE = 0x01FFFE90
RETRANSMIT = 0x01FFFEA0
BUS_MANAGEMENT = 0x01FFFEB0
INITIALISE = 0x01FFFEC0
BITRATE = 0x01FFFED0
FILTER = 0x01FFFEE0  #: of filter 1; the next 13 follow
SERIAL_NUMBER = 0x01FFFFF0  #: of its first half; the second follows

FILTERS = 14
FILTER_SETTINGS = range(FILTER, FILTER + FILTERS)
SERIAL_NUMBER_SETTINGS = range(SERIAL_NUMBER, SERIAL_NUMBER + 2)
FILTER_ENABLED = 0x80000000
FILTER_EXTENDED = 0x40000000

MAX_ANSWERS = 256  #: answers that are kept

_SETTINGS_CHANNEL = 0xFF
_BODY = struct.Struct("<I8sBBBB")
_BODY_SIZE = 17
_LARGEST = 2 + 2 * _BODY_SIZE + 2
_TEXT = rb"[^\xAA\x55\xA5]*(?:\xA5[\x00-\xFF][^\xAA\x55\xA5]*)*"
_PACKET = re.compile(rb"\xAA\xAA(%b)\x55\x55" % _TEXT)
_UNFINISHED = re.compile(rb"\xAA(?:\xAA%b(?:\xA5|\x55)?)?\Z" % _TEXT)
_ESCAPED = re.compile(rb"\xA5([\x00-\xFF])")
_SPECIAL = re.compile(rb"[\xAA\x55\xA5]")


class RobotellAnswer(NamedTuple):
    """A packet of the channel for settings."""

    setting: int
    value: bytes  # 8 bytes
    is_confirmation: bool


def packet(word: int, data: bytes, length: int, channel: int, is_extended: bool, is_remote: bool) -> bytes:
    """Return a packet; ``word`` is the identifier."""
    body = _BODY.pack(word, data, length, channel, is_extended, is_remote)
    body += bytes((sum(body) & 0xFF,))
    if _SPECIAL.search(body):
        body = _SPECIAL.sub(b"\xa5\\g<0>", body)
    return b"\xaa\xaa%b\x55\x55" % body


def write(setting: int, value: bytes, length: int | None = None) -> bytes:
    """Return the packet that writes ``value`` to ``setting``; ``length`` is by default that of the value."""
    size = len(value) if length is None else length
    return packet(setting, value, size, _SETTINGS_CHANNEL, is_extended=True, is_remote=False)


def read(setting: int) -> bytes:
    """Return the packet that reads ``setting``."""
    return packet(setting, b"", 8, _SETTINGS_CHANNEL, is_extended=True, is_remote=True)


def word(number: int) -> bytes:
    """Return the value of a setting with one number."""
    return number.to_bytes(4, "little")


def filter_value(identifier: int, mask: int, is_extended: bool, is_enabled: bool) -> bytes:
    """Return the value of a filter's setting."""
    kind = (FILTER_ENABLED if is_enabled else 0) | (FILTER_EXTENDED if is_extended else 0)
    return word(identifier | kind) + word(mask)


def encode(batch: MessageBatch) -> list[bytes]:
    """Return the packet of each frame.

    Raises:
        CanOperationError: a CAN FD or an error frame.
    """
    packets = []
    offset, payload, codes = batch.offset, batch.payload, batch.dlc_code
    for row, (word, flags) in enumerate(zip(batch.can_id, batch.flags, strict=True)):
        if flags & bits.FD or word & bits.CAN_ERR_FLAG:
            raise CanOperationError("robotell carries neither CAN FD nor error frames")
        is_remote = bool(word & bits.CAN_RTR_FLAG)
        data = bytes(payload[offset[row] : offset[row + 1]])
        length = min(codes[row], 8) if is_remote else len(data)
        is_extended = bool(word & bits.CAN_EFF_FLAG)
        packets.append(packet(word & bits.CAN_EFF_MASK, data, length, 0, is_extended, is_remote))
    return packets


class RobotellDecoder(FramingDecoder):
    """Decodes the stream.

    Attributes:
        answers: packets of the channel for settings, at most MAX_ANSWERS.
    """

    def __init__(self, losses: Losses, channel: Channel = None) -> None:
        super().__init__(losses, channel)
        self.answers: deque[RobotellAnswer] = deque(maxlen=MAX_ANSWERS)

    def _parse(self, text: bytes, batch: MessageBatch, timestamp_ns: int, *, ends: bool) -> int:
        at = 0
        for match in _PACKET.finditer(text):
            begin, end = match.span()
            if begin > at:
                self._skip(text, at, begin)
            at = end
            body = match[1]
            if b"\xa5" in body:
                body = _ESCAPED.sub(rb"\1", body)
            reason = _fault(body) or self._add(body, batch, timestamp_ns)
            if reason is not None:
                self._reject(text, begin, end, reason)
        unfinished = _UNFINISHED.search(text, max(at, len(text) - _LARGEST))
        rest = unfinished.start() if unfinished else len(text)
        self._skip(text, at, rest)
        return rest

    def _add(self, body: bytes, batch: MessageBatch, timestamp_ns: int) -> str | None:
        """Handle a packet with a valid checksum; return why it is malformed, or None."""
        word, data, length, channel, is_extended, is_remote = _BODY.unpack_from(body)
        if channel == _SETTINGS_CHANNEL:
            self.answers.append(RobotellAnswer(word, data, is_remote == 1))
            return None
        if word > (bits.CAN_EFF_MASK if is_extended else bits.CAN_SFF_MASK):
            return "identifier out of range"
        if length > 8 or channel or is_extended > 1 or is_remote > 1:
            return "invalid length, channel or kind"
        if is_extended:
            word |= bits.CAN_EFF_FLAG
        if is_remote:
            word |= bits.CAN_RTR_FLAG
        else:
            batch.payload += data[:length]
        batch.timestamp_ns.append(timestamp_ns)
        batch.can_id.append(word)
        batch.flags.append(0)
        batch.channel.append(0)
        batch.dlc_code.append(length)
        batch.offset.append(len(batch.payload))
        return None


def _fault(body: bytes) -> str | None:
    if len(body) != _BODY_SIZE:
        return f"a packet of {len(body)} bytes instead of {_BODY_SIZE}"
    if sum(body[:-1]) & 0xFF != body[-1]:
        return "wrong checksum"
    return None
