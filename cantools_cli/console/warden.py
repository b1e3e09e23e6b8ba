"""Ends a command that does not react to a signal, because it computes or waits without polling."""

from __future__ import annotations

import os
import select
import signal
import time
from _thread import allocate_lock, get_ident, start_new_thread
from contextlib import suppress
from typing import Protocol

#: how long a command may take to notice TERM or HUP
NOTICE_SECONDS = 3.0
#: how long it may take to end after it has noticed
CLOSE_SECONDS = 60.0
#: how long the main thread may take to run the handler of a second INT
STOP_SECONDS = 0.5
#: how long it may take to close its files once it is stopped
FORCE_SECONDS = 5.0
#: a second INT within this time counts as the first
IMPATIENCE_SECONDS = 0.1
#: a third INT within this time is ignored (a key held down), so that files can be closed
CLOSING_SECONDS = 1.0

_SIGNALS = {int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}


class Watched(Protocol):
    """The state shared with the warden; see ``Interruption``."""

    is_noticed: bool
    is_forced: bool
    is_stopped: bool


class Warden:
    """A thread that receives the number of every signal as it arrives, whatever the main thread does.

    Python runs signal handlers in the main thread, between two of its instructions: not while that computes
    in C, and not in a call that Python restarts after a signal.
    """

    def __init__(self, watched: Watched, forward_to: int) -> None:
        self._read_fd, self.wakeup_fd = os.pipe()
        os.set_blocking(self.wakeup_fd, False)
        self._watched = watched
        self._forward_to = forward_to
        self._main = get_ident()
        self._interrupted_at: float | None = None
        self._interrupts = 0
        self._signum = 0
        self._due: float | None = None  # when to force the command
        self._is_closing = self._is_stopping = False
        self._over = allocate_lock()
        self._over.acquire()
        start_new_thread(self._run, ())

    def close(self) -> None:
        """End the thread; ``wakeup_fd`` must not be in use any more."""
        os.close(self.wakeup_fd)
        self._over.acquire()
        os.close(self._read_fd)

    def _run(self) -> None:
        try:
            if hasattr(signal, "pthread_sigmask"):  # signals are for the main thread, whose calls they end
                signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            poll = select.poll()
            poll.register(self._read_fd, select.POLLIN)
            while True:
                wait = None if self._due is None else max(0.0, self._due - time.monotonic()) * 1000
                if not poll.poll(wait):
                    self._overdue()
                    continue
                numbers = os.read(self._read_fd, 64)
                if not numbers:
                    return
                with suppress(OSError):  # a full pipe is readable, which suffices
                    os.write(self._forward_to, numbers)
                for number in numbers:
                    if number in _SIGNALS:
                        self._take(number)
        finally:
            self._over.release()

    def _take(self, number: int) -> None:
        """Record a signal, and set the deadline for the command."""
        now = time.monotonic()
        if number != signal.SIGINT:
            if self._due is None:
                self._signum, self._due = number, now + NOTICE_SECONDS
            return
        soon = IMPATIENCE_SECONDS if self._interrupts < 2 else CLOSING_SECONDS
        if self._interrupted_at is not None and now - self._interrupted_at < soon:
            return
        self._interrupted_at = now
        self._interrupts += 1
        if self._interrupts == 2:
            self._signum, self._due, self._is_closing = number, now + STOP_SECONDS, True
        elif self._interrupts > 2:
            self._end()

    def _overdue(self) -> None:
        now = time.monotonic()
        if self._is_stopping:
            self._end()
        elif self._watched.is_noticed and not self._is_closing:
            self._is_closing, self._due = True, now + CLOSE_SECONDS
        else:
            self._is_stopping, self._due = True, now + FORCE_SECONDS
            if not self._watched.is_stopped:
                self._watched.is_forced = True
                signal.pthread_kill(self._main, self._signum)

    def _end(self) -> None:
        """End the process without clean-up."""
        with suppress(OSError):
            os.write(2, b"canx: ended by force, so files may lack their end\n")
        os._exit(128 + self._signum)
