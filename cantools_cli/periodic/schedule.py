"""When each frame of a periodic transmission is due: arithmetic alone, no clock and no waiting."""

from __future__ import annotations

from math import isfinite

from cantools_cli.errors import UsageError

#: frames that a sender who was kept from sending makes up for at most; those missed before are left out
CATCH_UP = 32


class Schedule:
    """A raster of moments, ``period_ns`` apart, the first of them when it is begun.

    The raster is absolute: no delay moves what follows, so the average period is exact. Whoever comes late
    sends what was missed at once, so that the number of frames is right, but no more than ``CATCH_UP`` of
    them: a process that was stopped for a minute shall not flood the bus.

    Attributes:
        sent: how many were sent.
        skipped: how many were left out, since the sender was later than it may catch up.
    """

    __slots__ = ("_begin_ns", "_count", "_duration_ns", "_index", "_period_ns", "sent", "skipped")

    def __init__(self, period_ns: int, *, duration_ns: int | None = None, count: int | None = None) -> None:
        self._period_ns = period_ns
        self._duration_ns = duration_ns
        self._count = count
        self._begin_ns = 0
        self._index = 0
        self.sent = 0
        self.skipped = 0

    def begin(self, now_ns: int) -> None:
        """Start, from the beginning; the first frame is due at ``now_ns``."""
        self._begin_ns = now_ns
        self._index = self.sent = self.skipped = 0

    @property
    def due_ns(self) -> int | None:
        """When the next frame is due; None when the duration is over or all frames are sent."""
        if self._count is not None and self.sent >= self._count:
            return None
        after_ns = self._index * self._period_ns
        if self._duration_ns is not None and after_ns >= self._duration_ns:
            return None
        return self._begin_ns + after_ns

    @property
    def is_short(self) -> bool:
        """Whether fewer than ``count`` were sent."""
        return self._count is not None and self.sent < self._count

    def advance(self, now_ns: int) -> None:
        """Note at ``now_ns`` that the frame that was due is sent."""
        self.sent += 1
        self._index += 1
        since_ns = now_ns - self._begin_ns
        if self._duration_ns is not None:
            since_ns = min(since_ns, self._duration_ns - 1)
        behind = since_ns // self._period_ns + 1 - self._index
        if behind > CATCH_UP:
            self.skipped += behind - CATCH_UP
            self._index += behind - CATCH_UP


def frames_within(duration_ns: int, period_ns: int) -> int:
    """Return how many frames fall due before ``duration_ns`` is over: at least the one at its beginning."""
    return max(1, -(-duration_ns // period_ns))


def nanoseconds(seconds: float, what: str = "period") -> int:
    """Return ``seconds`` as nanoseconds, rounded.

    Raises:
        UsageError: they are not above 0, or not finite.
    """
    if not isfinite(seconds) or round(seconds * 1_000_000_000) <= 0:
        raise UsageError(f"the {what} is {seconds} s, and has to be above 0")
    return round(seconds * 1_000_000_000)
