"""Bus traffic files of Intrepid's Vehicle Spy 3, as comma separated values; read only.

::

    Vehicle Spy 3 Bus Traffic File
    Start Date,1/24/2020                        month/day/year
    Start Time,10:11:12 AM
    ISO8601 Timestamp,2020/01/24T10:11:12.000019    in newer files
    Network Description,Hardware,Network,Protocol,Baud Rate
    HS CAN,Default,HS CAN,CAN,500000,

    Line,Abs Time(Sec),Rel Time (Sec),Status,Er,Tx,...,Network,Node,Arb ID,Remote,Xtd,B1,...,B8,Value,...
    2,2550.368293675,0.0038,67371008,F,F,...,HS CAN,,119,F,F,00,00,00,00,00,00,0D,8B,,,

There is one header of rows for each kind of network; the one with ``Arb ID`` is used. Rows of networks other
than CAN are left out and counted. Times are added to the start, in local time; without a start they count
from 1970. Channels are the names of networks, with _ for a blank. ``Er`` marks an error frame without
details. In files of CAN FD ``Remote`` is ``Remote/EDL-BRS-ESI``, three flags, and data after the
eighth byte is in ``Value``.

Loses: rows of other networks; status, descriptions, nodes and signals.

Source: files of Vehicle Spy 3; SavvyCAN's list of columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.error_frames import BUS_ERROR
from cantools_cli.frame.message import Message
from cantools_cli.io.columns import fields as values
from cantools_cli.io.columns.places import Places
from cantools_cli.io.columns.reader import ColumnsReader, Row
from cantools_cli.io.files import AnyFile

_TITLE = re.compile(rb"\s*\"?Vehicle Spy", re.IGNORECASE)
_HEADER = re.compile(rb"\s*\"?Line\"?\s*,.*\bAbs Time\b.*\bArb ?ID\b.*\bB1\b", re.IGNORECASE)
_OTHER_HEADER = re.compile(rb"\s*\"?Line\"?\s*,", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{1,4})([/.-])([0-9]{1,2})\2([0-9]{1,4})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2}) ?([AaPp][Mm])?")
_VALUE = re.compile(rb"[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2})*")
_BETWEEN = re.compile(rb"[-/ ]")


class VehicleSpyReader(ColumnsReader):
    """Reads Vehicle Spy's bus traffic; ``tz`` is the zone of its start, by default local."""

    SEPARATOR = b","

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._start = _Start(self.tz or "local")
        self._protocols: dict[bytes, str] = {}  # by the name of a network
        self._titled = self._in_networks = False
        self._value: int | None = None
        self._width = 0  # columns of the header

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        head = head.removeprefix(b"\xef\xbb\xbf")
        return _TITLE.match(head) is not None or any(map(_HEADER.match, head.splitlines()[:64]))

    def _line(self, line: bytes, reason: int) -> Message | None:
        if _TITLE.match(line):  # also of a file that was joined to another
            self._titled, self._places = True, None
            self._start = _Start(self.tz or "local")
            self._protocols.clear()
            return None
        if _OTHER_HEADER.match(line):
            if self._places is None:
                self._find_header(line)
            return None
        if self._places is None:
            self._before_header(line)
            return None
        protocol = self._protocol(self._split(line))
        if protocol:
            self.left_out[f"rows of {protocol}"] += 1
            return None
        return super()._line(line, reason)

    def _before_header(self, line: bytes) -> None:
        """Parse a line of the block before the rows."""
        if not self._titled:
            self._passed = self._passed or line
        fields = [field.strip() for field in self._split(line)]
        name = fields[0].lower() if fields else b""
        if not name:
            self._in_networks = False
        elif name == b"network description":
            self._in_networks = True
        elif self._in_networks and len(fields) > 3:
            protocol = fields[3].decode("utf-8", "replace")
            if "CAN" not in protocol.upper():
                self._protocols[fields[0]] = self._protocols[fields[2]] = protocol or "no protocol"
        elif len(fields) > 1:
            self._start.take(name, fields[1].decode("utf-8", "replace"))

    def _find_header(self, line: bytes) -> None:
        names = [name.strip().lower().replace(b" ", b"") for name in self._split(line)]
        at = {_short(name): number for number, name in reversed([*enumerate(names)])}
        if not {b"abstime", b"arbid", b"b1"} <= at.keys():
            return
        first = at[b"b1"]
        last = next((number for number in range(first, len(names)) if names[number][:1] != b"b"), len(names))
        self._value, self._width = at.get(b"value"), len(names)
        names_of = {
            "channel": b"network",
            "tx": b"tx",
            "extended": b"xtd",
            "remote": b"remote",
            "error": b"er",
        }
        others = {key: at.get(name) for key, name in names_of.items()}
        self._use(Places(at[b"arbid"], at[b"abstime"], slice(first, last), **others))

    def _protocol(self, fields: list[bytes]) -> str | None:
        """Return the protocol of a row that is not of CAN."""
        places = self._places
        assert places is not None
        if places.channel is None or places.channel >= len(fields):
            return None
        return self._protocols.get(fields[places.channel].strip())

    def _row(self, fields: list[bytes]) -> Row:
        places = self._places
        assert places is not None
        if len(fields) < places.needed:
            raise FormatError(f"{len(fields)} columns, not {places.needed} or more")
        if self._protocols and self._protocol(fields):
            raise FormatError("a row of another network")  # which _line leaves out
        assert isinstance(places.time, int)  # _find_header
        time = fields[places.time]
        moment = values.in_range(self._moments.read(time) + self._start.ns(self.note), time)
        channel = 0 if places.channel is None else self._channel(fields[places.channel])
        flags = bits.TX if self._is_sent(fields, places) else 0
        if places.error is not None and values.flag(fields[places.error], values.FLAGS, "Er"):
            return moment, BUS_ERROR | bits.CAN_ERR_FLAG, flags, channel, 8, bytes(8)
        can_id = self._can_id(fields, places)
        is_remote, fd = _kind(b"" if places.remote is None else fields[places.remote])
        data = self._octets(fields, places, fd)
        if is_remote:
            return moment, can_id | bits.CAN_RTR_FLAG, flags, channel, 0, b""
        code, is_fd = self._code(len(data), -1, True if fd else None)
        return moment, can_id, flags | fd | (bits.FD if is_fd else 0), channel, code, data

    def _octets(self, fields: list[bytes], places: Places, fd: int) -> bytes:
        assert isinstance(places.data, slice)  # _find_header
        parts = fields[places.data]
        while parts and not parts[-1].strip():
            parts.pop()
        rest = b"" if self._value is None or self._value >= len(fields) else fields[self._value].strip()
        if fd and len(parts) == 8 and _VALUE.fullmatch(rest):
            parts += rest.split()
        return values.octets(parts, 16)

    def _channel_name(self, text: bytes) -> str:
        return "_".join(super()._channel_name(text).split())

    def _ends_openly(self, fields: Sequence[bytes]) -> bool:
        return len(fields) < self._width


