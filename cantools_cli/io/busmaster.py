"""BUSMASTER's log, as SavvyCAN writes it too; read only.

::

    ***BUSMASTER Ver 2.4.0***
    ***PROTOCOL CAN***
    ***START DATE AND TIME 23:9:2015 22:17:28:928***       day:month:year hour:minute:second:millisecond
    ***HEX***                                              or DEC: identifiers and data
    ***SYSTEM MODE***                                      times of the day; ABSOLUTE: since the start,
                                                           RELATIVE: since the line before
    ***<Time><Tx/Rx><Channel><CAN ID><Type><DLC><DataBytes>***
    22:20:14:9920 Rx 1 0x21A s 8 FE 36 12 FE 69 05 07 AD   s or x, sr or xr remote, s-fd or x-fd CAN FD
    ***END DATE AND TIME 23:9:2015 22:20:15:120***
    ***[STOP LOGGING SESSION]***

A log of J1939 has other columns, and no other frames than those of 29 bits::

    ***PROTOCOL J1939***
    ***<Time><Channel><CAN ID><PGN><Type><Source Node><Destination Node><Priority><Tx/Rx><DLC><DataBytes>***
    22:20:14:9920 1 18feef00 0xFEEF DAT 0x00 0xFF 6 Rx 8 FE 36 12 FE 69 05 07 AD

Its messages of more than 8 bytes were assembled from several frames: they are left out and counted.

The last part of a time is in units of 0.1 ms if it has four digits, else in milliseconds. A time of day more
than 12 hours earlier than the previous one is of the next day. Channels count from 1: ``can0`` is 1, and 0,
which SavvyCAN writes. A file may hold several sessions. The date is local time, without a zone.

Source: files of BUSMASTER and SavvyCAN; for J1939 the output of BUSMASTER's logging module.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from cantools_cli import clock
from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.files import AnyFile
from cantools_cli.io.rows import check_size
from cantools_cli.io.text import NumberedReader, Parsed, first_line, no_kernel
from cantools_cli.kernels import busmaster as kernel
from cantools_cli.kernels.buffers import ReadBuffer

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_START = re.compile(
    r"START DATE AND TIME\s+(\d{1,2}):(\d{1,2}):(\d{4})\s+(\d{1,2}):(\d{1,2}):(\d{1,2})(?::(\d{1,4}))?"
)
_MODE = re.compile(r"(SYSTEM|ABSOLUTE|RELATIVE) MODE")
_TIME = re.compile(r"(\d{1,6}):(\d{1,2}):(\d{1,2}):(\d{1,4})")
_TYPE = re.compile(r"([sx])(r|-fd)?")
_LENGTH = re.compile(r"[0-9]{1,4}")
_CHANNEL = re.compile(r"[0-9]{1,3}")
_HEX = re.compile(r"(?:0x)?([0-9a-f]{1,8})")
_DECIMAL = re.compile(r"[0-9]{1,9}")
_DIRECTIONS = {"rx": True, "tx": False}
_MODES = {"SYSTEM": kernel.SYSTEM, "ABSOLUTE": kernel.ABSOLUTE, "RELATIVE": kernel.RELATIVE}
_NO_DATE = "no date: times count from 1970"
_MAX_J1939 = 1785


class BusmasterReader(NumberedReader):
    """Reads BUSMASTER's log; ``tz`` is the zone of its dates, by default local."""

    is_ambiguous = True  # a decimal byte of 17 may be a truncated 173

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._session = LogSession(self.tz or "local")

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return first_line(head).startswith(b"***")

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        session = self._session
        clock = session.clock()
        if clock is None or session.is_j1939:
            return no_kernel(at, batch, first)
        others = (self._numbers, session.is_decimal, *clock, first, *batch.columns())
        at, rows, reason = kernel.parse(text, at, end, *others)
        if rows > first:
            self.is_ambiguous = True
            _, _, shift_ns, _ = clock
            session.go_on(batch.timestamp_ns[rows - 1] - shift_ns, self.note)
        return at, rows, reason

    def _numbered(self, line: bytes) -> tuple[int, str]:
        number = line.split(None, 3)[2].decode()
        return int(number), _channel(number)

    def _line(self, line: bytes, reason: int) -> Message | None:
        text = line.decode("utf-8", "replace").strip()
        self.is_ambiguous = not text.startswith("***")
        if not text:
            return None
        if text.startswith("***"):
            self._header(text.strip("*").strip())
            return None
        try:
            return self._frame(text.lower().split())
        except FormatError as error:
            raise FormatError(f"{error.reason}: {quoted(line)}") from None

    def _header(self, text: str) -> None:
        match = _START.match(text)
        mode = _MODE.match(text)
        if match is not None:
            self._session.begin(match)
        elif mode is not None:
            self._session.count_from(mode[1])
        elif text in ("HEX", "DEC"):
            self._session.is_decimal = text == "DEC"
        elif text.startswith("PROTOCOL"):
            protocol = " ".join(text.split()[1:])
            if protocol not in ("CAN", "J1939"):
                raise FormatError(f"protocol {quoted(protocol)} is not CAN or J1939")
            self._session.is_j1939 = protocol == "J1939"

    def _frame(self, words: list[str]) -> Message | None:
        time = _TIME.fullmatch(words[0])
        if time is None:
            raise FormatError("not a BUSMASTER line")
        if self._session.is_j1939:
            if len(words) < 10:
                raise FormatError("not a BUSMASTER J1939 line")
            message = self._data([words[0], words[8], words[1], words[2], "x", *words[9:]], _MAX_J1939)
        elif any(word.startswith("err") for word in words[1:]):
            message = _error(words)
        elif len(words) < 6:
            raise FormatError("not a BUSMASTER line")
        else:
            message = self._data(words, 64)
        if self._session.is_j1939 and len(message.data) > 8:
            self.left_out["J1939 messages of more than 8 bytes"] += 1
            return None
        message.timestamp_ns = self._session.moment(time, self.note)
        return message

    def _data(self, words: list[str], most: int) -> Message:
        """Return the frame of ``words``, with up to ``most`` bytes of data."""
        _, direction, channel, identifier, kind, length, *octets = words
        match = _TYPE.fullmatch(kind)
        if match is None:
            raise FormatError(f"type {quoted(kind)} is not one of s, x, sr, xr, s-fd, x-fd")
        if direction not in _DIRECTIONS:
            raise FormatError(f"direction {quoted(direction)} is not Rx or Tx")
        if not _LENGTH.fullmatch(length) or int(length) > most:
            raise FormatError(f"length {quoted(length)} is not 0 to {most}")
        size = int(length)
        message = Message(
            arbitration_id=self._number(identifier, 0x1FFFFFFF, "identifier"),
            is_extended_id=match[1] == "x",
            is_remote_frame=match[2] == "r",
            is_fd=match[2] == "-fd",
            channel=_channel(channel),
            dlc=size,
            is_rx=_DIRECTIONS[direction],
        )
        if not message.is_remote_frame:
            check_size(octets, size)
            message.data = bytearray(self._number(word, 0xFF, "data byte") for word in octets)
        return message

    def _number(self, text: str, most: int, what: str) -> int:
        """Return a number in the session's base; one that begins with 0x is always hexadecimal."""
        match = _HEX.fullmatch(text)
        if self._session.is_decimal and not text.startswith("0x"):
            value = int(text) if _DECIMAL.fullmatch(text) else -1
        else:
            value = int(match[1], 16) if match is not None else -1
        if not 0 <= value <= most:
            raise FormatError(f"bad {what} {quoted(text)}")
        return value


