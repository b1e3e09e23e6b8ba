"""How a command ends when a signal asks it to.

The first INT, TERM or HUP sets a flag and makes ``fd`` readable, so that every wait ends at once; the
command then stops taking frames, hands on what it has, and closes its files. A command that reads a pipe
takes INT as "the source is ending", since the whole pipeline got it, and reads on to the end. The second
INT stops at once.

A signal that was ignored when the program started stays ignored, as ``nohup`` and background jobs rely on.
"""

from __future__ import annotations

import os
import signal
import types
from contextlib import suppress
from typing import Any


class Stopped(BaseException):
    """The second INT: leave everything, now. Not an Exception, so that nothing on the way keeps it."""


class Interruption:
    """Takes INT, TERM and HUP while it is entered.

    Attributes:
        drains: set by a command that reads a pipe: INT alone does not end it.
        signum: the signal that asked for the end, or None.
    """

    def __init__(self) -> None:
        self.drains = False
        self.signum: int | None = None
        self._interrupts = 0
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1
        self.fd = -1
        self._write_fd = -1

    @property
    def requested(self) -> bool:
        """Whether the command is to end."""
        return self.signum is not None

    def __enter__(self) -> Interruption:
        self.fd, self._write_fd = os.pipe()
        os.set_blocking(self._write_fd, False)
        os.set_blocking(self.fd, False)
        self._wakeup_before = signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self.fd)
        os.close(self._write_fd)

    def awake(self) -> None:
        """Take what the signal wrote, so that ``fd`` wakes again only for the next one."""
        with suppress(BlockingIOError):
            os.read(self.fd, 64)

    def _handle(self, signum: int, frame: types.FrameType | None) -> None:
        if signum == signal.SIGINT:
            self._interrupts += 1
            if self._interrupts > 1:
                self.signum = signum
                raise Stopped
            if self.drains:
                return
        if self.signum is None:
            self.signum = signum


def end_by(signum: int) -> None:
    """End this process by ``signum``, as if it had never been caught, so that the shell sees it."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
