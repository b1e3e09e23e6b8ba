"""Timeouts of operations that wait several times."""

from __future__ import annotations

import time

_FIRST_PAUSE, _MAX_PAUSE = 0.0001, 0.01  # seconds


class Deadline:
    """The end of a timeout on the monotonic clock; a timeout of None never ends."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout
        self._pause = _FIRST_PAUSE

    def remaining(self) -> float | None:
        """Return the seconds left, at least 0, or None if the timeout never ends."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def pause(self) -> None:
        """Sleep, longer each time: for a loop whose wait may return at once."""
        remaining = self.remaining()
        time.sleep(self._pause if remaining is None else min(self._pause, remaining))
        self._pause = min(2 * self._pause, _MAX_PAUSE)
