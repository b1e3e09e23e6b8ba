"""Time windows of a log: ``--start``, ``--end`` and ``--shift``."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.units import duration_ns

if TYPE_CHECKING:
    from datetime import datetime

#: a date needs a four-digit year: dateutil also accepts 01/02/03, which is ambiguous
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])|[0-9]{8}")
_DURATION = re.compile(r"[0-9]*\.?[0-9]*\s*(?:ns|us|µs|ms|s|m|h)?")

_FORMS = "seconds since the first frame, 200ms, 10m, or a date such as 2015-07-10T06:17:32.25"


@dataclass(frozen=True)
class Moment:
    """A time in a log, in nanoseconds since its first frame or, if absolute, since the epoch."""

    nanoseconds: int
    is_absolute: bool = False

    @classmethod
    def parse(cls, text: str, tz: str = "local") -> Moment:
        """Parse ``90``, ``1.5s`` or ``10m`` (since the first frame), ``@1436509052.25`` (seconds since the
        epoch), or a date and time (in the zone ``tz`` unless it names one).
        """
        stripped = text.strip()
        if stripped.startswith("@"):
            return cls(duration_ns(stripped[1:]), is_absolute=True)
        if stripped and _DURATION.fullmatch(stripped):
            return cls(duration_ns(stripped))
        from cantools_cli.clock import wall_to_ns

        moment = _wall_time(text)
        if moment.tzinfo is not None:
            from datetime import timezone

            try:
                moment, tz = moment.astimezone(timezone.utc).replace(tzinfo=None), "UTC"
            except (ValueError, OverflowError) as error:  # more than a day from UTC, or out of the calendar
                raise UsageError(f"bad time {quoted(text)}", hint=_FORMS) from error
        return cls(wall_to_ns(moment, tz), is_absolute=True)

    def after(self, first_ns: int) -> int:
        """Return the time in nanoseconds since the epoch, for a log that starts at ``first_ns``."""
        return self.nanoseconds if self.is_absolute else first_ns + self.nanoseconds


def _wall_time(text: str) -> datetime:
    """Parse a date and time; the result has a zone if ``text`` names one."""
    import warnings
    from datetime import datetime

    from dateutil import parser  # type: ignore[import-untyped,unused-ignore]  # stubs are another package

    dates: list[datetime] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", parser.UnknownTimezoneWarning)
            for default in (datetime(2000, 1, 1), datetime(2004, 2, 2)):  # fill in parts that are missing
                dates.append(parser.parse(text, default=default))
    except parser.UnknownTimezoneWarning as error:
        raise UsageError(
            f"bad time {quoted(text)}: unknown time zone",
            hint="write a zone as an offset from UTC, such as 2015-07-10T08:17:32+02:00",
        ) from error
    except (ValueError, ArithmeticError) as error:  # Decimal raises the latter for seconds of 28 digits
        raise UsageError(f"bad time {quoted(text)}", hint=_FORMS) from error
    if dates[0] != dates[1] or not _YEAR.search(text):
        raise UsageError(f"bad time {quoted(text)}: a date needs year, month and day", hint=_FORMS)
    return dates[0]


def shift_ns(text: str) -> int:
    """Parse an offset such as ``1h``, ``+250ms`` or ``-1.5`` (seconds); return nanoseconds."""
    stripped = text.strip()
    sign = -1 if stripped.startswith("-") else 1
    return sign * duration_ns(stripped[1:] if stripped[:1] in ("-", "+") else stripped)


def shifted(batch: MessageBatch, by_ns: int) -> MessageBatch:
    """Add ``by_ns`` to all timestamps of ``batch``, in place, and return it."""
    try:
        batch.timestamp_ns = array("q", [time + by_ns for time in batch.timestamp_ns])
    except OverflowError:
        raise UsageError("--shift moves timestamps out of the years 1677 to 2262") from None
    return batch


def check_order(start: Moment | None, end: Moment | None) -> None:
    """Check that the window is not empty; a relative and an absolute time cannot be compared here."""
    if start is None or end is None or start.is_absolute != end.is_absolute:
        return
    if end.nanoseconds <= start.nanoseconds:
        raise UsageError("--end must be later than --start")


class Window:
    """Passes frames with ``start <= time < end``; None means no limit."""

    def __init__(self, start: Moment | None = None, end: Moment | None = None) -> None:
        #: whether the last batch was entirely after the end; a log in order has no more frames then
        self.is_past = False
        self._start = start
        self._end = end
        self._first_ns: int | None = None

    @property
    def has_end(self) -> bool:
        return self._end is not None

    def share_at(self, now_ns: int) -> float:
        """Return the position of ``now_ns`` in the window, from 0 to 1; 0 without an end."""
        if self._end is None or self._first_ns is None:
            return 0.0
        start = self._first_ns if self._start is None else self._start.after(self._first_ns)
        whole = self._end.after(self._first_ns) - start
        return min(max((now_ns - start) / whole, 0.0), 1.0) if whole > 0 else 1.0

    def select(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that pass; ``batch`` itself if all do."""
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
