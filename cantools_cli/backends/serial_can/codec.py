"""python-can's frames on a serial line: a start byte, a time, a length, an identifier, data, an end byte.

::

    AA DC050000 03 23010000 010203 BB           1.5 s, standard 123, data 01 02 03
    AA DC050000 01 EFCDAB92 11 BB               extended 12ABCDEF
    AA 00000000 04 00010040 BB                  remote 100, 4 bytes requested

Numbers are little-endian. The time counts milliseconds. The length is 0 to 8. Of the identifier, bit 31 marks
an extended one, bit 30 a remote frame, bit 29 an error frame; before python-can 4.6 these bits were always 0.
Nothing is escaped and there is no checksum, so a frame is found by its length: a candidate without the end
byte at its place costs one byte, and the search goes on after it.

Loses: CAN FD, the direction, raw DLC codes.

Source: the python-can manual, "CAN over Serial"; the bytes of python-can 4.1.0 and 4.6.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import Enum

from cantools_cli.backends.framing import CandidateDecoder
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

START = 0xAA
END = 0xBB
#: times of the wire count to this, and start again
MODULUS = 1 << 32

_HEAD = struct.Struct("<BIBI")
_SHORTEST = 11
_KINDS = bits.CAN_EFF_FLAG | bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG


class IdFlags(Enum):
    """The use of the three upper bits of an identifier.

    ``ON`` as of python-can 4.6, ``OFF`` as before. ``AUTO`` sends them; a received identifier of more than
    11 bits without any of them is extended.
    """

    AUTO = "auto"
    ON = "on"
    OFF = "off"


def encode(batch: MessageBatch, times: Iterable[int], id_flags: IdFlags = IdFlags.AUTO) -> list[bytes]:
    """Return the bytes of each frame; ``times`` are milliseconds modulo 2**32, one per frame.

    Raises:
        CanOperationError: a CAN FD frame, or a remote or error frame without flags.
    """
    frames = []
    offset, payload, codes = batch.offset, batch.payload, batch.dlc_code
    for row, (word, flags, time) in enumerate(zip(batch.can_id, batch.flags, times, strict=True)):
        if flags & bits.FD:
            raise CanOperationError("serial does not carry CAN FD frames")
        if flags & bits.EXTENDED_ERROR:
            word |= bits.CAN_EFF_FLAG
        data = bytes(payload[offset[row] : offset[row + 1]])
        size = min(codes[row], 8) if word & bits.CAN_RTR_FLAG else len(data)
        if id_flags is IdFlags.OFF:
            if word & (bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG):
                raise CanOperationError(
                    "serial does not carry remote and error frames without flags",
                    hint="id_flags=on sends them, as python-can 4.6",
                )
            word &= bits.CAN_EFF_MASK
        frames.append(b"%b%b\xbb" % (_HEAD.pack(START, time, size, word), data))
    return frames


class SerialCanDecoder(CandidateDecoder):
    """Decodes the stream; the timestamp of a frame is its time on the wire in milliseconds.

    Not in nanoseconds: only a clock can map it.
    """

    START = START

    def __init__(
        self,
        losses: Losses,
        channel: Channel = None,
        id_flags: IdFlags = IdFlags.AUTO,
        gap_ns: int | None = None,
    ) -> None:
        super().__init__(losses, channel, gap_ns)
        self._has_flags = id_flags is not IdFlags.OFF
        self._has_plain = id_flags is not IdFlags.ON

    def _end(self, text: bytes, at: int, size: int) -> int:
        place = at + 5
        length = text[place] if place < size else 0
        end = at + _SHORTEST + length
        if length > 8:
            return 0
        if at + _SHORTEST > size:
            return size + 1
        if text[at + 9] & 0x40 and text[at + 10] == END:  # a remote frame without bytes for its length
            return at + _SHORTEST
        return end if end > size or text[end - 1] == END else 0

    def _add(self, text: bytes, at: int, end: int, batch: MessageBatch, timestamp_ns: int) -> bool:
        _, time, length, word = _HEAD.unpack_from(text, at)
        mark = 0
        if word > bits.CAN_SFF_MASK:
            word, mark = self._can_id(word)
            if word < 0:
                return False
        batch.timestamp_ns.append(time)
        batch.can_id.append(word)
        batch.flags.append(mark)
        batch.channel.append(0)
        batch.dlc_code.append(length)
        if not word & bits.CAN_RTR_FLAG:
            batch.payload += text[at + 10 : end - 1]
        batch.offset.append(len(batch.payload))
        return True

    def _can_id(self, word: int) -> tuple[int, int]:
        """Return the identifier in SocketCAN's form and its flags, or -1 if no frame has it."""
        kind = word & _KINDS
        if not kind:
            return (word | bits.CAN_EFF_FLAG if self._has_plain else -1), 0
        if not self._has_flags or kind & ~bits.CAN_EFF_FLAG == bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG:
            return -1, 0
        if kind & bits.CAN_ERR_FLAG:
            return word & ~bits.CAN_EFF_FLAG, (bits.EXTENDED_ERROR if kind & bits.CAN_EFF_FLAG else 0)
        if not kind & bits.CAN_EFF_FLAG and word & bits.CAN_EFF_MASK > bits.CAN_SFF_MASK:
            return -1, 0
        return word, 0
