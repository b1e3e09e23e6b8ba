"""UDP sockets as ports: arrival times of datagrams, and a socket that closing wakes."""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from cantools_cli.backends.transport.sent import sent_copy
from cantools_cli.backends.transport.waiting import Wakeup
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanOperationError, CanTimeoutError, reason_of
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

BATCH = 1024  #: maximum number of datagrams received at once

_SO_TIMESTAMPNS = 35  # Linux's number, which the socket module lacks (asm-generic/socket.h)
_TIMESPEC = struct.Struct("@qq")
_BUFFER = 4 << 20
_FULL_PAUSE = 0.001  # seconds


class UdpPort:
    """Moves datagrams of ``receiver`` and of ``sender``, which is the same socket by default.

    ``decode(datagram, source, time_ns, batch)`` adds the frames of a datagram to the batch, which has the
    channels ``channels``. Datagrams go to ``destination``, or to the address that the sender is connected to.
    ``name`` is the port's name in errors.
    """

    is_lost = False

    def __init__(
        self,
        receiver: socket.socket,
        decode: Callable[[bytes, Any, int, MessageBatch], None],
        name: str,
        *,
        max_length: int,
        channels: tuple[Channel, ...] = (),
        destination: Any = None,
    ) -> None:
        self.sender = receiver
        self._receiver = receiver
        self._decode = decode
        self._name = name
        self._max_length = max_length
        self._channels = channels
        self._destination = destination
        self._wakeup = Wakeup(self._release)
        self._echoes: deque[MessageBatch] = deque()
        self._either: select.epoll | None = None  # after the first echo or call of fileno()
        receiver.setblocking(False)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if sys.platform == "linux":
            receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def fileno(self) -> int:
        if not hasattr(select, "epoll"):
            return self._receiver.fileno()
        if self._either is None:  # datagrams, or echoes
            self._check_open()
            self._either = select.epoll(2)
            self._either.register(self._receiver, select.EPOLLIN)
            self._either.register(self._wakeup, select.EPOLLIN)
        return self._either.fileno()

    def echo(self, batch: MessageBatch) -> None:
        """Let ``receive`` return the frames of ``batch`` as sent ones."""
        self._echoes.append(sent_copy(batch, self._channels[0] if self._channels else None))
        self._wakeup.set()

    def _next_echo(self) -> MessageBatch:
        self._wakeup.clear()
        echo = self._echoes.popleft()
        if self._echoes:
            self._wakeup.set()
        return echo

    def receive(self, timeout: float | None) -> MessageBatch | None:
        """Return the frames that arrived, or None after ``timeout`` seconds.

        Raises:
            CanOperationError: the port is closed, or the socket failed.
        """
        deadline = Deadline(timeout)
        batch = MessageBatch(channels=self._channels)
        while True:
            self._check_open()
            if self._echoes:
                with suppress(IndexError):  # another thread took the last one
                    return self._next_echo()
            for _ in range(BATCH):
                if not self._read(batch):
                    break
            if len(batch):
                return batch
            if not self._wakeup.wait(deadline.remaining(), self._receiver, select.POLLIN):
                return None

    def _read(self, batch: MessageBatch) -> bool:
        """Add the frames of the next datagram; return False if no datagram is queued."""
        try:
            datagram, extra, _, source = self._receiver.recvmsg(self._max_length, 64)
        except BlockingIOError:
            return False
        except OSError as error:
            self._check_open()
            raise CanOperationError(f"{self._name}: receiving failed: {reason_of(error)}") from error
        self._decode(datagram, source, _arrival_ns(extra), batch)
        return True

    def send(self, datagrams: Iterable[bytes], timeout: float | None) -> None:
        """Send all datagrams; ``sent`` of an error is the number of those that left.

        Raises:
            CanOperationError: the port is closed, or the socket failed.
            CanTimeoutError: there was no room in time.
        """
        deadline = Deadline(timeout)
        for sent, datagram in enumerate(datagrams):
            while not self._has_left(datagram, sent):
                ready = self._wakeup.wait(deadline.remaining(), self.sender, select.POLLOUT)
                if not ready or deadline.passed:
                    raise CanTimeoutError(f"{self._name}: no room to send in time", sent=sent)

    def _has_left(self, datagram: bytes, sent: int) -> bool:
        try:
            if self._destination is None:
                self.sender.send(datagram)
            else:
                self.sender.sendto(datagram, self._destination)
        except OSError as error:
            self._check_open()
            if error.errno == errno.ENOBUFS:  # the queue of the network device is full, which no poll reports
                time.sleep(_FULL_PAUSE)
                return False
            if error.errno == errno.EAGAIN:
                return False
            raise CanOperationError(f"{self._name}: sending failed: {reason_of(error)}", sent=sent) from error
        return True

    def close(self) -> None:
        """Close the sockets; threads that wait for them return."""
        self._wakeup.close()

    def _release(self) -> None:
        if self._either is not None:
            self._either.close()
        self._receiver.close()
        self.sender.close()

    def _check_open(self) -> None:
        if self._wakeup.is_closed:
            raise CanOperationError("Cannot operate on a closed bus")


def _arrival_ns(extra: list[tuple[int, int, bytes]]) -> int:
    """Return when a datagram arrived, in nanoseconds since 1970, from the ancillary data of ``recvmsg``.

    If the system does not report it, the current time is returned.
    """
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()
