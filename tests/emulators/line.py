"""Serial devices for tests: an object that answers bytes, plugged into a pseudo-terminal or a TCP port.

::

    with plugged(Robotell()) as line:               # or kind="tcp"
        bus = Bus(line.channel, interface="robotell")
        line.inject(b"...")                         # as if it came from the device by itself
        line.unplug()
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

PATIENCE = 30.0  # seconds after which a wait fails


class Device(Protocol):
    """A device at the other end of a serial line."""

    def feed(self, data: bytes) -> bytes:
        """Return the answer to ``data``, which may be any piece of what the host sends."""


class Mute:
    """A device that does not answer."""

    def feed(self, data: bytes) -> bytes:
        return b""


class Line:
    """A running device and its line.

    Attributes:
        channel: the path of the terminal, or the URL of the TCP port.
        received: everything the host sent.
        delay: seconds by which answers are late.
        piece: maximum size of a write to the host.
        thread: the thread that runs it.
    """

    thread: threading.Thread

    def __init__(self, device: Device, channel: str) -> None:
        self.device = device
        self.channel = channel
        self.received = b""
        self.delay = 0.0
        self.piece = 1 << 16
        self._queue: deque[tuple[float, bytes]] = deque()
        self._changed = threading.Condition()
        self._wake, self._waker = os.pipe()
        self._end: Any = None  # the terminal's descriptor, or the connection
        self._repeated: tuple[bytes, float] | None = None
        self._is_unplugged = False

    # --- what tests call ------------------------------------------------------------------------------

    def inject(self, data: bytes) -> None:
        """Send ``data`` to the host."""
        with self._changed:
            self._queue.append((0.0, data))
        self._ring()

    def repeat(self, data: bytes, period: float = 0.02) -> None:
        """Send ``data`` every ``period`` seconds, for a host whose opening cannot be noticed."""
        self._repeated = (data, period)
        self._ring()

    def wait_for(self, data: bytes) -> None:
        """Wait until the host has sent ``data``."""
        with self._changed:
            assert self._changed.wait_for(lambda: data in self.received, PATIENCE), self.received

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Return whether ``condition``, about what the host has sent, holds within ``seconds``."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def wait_until_sent(self) -> None:
        """Wait until everything injected is written to the line."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._queue, PATIENCE)

    def unplug(self) -> None:
        """Pull the plug once everything injected is written."""
        self._is_unplugged = True
        self._ring()
        self.thread.join(PATIENCE)

    # --- the thread -----------------------------------------------------------------------------------

    def _ring(self) -> None:
        os.write(self._waker, b"\0")

    def run(self) -> None:
        """Serve until the plug is pulled."""
        while not (self._is_unplugged and not self._queue):
            now = time.monotonic()
            due = self._due(now)
            poll = select.poll()
            poll.register(self._wake, select.POLLIN)
            poll.register(
                self._end, select.POLLIN | (select.POLLOUT if due is not None and due <= now else 0)
            )
            for descriptor, events in poll.poll(None if due is None else max(0.0, due - now) * 1000):
                if descriptor == self._wake:
                    os.read(self._wake, 4096)
                elif events & ~select.POLLOUT and not self._read():
                    return
                elif events & select.POLLOUT:
                    self._write()

    def _due(self, now: float) -> float | None:
        """Return the time of the next write, or None."""
        with self._changed:
            if not self._queue and self._repeated is not None:
                self._queue.append((now + self._repeated[1], self._repeated[0]))
            return self._queue[0][0] if self._queue else None

    def _read(self) -> bool:
        try:
            data = os.read(self._end if isinstance(self._end, int) else self._end.fileno(), 65536)
        except OSError:
            data = b""
        if not data:
            return False
        answer = self.device.feed(data)
        with self._changed:
            if answer:
                self._queue.append((time.monotonic() + self.delay if self.delay else 0.0, answer))
            self.received += data
            self._changed.notify_all()
        return True

    def _write(self) -> None:
        with self._changed:
            if not self._queue:  # cleared meanwhile
                return
            due, data = self._queue.popleft()
            size = 0
            with suppress(OSError):
                descriptor = self._end if isinstance(self._end, int) else self._end.fileno()
                size = os.write(descriptor, data[: self.piece])
            if data[size:]:
                self._queue.appendleft((due, data[size:]))
            self._changed.notify_all()

    def close(self) -> None:
        os.close(self._wake)
        os.close(self._waker)


class _Terminal(Line):
    def __init__(self, device: Device) -> None:
        import pty
        import tty

        master, self._slave = pty.openpty()
        tty.setraw(self._slave)  # kept open: a host may close the terminal and open it again
        os.set_blocking(master, False)
        super().__init__(device, os.ttyname(self._slave))
        self._end = master

    def run(self) -> None:
        try:
            super().run()
        finally:
            os.close(self._slave)
            os.close(self._end)


class _Port(Line):
    def __init__(self, device: Device) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        super().__init__(device, f"socket://127.0.0.1:{self._listener.getsockname()[1]}")

    def run(self) -> None:
        with self._listener:
            while not self._is_unplugged:
                poll = select.poll()
                poll.register(self._wake, select.POLLIN)
                poll.register(self._listener, select.POLLIN)
                if self._listener.fileno() not in {descriptor for descriptor, _ in poll.poll()}:
                    os.read(self._wake, 4096)
                    continue
                self._end, _ = self._listener.accept()
                self._end.setblocking(False)
                with self._end:
                    super().run()


class _End:
    """An end of a cable."""

    far: Line

    def feed(self, data: bytes) -> bytes:
        self.far.inject(data)
        return b""


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Connect two pseudo-terminals; yield their paths."""
    one, two = _End(), _End()
    with plugged(one) as first, plugged(two) as second:
        one.far, two.far = second, first
        yield first.channel, second.channel


@contextmanager
def plugged(device: Device | None = None, kind: str = "pty") -> Iterator[Line]:
    """Run ``device`` on a new pseudo-terminal, or as a TCP server; yield its line."""
    line = {"pty": _Terminal, "tcp": _Port}[kind](device or Mute())
    line.thread = threading.Thread(target=line.run, name=f"emulator on {line.channel}", daemon=True)
    line.thread.start()
    try:
        yield line
    finally:
        line._queue.clear()
        line._repeated = None
        line.unplug()
        line.close()
        assert not line.thread.is_alive()
