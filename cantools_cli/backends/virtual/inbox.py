"""Receives frames from the virtual bus between processes.

A Unix datagram socket queues about ten datagrams, whatever the size of its buffer, so a thread of each reader
moves them into a queue of its process. While that queue is full the thread pauses, and senders wait.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import threading
import time
from collections import deque
from contextlib import ExitStack, closing, suppress

from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.backends.virtual.line import DATAGRAM, HostLine
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import MISSED_FRAMES, Losses
from cantools_cli.errors import CanOperationError, CanTimeoutError, FormatError
from cantools_cli.frame import xl
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow
from cantools_cli.frame.message import Channel
from cantools_cli.kernels import wire as kernel

QUEUE_FRAMES = 1_000_000  #: maximum number of queued frames, apart from one datagram
QUEUE_BYTES = 1 << 26
BATCH_FRAMES = 1 << 16  #: maximum size of a received batch

_OPEN_TIMEOUT = 10.0
_OBJECT_BYTES = 96  # overhead of a queued datagram
_HEADER = struct.Struct("<BBHIIIQq")  # as in kernels/wire.py
_NONE_MISSED = bytes(8)


class Inbox:
    """Receives frames from a line: a socket, the thread that reads it, and a bounded queue.

    Attributes:
        number: the number of the bus on the line.
        losses: counts of frames that were not read in time and of malformed datagrams.
    """

    def __init__(self, line: HostLine, channel: Channel, queue_frames: int, losses: Losses) -> None:
        self.losses = losses
        self._line = line
        self._channel = channel
        self._frame_limit = queue_frames or QUEUE_FRAMES
        self._queue: deque[tuple[int, bytes]] = deque()  # number of frames, datagram
        # Two counters per quantity, each with one writer: received and taken.
        self._frames_in = self._frames_out = self._bytes_in = self._bytes_out = 0
        self._room = threading.Event()
        self._taking = threading.Lock()
        self._reading = threading.Lock()  # for moving datagrams from the socket to the queue
        self._buffer = bytearray(DATAGRAM)
        self._closed = False
        self._progress = 0
        self._held = ExitStack()
        self._held.callback(line.close)
        try:
            self._wakeup = self._held.enter_context(closing(Wakeup()))
            self._socket = self._held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            self._socket.settimeout(None)  # a default timeout would make MSG_DONTWAIT wait
            self._join()
        except BaseException:
            self.abandon()
            raise
        self._thread = threading.Thread(target=self._empty_socket, name=f"virtual:{line.name}", daemon=True)
        self._thread.start()

    def _join(self) -> None:
        """Bind the socket; all later sends include it."""
        import mmap  # not needed for sending

        line = self._line
        line.acquire(Deadline(_OPEN_TIMEOUT))
        try:
            bound = False
            while not bound:  # a number is taken only if the file of the wire was removed
                self.number = line.next_generation()
                bound = self._bind(line.address(f"{self.number}.bus"))
            file = os.open(line.file(f"{self.number}.state"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(file, bytes(16), 0)
                self._state = self._held.enter_context(mmap.mmap(file, 16))
            finally:
                os.close(file)
        finally:
            line.release()

    def _bind(self, address: str) -> bool:
        try:
            self._socket.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        return True

    # --- the thread -----------------------------------------------------------------------------------

    def _empty_socket(self) -> None:
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        while not self._closed:
            try:
                waiting.poll()
                self._read_waiting()
            except (OSError, ValueError):  # closed by another thread
                return
            while self._is_full and not self._closed:
                self._room.clear()
                if self._is_full and not self._closed:  # still full after the event was cleared
                    self._room.wait()

    def _read_waiting(self) -> None:
        """Move queued datagrams from the socket to the queue while there is room.

        The thread calls this, and so does a receiver that finds the queue empty: a poll would miss datagrams
        that the thread has not moved yet. The lock keeps the order.
        """
        with self._reading:
            while not (self._closed or self._is_full):
                try:
                    size = self._socket.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return
                if self._closed:
                    return
                self._accept(bytes(memoryview(self._buffer)[:size]))
                self._note_progress()
                if self._state[8:16] != _NONE_MISSED:
                    self._catch_up()

    def _accept(self, datagram: bytes) -> None:
        if len(datagram) < _HEADER.size:
            self._add_fault(f"{len(datagram)} bytes, shorter than a header")
            return
        version, _, _, size, count, missed, _, _ = _HEADER.unpack_from(datagram)
        if version != kernel.VERSION or size != len(datagram) or count > size // 8:
            self._add_fault(f"version {version}, size {size} of {len(datagram)} bytes, {count} frames")
            return
        rows = count + (missed > 0)
        self._queue.append((rows, datagram))
        self._frames_in += rows
        self._bytes_in += size + _OBJECT_BYTES
        self._wakeup.set()

    def _add_fault(self, reason: str) -> None:
        error = FormatError(f"not a datagram of the virtual bus: {reason}")
        self.losses.add_fault("malformed datagrams skipped", error)

    def _catch_up(self) -> None:
        """Move the remaining datagrams, then queue a marker for the frames lost after them."""
        while True:
            try:
                self._line.acquire(Deadline(1.0))
                break
            except CanTimeoutError:
                if self._closed:
                    return
        try:
            with suppress(BlockingIOError):
                while True:
                    self._accept(self._socket.recv(DATAGRAM, socket.MSG_DONTWAIT))
            missed = int.from_bytes(self._state[8:16], "little")
            if missed:
                self._state[8:16] = _NONE_MISSED
                count = min(missed, 0xFFFFFFFF)
                self._accept(_HEADER.pack(kernel.VERSION, 0, 0, _HEADER.size, 0, count, 0, time.time_ns()))
        finally:
            self._line.release()

    def _note_progress(self) -> None:
        self._progress += 1
        self._state[0:8] = self._progress.to_bytes(8, "little")

    @property
    def _is_full(self) -> bool:
        return (
            self._frames_in - self._frames_out >= self._frame_limit
            or self._bytes_in - self._bytes_out >= QUEUE_BYTES
        )

    # --- receiving -----------------------------------------------------------------------------

    def receive(self, timeout: float | None) -> MessageBatch | None:
        deadline = Deadline(timeout)
        while not self._closed:
            with self._taking:
                if not self._queue:
                    with suppress(OSError, ValueError):  # closed by another thread
                        self._read_waiting()
                if self._queue:
                    return self._take()
                self._settle()
            if not self._wakeup.wait(deadline.remaining()):
                return None
        raise CanOperationError("Cannot operate on a closed bus")

    def waiting(self) -> int:
        """Return the number of queued frames."""
        with suppress(OSError, ValueError):  # closed by another thread
            self._read_waiting()
        return self._frames_in - self._frames_out

    def note_taken(self, more: bool) -> None:
        """Keep the descriptor ready while there is ``more`` outside the queue or frames in it."""
        if self._closed:
            return
        if not more:
            self._settle()
            return
        self._wakeup.set()
        if self._is_full:  # taking the frames of a batch one by one is progress too
            self._note_progress()

    def fileno(self) -> int:
        return self._wakeup.fileno()

    def _settle(self) -> None:
        if not self._queue and self._wakeup.is_set:
            self._wakeup.clear()
            if self._queue or self._closed:  # added since the first check
                self._wakeup.set()

    def _take(self) -> MessageBatch:
        rows = size = 0
        datagrams: list[bytes] = []
        while self._queue and (not datagrams or rows + self._queue[0][0] <= BATCH_FRAMES):
            count, datagram = self._queue.popleft()
            rows += count
            size += len(datagram) + _OBJECT_BYTES
            datagrams.append(datagram)
        self._frames_out += rows
        self._bytes_out += size
        if not self._room.is_set():
            self._room.set()
        return self._decoded(datagrams[0] if len(datagrams) == 1 else b"".join(datagrams), rows)

    def _decoded(self, text: bytes | bytearray, rows: int) -> MessageBatch:
        batch = MessageBatch.with_room(rows, len(text) + 8, (self._channel,))  # 8 for an error frame
        at = row = 0
        while at < len(text):
            at, row, reason = kernel.parse(text, at, len(text), self.number, row, *batch.columns())
            if reason == kernel.DONE:
                break
            _, _, _, size, _, missed, _, stamp = _HEADER.unpack_from(text, at)
            if reason == kernel.MISSED:
                self.losses[MISSED_FRAMES] += missed
                batch.put(row, rx_overflow(stamp, self._channel))
                row += 1
                text = text if isinstance(text, bytearray) else bytearray(text)
                text[at + 12 : at + 16] = bytes(4)
            elif reason == kernel.XL:
                row += self._take_xl(text[at : at + size], batch, row)
                at += size
            else:
                self._add_fault("a frame that is not valid")
                at += size
        return batch.cut(row)

    def _take_xl(self, datagram: bytes | bytearray, batch: MessageBatch, row: int) -> int:
        """Store the CAN XL frame of ``datagram`` in ``row``; return 1, or 0 if the datagram is malformed."""
        _, _, _, _, count, _, sender, stamp = _HEADER.unpack_from(datagram)
        try:
            if count != 1:
                raise FormatError(f"{count} frames in a CAN XL datagram")
            message = xl.unpack(bytes(datagram[_HEADER.size :]))
        except FormatError as error:
            self._add_fault(error.reason)
            return 0
        message.timestamp_ns = stamp
        message.channel = self._channel
        message.is_rx = sender != self.number
        batch.put(row, message)
        return 1

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._room.set()
        self._wake_thread()
        self._wakeup.set()
        self._thread.join(2.0)
        with self._taking:
            try:
                self._line.acquire(Deadline(1.0))
            except CanTimeoutError:  # held by a stopped process
                self._line.remove(self.number)
            else:
                try:
                    self._line.remove(self.number)
                    self._line.next_generation()
                finally:
                    self._line.release()
            self.abandon()

    def _wake_thread(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RD)
        except OSError:  # macOS supports this for connected sockets only
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
                bell.setblocking(False)
                bell.sendto(b"", self._line.address(f"{self.number}.bus"))

    def abandon(self) -> None:
        """Close all descriptors without changing shared state."""
        self._closed = True
        self._held.close()

    def forget_threads(self) -> None:
        """After a fork, which copies only the thread that forked."""
        self._wakeup.forget_threads()
