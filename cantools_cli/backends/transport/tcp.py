"""A TCP connection as a bus uses it: reads all that waits, writes whole records, blocks for nobody.

All reading, decoding and writing is done under one lock and never waits; whoever has to wait does so outside
of it. So one thread may receive while others send, and a sender that waits for room takes in what
the other side sends meanwhile: two ends that both only wrote would wait for each other for ever.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice

from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import MISSED_FRAMES, Losses
from cantools_cli.errors import CanInitializationError, CanOperationError, CanTimeoutError, UsageError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow
from cantools_cli.frame.message import Channel

QUEUE_FRAMES = 1_000_000  #: what is held for a program that sends and does not receive
READ_BYTES = 1 << 20  #: read at once, at most
#: answers that may wait for room to be written
MAX_REPLIES = 4096

_PIECE = 1 << 16
_RECORDS = 4096  # written at once
_FAREWELL = 0.25  # seconds to wait for the other side to close as well
_MAX_WAIT = 86_400.0  # of one poll, whose milliseconds have 31 bits


def endpoint(channel: object, default_port: int, default_host: str | None = None) -> tuple[str, int]:
    """Return the host and the port of ``host``, ``host:port``, ``[IPv6]:port`` or ``:port``.

    Raises:
        UsageError: there is no host, or the port is not one.
    """
    text = "" if channel is None else str(channel).strip()
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest[1:] if rest.startswith(":") else rest and "?"
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    host = host or default_host or ""
    is_number = port.isascii() and port.isdecimal() and 0 < int(port) < 65536
    if not host or (port and not is_number):
        raise UsageError(f"{quoted(text)} is not HOST:PORT", hint=f"such as localhost:{default_port}")
    return host, int(port) if port else default_port


def connect(host: str, port: int, timeout: float, name: str) -> socket.socket:
    """Return a connected socket.

    Raises:
        CanInitializationError: there is no such host, or nobody answers there in time.
    """
    try:
        return socket.create_connection((host, port), timeout)
    except (OSError, UnicodeError) as error:
        reason = (
            f"nobody answers within {timeout:g} s" if isinstance(error, TimeoutError) else reason_of(error)
        )
        raise CanInitializationError(f"{name}: cannot connect: {reason}") from error


def reason_of(error: Exception) -> str:
    """Return what the system says, without its number."""
    return getattr(error, "strerror", None) or str(error)


class TcpPort:
    """A connected socket and its protocol.

    ``decode`` takes what was read and returns the frames in it, none for an unfinished one; it may call
    ``reply`` and ``fail``. ``name`` is what errors call the connection. ``losses`` counts the frames that are
    dropped because they were not received.
    """

    #: what a socket raises where it would have to wait
    blocked: tuple[type[OSError], ...] = (BlockingIOError,)
    #: how many bytes it may have taken in spite of that
    held = 0

    def __init__(
        self,
        end: socket.socket,
        decode: Callable[[bytes], MessageBatch],
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
        self._received = MessageBatch()
        self._overflown = False
        self._records: deque[bytes] = deque()  # to be written; of the first, a part is gone
        self._written = 0  # bytes of the first record
        self._replies = 0  # since nothing waited to be written
        self._failure: CanOperationError | None = None
        self.is_lost = False
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _notice_death(end)

    def fileno(self) -> int:
        return self._end.fileno()

    # --- receiving ------------------------------------------------------------------------------------

    def receive(self, timeout: float | None) -> MessageBatch | None:
        """Return what is waiting, or None after ``timeout`` seconds.

        Raises:
            CanOperationError: the connection is lost, or the other side said that something is wrong.
        """
        self.wait_for(lambda: len(self._received) > 0 or self._overflown, Deadline(timeout))
        return self._take()

    def wait_for(self, condition: Callable[[], bool], deadline: Deadline) -> bool:
        """Read until ``condition`` holds; return False when the time is over.

        Raises:
            CanOperationError: as ``receive``.
        """
        while True:
            with self._lock:
                self._read_waiting()
                if condition():
                    return True
                self._raise_failure()
            if not self._ready(select.POLLIN, deadline):
                return False

    def _read_waiting(self) -> None:
        """Read and decode what waits; the lock is held."""
        pieces: list[bytes] = []
        size = 0
        reason: str | None = None
        while size < READ_BYTES and not self.is_lost:
            try:
                piece = self._end.recv(_PIECE)
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
            self._keep(self._decode(b"".join(pieces)))
            self._write_waiting()
        if reason is not None:
            self.fail(reason)

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

    def _take(self) -> MessageBatch | None:
        with self._lock:
            batch = self._received
            if self._overflown:
                self._overflown = False
                batch.append(rx_overflow(time.time_ns(), self._channel))
            if not len(batch):
                return None
            self._received = MessageBatch()
            return batch

    # --- what a decoder may call ----------------------------------------------------------------------

    def reply(self, record: bytes) -> None:
        """Write ``record`` as soon as there is room. Only for ``decode``: the lock is held.

        Whoever asks again and again and takes no answer loses the connection.
        """
        self._replies += 1
        if self._replies > MAX_REPLIES:
            self.fail("the other side asks and asks, but it takes no answers")
            return
        self._records.append(record)

    def fail(self, reason: str, *, lost: bool = True) -> None:
        """Let the next ``receive`` raise, behind the frames before. Only for ``decode``: the lock is held.

        ``lost`` says that it ends the connection. The first reason is the one that is told.
        """
        if not self.is_lost:
            self._failure = self._failure or CanOperationError(f"{self._name}: {reason}")
            self.is_lost = lost

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self.is_lost:
            raise CanOperationError("Cannot operate on a closed bus")

    # --- sending --------------------------------------------------------------------------------------

    def send(self, records: Sequence[bytes], timeout: float | None) -> None:
        """Write all ``records``, one for each frame; of those that find no room in time, none is begun.

        Raises:
            CanOperationError: the connection is lost; nobody knows how many frames arrived.
            CanTimeoutError: there was no room in time.
        """
        deadline = Deadline(timeout)
        is_mine = False  # whether what waits to be written are these records
        while True:
            with self._lock:
                self._write_waiting()
                if not is_mine and not self._records:
                    is_mine = True
                    self._records.extend(records)
                    self._write_waiting()
                if self.is_lost:
                    self._raise_failure()
                if is_mine and not self._records:
                    return
            if not self._room(deadline):
                raise self._no_room(len(records), is_mine)

    def _room(self, deadline: Deadline) -> bool:
        """Wait for room, and read meanwhile; return False when the time is over."""
        if not self._ready(select.POLLIN | select.POLLOUT, deadline) or deadline.passed:
            return False
        with self._lock:
            self._read_waiting()
        return True

    def _no_room(self, frames: int, is_mine: bool) -> CanTimeoutError:
        """Drop the records that were not begun; return the error that says so."""
        text = f"{self._name}: no room to send in time"
        if not is_mine:
            return CanTimeoutError(f"{text}: others wait for it as well", sent=0)
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
                self.fail(f"the connection is lost: {reason_of(error)}")
                return
            while self._records and self._written >= len(self._records[0]):
                self._written -= len(self._records.popleft())

    # --- waiting, closing -----------------------------------------------------------------------------

    def _ready(self, events: int, deadline: Deadline) -> bool:
        """Wait for one of ``events``; a closed connection is always ready."""
        poll = select.poll()
        try:
            poll.register(self._end, events)
        except (OSError, ValueError):  # closed by another thread: reading tells
            return True
        while True:
            remaining = deadline.remaining()
            wait = _MAX_WAIT if remaining is None else min(remaining, _MAX_WAIT)
            if poll.poll(wait * 1000):
                return True
            if deadline.passed:
                return False

    def close(self) -> None:
        """Close the connection; threads that wait for it wake up.

        What was sent last arrives: closing with something unread would have the system tell the other side to
        throw away what it did not read yet. So this reads to the end, for a moment.
        """
        deadline = Deadline(_FAREWELL)
        with self._lock:
            with suppress(OSError, ValueError):
                self._write_waiting()
                if not self.is_lost:
                    self._end.shutdown(socket.SHUT_WR)
                    while self._ready(select.POLLIN, deadline) and not deadline.passed:
                        if not self._end.recv(_PIECE):
                            break
            with suppress(OSError):
                self._end.shutdown(socket.SHUT_RDWR)
            self._end.close()
            self._failure, self.is_lost = None, True


def _notice_death(end: socket.socket) -> None:
    """Let the system find out, within half a minute, that the other side is gone without a word."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
