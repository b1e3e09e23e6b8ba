"""Frames of NI-CAN as columns, and frames to send.

::

    time, 100 ns since 1601   identifier type length data
    8057D38B2CB9D001          23010000   00   02     AA55000000000000      std 123, received: 22 bytes
                              23010020   01   04     0000000000000000      ext 123, remote
                              2B20F6BF   02   00     0000000000000000      a stuff error: the status BFF6202B

    identifier remote length data
    23010000   00     02     AA55000000000000                              std 123, to send: 14 bytes

All numbers are little-endian, since NI-CAN is for x86.

Source: National Instruments, NI-CAN Hardware and Software Manual, NCTYPE_CAN_STRUCT and NCTYPE_CAN_FRAME.
"""

from __future__ import annotations

import struct
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError, InvalidMessageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

READ_SIZE, WRITE_SIZE = 22, 14
MALFORMED = "malformed frames skipped"

DATA, REMOTE, COMM_ERROR, BUS_ERROR, TRANSCEIVER_ERROR = 0, 1, 2, 6, 7
EXTENDED = 0x20000000  #: the flag of an identifier
_MARKS = {3: "RTSI", 4: "start", 5: "delay"}  # frames without an event on the bus

_READ = struct.Struct("<QIBB8s")
_WRITE = struct.Struct("<IBB8s")
_OUTSIDE = ~(EXTENDED | bits.CAN_EFF_MASK)
_OWN_NS = 1_000_000_000  # the longest time between sending and self reception
_EPOCH = 116_444_736_000_000_000  # 1970 in units of 100 ns since 1601

#: cause of an error by the last error code of a controller; a communication error has it in bits 5 to 7
_CAUSES = {
    1: (error_frames.PROTOCOL, error_frames.KIND_STUFF, 0),
    2: (error_frames.PROTOCOL, error_frames.KIND_FORM, 0),
    3: (error_frames.NO_ACK, 0, 0),
    4: (error_frames.PROTOCOL, error_frames.KIND_RECESSIVE, 0),
    5: (error_frames.PROTOCOL, error_frames.KIND_DOMINANT, 0),
    6: (error_frames.PROTOCOL, 0, error_frames.PLACE_CRC),
}
_COMM = 0x0B  # the lowest bits of the status of a communication error
_PASSIVE, _WARNING = 128, 96  # error counters

ErrorFrame = tuple[int, bytes]  # class bits, 8 data bytes


def unix_ns(filetimes: Sequence[int]) -> array[int]:
    """Return nanoseconds since 1970 of times in units of 100 ns since 1601.

    Raises:
        OverflowError: a time is after the year 2262.
    """
    return array("q", [(time - _EPOCH) * 100 for time in filetimes])


def filetime(unix_ns: int) -> int:
    """Return the time in units of 100 ns since 1601 of nanoseconds since 1970."""
    return unix_ns // 100 + _EPOCH


class OwnFrames:
    """The frames sent within the last second, which recognize self reception: NI-CAN does not mark it."""

    def __init__(self) -> None:
        self._sent: deque[tuple[int, bytes]] = deque()

    def add(self, frame: bytes, now_ns: int) -> None:
        """Note that ``frame``, 14 bytes, was sent at ``now_ns`` on the monotonic clock."""
        self._drop_old(now_ns)
        self._sent.append((now_ns, frame))

    def take(self, frame: bytes, now_ns: int) -> bool:
        """Return whether the bytes of ``frame`` were sent recently; each sent frame matches once."""
        self._drop_old(now_ns)
        for entry in self._sent:
            if entry[1] == frame:
                self._sent.remove(entry)
                return True
        return False

    def remove(self, frame: bytes) -> None:
        """Forget the last ``frame``: it was not sent after all."""
        for entry in reversed(self._sent):
            if entry[1] == frame:
                self._sent.remove(entry)
                return

    def _drop_old(self, now_ns: int) -> None:
        while self._sent and now_ns - self._sent[0][0] > _OWN_NS:
            self._sent.popleft()


