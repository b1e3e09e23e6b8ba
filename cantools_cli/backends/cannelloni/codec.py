"""cannelloni's datagrams and its TCP stream, to and from batches.

::

    02 00 07 0002                       a datagram: version, DATA, sequence, two frames
    00000123 03 010203                  can_id with SocketCAN's bits, length, data
    00000123 8C 04 0102..0C             length with bit 7: CAN FD, then flags 01 BRS, 02 ESI, 04 FDF
    40000123 04                         a remote frame: a length, and no data

Numbers are big-endian. Over TCP each side starts with ``CANNELLONIv1``; frames follow without headers.

Data of a length that CAN FD lacks is padded with zeros, as by a controller. An invalid frame is skipped and
counted.

Loses: the timestamp, the direction, and the raw DLC codes of classic frames. cannelloni itself reads remote
frames over TCP with length 0.

Source: the parser and the encoder of github.com/mguentner/cannelloni, frames of version 2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from cantools_cli.bus.losses import MISSED_PACKETS, Losses
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

VERSION = 2
DATA = 0
GREETING = b"CANNELLONIv1"
HEADER = struct.Struct(">BBBH")

#: maximum size of a datagram in an Ethernet packet, over IPv4 and over IPv6
ROOM_IPV4 = 1472
ROOM_IPV6 = 1452

FD_BIT = 0x80
BRS, ESI, FDF = 0x01, 0x02, 0x04

_HEAD = struct.Struct(">IB")
_COUNT_LIMIT = 0xFFFF
_TO_WIRE = bytes(
    FDF | (BRS if flags & bits.BRS else 0) | (ESI if flags & bits.ESI else 0) for flags in range(256)
)
_FROM_WIRE = bytes(
    bits.FD | (bits.BRS if flags & BRS else 0) | (bits.ESI if flags & ESI else 0) for flags in range(256)
)


def encode(batch: MessageBatch) -> list[bytes]:
    """Return the frames of ``batch`` in the encoding of datagrams and of the stream."""
    frames: list[bytes] = []
    offset, payload, codes = batch.offset, batch.payload, batch.dlc_code
    for row, (can_id, flags) in enumerate(zip(batch.can_id, batch.flags, strict=True)):
        if can_id & bits.CAN_RTR_FLAG:
            frames.append(_HEAD.pack(can_id, min(codes[row], 8)))
            continue
        data = payload[offset[row] : offset[row + 1]]
        if flags & bits.FD:
            frames.append(_HEAD.pack(can_id, len(data) | FD_BIT) + _TO_WIRE[flags : flags + 1] + data)
        else:
            frames.append(_HEAD.pack(can_id, len(data)) + data)
    return frames


def datagrams(batch: MessageBatch, sequence: int, room: int) -> Iterator[bytes]:
    """Yield the frames of ``batch``, in order, in datagrams of up to ``room`` bytes.

    ``sequence`` is the number of the first datagram.
    """
    waiting: list[bytes] = []
    size = HEADER.size
    for frame in encode(batch):
        if size + len(frame) > room or len(waiting) == _COUNT_LIMIT:
            yield HEADER.pack(VERSION, DATA, sequence & 0xFF, len(waiting)) + b"".join(waiting)
            sequence += 1
            waiting, size = [], HEADER.size
        waiting.append(frame)
        size += len(frame)
    if waiting:
        yield HEADER.pack(VERSION, DATA, sequence & 0xFF, len(waiting)) + b"".join(waiting)


def frames_in(datagram: bytes) -> int:
    """Return the number of frames in a datagram of ``datagrams``."""
    count: int = HEADER.unpack_from(datagram)[3]
    return count


class CannelloniDecoder:
    """Decodes datagrams, and counts losses for ``StreamDecoder`` as well.

    Attributes:
        losses: counts of malformed packets, of malformed frames, and of packets whose sequence numbers are
            missing; a packet that arrives late still counts as lost.
    """

    def __init__(self, channel: Channel = None, losses: Losses | None = None) -> None:
        self.losses = Losses() if losses is None else losses
        self._channels = (channel,)
        self._expected: int | None = None

    def batch(self) -> MessageBatch:
        """Return an empty batch for the datagrams of one channel."""
        return MessageBatch(channels=self._channels)

    def datagram(self, text: bytes, timestamp_ns: int, batch: MessageBatch) -> None:
        """Add the frames of a datagram to ``batch``; of a truncated one, the complete frames."""
        if len(text) < HEADER.size:
            self._bad_packet(f"a datagram of {len(text)} bytes")
            return
        version, operation, sequence, count = HEADER.unpack_from(text)
        if version != VERSION or operation != DATA:
            self._bad_packet(f"version {version}, operation {operation}")
            return
        self._note(sequence)
        at = HEADER.size
        for _ in range(count):
            end = _end_of_frame(text, at)
            if end is None or end < 0:
                self._bad_packet("a truncated datagram" if end is None else f"length {-end} of a frame")
                return
            self.add(text, at, end, timestamp_ns, batch)
            at = end

    def _note(self, sequence: int) -> None:
        if self._expected is not None:
            gap = (sequence - self._expected) & 0xFF
            if gap >= 0x80:  # late or duplicated
                return
            if gap:
                self.losses[MISSED_PACKETS] += gap
        self._expected = (sequence + 1) & 0xFF

    def add(self, text: bytes, at: int, end: int, timestamp_ns: int, batch: MessageBatch) -> None:
        """Add the frame in ``text[at:end]``."""
        can_id, length = _HEAD.unpack_from(text, at)
        size = length & ~FD_BIT
        reason = _fault(can_id, size, bool(length & FD_BIT))
        if reason is not None:
            error = FormatError(f"{reason}: {text[at:end].hex()}")
            self.losses.add_fault("malformed frames skipped", error)
            return
        if can_id & bits.CAN_ERR_FLAG:
            can_id &= ~bits.CAN_EFF_FLAG
        batch.timestamp_ns.append(timestamp_ns)
        batch.can_id.append(can_id)
        batch.channel.append(0)
        if length & FD_BIT:
            code = bits.len2dlc(size)
            batch.flags.append(_FROM_WIRE[text[at + 5]])
            batch.payload += text[at + 6 : end].ljust(bits.dlc2len(code), b"\0")
            batch.dlc_code.append(code)
        else:
            batch.flags.append(0)
            batch.payload += text[at + 5 : end]
            batch.dlc_code.append(size)
        batch.offset.append(len(batch.payload))

    def _bad_packet(self, reason: str) -> None:
        self.losses.add_fault("malformed packets skipped", FormatError(f"not cannelloni: {reason}"))


class StreamDecoder:
    """Decodes a TCP connection after its greeting; keeps an unfinished frame for the next ``feed``.

    Attributes:
        failure: the error that ended the stream, or None.
    """

    def __init__(self, decoder: CannelloniDecoder) -> None:
        self.failure: FormatError | None = None
        self._decoder = decoder
        self._rest = b""

    def feed(self, text: bytes, timestamp_ns: int) -> MessageBatch:
        """Return the frames that ``text`` completes, with ``timestamp_ns`` as their timestamp."""
        batch = self._decoder.batch()
        if self.failure is not None:
            return batch
        text = self._rest + text
        at = 0
        while (end := _end_of_frame(text, at)) is not None:
            if end < 0:  # the start of the next frame is unknown
                self.failure = FormatError(f"not cannelloni: length {-end} of a frame")
                break
            self._decoder.add(text, at, end, timestamp_ns, batch)
            at = end
        self._rest = text[at:]
        return batch


def _end_of_frame(text: bytes, at: int) -> int | None:
    """Return the end of the frame at ``at``, None if it is incomplete, or an invalid length, negated."""
    if at + _HEAD.size > len(text):
        return None
    length = text[at + 4]
    end = at + _HEAD.size
    size = length & ~FD_BIT
    if size > 64:
        return -size
    if length & FD_BIT:
        end += 1
    if not text[at] & bits.CAN_RTR_FLAG >> 24:
        end += size
    return end if end <= len(text) else None


def _fault(can_id: int, size: int, is_fd: bool) -> str | None:
    """Return why the frame is invalid, or None."""
    if can_id & bits.CAN_RTR_FLAG and (is_fd or can_id & bits.CAN_ERR_FLAG):
        return "a remote frame with the CAN FD or the error flag"
    if is_fd and can_id & bits.CAN_ERR_FLAG:
        return "an error frame with the CAN FD flag"
    if size > 8 and not is_fd:
        return f"a classic frame of {size} bytes"
    if (
        not can_id & (bits.CAN_EFF_FLAG | bits.CAN_ERR_FLAG)
        and can_id & bits.CAN_EFF_MASK > bits.CAN_SFF_MASK
    ):
        return "a standard identifier of more than 11 bits"
    return None
