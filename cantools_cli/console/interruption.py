"""The end of a command by a signal.

The first INT, TERM or HUP sets a flag and makes ``fd`` readable, so that every wait ends at once; the
command then stops taking frames, passes on those it has, and closes its files. For a command that reads a
pipe, INT means that the source is ending, since the whole pipeline receives it: the command reads on to the
end. The second INT stops it at once.

A command that computes, or waits without polling ``fd``, does not see the flag. ``Warden`` watches from a
thread: it first raises ``Stopped`` in the main thread, so that files are closed on the way out, and ends the
process if that takes too long as well.

::

    TERM, HUP ──── noticed within 3 s ── closed within 60 s ── orderly end
                          │                      │
                          └───── Stopped ────────┴── left within 5 s ── files closed as far as possible
    INT, INT ────────────────────┘                            │
    INT, INT, INT ────────────────────────────────────────────┴── the process is ended

A signal that was ignored when the program started stays ignored, as ``nohup`` and background jobs rely on.
"""

from __future__ import annotations

import os
import signal
import time
import types
from contextlib import suppress
from typing import Any

from cantools_cli.console.warden import IMPATIENCE_SECONDS, Warden


class Stopped(BaseException):
    """Ends the command at once, by ``signum``. Not an Exception, so that no handler swallows it."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(signum)


class Interruption:
    """Handles INT, TERM and HUP while it is entered."""

    def __init__(self) -> None:
        self.drains = False  #: set while reading a pipe: a first INT does not end the command
        self.signum: int | None = None  #: the signal that ends the command, or None
        self.is_noticed = False  #: whether the command has read ``requested`` since then
        self.is_forced = False  #: set by the warden: the next signal stops at once
        #: whether ``Stopped`` was raised; only once, so that files can still be closed
        self.is_stopped = False
        self._interrupted_at: float | None = None
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1
        self.fd = -1
        self._write_fd = -1
        self._warden: Warden | None = None

    @property
    def requested(self) -> bool:
        """Whether the command has to end."""
        if self.signum is None:
            return False
        self.is_noticed = True
        return True

    def __enter__(self) -> Interruption:
        self.fd, self._write_fd = os.pipe()
        os.set_blocking(self._write_fd, False)
        os.set_blocking(self.fd, False)
        self._warden = Warden(self, self._write_fd)
        self._wakeup_before = signal.set_wakeup_fd(self._warden.wakeup_fd, warn_on_full_buffer=False)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        if self._warden is not None:
            self._warden.close()
        os.close(self.fd)
        os.close(self._write_fd)

    def awake(self) -> None:
        """Drain ``fd``, so that it becomes readable again only for the next signal."""
        with suppress(BlockingIOError):
            os.read(self.fd, 64)

    def _handle(self, signum: int, frame: types.FrameType | None) -> None:
        if self.is_stopped:
            return
        if self.is_forced:
            self.is_stopped = True
            self.signum = signum
            raise Stopped(signum)
        if signum == signal.SIGINT:
            now = time.monotonic()
            before, self._interrupted_at = self._interrupted_at, self._interrupted_at or now
            if before is not None:
                if now - before < IMPATIENCE_SECONDS:  # timeout(1) sends each signal twice
                    return
                self.signum = signum
                self.is_stopped = True
                raise Stopped(signum)
            if self.drains:
                return
        if self.signum is None:
            self.signum = signum


def end_by(signum: int) -> None:
    """End this process by ``signum`` with the default action, so that the shell sees the signal."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