class Decoder:
    """Turns frames as NI-CAN returns them into frames of ``channel``.

    ``times_ns`` converts the times of frames to nanoseconds since the epoch. ``is_own`` tells whether the
    program sent a frame of 14 bytes, None if the driver does not return those. ``losses`` counts malformed
    frames. ``skipped`` receives the name of each frame without an event on the bus.

    Attributes:
        counters: the last reported numbers of errors in sending and in receiving.
    """

    def __init__(
        self,
        channel: Channel,
        losses: Losses,
        *,
        times_ns: Callable[[Sequence[int]], array[int]] = unix_ns,
        is_own: Callable[[bytes], bool] | None = None,
        skipped: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.counters = (0, 0)
        self._channels = (channel,)
        self._losses = losses
        self._times_ns = times_ns
        self._is_own = is_own
        self._skipped = skipped

    def feed(self, data: bytes | memoryview) -> MessageBatch:
        """Return the frames and errors in ``data``, 22 bytes each."""
        times: list[int] = []
        batch = MessageBatch(channels=self._channels)
        can_ids, flag_column, codes = batch.can_id, batch.flags, batch.dlc_code
        payload, offsets = batch.payload, batch.offset
        is_own = self._is_own
        for time, word, kind, length, room in _READ.iter_unpack(data):
            flags = 0
            if kind <= REMOTE:
                can_id = word & bits.CAN_EFF_MASK
                if word & EXTENDED:
                    can_id |= bits.CAN_EFF_FLAG
                elif can_id > bits.CAN_SFF_MASK:
                    length = 0xFF
                if length > 15 or word & _OUTSIDE:
                    self._count_malformed(word, kind, length)
                    continue
                piece = b"" if kind else room[: min(length, 8)]
                if is_own is not None and is_own(_WRITE.pack(word, kind, length, piece)):
                    flags = bits.TX
                if kind:
                    can_id |= bits.CAN_RTR_FLAG
            else:
                error = self._error(kind, word, room)
                if error is None:
                    continue
                can_id, length, piece = error[0] | bits.CAN_ERR_FLAG, 8, error[1]
            times.append(time)
            can_ids.append(can_id)
            flag_column.append(flags)
            codes.append(length)
            payload += piece
            offsets.append(len(payload))
        batch.timestamp_ns = self._times_ns(times)
        batch.channel = array("H", bytes(2 * len(times)))
        return batch

    def _count_malformed(self, word: int, kind: int, length: int) -> None:
        reason = f"a frame with identifier {word:#x}, type {kind} and length {length}"
        self._losses.add_fault(MALFORMED, FormatError(reason))

    def _error(self, kind: int, word: int, data: bytes) -> ErrorFrame | None:
        """Return the error frame of a frame of another type, or None."""
        if kind == COMM_ERROR:
            return comm_error(word)
        if kind == BUS_ERROR:
            self.counters = (data[1], data[2])
            return bus_error(data)
        if kind == TRANSCEIVER_ERROR:
            return error_frames.TRANSCEIVER, bytes(8)
        if kind in _MARKS:
            self._skipped(_MARKS[kind])
        else:
            self._count_malformed(word, kind, 0)
        return None


def comm_error(status: int) -> ErrorFrame:
    """Return the error frame of a communication error; data byte 5 is the lowest byte of its status."""
    cause = status >> 5 & 7 if status & 0x1F == _COMM else 0
    error_class, kind, place = _CAUSES.get(cause, (0, 0, 0))
    data = bytes((0, 0, kind, place, 0, status & 0xFF, 0, 0))
    return error_class | error_frames.BUS_ERROR, data


def bus_error(data: bytes) -> ErrorFrame:
    """Return the error frame of the state, the TX and RX error counters and the last error code."""
    tx_errors, rx_errors, last = data[1], data[2], data[3]
    error_class, kind, place = _CAUSES.get(last, (0, 0, 0))
    controller = 0
    for count, passive, warning in ((tx_errors, 0x20, 0x08), (rx_errors, 0x10, 0x04)):
        if count >= _WARNING:
            controller |= passive if count >= _PASSIVE else warning
    if controller:
        error_class |= error_frames.CONTROLLER
    error_class |= error_frames.BUS_ERROR | error_frames.COUNTERS
    return error_class, bytes((0, controller, kind, place, 0, 0, tx_errors, rx_errors))


def check(batch: MessageBatch) -> None:
    """Refuse frames that the controller cannot send.

    Raises:
        InvalidMessageError: the batch contains an error frame or a CAN FD frame.
    """
    for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
        if flags & bits.FD or can_id & bits.CAN_ERR_FLAG:
            kind = "CAN FD frames" if flags & bits.FD else "error frames"
            raise InvalidMessageError(f"NI-CAN cannot send {kind}", sent=0)


def encode(batch: MessageBatch, row: int) -> bytes:
    """Return the 14 bytes that send a row of a checked batch."""
    can_id = batch.can_id[row]
    word = can_id & bits.CAN_EFF_MASK
    if can_id & bits.CAN_EFF_FLAG:
        word |= EXTENDED
    data = batch.payload[batch.offset[row] : batch.offset[row + 1]]
    is_remote = bool(can_id & bits.CAN_RTR_FLAG)
    return _WRITE.pack(word, is_remote, min(batch.dlc_code[row], 8), data)
