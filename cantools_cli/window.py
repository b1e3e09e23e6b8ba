"""A part of a log by time: ``--start`` and ``--end``."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass

from cantools_cli.batch import MessageBatch
from cantools_cli.errors import UsageError, quoted
from cantools_cli.units import duration_ns

#: dateutil takes the present day for what a text leaves open, so that -5 is a date to it
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])|[0-9]{8}")
_DURATION = re.compile(r"[0-9]*\.?[0-9]*\s*(?:ns|us|µs|ms|s|m|h)?")


@dataclass(frozen=True)
class Moment:
    """A time in a log: since its first frame, or absolute, in nanoseconds since the epoch."""

    nanoseconds: int
    is_absolute: bool = False

    @classmethod
    def parse(cls, text: str, tz: str = "local") -> Moment:
        """Return what ``90``, ``1.5s``, ``10m`` (since the first frame), ``@1436509052.25`` (seconds since
        the epoch) or a date and time (in the zone ``tz`` if it says none) mean.

        Raises:
            UsageError: ``text`` is none of these.
        """
        stripped = text.strip()
        if stripped.startswith("@"):
            return cls(duration_ns(stripped[1:]), is_absolute=True)
        if stripped and _DURATION.fullmatch(stripped):
            return cls(duration_ns(stripped))
        from dateutil import parser  # type: ignore[import-untyped,unused-ignore]  # stubs are another package

        try:
            if not _YEAR.search(stripped):
                raise ValueError("no year")
            moment = parser.parse(stripped)
        except (ValueError, OverflowError) as error:
            raise UsageError(
                f"bad time {quoted(text)}",
                hint="seconds since the first frame, 200ms, 10m, or a date such as 2015-07-10T06:17:32.25",
            ) from error
        from cantools_cli.clock import wall_to_ns

        if moment.tzinfo is not None:
            from datetime import timezone

            moment, tz = moment.astimezone(timezone.utc).replace(tzinfo=None), "UTC"
        return cls(wall_to_ns(moment, tz), is_absolute=True)

    def after(self, first_ns: int) -> int:
        """Return the time in nanoseconds since the epoch, in a log whose first frame is at ``first_ns``."""
        return self.nanoseconds if self.is_absolute else first_ns + self.nanoseconds


class Window:
    """Passes the frames from ``start`` on and before ``end``; None is no limit.

    Attributes:
        is_past: a whole batch was behind the end, so that in a log in order no more passes.
    """

    def __init__(self, start: Moment | None = None, end: Moment | None = None) -> None:
        self.is_past = False
        self._start = start
        self._end = end
        self._first_ns: int | None = None

    def select(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that pass: ``batch`` itself where all do, else a new one."""
        if (self._start is None and self._end is None) or not len(batch):
            return batch
        stamps = batch.timestamp_ns
        if self._first_ns is None:
            self._first_ns = stamps[0]
        lowest, highest = min(stamps), max(stamps)
        start = lowest if self._start is None else self._start.after(self._first_ns)
        end = highest + 1 if self._end is None else self._end.after(self._first_ns)
        self.is_past = lowest >= end
        if lowest >= start and highest < end:
            return batch
        return batch.select(array("I", [row for row, time in enumerate(stamps) if start <= time < end]))
