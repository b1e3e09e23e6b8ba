"""UDP sockets as buses use them: when a datagram came, whether one left, and waits that closing ends."""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
import time
from collections.abc import Callable

from cantools_cli.bus.deadline import Deadline

_SO_TIMESTAMPNS = 35  # Linux's number, which the socket module does not have (asm-generic/socket.h)
_TIMESPEC = struct.Struct("@qq")
_BUFFER = 4 << 20
_FULL_PAUSE = 0.001  # seconds
_MAX_WAIT = 86_400.0  # of one poll, whose milliseconds have 31 bits


def prepare(end: socket.socket) -> None:
    """Let ``end`` block nobody, hold much, and know when each datagram came, as far as the system can."""
    end.setblocking(False)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    if sys.platform == "linux":
        end.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def arrival(extra: list[tuple[int, int, bytes]]) -> int:
    """Return when a datagram came, in nanoseconds since the epoch, by the system or else by the clock.

    ``extra`` is what ``recvmsg`` returned beside it.
    """
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


def has_left(send: Callable[[], object]) -> bool:
    """Send by ``send``; return False where there is no room.

    Raises:
        OSError: the socket has failed.
    """
    try:
        send()
    except OSError as error:
        if error.errno == errno.ENOBUFS:  # of the network device, which nobody can wait for
            time.sleep(_FULL_PAUSE)
            return False
        if error.errno == errno.EAGAIN:
            return False
        raise
    return True


def ready(end: socket.socket, event: int, deadline: Deadline) -> bool:
    """Wait for ``event``, or an error, of ``end``; return False when the time is over, or it is closed."""
    poll = select.poll()
    try:
        poll.register(end, event)
    except (OSError, ValueError):
        return False
    while True:
        remaining = deadline.remaining()
        wait = _MAX_WAIT if remaining is None else min(remaining, _MAX_WAIT)
        found = poll.poll(wait * 1000)
        if found:
            return bool(found[0][1] & (event | select.POLLERR))
        if deadline.passed:
            return False
