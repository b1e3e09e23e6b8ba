"""A progress line on the terminal; nothing is shown elsewhere."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable

from cantools_cli.console.report import status_line
from cantools_cli.errors import counted

_FIRST_AFTER = 0.5
_EVERY = 0.1
#: interval at which a waiting command calls ``update``
REDRAW_SECONDS = 0.5
_BAR = 20


class Progress:
    """Shows bytes, frames/s and the time left on stderr, if that is a terminal.

    ``read`` returns the bytes so far, before decompression, and in all, None for an endless stream. ``count``
    returns the number of frames. ``share`` returns the progress from 0 to 1 by another measure than
    bytes, such as --count; the larger one is shown. ``to_stdout`` is set if frames go to stdout, which may be
    the same terminal: then nothing is shown unless stdout is a file.
    """

    def __init__(
        self,
        read: Callable[[], tuple[int, int | None]],
        count: Callable[[], int],
        *,
        share: Callable[[], float] | None = None,
        quiet: bool = False,
        to_stdout: bool = False,
    ) -> None:
        self._read = read
        self._count = count
        self._share = share
        self._start = time.monotonic()
        self._next = self._start + _FIRST_AFTER
        is_terminal = os.isatty(2) and os.environ.get("TERM") != "dumb"
        #: whether the line is shown
        self.is_shown = not quiet and is_terminal and not (to_stdout and not _is_file(1))

    def update(self) -> None:
        """Redraw the line if it is due."""
        if self.is_shown and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            seconds = time.monotonic() - self._start
            share = self._share() if self._share is not None else 0.0
            status_line.show(line(seconds, self._count(), *self._read(), share))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        status_line.clear()


def line(seconds: float, count: int, consumed: int, size: int | None, share: float = 0.0) -> str:
    """Return the line after ``seconds``.

    ::

        [#########-----------]  45 %, 83.8 of 186.1 MB, 4,500,000 frames, 5,301,000 frames/s, 2 s left
    """
    if size:
        share = max(share, consumed / size)
    text = f"{consumed / 1e6:.1f} of {size / 1e6:.1f} MB" if size else f"{consumed / 1e6:.1f} MB"
    text += f", {counted(count, 'frames', ',')}, {count / max(seconds, 1e-9):,.0f} frames/s"
    if share <= 0:
        return text
    share = min(share, 1.0)
    done = int(_BAR * share)
    left = spoken(seconds * (1 - share) / share)
    return f"[{'#' * done}{'-' * (_BAR - done)}] {int(100 * share):3} %, {text}, {left} left"


def spoken(seconds: float) -> str:
    """Return a time in words: ``45 s``, ``3 min 05 s``, ``2 h 10 min``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _is_file(fd: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        return False
