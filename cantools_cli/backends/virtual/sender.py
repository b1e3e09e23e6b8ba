"""Sends frames on the virtual bus between processes.

A sender never waits while it holds the wire: if a reader has no room, the sender releases the wire, waits and
retries. A reader that makes no progress for ``STALL`` seconds loses frames from then on. The number of lost
frames is in the state file of the reader, since the sender may end; the reader gets it as an error frame.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import threading
import time

from cantools_cli.backends.virtual.line import DATAGRAM, HostLine
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanOperationError, CanTimeoutError
from cantools_cli.frame import bits, xl
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.kernels import wire as kernel

STALL = 2.0  #: seconds without progress after which a reader loses frames
GROUP = 4  #: datagrams sent before the wire is released

_HEADER = struct.Struct("<BBHIIIQq")
_SLICE = 0.1  # seconds between checks of a reader's progress
_SOCKET_BUFFER = 1 << 22
_NO_ROOM = (errno.EAGAIN, errno.ENOBUFS)
_GONE = (errno.ECONNREFUSED, errno.ENOENT, errno.ENOTCONN, errno.EPIPE)


class ConnectedReader:
    """A reader, as seen by a sender: a connected socket and the reader's state file.

    Attributes:
        is_behind: whether it missed frames that it has not noticed; updated when the generation changes.
        is_given_up: whether it made no progress for too long, so that senders do not wait for it.
    """

    def __init__(self, line: HostLine, number: int) -> None:
        self.number = number
        self.is_behind = False
        self.is_given_up = False
        self._waited = 0.0
        self._progress = b""
        self._state = -1
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
            self.socket.connect(line.address(f"{number}.bus"))
            self._state = os.open(line.file(f"{number}.state"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        self.socket.close()
        if self._state >= 0:
            os.close(self._state)
            self._state = -1

    def missed(self) -> int:
        return int.from_bytes(os.pread(self._state, 8, 8), "little")

    def _set_missed(self, count: int) -> None:
        os.pwrite(self._state, count.to_bytes(8, "little"), 8)

    def is_worth_waiting(self) -> bool:
        if self.is_behind:
            self.is_behind = self.missed() > 0
        return not (self.is_behind or self.is_given_up)

    def note_wait(self, seconds: float) -> None:
        """Record a wait of ``seconds`` that ended without room."""
        before, self._progress = self._progress, os.pread(self._state, 8, 0)
        self._waited = 0.0 if before != self._progress else self._waited + seconds
        # A sum of short waits, not elapsed time, so that stopping all processes together counts for nothing.
        self.is_given_up = self._waited >= STALL

    def deliver(self, datagram: memoryview, count: int) -> bool:
        """Send, or count the frames as missed; return whether the reader just missed its first frames."""
        self._waited = 0.0
        if not (self.is_behind or self.is_given_up) and self._send(datagram):
            return False
        self.is_given_up = False
        missed = self.missed()
        # Counted before sending: a reader checks the count after each datagram, so either it finds the
        # count or there is room.
        self._set_missed(missed + count)
        late = bytearray(datagram)
        struct.pack_into("<I", late, 12, min(missed, 0xFFFFFFFF))
        self.is_behind = not self._send(late)
        if not self.is_behind:
            self._set_missed(0)
        return self.is_behind and missed == 0

    def _send(self, datagram: bytearray | memoryview) -> bool:
        try:
            self.socket.send(datagram)
        except OSError as error:
            if error.errno in _NO_ROOM:
                return False
            raise
        return True


class LineSender:
    """Sends frames on a line. ``own`` is the number of the bus's own reader, 0 if it has none."""

    def __init__(self, line: HostLine, own: int, echo: bool, preserve_timestamps: bool) -> None:
        self._line = line
        self._own = own
        self._echo = echo
        self._preserve = preserve_timestamps
        self._peers: dict[int, ConnectedReader] = {}
        self._generation = -1
        self._poll = select.poll()
        self._out = bytearray(DATAGRAM)
        self._view = memoryview(self._out)
        self._mutex = threading.Lock()
        self._closed = False

    def send(self, batch: MessageBatch, timeout: float | None) -> None:
        """Send all frames to all readers.

        Raises:
            CanTimeoutError: there was no room in time; no reader gets the frames from row ``sent`` on.
        """
        deadline = Deadline(timeout)
        patience = Deadline(None if timeout is None else max(timeout, 1.0))  # for the wire, not for readers
        row = 0
        try:
            while row < len(batch):
                with self._mutex:
                    if self._closed:
                        raise CanOperationError("Cannot operate on a closed bus")
                    self._line.acquire(patience, in_turn=row > 0)
                    try:
                        self._refresh()
                        row, waiting = self._send_group(batch, row)
                    finally:
                        self._line.release()
                    if waiting:
                        self._wait(waiting, deadline)
        except (CanOperationError, CanTimeoutError) as error:
            error.sent = row
            raise

    def _send_group(self, batch: MessageBatch, row: int) -> tuple[int, list[ConnectedReader]]:
        """Send up to ``GROUP`` datagrams; return the next row, and the readers without room."""
        now = time.time_ns()
        for _ in range(GROUP):
            if not self._peers:
                return len(batch), []
            ready = {descriptor for descriptor, _ in self._poll.poll(0)}
            if len(ready) < len(self._peers):
                late = [peer for peer in self._peers.values() if peer.socket.fileno() not in ready]
                waiting = [peer for peer in late if peer.is_worth_waiting()]
                if waiting:
                    return row, waiting
            if batch.flags[row] & bits.XL:
                done, size = row + 1, self._pack_xl(batch[row], now)
            else:
                done, size = kernel.format(row, *batch.columns(), now, self._preserve, self._own, self._out)
            self._deliver(self._view[:size], done - row)
            row = done
            if row == len(batch):
                break
        return row, []

    def _pack_xl(self, message: Message, now: int) -> int:
        """Store the datagram of a CAN XL frame in the buffer; return its size."""
        assert isinstance(message, xl.XlMessage)
        record = xl.pack(message)
        size = kernel.HEADER_SIZE + len(record)
        time_ns = message.timestamp_ns if self._preserve else now
        _HEADER.pack_into(self._out, 0, kernel.VERSION, kernel.XL_KIND, 0, size, 1, 0, self._own, time_ns)
        self._out[_HEADER.size : size] = record
        return size

    def _deliver(self, datagram: memoryview, count: int) -> None:
        gone = []
        for peer in self._peers.values():
            try:
                if peer.deliver(datagram, count):
                    self._line.next_generation()  # so that other senders do not wait for it either
            except OSError as error:
                if error.errno not in _GONE:
                    raise
                gone.append(peer.number)
        for number in gone:  # of processes that died
            self._drop(number)
            self._line.remove(number)

    def _wait(self, peers: list[ConnectedReader], deadline: Deadline) -> None:
        """Wait until one of ``peers`` has room or is given up."""
        poll = select.poll()
        for peer in peers:
            poll.register(peer.socket, select.POLLOUT)
        while True:
            left = deadline.remaining()
            pause = _SLICE if left is None else min(_SLICE, left)
            if poll.poll(1000 * pause):
                return
            for peer in peers:
                peer.note_wait(pause)
            if any(peer.is_given_up for peer in peers):
                return
            if deadline.passed:
                raise CanTimeoutError(f"virtual:{self._line.name}: a reader had no room in time")

    def _refresh(self) -> None:
        """Update the readers if any joined, left or missed frames; the wire is held."""
        generation = self._line.generation()
        if generation == self._generation:
            return
        there = self._line.readers()
        if not self._echo:
            there.discard(self._own)
        for number in set(self._peers) - there:
            self._drop(number)
        for number in sorted(there - set(self._peers)):
            try:
                peer = self._peers[number] = ConnectedReader(self._line, number)
            except OSError as error:
                if error.errno not in _GONE:
                    raise
                self._line.remove(number)
            else:
                self._poll.register(peer.socket, select.POLLOUT)
        for peer in self._peers.values():
            peer.is_behind = peer.is_behind or peer.missed() > 0
        self._generation = generation

    def _drop(self, number: int) -> None:
        peer = self._peers.pop(number)
        self._poll.unregister(peer.socket)
        peer.close()

    def close(self) -> None:
        if not self._closed:
            with self._mutex:
                self.abandon()

    def abandon(self) -> None:
        """Close all descriptors without changing shared state."""
        self._closed = True
        for peer in self._peers.values():
            peer.close()
        self._peers.clear()
        self._line.close()
