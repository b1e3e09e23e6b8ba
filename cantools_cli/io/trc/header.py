"""The head of a PEAK TRC file: its version, when the trace began, the order of its columns.

``$STARTTIME`` counts days since 1899-12-30, in local time. Any line may be missing; without a version it is
1.0, which has the text of the start alone.

Source: PEAK-System, "PEAK CAN TRC File Format".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import IntEnum

from cantools_cli.clock import ns_to_wall, wall_to_ns
from cantools_cli.errors import quoted


class TRCFileVersion(IntEnum):
    """The versions of the format, numbered as python-can does."""

    UNKNOWN = 0
    V1_0 = 100
    V1_1 = 101
    V1_2 = 102
    V1_3 = 103
    V2_0 = 200
    V2_1 = 201


VERSIONS = {f"{version // 100}.{version % 100}": version for version in TRCFileVersion if version}
#: the letters are those of ``$COLUMNS``; ``t`` stands here for the type as versions 1.x write it
COLUMNS = {
    TRCFileVersion.V1_0: "NOIlD",
    TRCFileVersion.V1_1: "NOtIlD",
    TRCFileVersion.V1_2: "NOBtIlD",
    TRCFileVersion.V1_3: "NOBtIRlD",
    TRCFileVersion.V2_0: "NOTIdlD",
    TRCFileVersion.V2_1: "NOTBIdRLD",
}
NEEDED = "OTID"  #: columns without which a file cannot be read

_EPOCH = datetime(1899, 12, 30)
_EPOCH_TO_1970 = timedelta(days=25_569)
_DAY_US = 86_400_000_000
_DAYS = re.compile(r"(-?)(\d{1,7})(?:[.,](\d{1,30}))?$")
_KEY = re.compile(r";\s*\$(\w+)\s*=\s*(.*)")
_START = re.compile(r";\s*Start time:\s*(.*)", re.IGNORECASE)
_TEXT = re.compile(
    r"(?P<first>\d{1,4})(?P<mark>[./-])(?P<middle>\d{1,2})[./-](?P<third>\d{1,4})[ T]+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})(?P<fraction>(?:[.,]\d{1,6}){0,2})"
    r"\s*(?P<half>am|pm)?(?:[+]00:00)?",
    re.IGNORECASE,
)


class TrcHeader:
    """The lines that begin with ``;``."""

    def __init__(self) -> None:
        self.version = TRCFileVersion.V1_0  #: ``UNKNOWN`` for one that is not in ``VERSIONS``
        self.version_text = "1.0"  #: as it is written
        self.is_python_can = False  #: whether python-can wrote the file, whose start is UTC
        self.met = False  #: whether any such line was there
        self._columns: str | None = None
        self._days = ""
        self._text = ""

    def take(self, line: str) -> None:
        """Parse a line that begins with ``;``."""
        self.met = True
        key, start = _KEY.match(line), _START.match(line)
        if key is not None:
            name, value = key[1].upper(), key[2].strip()
            if name == "FILEVERSION":
                self.version_text = value
                self.version = VERSIONS.get(value, TRCFileVersion.UNKNOWN)
            elif name == "STARTTIME":
                self._days = value
            elif name == "COLUMNS":
                self._columns = "".join(part.strip()[:1] for part in value.split(","))
        elif start is not None:
            self._text = start[1].strip()
        elif "python-can" in line:
            self.is_python_can = True

    @property
    def columns(self) -> str | None:
        """Letters of the columns, data last; None if neither version nor ``$COLUMNS`` defines them."""
        if self._columns is not None and self.version not in COLUMNS_FIXED:
            is_readable = set(NEEDED) <= set(self._columns) and "D" not in self._columns[:-1]
            return self._columns if is_readable else None
        return COLUMNS.get(self.version)

    def start_ns(self, tz: str | None, note: Callable[[str], None]) -> int | None:
        """Return the start in nanoseconds since the epoch; None if it cannot be read."""
        zone = tz or ("UTC" if self.is_python_can else "local")
        wall = days_to_wall(self._days)
        if wall is None and self._days:
            note(f"$STARTTIME is {quoted(self._days)}, not a number of days; the text of the start is used")
        if wall is None:
            wall = parse_text(self._text, note)
        if wall is None:
            return None
        try:
            return wall_to_ns(wall, zone)
        except (OverflowError, ValueError):  # years without zone data
            return None


#: versions whose columns are always the same
COLUMNS_FIXED = frozenset(version for version in COLUMNS if 0 < version < TRCFileVersion.V2_0)


def begins_file(line: str) -> bool:
    """Return whether ``line``, after a message, begins another file; 1.0 has no version line."""
    key = _KEY.match(line)
    return _START.match(line) is not None or (key is not None and key[1].upper() == "FILEVERSION")


def days_to_wall(text: str) -> datetime | None:
    """Return the moment of a number of days since 1899-12-30 00:00, rounded to the microsecond."""
    match = _DAYS.match(text)
    if match is None:
        return None
    sign, whole, fraction = match.groups(default="")
    scale = 10 ** len(fraction)
    microseconds = (2 * int(whole + fraction) * _DAY_US + scale) // (2 * scale)
    try:
        return _EPOCH + timedelta(microseconds=-microseconds if sign else microseconds)
    except OverflowError:
        return None


def wall_to_days(wall: datetime) -> str:
    """Return the days since 1899-12-30 with 12 decimals, the 17 digits that a double holds."""
    microseconds = (wall - _EPOCH) // timedelta(microseconds=1)
    days, rest = divmod(abs(microseconds), _DAY_US)
    scaled = (rest * 10**12 + _DAY_US // 2) // _DAY_US
    return f"{'-' if microseconds < 0 else ''}{days}.{scaled:012d}"


def parse_text(text: str, note: Callable[[str], None]) -> datetime | None:
    """Return the moment that ``Start time:`` names, which depends on the language of the computer.

    ``18.12.2021 14:28:07.062.0`` has tenths of milliseconds at the end, ``.062.001`` microseconds. Of a
    date with slashes a number above 12 decides which is the day; otherwise it is the first.
    """
    match = _TEXT.match(text)
    if match is None:
        if text:
            note(f"cannot parse the start time {quoted(text)}")
        return None
    first, middle, third = int(match["first"]), int(match["middle"]), int(match["third"])
    year, month, day = (first, middle, third) if len(match["first"]) == 4 else (third, middle, first)
    if month > 12 and len(match["first"]) < 4:
        month, day = day, month
    elif match["mark"] == "/" and len(match["first"]) < 4 and day <= 12 and day != month:
        note(f"the start time {quoted(text)} is read with the day first")
    hour = int(match["hour"])
    if match["half"] and hour <= 12:
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    digits = re.sub(r"\D", "", match["fraction"])[:6].ljust(6, "0")
    try:
        return datetime(year, month, day, hour, int(match["minute"]), int(match["second"]), int(digits))
    except ValueError:
        note(f"cannot parse the start time {quoted(text)}")
        return None


# What stands above the columns, and the columns of the line that it points at.
_LABELS = {
    "N": "Message number",
    "O": "Time offset [ms]",
    "T": "Type",
    "t": "Type",
    "B": "Bus",
    "I": "ID [hex]",
    "d": "Rx/Tx",
    "R": "Reserved",
    "l": "Data length",
    "L": "Data length code",
    "D": "Data [hex] ...",
}
_MARKS = {
    TRCFileVersion.V1_0: (4, 10, 23, 29, 32),
    TRCFileVersion.V1_1: (4, 12, 21, 32, 38, 41),
    TRCFileVersion.V1_2: (4, 12, 23, 26, 37, 43, 46),
    TRCFileVersion.V1_3: (4, 12, 22, 25, 35, 40, 43, 48),
    TRCFileVersion.V2_0: (4, 14, 22, 29, 34, 37, 40),
    TRCFileVersion.V2_1: (4, 14, 22, 25, 32, 37, 40, 43, 48),
}


def _ruler(version: TRCFileVersion) -> list[str]:
    """Return the lines that label the columns, each label at its column."""
    marks = _MARKS[version]
    lines: list[str] = []
    for letter, mark in zip(COLUMNS[version], marks, strict=True):
        line = [" "] * mark
        for at in marks[: len(lines)]:
            line[at] = "|"
        lines.append(";" + "".join(line)[1:] + _LABELS[letter])
    last = ["-"] * (marks[-1] + 24)
    for at in marks:
        last[at] = "+"
    return [*lines, ";" + "".join(last)[1:]]


def format_header(version: TRCFileVersion, start_ns: int, tz: str) -> list[str]:
    """Return the lines of a header; ``start_ns`` is floored to the millisecond."""
    wall = ns_to_wall(start_ns, tz)
    moment = f"{wall:%d.%m.}{wall.year:04d} {wall:%H:%M:%S}.{wall.microsecond // 1000:03d}.0"
    lines = []
    if version != TRCFileVersion.V1_0:
        number = next(text for text, known in VERSIONS.items() if known == version)
        lines = [f";$FILEVERSION={number}", f";$STARTTIME={wall_to_days(wall)}"]
    if version >= TRCFileVersion.V2_0:
        lines.append(f";$COLUMNS={','.join(COLUMNS[version])}")
    rule = ";" + ("#" if version == TRCFileVersion.V1_0 else "-") * 78
    lines.append(rule if version == TRCFileVersion.V1_0 else ";")
    return [*lines, f";   Start time: {moment}", ";   Generated by canx", rule, *_ruler(version)]
