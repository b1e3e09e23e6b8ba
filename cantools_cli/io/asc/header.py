"""The head of an ASC file: when the measurement began, and how its lines are written.

Its lines may be missing or stand in another order; BUSMASTER writes the second and third as one.

Source: files of Vector's tools, can-utils, python-can and BUSMASTER.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from cantools_cli.clock import ns_to_wall, wall_to_ns
from cantools_cli.errors import quoted

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: months as English and German installations name them
_MONTHS = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_MONTHS |= {"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12}
_DATE = re.compile(
    r"\S+\s+(?P<month>\S+)\s+(?P<day>\d{1,2})\s+(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})"
    r"(?:[.,](?P<fraction>\d{1,9}))?(?:\s*(?P<half>[ap]m))?\s+(?P<year>\d{4})\s*$",
    re.IGNORECASE,
)
_DATE_LINE = re.compile(r"date(?:\s|$)", re.IGNORECASE)
_BASE = re.compile(r"base\s+(hex|dec)\b", re.IGNORECASE)
_TIMESTAMPS = re.compile(r"timestamps\s+(absolute|relative)\b", re.IGNORECASE)
_EVENTS = re.compile(r"(no\s+)?internal\s+events\s+logged\b", re.IGNORECASE)
_BLOCK = re.compile(r"(begin|end)\s+triggerblock\b\s*(.*)$", re.IGNORECASE)
_VERSION = re.compile(r"//\s*version\b", re.IGNORECASE)

#: years that int64 nanoseconds since 1970 cover, and the limits of those nanoseconds
_YEARS = range(1677, 2263)
_NS_LIMIT = 1 << 63
#: differences in ns between equal times: a 12-hour clock may lack am and pm
_SAME_MOMENT = (0, 12 * 3600 * 1_000_000_000)


def parse_date(text: str, tz: str, *, bare_milliseconds: bool = False) -> int | None:
    """Return the nanoseconds since the epoch of a date such as ``Tue Nov 14 10:13:20.123 pm 2023``, or None.

    With ``bare_milliseconds`` one or two digits of fraction are whole milliseconds without padding.
    """
    match = _DATE.match(text)
    if match is None:
        return None
    month = _MONTHS.get(match["month"].lower())
    year, hour = int(match["year"]), int(match["hour"])
    if month is None or year not in _YEARS:
        return None
    if match["half"] and hour <= 12:  # some tools write am and pm after hours of a 24-hour clock
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    try:
        wall = datetime(year, month, int(match["day"]), hour, int(match["minute"]), int(match["second"]))
    except ValueError:
        return None
    fraction = match["fraction"] or ""
    if bare_milliseconds and len(fraction) < 3:
        fraction = fraction.rjust(3, "0")
    nanoseconds = wall_to_ns(wall, tz) + int(fraction.ljust(9, "0"))
    return nanoseconds if -_NS_LIMIT <= nanoseconds < _NS_LIMIT else None


def format_date(nanoseconds: int, tz: str, *, am_pm: bool = False) -> str:
    """Return a date line's date, floored to the millisecond, in English whatever the locale.

    The clock has 24 hours, as in German installations and current python-can: can-utils' ``asc2log`` rejects
    ``am``, and uses the current time for a date that it cannot parse. ``am_pm`` selects the 12-hour clock of
    English installations.
    """
    wall = ns_to_wall(nanoseconds, tz)
    hour = (wall.hour + 11) % 12 + 1 if am_pm else wall.hour
    half = (" pm" if wall.hour >= 12 else " am") if am_pm else ""
    clock = f"{hour:02d}:{wall.minute:02d}:{wall.second:02d}.{wall.microsecond // 1000:03d}{half}"
    return f"{DAYS[wall.weekday()]} {MONTHS[wall.month - 1]} {wall.day} {clock} {wall.year}"


def begins_file(line: str) -> bool:
    """Return whether ``line`` is that of the date."""
    return _DATE_LINE.match(line) is not None


def begins_block(line: str) -> bool:
    """Return whether ``line`` begins a block of events."""
    block = _BLOCK.match(line)
    return block is not None and block[1].lower() == "begin"


class AscHeader:
    """The lines before the first event."""

    def __init__(self, base: int = 16, is_relative: bool = False) -> None:
        self.base = base  #: 16 or 10, of identifiers and data
        self.is_relative = is_relative  #: each time counts from the line before
        self.met = False  #: whether any of its lines was there
        self._date = ""
        self._trigger = ""
        self._has_version = False
        self._unpadded = False

    def take(self, line: str) -> bool:
        """Parse a line without surrounding blanks; return whether it belongs to a header."""
        block = _BLOCK.match(line)
        if block is not None:
            if block[1].lower() == "begin":
                self._trigger = block[2]
        elif begins_file(line):
            self._date = line[5:].strip()
        elif line.startswith("//"):
            self._has_version |= _VERSION.match(line) is not None
            return True
        elif not self._take_style(line):
            return False
        self.met = True
        return True

    def take_start(self, line: str) -> None:
        """Take the line ``0.000000 Start of measurement``, whose blanks show python-can as the writer."""
        self._unpadded = line.startswith(" 0.000000 Start") and not self._has_version

    def start_ns(self, tz: str, note: Callable[[str], None]) -> int | None:
        """Return when the times begin: the date of the trigger block, else that of the file, else None."""
        date, trigger = (
            parse_date(text, tz, bare_milliseconds=self._unpadded) for text in (self._date, self._trigger)
        )
        for text, value in ((self._trigger, trigger), (self._date, date)):
            if text and value is None:
                note(f"cannot parse the date {quoted(text)}")
        if trigger is None:
            return date
        # python-can's file date is when it wrote the file, so a difference there means nothing.
        if date is not None and abs(trigger - date) not in _SAME_MOMENT and not self._unpadded:
            note(
                f"the date is {quoted(self._date)}; the begin of the events, {quoted(self._trigger)}, is used"
            )
        return trigger

    def block_ns(self, tz: str) -> int | None:
        """Return the date of the latest trigger block, if it has a readable one."""
        return parse_date(self._trigger, tz, bare_milliseconds=self._unpadded)

    def _take_style(self, line: str) -> bool:
        base, timestamps = _BASE.match(line), _TIMESTAMPS.search(line)
        if base is None and _EVENTS.match(line) is None and _TIMESTAMPS.match(line) is None:
            return False
        if base is not None:
            self.base = 16 if base[1].lower() == "hex" else 10
        if timestamps is not None:
            self.is_relative = timestamps[1].lower() == "relative"
        return True