class _Start:
    """The start of a file, from the lines of its first block."""

    def __init__(self, tz: str) -> None:
        self._dates = values.Moments(9, tz)
        self._found: dict[bytes, str] = {}
        self._ns: int | None = None

    def take(self, name: bytes, text: str) -> None:
        if name in (b"start date", b"start time", b"iso8601 timestamp"):
            self._found[name] = text

    def ns(self, note: Callable[[str], None]) -> int:
        """Return the nanoseconds since the epoch of the start, 0 if it is unknown, which is noted."""
        if self._ns is None:
            try:
                self._ns = self._dates.read(self._iso().encode())
            except FormatError:
                note("no start date: times count from 1970")
                self._ns = 0
        return self._ns

    def _iso(self) -> str:
        """Return the start as a date such as ``2020-01-24 10:11:12``; not a date if it is missing."""
        if b"iso8601 timestamp" in self._found:
            return self._found[b"iso8601 timestamp"]
        date = _DATE.fullmatch(self._found.get(b"start date", ""))
        time = _TIME.fullmatch(self._found.get(b"start time", ""))
        if date is None or time is None:
            return ""
        first, sign, second, third = date.groups()
        if len(first) == 4:
            year, month, day = first, second, third
        elif sign == "." or int(first) > 12:
            day, month, year = first, second, third
        else:
            month, day, year = first, second, third
        hour = int(time[1])
        if time[4]:
            hour = hour % 12 + (12 if time[4][0] in "Pp" else 0)
        return f"{year}-{month}-{day} {hour}:{time[2]}:{time[3]}"


def _short(name: bytes) -> bytes:
    """Return the name of a column without a unit or a second name, such as that of ``Abs Time(Sec)``."""
    return re.split(rb"[(/]", name, maxsplit=1)[0]


def _kind(text: bytes) -> tuple[bool, int]:
    """Return whether a row is a remote frame, and its flags of CAN FD."""
    parts = [part for part in _BETWEEN.split(text.strip()) if part]
    flags = [values.flag(part, values.FLAGS, "remote") for part in parts]
    if len(flags) < 2:
        return any(flags), 0
    if len(flags) > 4:
        raise FormatError(f"remote {quoted(text)} is neither a flag nor three CAN FD flags")
    is_remote = len(flags) == 4 and flags[0]
    fd, brs, esi = ([*flags, False] if len(flags) == 2 else flags)[-3:]
    if not fd:
        return is_remote, 0
    return is_remote, bits.FD | (bits.BRS if brs else 0) | (bits.ESI if esi else 0)
