"""The socket of a SocketCAN bus: batches in, batches out."""

from __future__ import annotations

import socket
import sys
import threading
import time
from array import array
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from cantools_cli.backends.socketcan import records as codec
from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.bus.losses import MISSED_FRAMES, Losses
from cantools_cli.errors import CanOperationError, FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow
from cantools_cli.frame.message import Message
from cantools_cli.kernels import records as kernel

if TYPE_CHECKING:
    from cantools_cli.backends.socketcan.mmsg import Messages

#: number of frames above which it pays to load ``recvmmsg`` or ``sendmmsg``
FEW = 16
#: maximum size of a batch, of several calls for 256 messages each
BATCH_FRAMES = 4096


class RawPort:
    """Moves records through a socket, which it owns.

    ``channel`` is the channel of the frames, None to use the name of the interface of each frame. With ``xl``
    there may be CAN XL frames, which are long, so that frames are received one by one.

    Attributes:
        losses: counts of frames that the kernel dropped and of its malformed records.
    """

    def __init__(self, end: socket.socket, channel: str | None, *, xl: bool = False) -> None:
        self.socket = end
        self.losses = Losses()
        self._missed = 0
        self._channel = channel
        self._has_xl = xl
        self._largest = codec.XL_SIZE if xl else codec.FD_SIZE
        self._dropped = 0  # the kernel's count, modulo 2**32
        self._names: dict[int, str] = {}  # of interfaces, by index
        self._incoming: Messages | None = None
        self._outgoing: Messages | None = None
        self._has_mmsg = sys.byteorder == "little" and sys.maxsize > 1 << 32
        self._error: OSError | None = None  # to be raised after the frames received before it
        self._receiving = threading.Lock()
        self._sending = threading.Lock()
        self._wakeup = Wakeup(end.close)

    # --- receiving ------------------------------------------------------------------------------------

    def receive(self) -> MessageBatch | None:
        """Return the queued frames, None if there are none.

        Raises:
            OSError: the socket failed.
            CanOperationError: the socket is closed.
        """
        with self._receiving:
            self._check_open()
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            batch = MessageBatch(channels=() if self._channel is None else (self._channel,))
            try:
                while len(batch) < BATCH_FRAMES:
                    more = self._receive_few(batch) if self._incoming is None else self._receive_many(batch)
                    if not more:
                        break
            except BlockingIOError:
                pass
            except OSError as error:
                if not len(batch):
                    raise
                self._error = error
            return batch if len(batch) else None

    def _receive_few(self, batch: MessageBatch) -> bool:
        """Add queued frames to ``batch``, one per system call; return whether there may be more."""
        for _ in range(FEW):
            record, items, marks, address = self.socket.recvmsg(
                self._largest, codec.EXTRA_SIZE, socket.MSG_DONTWAIT
            )
            channel = self._channel or str(address[0])
            extra = codec.read_extra(items)
            stamp = time.time_ns() if extra.timestamp_ns is None else extra.timestamp_ns
            if extra.dropped is not None and extra.dropped != self._dropped:
                self._note_dropped(extra.dropped)
                batch.append(rx_overflow(stamp, channel))
            try:
                if marks & codec.MSG_TRUNC:
                    raise FormatError(f"a record of more than {self._largest} bytes")
                message = self._decoded(record)
            except FormatError as error:
                self._note_fault(error, record)
                continue
            message.timestamp_ns = stamp
            message.channel = channel
            message.is_rx = not marks & codec.MSG_DONTROUTE
            batch.append(message)
        if not self._has_xl:
            self._incoming = self._messages(receiving=True)  # a burst
        return True

    def _receive_many(self, batch: MessageBatch) -> bool:
        """Add queued frames to ``batch``, many per system call; return whether there may be more."""
        assert self._incoming is not None
        count = self._incoming.receive(self.socket.fileno())
        batch.extend(self._parsed(self._incoming, count))
        return count == self._incoming.room

    def _parsed(self, messages: Messages, count: int) -> MessageBatch:
        """Return the frames of the first ``count`` messages, including those that the kernel cannot parse."""
        now = time.time_ns()
        rows = 2 * count  # each may follow an error frame for dropped frames
        names = self._names
        if (
            self._channel is None and not names
        ):  # without names the kernel would assign all frames to one channel
            first = messages.interface(0)
            names[first] = _name_of(first)
        channels = tuple(names.values()) if self._channel is None else (self._channel,)
        batch = MessageBatch.with_room(rows, 64 * (rows + 1), channels)
        at = row = 0
        while at < count:
            at, row, reason = kernel.parse(
                at,
                count,
                messages.headers,
                messages.names,
                messages.records,
                messages.control,
                array("I", names),
                now,
                self._dropped,
                row,
                *batch.columns(),
            )
            if reason == kernel.DONE:
                break
            index = messages.interface(at)
            if self._channel is None and index not in names:
                names[index] = _name_of(index)
                batch.channels = tuple(names.values())
            if reason == kernel.DROPPED:
                extra = codec.read_extra(messages.extra(at))
                self._note_dropped(extra.dropped or 0)
                stamp = now if extra.timestamp_ns is None else extra.timestamp_ns
                batch.put(row, rx_overflow(stamp, self._channel or names[index]))
                row += 1
            elif reason == kernel.BAD:
                self._note_bad(messages.record(at))
                at += 1
        return batch.cut(row)

    def _decoded(self, record: bytes) -> Message:
        message = codec.decode(record)
        if message.is_xl and not self._has_xl:
            raise FormatError("a CAN XL frame on a socket without xl")
        return message

    def _note_bad(self, record: bytes) -> None:
        try:
            self._decoded(record)
        except FormatError as error:
            self._note_fault(error, record)
        else:
            self._note_fault(FormatError(f"a record of more than {codec.FD_SIZE} bytes"), record)

    def _note_fault(self, error: FormatError, record: bytes) -> None:
        fault = FormatError(f"{error.reason}: {record[:16].hex(' ')}")
        self.losses.add_fault("malformed records of the kernel skipped", fault)

    def _note_dropped(self, count: int) -> None:
        self._missed += count - self._dropped & 0xFFFFFFFF
        self._dropped = count
        self.losses[MISSED_FRAMES] = self._missed

    def count_dropped(self) -> None:
        """Count the frames dropped since the last received frame; the next one would report them."""
        try:
            counts = self.socket.getsockopt(codec.SOL_SOCKET, codec.SO_MEMINFO, codec.MEMINFO_SIZE)
        except OSError:  # closed, or Linux before 4.12
            return
        later = int.from_bytes(counts[-4:], sys.byteorder) - self._dropped & 0xFFFFFFFF
        if len(counts) == codec.MEMINFO_SIZE and 0 < later < 1 << 31:
            self.losses[MISSED_FRAMES] = self._missed + later

    # --- sending --------------------------------------------------------------------------------------

    def send(self, batch: MessageBatch, row: int) -> int:
        """Send frames of ``batch`` from ``row`` on; return the number of frames sent, at least one.

        Raises:
            BlockingIOError: there is no room; ``wait`` waits for it.
            OSError: the socket failed, or does not accept the frame.
            CanOperationError: the socket is closed.
        """
        with self._sending:
            self._check_open()
            if len(batch) - row > FEW and self._channel is not None and batch.xl is None:
                if self._outgoing is None:
                    self._outgoing = self._messages(receiving=False)
                if self._outgoing is not None:
                    return self._outgoing.send(self.socket.fileno(), batch, row)
            return self._send_few(batch, row)

    def _send_few(self, batch: MessageBatch, row: int) -> int:
        last = min(row + FEW, len(batch))
        for at in range(row, last):
            message = batch[at]
            try:
                if self._channel is None:
                    self.socket.sendto(codec.encode(message), socket.MSG_DONTWAIT, (message.channel,))
                else:
                    self.socket.send(codec.encode(message), socket.MSG_DONTWAIT)
            except OSError:
                if at > row:
                    return at - row
                raise
        return last - row

    def prepared(self, batch: MessageBatch) -> Callable[[int, int], int] | None:
        """Return a function that sends the rows of a range and returns the number of frames sent.

        It does not report errors: ``send`` does, when the rest is sent again. Return None if ``batch`` cannot
        be prepared.
        """
        if self._channel is None or batch.xl is not None or not self._has_mmsg:
            return None
        records = bytearray(kernel.RECORD_SIZE * len(batch))
        kernel.format(0, *batch.columns(), records, bytearray(kernel.VECTOR_SIZE * len(batch)))
        return partial(self._send_prepared, memoryview(records), bytes(batch.flags))

    def _send_prepared(self, records: memoryview, flags: bytes, first: int, last: int) -> int:
        with self._sending:
            self._check_open()
            for row in range(first, last):
                at = kernel.RECORD_SIZE * row
                size = codec.FD_SIZE if flags[row] & bits.FD else codec.CLASSIC_SIZE
                try:
                    self.socket.send(records[at : at + size], socket.MSG_DONTWAIT)
                except OSError:
                    return row - first
        return last - first

    def _messages(self, *, receiving: bool) -> Messages | None:
        if self._has_mmsg:
            from cantools_cli.backends.socketcan import mmsg  # ctypes costs 10 ms

            if mmsg.is_available():
                return mmsg.Messages(receiving=receiving)
            self._has_mmsg = False
        return None

    # --- waiting and closing --------------------------------------------------------------------------

    def wait(self, event: int | None, seconds: float | None) -> None:
        """Wait at most ``seconds`` for ``event`` of the socket, or for closing alone if ``event`` is None."""
        if event is None:
            self._wakeup.wait(seconds)
        else:
            self._wakeup.wait(seconds, self.socket, event)

    def close(self) -> None:
        """Close the socket once no thread waits for it; all waits end."""
        with self._receiving, self._sending:
            self._wakeup.close()

    def _check_open(self) -> None:
        if self._wakeup.is_closed:
            raise CanOperationError("Cannot operate on a closed bus")


def _name_of(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:  # removed since
        return f"if{index}"
