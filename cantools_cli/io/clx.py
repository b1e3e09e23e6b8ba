"""The text logs of CSS Electronics' CL1000, CL2000 and CL3000; read only.

::

    # Logger type: CL2000
    # Time: 20170101T022232                     the start of the file
    # Value separator: ";"
    # Time separator: ""                        these four are left out of a time before it is read
    # Time separator ms: ""
    # Date separator: ""
    # Time and date separator: "T"
    # Bit-rate: 500000
    Timestamp;Type;ID;Data                      also Lost and Length; Timestamp and Type may be missing
    01T022231683;8;7df;02010d5555555555         0 received, 1 received with 29 bits, 8 and 9 the same sent

A time is year, month, day, hours, minutes, seconds, milliseconds, of which the first ones may be missing:
its number of digits decides. The missing ones are those of ``# Time``, and advance when a time begins
again, such as at midnight. The clock is local, without a zone. ``Length`` is hexadecimal. ``Lost`` counts
frames that the logger missed. All frames are of ``can0``. Rows of more than 8 bytes, by the converter of
newer loggers, are CAN FD.

Loses: the bit rate and the identity of the logger; how many frames it missed, which is noted.

Source: CSS Electronics, "CLX000 docs", log file; mdf4-converters, mdf2clx.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cantools_cli import clock
from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.message import Message
from cantools_cli.io.columns import fields as values
from cantools_cli.io.columns.places import Places
from cantools_cli.io.columns.reader import ColumnsReader, Row
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import first_line

_SETTING = re.compile(rb"#\s*([A-Za-z][A-Za-z .-]*?)\s*:\s?(.*?)\s*")
_FIRST = re.compile(rb"\s*#\s*Logger type\s*:", re.IGNORECASE)
_COLUMNS = frozenset((b"timestamp", b"type", b"id", b"data"))
#: types of a message: whether its identifier has 29 bits, whether it was sent
_TYPES = {b"0": (False, False), b"1": (True, False), b"8": (False, True), b"9": (True, True)}
_SEPARATOR = re.compile(rb'"(.?)"')
_IN_TIMES = (b"time separator", b"time separator ms", b"date separator", b"time and date separator")
#: within which the 29th of February comes again
_MAX_MONTHS = 9 * 12
_LOST = re.compile(rb"[0-9]{1,9}")


class ClxReader(ColumnsReader):
    """Reads the text logs of the CLX000 loggers; ``tz`` is the zone of their clock, by default local."""

    SEPARATOR = b";"

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, dlc_base="hex", **kwargs)
        self._clock_of_logger = LoggerClock(self.tz or "local")
        self._kind: int | None = None
        self._lost: int | None = None
        self._missed = 0

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        line = first_line(head).lower()
        return _FIRST.match(line) is not None or frozenset(line.split(b";")) >= _COLUMNS

    def _note_end(self) -> None:
        super()._note_end()
        if self._missed:
            self.note_file(f"the logger missed {self._missed} frames (column Lost)")

    def _line(self, line: bytes, reason: int) -> Message | None:
        match = _SETTING.fullmatch(line)
        if match is not None:
            self._set(match[1].lower(), match[2])
            return None
        return super()._line(line, reason)

    def _set(self, name: bytes, value: bytes) -> None:
        """Apply a line of the header; joined files have several headers."""
        if name == b"logger type":
            self._places = None
            self._clock_of_logger = LoggerClock(self.tz or "local")
        elif name == b"time":
            self._clock_of_logger.begin(value)
        elif name in _IN_TIMES:
            self._clock_of_logger.separators += _separator(name, value)
        elif name == b"value separator":
            self._separator = _separator(name, value) or b";"

    def _find_header(self, line: bytes) -> None:
        names = {name.strip().lower(): number for number, name in enumerate(self._split(line))}
        if b"id" not in names or b"data" not in names:
            raise FormatError(f"no header with ID and Data: {quoted(line)}")
        self._header = line
        self._kind, self._lost = names.get(b"type"), names.get(b"lost")
        time, size = names.get(b"timestamp"), names.get(b"length")
        self._use(Places(names[b"id"], time, names[b"data"], size, tx=self._kind))

    def _row(self, fields: list[bytes]) -> Row:
        places = self._places
        assert places is not None
        if len(fields) < max(places.needed, (self._lost or 0) + 1):
            raise FormatError(f"{len(fields)} columns, not {places.needed} or more")
        can_id, flags = self._kind_of(fields, places)
        code, data, is_fd = self._data(fields, places)
        lost = b"0" if self._lost is None else fields[self._lost].strip()
        if not _LOST.fullmatch(lost):
            raise FormatError(f"lost {quoted(lost)} is not a number of frames")
        moment = 0 if places.time is None else self._moment(fields, places.time)
        self._missed += int(lost)  # from here on, the row is good
        return moment, can_id, flags | bits.FD if is_fd else flags, 0, code, data

    def _moment(self, fields: list[bytes], time: int | slice) -> int:
        assert isinstance(time, int)  # _find_header
        if not self._clock_of_logger.is_dated:
            self.note_file("no # Time line: missing parts of times count from 1970")
        return self._clock_of_logger.read(fields[time])

    def _kind_of(self, fields: list[bytes], places: Places) -> tuple[int, int]:
        """Return the identifier with its bits, and the flag of a sent frame."""
        value, _ = values.identifier(fields[places.identifier], 16)
        is_extended, is_sent = value > bits.CAN_SFF_MASK, False
        if self._kind is not None:
            kind = _TYPES.get(fields[self._kind].strip())
            if kind is None:
                raise FormatError(f"type {quoted(fields[self._kind])} is not 0, 1, 8 or 9")
            if is_extended and not kind[0]:
                raise FormatError(f"identifier {value:X} is above 7FF, the largest 11-bit identifier")
            is_extended, is_sent = kind
        return value | bits.CAN_EFF_FLAG if is_extended else value, bits.TX if is_sent else 0


class LoggerClock:
    """Completes times of which the larger parts are missing, and dates them."""

    #: by number of digits: the milliseconds after which a time begins again; 0: after a month, a year, never
    _PERIODS = MappingProxyType({3: 1_000, 5: 60_000, 7: 3_600_000, 9: 86_400_000, 11: 0, 13: 0, 17: 0})
    #: how much earlier than the latest one a time may be without having begun again: loggers sort loosely
    _SLACK = 60_000
    _EPOCH = datetime(1970, 1, 1)

    def __init__(self, tz: str) -> None:
        self.separators = b"T:.,/- "  #: characters removed from a time before its digits are counted
        self.is_dated = False  #: whether the file has a start date
        self._tz = tz
        self._latest = 0  # milliseconds of the wall clock since 1970
        self._minute = -1  # since 1970, the last one that was dated; its nanoseconds
        self._minute_ns = 0

    def begin(self, text: bytes) -> None:
        """Set the start of a file, such as ``20170101T022232``."""
        try:
            wall = datetime.strptime(text.decode("ascii"), "%Y%m%dT%H%M%S")
        except ValueError:
            raise FormatError(f"time {quoted(text)} is not a date such as 20170101T022232") from None
        self.is_dated = True
        self._latest = (wall - self._EPOCH) // timedelta(milliseconds=1)

    def read(self, text: bytes) -> int:
        """Return the nanoseconds since the epoch of a row's time."""
        digits = text.translate(None, self.separators)
        period = self._PERIODS.get(len(digits)) if digits.isdigit() else None
        if period is None:
            raise FormatError(f"time {quoted(text)} is not a logger time")
        hours, minutes = int(digits[-9:-7] or b"0"), int(digits[-7:-5] or b"0")
        seconds, milliseconds = int(digits[-5:-3] or b"0"), int(digits[-3:])
        if hours > 23 or minutes > 59 or seconds > 59:
            raise FormatError(f"time {quoted(text)} is not a valid time of day")
        moment = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds
        if period:
            earliest = self._latest - min(self._SLACK, period // 10)
            moment = earliest + (moment - earliest) % period
        else:
            moment += self._date(digits[:-9], text, moment)
        nanoseconds = self._dated(moment)
        self._latest = max(self._latest, moment)
        return nanoseconds

    def _date(self, digits: bytes, text: bytes, of_the_day: int) -> int:
        """Return the milliseconds from 1970 to ``[[year]month]day``, the first such day after the latest."""
        day, month, year = int(digits[-2:]), digits[-4:-2], digits[-8:-4]
        latest = self._EPOCH + timedelta(milliseconds=self._latest)
        now = latest.year * 12 + latest.month - 1
        months = [int(year) * 12 + int(month) - 1] if year else range(now - 1, now + _MAX_MONTHS)
        for index in months:
            if month and index % 12 != int(month) - 1:
                continue
            try:
                date = datetime(index // 12, index % 12 + 1, day)
                date_ms = (date - self._EPOCH) // timedelta(milliseconds=1)
            except (ValueError, OverflowError):
                continue  # the 30th of February, the year 0
            if year or date_ms + of_the_day >= self._latest - self._SLACK:
                return date_ms
        raise FormatError(f"time {quoted(text)} is not a valid date")

    def _dated(self, moment: int) -> int:
        """Return the nanoseconds since the epoch of a wall clock's milliseconds since 1970."""
        minute, rest = divmod(moment, 60_000)
        if minute != self._minute:
            try:
                self._minute_ns = clock.wall_to_ns(self._EPOCH + timedelta(minutes=minute), self._tz)
            except (ValueError, OverflowError):
                raise FormatError("the date is out of range") from None
            self._minute = minute
        return values.in_range(self._minute_ns + rest * 1_000_000, b"of the logger")


def _separator(name: bytes, value: bytes) -> bytes:
    """Return the separator in quotation marks in a header; empty without one."""
    match = _SEPARATOR.fullmatch(value)
    if match is None:
        raise FormatError(f"{name.decode()} {quoted(value)} is not a character in quotation marks")
    return match[1]
