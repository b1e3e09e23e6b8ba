"""Messages of Seeed Studio's USB-CAN Analyzer and adapters with the same firmware.

::

    AA C3 2301 010203 55                        standard 123, data 01 02 03
    AA E8 EFCDAB12 1122334455667788 55          extended 12ABCDEF, 8 bytes
    AA D4 2301 55                               remote 123, 4 bytes requested
    AA 55 12 03 01 00000000 00000000 00 01 00000000 17      set-up: see ``setup``
    AA 55 04 05 06 ... 0F                       status: 5 receive errors, 6 transmit errors

The second byte of a frame is the sum of C0, 20 if it is extended, 10 if it is remote, and the length from 0
to 8. Numbers are little-endian. Frames have neither escapes nor a checksum and are found by their length: a
candidate without the end byte at its place costs one byte. Messages that begin with AA 55 have 20 bytes, of
which the last one is the sum of those after the first two, modulo 256.

Remote frames are sent without data bytes; received ones may have as many zeros as they request.

Loses: CAN FD, error frames, the direction, the timestamp, raw DLC codes.

Source: the python-can manual, "Seeed Studio USB-CAN Analyzer"; the bytes of python-can 4.6.1.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cantools_cli.backends.framing import CandidateDecoder
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

START = 0xAA
END = 0x55
#: the first byte of a frame is followed by this, with the flags below and a length
DATA, EXTENDED, REMOTE = 0xC0, 0x20, 0x10
#: the first two bytes of a message of 20 bytes are followed by its kind
FIXED_FRAME, STATUS, SETUP = 0x01, 0x04, 0x12
MESSAGE_SIZE = 20

FIXED_FRAMES = "frames of the fixed length mode skipped"

BITRATE = {
    1000000: 0x01,
    800000: 0x02,
    500000: 0x03,
    400000: 0x04,
    250000: 0x05,
    200000: 0x06,
    125000: 0x07,
    100000: 0x08,
    50000: 0x09,
    20000: 0x0A,
    10000: 0x0B,
    5000: 0x0C,
}
FRAMETYPE = {"STD": 0x01, "EXT": 0x02}
OPERATIONMODE = {"normal": 0x00, "loopback": 0x01, "silent": 0x02, "loopback_and_silent": 0x03}

_SETUP = struct.Struct("<BBIIBB4x")
_SEND_ONCE = 0x01


class StatusCounters(NamedTuple):
    """The error counters of the controller."""

    rx: int
    tx: int


def setup(
    bitrate: int, frame_type: str, operation_mode: str, filter_id: int = 0, filter_mask: int = 0
) -> bytes:
    """Return the message that configures the adapter; it has no answer."""
    return _message(
        SETUP,
        _SETUP.pack(
            BITRATE[bitrate],
            FRAMETYPE[frame_type],
            filter_id,
            filter_mask,
            OPERATIONMODE[operation_mode],
            _SEND_ONCE,
        ),
    )


def status_request() -> bytes:
    """Return the message that requests the error counters."""
    return _message(STATUS, b"")


def _message(kind: int, content: bytes) -> bytes:
    body = bytes((kind,)) + content.ljust(MESSAGE_SIZE - 4, b"\0")
    return b"\xaa\x55" + body + bytes((sum(body) & 0xFF,))


def encode(batch: MessageBatch) -> list[bytes]:
    """Return the bytes of each frame.

    Raises:
        CanOperationError: a CAN FD or an error frame.
    """
    frames = []
    offset, payload, codes = batch.offset, batch.payload, batch.dlc_code
    for row, (word, flags) in enumerate(zip(batch.can_id, batch.flags, strict=True)):
        if flags & bits.FD or word & bits.CAN_ERR_FLAG:
            raise CanOperationError("seeedstudio carries neither CAN FD nor error frames")
        data = bytes(payload[offset[row] : offset[row + 1]])
        kind = DATA | len(data)
        if word & bits.CAN_RTR_FLAG:
            kind = DATA | REMOTE | min(codes[row], 8)
        if word & bits.CAN_EFF_FLAG:
            identifier = (word & bits.CAN_EFF_MASK).to_bytes(4, "little")
            kind |= EXTENDED
        else:
            identifier = (word & bits.CAN_SFF_MASK).to_bytes(2, "little")
        frames.append(b"\xaa%c%b%b\x55" % (kind, identifier, data))
    return frames


class SeeedstudioDecoder(CandidateDecoder):
    """Decodes the stream; error counters that differ from the last ones become an error frame.

    Attributes:
        counters: the counters of the last status message, or None.
        counted: whether a status message arrived; the caller may clear it.
        messages: the number of frames and status messages so far.
    """

    START = START

    def __init__(self, losses: Losses, channel: Channel = None, gap_ns: int | None = None) -> None:
        super().__init__(losses, channel, gap_ns)
        self.counters: StatusCounters | None = None
        self.counted = False
        self.messages = 0

    def _end(self, text: bytes, at: int, size: int) -> int:
        if at + 2 > size:
            return size + 1
        kind = text[at + 1]
        if kind == END:
            return _end_of_message(text, at, size)
        length = kind & 0x0F
        if kind & DATA != DATA or length > 8:
            return 0
        end = at + (6 if kind & EXTENDED else 4)
        if kind & REMOTE and end < size and text[end] == END:
            return end + 1
        end += length + 1
        return end if end > size or text[end - 1] == END else 0

    def _add(self, text: bytes, at: int, end: int, batch: MessageBatch, timestamp_ns: int) -> bool:
        kind = text[at + 1]
        if kind == END:
            self._note(text, at, end, batch, timestamp_ns)
            return True
        begin = at + (6 if kind & EXTENDED else 4)
        word = int.from_bytes(text[at + 2 : begin], "little")
        if word > (bits.CAN_EFF_MASK if kind & EXTENDED else bits.CAN_SFF_MASK):
            return False
        if kind & EXTENDED:
            word |= bits.CAN_EFF_FLAG
        if kind & REMOTE:
            word |= bits.CAN_RTR_FLAG
        else:
            batch.payload += text[begin : end - 1]
        batch.timestamp_ns.append(timestamp_ns)
        batch.can_id.append(word)
        batch.flags.append(0)
        batch.channel.append(0)
        batch.dlc_code.append(kind & 0x0F)
        batch.offset.append(len(batch.payload))
        self.messages += 1
        return True

    def _note(self, text: bytes, at: int, end: int, batch: MessageBatch, timestamp_ns: int) -> None:
        """Handle a message of 20 bytes."""
        if text[at + 2] != STATUS:
            self._losses[FIXED_FRAMES] += 1
            self._keep_fault("a frame of the fixed length mode")
            return
        before, self.counters = self.counters, StatusCounters(text[at + 3], text[at + 4])
        self.counted = True
        self.messages += 1
        if before is not None and self.counters != before:
            data = bytes((0, 0, 0, 0, 0, 0, self.counters.tx, self.counters.rx))
            frame = error_frames.message(error_frames.COUNTERS, data)
            frame.channel = self._channels[0]
            frame.timestamp_ns = timestamp_ns
            batch.append(frame)


def _end_of_message(text: bytes, at: int, size: int) -> int:
    if at + 3 <= size and text[at + 2] not in (FIXED_FRAME, STATUS):
        return 0
    end = at + MESSAGE_SIZE
    if end <= size and sum(text[at + 2 : end - 1]) & 0xFF != text[end - 1]:
        return 0
    return end
