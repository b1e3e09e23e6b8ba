"""A byte stream as a port: reads and decodes what arrived, writes whole records, waits without a lock.

Reading, decoding and writing happen under one lock and never block; a thread that has to wait releases it, so
that one thread can receive while others send. A sender that waits for room reads as well, or two ends that
both only write would wait for each other forever.

Any thread may so read what another one waits for. Of the threads that wait for input, one polls the stream;
others wait for a notification, which follows every read.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Protocol

from cantools_cli.backends.transport.sent import sent_copy
from cantools_cli.backends.transport.waiting import MAX_WAIT, Wakeup
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import MISSED_FRAMES, Losses
from cantools_cli.bus.readiness import Readiness
from cantools_cli.errors import CanOperationError, CanTimeoutError, reason_of
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow
from cantools_cli.frame.message import Channel

QUEUE_FRAMES = 1_000_000  #: received frames kept for a program that sends and does not receive
READ_BYTES = 1 << 20  #: maximum size of one read
MAX_REPLIES = 4096  #: maximum number of replies that wait for room

PIECE = 1 << 16  #: bytes of one call of ``recv``
_RECORDS = 4096  # written at once


class Stream(Protocol):
    """A non-blocking stream: a socket, or an object that makes one of a device."""

    def recv(self, size: int, /) -> bytes:
        """Return what arrived, empty at the end of the stream; raise BlockingIOError if nothing did."""

    def send(self, data: memoryview, /) -> int:
        """Write as much as fits and return its size; raise BlockingIOError if nothing fits."""

    def fileno(self) -> int: ...
    def close(self) -> None: ...


class StreamPort:
    """A stream and the protocol on it.

    ``decode(data, time_ns)`` returns the frames that a piece of the stream completes, and gets the time at
    which it was read; it may call ``reply`` and ``fail``.
    ``name`` is the connection's name in errors, ``channel`` the channel of the error frame that reports an
    overflow. ``losses`` counts frames that are dropped because the program does not receive them.
    """

    #: the errors of a stream that would block
    blocked: tuple[type[OSError], ...] = (BlockingIOError,)
    #: the number of bytes that it may have accepted nevertheless
    held = 0

    def __init__(
        self,
        end: Stream,
        decode: Callable[[bytes, int], MessageBatch],
        name: str,
        channel: Channel = None,
        losses: Losses | None = None,
    ) -> None:
        self._losses = Losses() if losses is None else losses
        self._end = end
        self._decode = decode
        self._name = name
        self._channel = channel
        self._lock = threading.Lock()
        self._arrival = threading.Condition(self._lock)
        self._is_polled = False  # whether a thread that waits for input polls the stream
        self._readiness: Readiness | None = None  # after the first call of fileno()
        self._received = MessageBatch()
        self._overflown = False
        self._records: deque[bytes] = deque()  # to be written
        self._written = 0  # bytes of the first record that are written already
        self._replies = 0  # since all records were written
        self._failure: CanOperationError | None = None
        self._wakeup = Wakeup(end.close)
        self.is_lost = False

    def fileno(self) -> int:
        """Return a descriptor that is ready to read if ``receive`` would not wait, -1 after closing."""
        with self._lock:
            if self._wakeup.is_closed:
                return -1
            if self._readiness is None:
                self._readiness = Readiness(self._end.fileno())
                self._mark_ready()
            return self._readiness.fileno()

    def _mark_ready(self) -> None:
        """Make ``fileno`` ready if frames or an error are queued; the lock is held."""
        if self._readiness is not None:
            self._readiness.fetched = len(self._received) > 0 or self._overflown or self._failure is not None

    # --- receiving ------------------------------------------------------------------------------------

    def receive(
        self, timeout: float | None, until: Callable[[], bool] = lambda: False
    ) -> MessageBatch | None:
        """Return the frames that arrived, or None after ``timeout`` seconds or when ``until`` holds.

        Raises:
            CanOperationError: the connection is lost or closed, or the other side reported an error.
        """
        self.wait_for(lambda: len(self._received) > 0 or self._overflown or until(), Deadline(timeout))
        return self._take()

    def settle(self) -> None:
        """Decode no data, if none arrived: after a silence, a decoder may give up an unfinished frame."""
        with self._lock:
            self._read_waiting()
            self._keep(self._decode(b"", time.time_ns()))
            self._mark_ready()

    def wait_for(self, condition: Callable[[], bool], deadline: Deadline) -> bool:
        """Read until ``condition`` holds; return False if it does not in time.

        Raises:
            CanOperationError: as ``receive``.
        """
        with self._lock:
            while True:
                self._read_waiting()
                if condition():
                    return True
                self._raise_failure()
                if deadline.passed or not self._wait_for_input(deadline):
                    return condition()

    def _wait_for_input(self, deadline: Deadline) -> bool:
        """Wait until a thread has read; return False after ``deadline``. Waiting releases the lock."""
        if self._is_polled:
            remaining = deadline.remaining()
            return self._arrival.wait(None if remaining is None else min(remaining, MAX_WAIT))
        self._is_polled = True
        self._lock.release()
        try:
            return self._wakeup.wait(deadline.remaining(), self._end, select.POLLIN)
        finally:
            self._lock.acquire()
            self._is_polled = False
            self._wakeup.clear()
            self._arrival.notify_all()  # another thread has to poll

    def _read_waiting(self) -> None:
        """Read and decode what arrived; the lock is held."""
        pieces: list[bytes] = []
        size = 0
        reason: str | None = None
        while size < READ_BYTES and not self.is_lost:
            try:
                piece = self._end.recv(PIECE)
            except self.blocked:
                break
            except (OSError, ValueError) as error:
                reason = f"the connection is lost: {reason_of(error)}"
                break
            if not piece:
                reason = "the other side closed the connection"
                break
            pieces.append(piece)
            size += len(piece)
        if pieces:
            self._keep(self._decode(b"".join(pieces), time.time_ns()))
            self._write_waiting()
        if reason is not None:
            self.fail(reason)
        if pieces or reason is not None:
            self._announce()

    def _keep(self, batch: MessageBatch) -> None:
        room = QUEUE_FRAMES - len(self._received)
        if len(batch) > room:
            self._losses[MISSED_FRAMES] += len(batch) - max(0, room)
            self._overflown = True
            batch = batch.part(0, max(0, room))
        if len(self._received):
            self._received.extend(batch)
        elif len(batch):
            self._received = batch

    def echo(self, batch: MessageBatch) -> None:
        """Let ``receive`` return the frames of ``batch`` as sent ones: for a protocol without an echo."""
        copy = sent_copy(batch, self._channel)
        with self._lock:
            if not self.is_lost:
                self._keep(copy)
                self._announce()

    def _announce(self) -> None:
        """Tell the threads that wait about frames or an error; the lock is held."""
        self._mark_ready()
        self._arrival.notify_all()
        if self._is_polled:  # by a thread that may have begun to poll after this arrived
            self._wakeup.set()

    def _take(self) -> MessageBatch | None:
        with self._lock:
            batch = self._received
            if self._overflown:
                self._overflown = False
                batch.append(rx_overflow(time.time_ns(), self._channel))
            if len(batch):
                self._received = MessageBatch()
            self._mark_ready()
            return batch if len(batch) else None

    # --- what a decoder may call ----------------------------------------------------------------------

    def reply(self, record: bytes) -> None:
        """Write ``record`` as soon as there is room. Only for ``decode``, since it needs the lock.

        A peer that sends requests without reading the replies loses the connection.
        """
        self._replies += 1
        if self._replies > MAX_REPLIES:
            self.fail("the other side sends requests and does not read the replies")
            return
        self._records.append(record)

    def fail(self, reason: str, *, lost: bool = True) -> None:
        """Make ``receive`` raise after the frames received so far. Only for ``decode``, which holds the lock.

        With ``lost`` the connection ends. The first reason is the one reported.
        """
        if not self.is_lost:
            self._failure = self._failure or CanOperationError(f"{self._name}: {reason}")
            self.is_lost = lost

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            self._mark_ready()
            raise failure
        if self.is_lost:
            raise CanOperationError("Cannot operate on a closed bus")

    # --- sending --------------------------------------------------------------------------------------

    def send(self, records: Iterable[bytes], timeout: float | None) -> None:
        """Write all ``records``, one per frame; a record without room in time is not begun.

        Raises:
            CanOperationError: the connection is lost; how many frames arrived is unknown.
            CanTimeoutError: there was no room in time.
        """
        records = list(records)
        deadline = Deadline(timeout)
        is_queued = False  # whether the queue holds these records, and not those of another sender
        while True:
            with self._lock:
                self._write_waiting()
                if not is_queued and not self._records:
                    is_queued = True
                    self._records.extend(records)
                    self._write_waiting()
                if self.is_lost:  # receive raises it as well, after the frames received so far
                    raise self._failure or CanOperationError("Cannot operate on a closed bus")
                if is_queued and not self._records:
                    return
            events = select.POLLIN | select.POLLOUT
            if not self._wakeup.wait(deadline.remaining(), self._end, events) or deadline.passed:
                raise self._no_room(len(records), is_queued)
            with self._lock:
                self._read_waiting()

    def _no_room(self, frames: int, is_queued: bool) -> CanTimeoutError:
        """Drop the records that were not begun, and return the error that counts them."""
        text = f"{self._name}: no room to send in time"
        if not is_queued:
            return CanTimeoutError(f"{text}: other threads are sending", sent=0)
        with self._lock:
            begun = size = 0
            for record in self._records:
                if size >= self._written + self.held:
                    break
                size += len(record)
                begun += 1
            count = len(self._records) - begun
            while len(self._records) > begun:
                self._records.pop()
        return CanTimeoutError(f"{text}: {count} frames were not sent", sent=frames - count)

    def _write_waiting(self) -> None:
        """Write as much as there is room for; the lock is held."""
        if not self._records:
            self._replies = 0
        while self._records and not self.is_lost:
            text = b"".join(islice(self._records, _RECORDS))
            try:
                self._written += self._end.send(memoryview(text)[self._written :])
            except self.blocked:
                return
            except (OSError, ValueError) as error:
                self._records.clear()
                self._read_waiting()  # what arrived before the connection was lost
                self.fail(f"the connection is lost: {reason_of(error)}")
                return
            while self._records and self._written >= len(self._records[0]):
                self._written -= len(self._records.popleft())

    # --- closing --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Write what there is room for, and close the stream; threads that wait for it return."""
        with self._lock:
            if not self._wakeup.is_closed:
                with suppress(OSError, ValueError):
                    self._write_waiting()
                    self._finish()
                self._wakeup.close()
                self._failure, self.is_lost = None, True
                self._arrival.notify_all()
                if self._readiness is not None:
                    self._readiness.close()
                    self._readiness = None

    def _finish(self) -> None:
        """Tell the other side that the stream ends; the lock is held, and OSError is ignored."""
