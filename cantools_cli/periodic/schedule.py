"""The due times of a periodic transmission: arithmetic without a clock."""

from __future__ import annotations

from math import isfinite

from cantools_cli.errors import UsageError

#: the largest number of frames that a delayed sender makes up for; earlier ones are skipped
CATCH_UP = 32


class Schedule:
    """Due times at intervals of ``period_ns``, from the call of ``begin`` on.

    The times are absolute: a delay does not move later ones, so the average period is exact. A late sender
    sends the missed frames at once, but at most ``CATCH_UP`` of them: a process that was stopped for a minute
    must not flood the bus.

    Attributes:
        sent: the number of frames sent.
        skipped: the number of frames that a late sender left out.
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
        """Start from the beginning; the first frame is due at ``now_ns``."""
        self._begin_ns = now_ns
        self._index = self.sent = self.skipped = 0

    @property
    def due_ns(self) -> int | None:
        """The time of the next frame; None after the duration or the last frame."""
        if self._count is not None and self.sent >= self._count:
            return None
        after_ns = self._index * self._period_ns
        if self._duration_ns is not None and after_ns >= self._duration_ns:
            return None
        return self._begin_ns + after_ns

    @property
    def is_short(self) -> bool:
        """Whether fewer than ``count`` frames were sent."""
        return self._count is not None and self.sent < self._count

    def advance(self, now_ns: int) -> None:
        """Record at ``now_ns`` that the due frame was sent."""
        self.sent += 1
        self._index += 1
        since_ns = now_ns - self._begin_ns
        if self._duration_ns is not None:
            since_ns = min(since_ns, self._duration_ns - 1)
        missed = since_ns // self._period_ns + 1 - self._index
        if missed > CATCH_UP:
            self.skipped += missed - CATCH_UP
            self._index += missed - CATCH_UP


def frames_within(duration_ns: int, period_ns: int) -> int:
    """Return the number of frames that are due within ``duration_ns``, at least 1."""
    return max(1, -(-duration_ns // period_ns))


def nanoseconds(seconds: float, what: str = "period") -> int:
    """Return ``seconds`` as nanoseconds, rounded."""
    if not isfinite(seconds) or round(seconds * 1_000_000_000) <= 0:
        raise UsageError(f"the {what} is {seconds} s, but must be greater than 0")
    return round(seconds * 1_000_000_000)
