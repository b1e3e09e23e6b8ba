"""Ends the screen of ``canx sniff`` if its terminal is gone, or if it hangs after a signal.

The screen does not notice that a terminal is gone: writing fails in one of its threads, and reading ends
another. It receives HUP only if that is not ignored, as under ``nohup``.
"""

from __future__ import annotations

import os
import select
import termios
import time
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cantools_cli.console.warden import FORCE_SECONDS

HANGUP_STATUS = 129
#: how long the screen may take to end without a terminal, which has no state to restore
_GONE_SECONDS = 1.0
#: how long closing open files may take when the process is ended by force
_LAST_SECONDS = 2.0


class TerminalWatch:
    """A thread that waits for the end of the terminal at ``descriptor`` while it is entered.

    The thread calls ``end`` with an exit status, to end the screen in order. If that takes too long, it calls
    ``close_files`` and ends the process.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self.status = 0  #: the exit status requested of the screen, 0 if none
        self.end: Callable[[int], None] = lambda status: None
        self.close_files: Callable[[], None] = lambda: None
        self._descriptor = descriptor
        self._over = allocate_lock()

    def __enter__(self) -> TerminalWatch:
        self._read_fd, self._write_fd = os.pipe()
        self._settings: Any = None
        with suppress(termios.error):
            self._settings = termios.tcgetattr(self._descriptor)
        self._over.acquire()
        start_new_thread(self._run, ())
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write_fd)
        self._over.acquire()
        os.close(self._read_fd)

    def asked(self, status: int) -> None:
        """Record that the screen has to end with ``status``, within ``FORCE_SECONDS``."""
        if not self.status:
            self.status = status
            os.write(self._write_fd, b"\0")

    def _run(self) -> None:
        try:
            poll = select.poll()
            poll.register(self._read_fd, select.POLLIN)
            poll.register(self._descriptor, 0)  # reports only the hang-up
            ready = {descriptor for descriptor, _ in poll.poll()}
            seconds = FORCE_SECONDS
            if self._read_fd not in ready:
                seconds = _GONE_SECONDS
                self.status = self.status or HANGUP_STATUS
                self.end(self.status)
            elif not os.read(self._read_fd, 1):
                return
            self._wait_or_force(seconds)
        finally:
            self._over.release()

    def _wait_or_force(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._read_fd, select.POLLIN)
        due = time.monotonic() + seconds
        while (left := due - time.monotonic()) > 0:
            if poll.poll(left * 1000) and not os.read(self._read_fd, 1):
                return
        closed = allocate_lock()
        closed.acquire()
        start_new_thread(self._close_files, (closed.release,))
        closed.acquire(timeout=_LAST_SECONDS)
        if self._settings is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._settings)
        os._exit(self.status)

    def _close_files(self, done: Callable[[], None]) -> None:
        try:
            self.close_files()
        finally:
            done()
