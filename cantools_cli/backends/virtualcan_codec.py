"""virtualcan's TCP stream: one record of 18 bytes per frame, the same in both directions.

::

    0000000E  00000123  00  03  0102030000000000
    length    id        |   |   data, padded with zeros
                        |   length of the data
                        flags: bit 0 extended

All numbers are big-endian. There is no handshake, and there are no timestamps.

Loses: the timestamp, the direction, and the raw DLC codes of classic frames. The format has
no remote, error and CAN FD frames.

Source: the servers of github.com/windelbouwman/virtualcan.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter, deque

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError, FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

RECORD = struct.Struct(">IIBB8s")
LENGTH = 14  #: of a record, after its length
EXTENDED = 0x01

#: time after sending a record during which an equal one counts as its echo
ECHO_NS = 1_000_000_000
#: maximum number of expected echoes
ECHOES = 1 << 16


def encode(batch: MessageBatch) -> list[bytes]:
    """Return the records of all frames of ``batch``.

    Raises:
        CanOperationError: the batch contains a remote, error or CAN FD frame.
    """
    records: list[bytes] = []
    offset, payload = batch.offset, batch.payload
    for row, (can_id, flags) in enumerate(zip(batch.can_id, batch.flags, strict=True)):
        if flags & bits.FD or can_id & (bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG):
            raise CanOperationError("virtualcan carries neither remote frames, error frames nor CAN FD")
        data = payload[offset[row] : offset[row + 1]]
        identifier = can_id & bits.CAN_EFF_MASK
        extended = EXTENDED if can_id & bits.CAN_EFF_FLAG else 0
        records.append(RECORD.pack(LENGTH, identifier, extended, len(data), data))
    return records


class VirtualCanDecoder:
    """Turns a byte stream into batches; keeps an unfinished record for the next ``feed``.

    A frame with an identifier out of range is skipped and counted. A wrong length ends the stream, since the
    start of the next record is unknown.

    Attributes:
        losses: counts of malformed frames.
        failure: the error that ended the stream, or None.
        echoes: the sent records whose echoes are dropped, or None.
    """

    def __init__(
        self, channel: Channel = None, echoes: Echoes | None = None, losses: Losses | None = None
    ) -> None:
        self.losses = Losses() if losses is None else losses
        self.failure: FormatError | None = None
        self.echoes = echoes
        self._channels = (channel,)
        self._rest = b""

    def feed(self, text: bytes, timestamp_ns: int) -> MessageBatch:
        """Return the frames that ``text`` completes, with ``timestamp_ns`` as their timestamp."""
        batch = MessageBatch(channels=self._channels)
        if self.failure is not None:
            return batch
        text = self._rest + text
        whole = len(text) - len(text) % RECORD.size
        self._rest = text[whole:]
        echoes = self.echoes
        for at, record in enumerate(RECORD.iter_unpack(memoryview(text)[:whole])):
            length, identifier, flags, size, data = record
            if length != LENGTH or size > 8:
                self._fail(length, size)
                break
            if identifier > (bits.CAN_EFF_MASK if flags & EXTENDED else bits.CAN_SFF_MASK):
                error = FormatError(f"identifier {identifier:#x} is out of range")
                self.losses.add_fault("malformed frames skipped", error)
                continue
            begin = at * RECORD.size
            if echoes and echoes.takes(text[begin : begin + RECORD.size], timestamp_ns):
                continue
            batch.can_id.append(identifier | (bits.CAN_EFF_FLAG if flags & EXTENDED else 0))
            batch.dlc_code.append(size)
            batch.payload += data[:size]
            batch.offset.append(len(batch.payload))
        rows = len(batch.can_id)
        batch.timestamp_ns = array("q", (timestamp_ns,)) * rows
        batch.flags = bytearray(rows)
        batch.channel = array("H", bytes(2 * rows))
        if self.failure is None and self._rest[:4] != LENGTH.to_bytes(4, "big")[: len(self._rest)]:
            self._fail(int.from_bytes(self._rest[:4].ljust(4, b"\0"), "big"), 0)
        return batch

    def _fail(self, length: int, size: int) -> None:
        wrong = f"length {length}, not {LENGTH}" if length != LENGTH else f"{size} data bytes"
        self.failure = FormatError(f"not virtualcan: a record of {wrong}")


class Echoes:
    """The sent records that a server may return.

    For each sent record, the first equal record within a second is dropped. An equal frame of another node
    cannot be distinguished from an echo.
    """

    def __init__(self) -> None:
        self._sent: deque[tuple[int, bytes]] = deque()  # times of sending, in order
        self._open: Counter[bytes] = Counter()

    def __bool__(self) -> bool:
        return bool(self._sent)

    def add(self, records: list[bytes], now_ns: int) -> None:
        """Record that ``records`` are sent now."""
        self._forget(now_ns)
        for record in records[-ECHOES:]:
            self._sent.append((now_ns, record))
            self._open[record] += 1
        while len(self._sent) > ECHOES:
            self._drop_oldest()

    def takes(self, record: bytes, now_ns: int) -> bool:
        """Return whether ``record`` is the echo of a sent record, and remove that record."""
        self._forget(now_ns)
        if not self._open[record]:
            return False
        self._close(record)
        for at, (_, sent) in enumerate(self._sent):  # usually the first, since a server keeps the order
            if sent == record:
                del self._sent[at]
                break
        return True

    def _forget(self, now_ns: int) -> None:
        while self._sent and now_ns - self._sent[0][0] > ECHO_NS:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._close(self._sent.popleft()[1])

    def _close(self, record: bytes) -> None:
        self._open[record] -= 1
        if not self._open[record]:
            del self._open[record]
