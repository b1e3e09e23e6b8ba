"""Waiting for a descriptor: with a bound, and until another thread closes it."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import Protocol

from cantools_cli.bus.deadline import Deadline

MAX_WAIT = 86_400.0  #: seconds of one poll, whose timeout in milliseconds has 31 bits

_ONE = (1).to_bytes(8, "little")  # an event counter is written eight bytes at a time, a pipe any number


class HasDescriptor(Protocol):
    """A socket, a file or a device that ``poll`` can wait for."""

    def fileno(self) -> int: ...


class Wakeup:
    """An event with a descriptor that is ready to read while the event is set, and waits for both.

    ``close`` ends all waits. The last thread that waits closes the descriptors and calls ``release``: the
    number of a descriptor that is closed earlier could belong to another file while a thread polls it.
    """

    def __init__(self, release: Callable[[], object] | None = None) -> None:
        self.is_set = False
        self.is_closed = False
        self._release = release
        self._waits = 0
        self._lock = threading.Lock()
        if hasattr(os, "eventfd"):
            self._read_end = self._write_end = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read_end, self._write_end = os.pipe()
            if hasattr(os, "set_blocking"):  # Windows has it from Python 3.12 on
                os.set_blocking(self._read_end, False)

    def fileno(self) -> int:
        return self._read_end

    def set(self) -> None:
        if not self.is_set:
            with self._lock:
                self._set()

    def _set(self) -> None:
        if not self.is_set and self._write_end >= 0:
            self.is_set = True
            os.write(self._write_end, _ONE)

    def clear(self) -> None:
        with self._lock:
            if self.is_set and not self.is_closed:
                self.is_set = False
                os.read(self._read_end, 8)

    def wait(self, timeout: float | None, end: HasDescriptor | None = None, events: int = 0) -> bool:
        """Wait until the event is set or closed, or ``end`` has one of ``events``.

        Return False after ``timeout`` seconds. A closed or failed ``end`` ends the wait as well.
        """
        with self._lock:
            if self.is_closed:
                return True
            self._waits += 1
        try:
            poll = select.poll()  # one per wait, since a poll object serves one thread
            poll.register(self._read_end, select.POLLIN)
            if end is not None:
                try:
                    poll.register(end, events)
                except (OSError, ValueError):  # closed: using it raises the error
                    return True
            return _polled(poll, timeout)
        finally:
            with self._lock:
                self._waits -= 1
                self._release_if_unused()

    def close(self) -> None:
        with self._lock:
            if not self.is_closed:
                if self._waits:  # else the descriptor, which a forked process shares, is left as it is
                    self._set()
                self.is_closed = True
                self._release_if_unused()

    def forget_threads(self) -> None:
        """After a fork: the threads that waited or held the lock are not in this process."""
        self._lock = threading.Lock()
        self._waits = 0

    def _release_if_unused(self) -> None:
        if self.is_closed and not self._waits and self._read_end >= 0:
            for descriptor in {self._read_end, self._write_end}:
                os.close(descriptor)
            self._read_end = self._write_end = -1
            if self._release is not None:
                self._release()


def _polled(poll: select.poll, timeout: float | None) -> bool:
    if timeout is None:
        return bool(poll.poll())
    deadline = Deadline(timeout)
    while not poll.poll(1000 * min(deadline.remaining() or 0.0, MAX_WAIT)):
        if deadline.passed:
            return False
    return True