class LogSession:
    """The header of a session, and the clock of its lines."""

    def __init__(self, tz: str) -> None:
        self.mode = "SYSTEM"  #: the reference of times: SYSTEM, ABSOLUTE or RELATIVE
        self.is_decimal = False  #: the base of identifiers and data
        self.is_j1939 = False  #: whether lines have the columns of J1939
        self._tz = tz
        self._start: datetime | None = None
        self._midnight = datetime(1970, 1, 1)
        self._first_ns = 0  # time of the day at which the session began
        self._last_ns = 0  # SYSTEM: the last time of the day; RELATIVE: the sum
        self._second = -1  # of the day, and its nanoseconds since the epoch
        self._second_ns = 0

    def begin(self, match: re.Match[str]) -> None:
        """Set the date of ``***START DATE AND TIME ...***``."""
        day, month, year, hour, minute, second = map(int, match.groups()[:6])
        try:
            whole = datetime(year, month, day, hour, minute, second)
        except ValueError:
            raise FormatError(f"invalid date: {quoted(match[0])}") from None
        fraction = _fraction_ns(match[7] or "0")
        self._start = whole + timedelta(microseconds=fraction // 1000)
        self._midnight = datetime(year, month, day)
        self._first_ns = (hour * 3600 + minute * 60 + second) * _SECOND + fraction
        self.count_from(self.mode)

    def count_from(self, mode: str) -> None:
        """Set the mode, which may precede or follow the date."""
        self.mode = mode
        self._last_ns = 0 if mode == "RELATIVE" else self._first_ns
        self._second = -1  # whose nanoseconds are those of the mode before

    def clock(self) -> tuple[int, int, int, int] | None:
        """Return mode, second, shift and last time for the kernel; None if it has to refuse the line."""
        shift_ns, second = self._second_ns, -1
        if self._start is None:
            is_system = self.mode == "SYSTEM"
            shift_ns = (self._midnight - datetime(1970, 1, 1)).days * _DAY if is_system else 0
        elif self._second < 0:
            return None
        elif self.mode == "SYSTEM":
            second = self._second
            shift_ns -= second * _SECOND
        if abs(shift_ns) > kernel.MAX_NS or self._last_ns > kernel.MAX_NS:
            return None
        return _MODES[self.mode], second, shift_ns, self._last_ns

    def go_on(self, last_ns: int, note: Any) -> None:
        """Continue after lines that the kernel parsed, the last of them at ``last_ns``."""
        if self._start is None:
            note(_NO_DATE)
        if self.mode != "ABSOLUTE":
            self._last_ns = last_ns

    def moment(self, match: re.Match[str], note: Any) -> int:
        """Return the nanoseconds since the epoch of a line's time; without a date those since the start."""
        hours, minutes, seconds = map(int, match.groups()[:3])
        if minutes > 59 or seconds > 59 or (self.mode == "SYSTEM" and hours > 23):
            raise FormatError(f"invalid time of day {match[0]}")
        since_ns = (hours * 3600 + minutes * 60 + seconds) * _SECOND + _fraction_ns(match[4])
        if self._start is None:
            note(_NO_DATE)
        if self.mode == "SYSTEM":
            return self._of_the_day(since_ns)
        if self.mode == "RELATIVE":
            self._last_ns += since_ns
            since_ns = self._last_ns
        if self._start is None:
            return since_ns
        if self._second < 0:
            self._second = 0
            self._second_ns = clock.wall_to_ns(self._start, self._tz)
        return self._second_ns + since_ns

    def _of_the_day(self, time_ns: int) -> int:
        if time_ns < self._last_ns - _DAY // 2:
            self._midnight += timedelta(days=1)
            self._second = -1
        self._last_ns = time_ns
        if self._start is None:
            return time_ns + (self._midnight - datetime(1970, 1, 1)).days * _DAY
        second = time_ns // _SECOND
        if second != self._second:
            self._second = second
            wall = self._midnight + timedelta(seconds=second)
            self._second_ns = clock.wall_to_ns(wall, self._tz)
        return self._second_ns + time_ns % _SECOND


def _error(words: list[str]) -> Message:
    """Return the error frame of a line that names an error, whose kind is not kept."""
    message = error_frames.message(error_frames.BUS_ERROR, bytes(8))
    message.is_rx = words[1] != "tx"
    message.channel = _channel(words[2]) if len(words) > 2 and _CHANNEL.fullmatch(words[2]) else "can0"
    return message


def _channel(text: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise FormatError(f"channel {quoted(text)} is not a number")
    return f"can{max(int(text) - 1, 0)}"


def _fraction_ns(digits: str) -> int:
    """Return the nanoseconds of the last part of a time: 0.1 ms in four digits, else milliseconds."""
    return int(digits) * (100_000 if len(digits) == 4 else 1_000_000)
