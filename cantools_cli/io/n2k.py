"""The lines of NMEA 2000 gateways, one per message; read only.

::

    17:33:21.107 R 19F51323 01 2F 30 70 00 2F 30 70                     Yacht Devices RAW; T is a sent frame
    2016-04-09T16:41:09.078Z,3,127257,17,255,8,00,ff,7f,52,00,21,fe,ff  canboat PLAIN: priority, PGN, source,
    2024-07-19-23:24:46.869,4,129039,28,255,27,12,e9,...                destination, length; more bytes: FAST
    !PDGY,127250,2,3,255,482.36,2y20AAAAAAE=                            iKonvert; $PDGY is its status
    A000159.990 CCFF7 0FF63 3B9F0000000002FF                            Actisense N2K ASCII

Priority, PGN, source and destination make an identifier of 29 bits. A message of more than 8 bytes was put
together from the frames of a fast packet: it is split into such frames again, with sequence counters that are
invented, or left out (``fast="skip"``). PGNs from 40000 (hexadecimal) on are not of the bus, but between the
gateway and its computer: they are counted.

Yacht Devices and Actisense write the time of the day, which counts from 1970-01-01; iKonvert seconds and,
after the point, milliseconds without leading zeros: 482.36 is 482.036 s. Dates without Z are in
the zone ``tz``.

Source: Yacht Devices, "YDWG-02 User Manual", appendix E; canboat's documentation and samples; Actisense,
"NMEA 2000 ASCII Output Format"; Digital Yacht, "iKonvert Developers Guide".
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from datetime import datetime
from typing import Any, Literal

from cantools_cli import clock
from cantools_cli.errors import FormatError, quoted
from cantools_cli.io.base import check_known
from cantools_cli.io.files import AnyFile
from cantools_cli.io.rows import Row, RowReader, frame_row, octets
from cantools_cli.io.text import decimal_ns, first_line

_RAW = re.compile(
    rb"(?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))? (?P<direction>[RT]) (?P<id>[0-9A-Fa-f]{8})"
    rb"(?P<data>(?: +[0-9A-Fa-f]{1,2})*) *"
)
_PLAIN = re.compile(
    rb"(?P<date>\d{4}-\d\d-\d\d)[-TZ ](?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<utc>Z?),"
    rb"(?P<priority>\d{1,3}),(?P<pgn>\d{1,7}),(?P<source>\d{1,3}),(?P<target>\d{1,3}),(?P<size>\d{1,4})"
    rb"(?P<data>(?:,[0-9A-Fa-f]{1,2})*) *"
)
_IKONVERT = re.compile(
    rb"!PDGY,(?P<pgn>\d{1,7}),(?P<priority>\d{1,3}),(?P<source>\d{1,3}),(?P<target>\d{1,3}),"
    rb"(?P<seconds>\d{1,12})(?:\.(?P<millis>\d{1,3}))?,(?P<data>[A-Za-z0-9+/]*)=*(?:\$PDGY.*)?"
)
_COMMAND = re.compile(
    rb"!PDGY,\d+,\d+,(?:[A-Za-z0-9+/]{4})*[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/][A-Za-z0-9+/=])"
)
_ACTISENSE = re.compile(
    rb"A(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)\.(?P<fraction>\d{1,9}) "
    rb"(?P<source>[0-9A-Fa-f]{2})(?P<target>[0-9A-Fa-f]{2})(?P<priority>[0-9A-Fa-f]) "
    rb"(?P<pgn>[0-9A-Fa-f]{5}) (?P<data>(?:[0-9A-Fa-f]{2})*) *"
)
_KINDS = (_RAW, _PLAIN, _IKONVERT, _ACTISENSE)
#: comments, and the status of iKonvert
_IGNORED = (b"#", b"$PDGY,")
_FIRST_OF_GATEWAYS = 0x40000
_MAX_FAST = 223


class N2kReader(RowReader):
    """Reads the lines of NMEA 2000 gateways, of any kind that is in the file.

    ``tz`` is the zone of dates without Z, by default local; ``fast`` decides about messages of more than
    8 bytes: ``split`` or ``skip``.
    """

    def __init__(
        self, file: AnyFile, *args: Any, fast: Literal["split", "skip"] = "split", **kwargs: Any
    ) -> None:
        check_known("fast", fast, ("split", "skip"))
        super().__init__(file, *args, **kwargs)
        self._is_split = fast == "split"
        self._second: tuple[bytes | Any, ...] = ()  # the last date, time and Z, and its nanoseconds
        self._second_ns = 0
        self._counters: dict[int, int] = {}
        self._split = [0, 0]  # messages, and the frames that they became

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        text = first_line(head, _IGNORED)
        return any(kind.fullmatch(text) for kind in _KINDS)

    def _note_end(self) -> None:
        super()._note_end()
        messages, frames = self._split
        if messages:
            self.note_file(
                f"{messages} messages of more than 8 bytes were split into {frames} fast-packet frames "
                "with invented sequence counters"
            )

    def _rows(self, line: bytes) -> tuple[Row, ...]:
        text = line.strip()
        if match := _RAW.fullmatch(text):
            return (self._raw(match),)
        if match := _PLAIN.fullmatch(text):
            return self._plain(match)
        if match := _IKONVERT.fullmatch(text):
            return self._ikonvert(match)
        if match := _ACTISENSE.fullmatch(text):
            return self._actisense(match)
        if not text or text.startswith(_IGNORED):
            return ()
        if _COMMAND.fullmatch(text):
            self.left_out["commands to the gateway"] += 1
            return ()
        raise FormatError("not an NMEA 2000 gateway line")

    def _raw(self, match: re.Match[bytes]) -> Row:
        time_ns = self._of_the_day(match["clock"], match["fraction"] or b"")
        is_sent, data = match["direction"] == b"T", octets(match["data"].split())
        return frame_row(time_ns, int(match["id"], 16), True, data, is_sent=is_sent)

    def _plain(self, match: re.Match[bytes]) -> tuple[Row, ...]:
        second = match.group("date", "clock", "utc")
        if second != self._second:
            self._second, self._second_ns = second, self._date(match)
        data = octets(match["data"].split(b",")[1:], int(match["size"]))
        time_ns = self._second_ns + decimal_ns(b"0", match["fraction"] or b"")
        return self._message(time_ns, match, data)

    def _ikonvert(self, match: re.Match[bytes]) -> tuple[Row, ...]:
        text = match["data"]
        try:
            data = a2b_base64(text + b"=" * (-len(text) % 4))
        except Base64Error:
            raise FormatError(f"{quoted(text)} is not base64 data") from None
        time_ns = int(match["seconds"]) * 1_000_000_000 + int(match["millis"] or 0) * 1_000_000
        return self._message(time_ns, match, data)

    def _actisense(self, match: re.Match[bytes]) -> tuple[Row, ...]:
        time_ns = self._of_the_day(b":".join(match.group("hour", "minute", "second")), match["fraction"])
        return self._message(time_ns, match, bytes.fromhex(match["data"].decode()), base=16)

    def _message(self, time_ns: int, match: re.Match[bytes], data: bytes, base: int = 10) -> tuple[Row, ...]:
        numbers = match.group("priority", "pgn", "source", "target")
        priority, pgn, source, target = (int(number, base) for number in numbers)
        if pgn >= _FIRST_OF_GATEWAYS:
            self.left_out["messages of the gateway itself"] += 1
            return ()
        identifier = identifier_of(priority, pgn, source, target)
        if len(data) <= 8:
            return (frame_row(time_ns, identifier, True, data),)
        if len(data) > _MAX_FAST:
            self.left_out[f"messages of more than {_MAX_FAST} bytes"] += 1
            return ()
        if not self._is_split:
            self.left_out["messages of more than 8 bytes"] += 1
            return ()
        counter = self._counters[identifier] = (self._counters.get(identifier, -1) + 1) % 8
        packets = fast_packets(data, counter)
        self._split[0] += 1
        self._split[1] += len(packets)
        return tuple(frame_row(time_ns, identifier, True, packet) for packet in packets)

    def _date(self, match: re.Match[bytes]) -> int:
        text = f"{match['date'].decode()} {match['clock'].decode()}"
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            raise FormatError(f"invalid date {text}") from None
        return clock.wall_to_ns(wall, "UTC" if match["utc"] else self.tz or "local")


def identifier_of(priority: int, pgn: int, source: int, target: int) -> int:
    """Return the identifier of 29 bits; only PGNs whose second byte is below F0 hold the target."""
    for name, value, most in (
        ("priority", priority, 7),
        ("PGN", pgn, 0x3FFFF),
        ("source", source, 0xFF),
        ("destination", target, 0xFF),
    ):
        if value > most:
            raise FormatError(f"{name} {value} is above {most}")
    if (pgn >> 8) & 0xFF < 0xF0:
        if pgn & 0xFF:
            raise FormatError(f"PGN {pgn} has a destination, so its last byte must be 0")
        pgn |= target
    return priority << 26 | pgn << 8 | source


def fast_packets(data: bytes, counter: int) -> list[bytes]:
    """Return the data of the frames that carry ``data`` as a fast packet, the last one filled with FF."""
    packets = [bytes((counter << 5, len(data))) + data[:6]]
    for number, at in enumerate(range(6, len(data), 7), 1):
        packets.append(bytes((counter << 5 | number,)) + data[at : at + 7].ljust(7, b"\xff"))
    return packets
