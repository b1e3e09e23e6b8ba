"""Ends the screen of ``canx sniff`` when its terminal is gone, or when a signal asks it to and it is stuck.

The screen does not see that a terminal is gone: what it writes fails in a thread of its own, and what it
reads ends another one. It gets HUP only if that is not ignored, as ``nohup`` has it.
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
#: how long the screen may take to end without a terminal: there is nothing to give back
_GONE_SECONDS = 1.0
#: how long files that are open may take to be closed when the process is ended by force
_LAST_SECONDS = 2.0


class TerminalWatch:
    """A thread that waits for the end of the terminal at ``descriptor`` while it is entered.

    ``end`` is called in it with an exit status, to end the screen in good order. If that takes too long,
    ``close_files`` is called and the process is ended.

    Attributes:
        status: what the screen was asked to end with, 0 if it was not.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self.status = 0
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
        """Note that the screen is to end with ``status``: it has ``FORCE_SECONDS`` for that."""
        if not self.status:
            self.status = status
            os.write(self._write_fd, b"\0")

    def _run(self) -> None:
        try:
            poll = select.poll()
            poll.register(self._read_fd, select.POLLIN)
            poll.register(self._descriptor, 0)  # reads nothing, reports only the hang-up
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
