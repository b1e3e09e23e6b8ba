"""A descriptor that is ready to read while something is waiting, for ``select`` and event loops."""

from __future__ import annotations

import os
import select
import threading

_ONE = (1).to_bytes(8, "little")  # an event counter takes eight bytes, a pipe any number


class Wakeup:
    """Rung by whoever brings something, reset by whoever finds nothing more.

    Whoever closes it rings before. The descriptor lives until the last wait is over: its number could
    belong to another file by then.
    """

    def __init__(self) -> None:
        self.is_rung = False
        self._waits = 0
        self._closed = False
        self._lock = threading.Lock()
        if hasattr(os, "eventfd"):
            self._read_end = self._write_end = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read_end, self._write_end = os.pipe()
            os.set_blocking(self._read_end, False)

    def fileno(self) -> int:
        return self._read_end

    def ring(self) -> None:
        if not self.is_rung:
            with self._lock:
                if not self.is_rung and self._write_end >= 0:
                    self.is_rung = True
                    os.write(self._write_end, _ONE)

    def reset(self) -> None:
        with self._lock:
            if self.is_rung and not self._closed:
                self.is_rung = False
                os.read(self._read_end, 8)

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is rung or closed; return False after ``timeout`` seconds, or a day."""
        with self._lock:
            if self._closed:
                return True
            self._waits += 1
        try:
            poll = select.poll()  # one a wait: two threads may not use the same at once
            poll.register(self._read_end, select.POLLIN)
            return bool(poll.poll(None if timeout is None else 1000 * min(timeout, 86_400.0)))
        finally:
            with self._lock:
                self._waits -= 1
                if self._closed and not self._waits:
                    self._close_ends()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if not self._waits:
                self._close_ends()

    def forget_threads(self) -> None:
        """After a fork: those that waited, or held the lock, are not in this process."""
        self._lock = threading.Lock()
        self._waits = 0

    def _close_ends(self) -> None:
        if self._read_end >= 0:
            for end in {self._read_end, self._write_end}:
                os.close(end)
            self._read_end = self._write_end = -1
