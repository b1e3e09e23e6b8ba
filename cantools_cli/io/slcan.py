r"""The output of a serial slcan adapter, captured from its line; read only.

::

    t1238DEADBEEF00112233            11 bits, 8 bytes; lines end with CR, LF or both
    T18DB33F13020100EA5F             29 bits, 3 bytes, and the time: 4 digits of milliseconds within a minute
    r1234  R18DB33F10                remote frames that request 4 and 0 bytes
    d1239AA...  D...  b...  B...     CAN FD, b and B with bit rate switch; the length is a DLC code, 0 to F
    z  Z  \a  O  S6  V1013           answers, errors and commands, which are ignored

A line may begin with the time of the day that a terminal puts there, ``12:34:56.789 -> ``, which then counts.
All frames are taken as received. Frames without a time are at 0. A time that falls back is of
the next minute; a longer pause cannot be seen. A first line whose beginning is missing is dropped.

Source: Lawicel, "CANUSB Manual"; the Linux kernel's ``slcan``; CANable's firmware for CAN FD.
"""

from __future__ import annotations

import re
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.io.files import AnyFile
from cantools_cli.io.rows import LapClock, Row, RowReader, frame_row

_FRAME = re.compile(
    rb"(?P<kind>[trdb])(?P<base>[0-7][0-9A-Fa-f]{2})(?P<code>[0-9A-Fa-f])(?P<rest>[0-9A-Fa-f]*)"
    rb"|(?P<KIND>[TRDB])(?P<extended>[01][0-9A-Fa-f]{7})(?P<CODE>[0-9A-Fa-f])(?P<REST>[0-9A-Fa-f]*)"
)
_CLOCK = re.compile(rb"(\d\d:\d\d:\d\d)\.(\d{1,9})(?: ->)?[ \t]+")
_TALK = re.compile(
    rb"[zZ]|[OCLoclVvNFAPE?]|[SsXYyQWUu][0-9A-Fa-f]{1,8}|[Mm][0-9A-Fa-f]{8}|[ZA][01]|F[0-9A-Fa-f]{2}"
    rb"|[VvN][0-9A-Za-z._-]{1,60}"  # answers hold versions and serial numbers
)
_BLANKS = b" \t\a"  # BEL, an answer to an error, has no line end
_LAST_MS = 59_999  # adapters that go beyond it count to FFFF


class SlcanReader(RowReader):
    """Reads the output of an slcan adapter."""

    _begun = False  #: whether a line was understood
    _is_timeless = False  #: whether lines without a time were noted

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._minute = LapClock(60_000_000_000)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        lines = [line for line in re.split(rb"[\r\n]+", head.removeprefix(b"\xef\xbb\xbf")) if line.strip()]
        if len(head) >= 4096 or len(lines) > 2:
            lines = lines[:-1]  # which the head may have cut
        count = 0
        for number, line in enumerate(lines[:64]):
            text = line.strip(_BLANKS)
            timed = _CLOCK.match(text)
            text = text[timed.end() :] if timed is not None else text
            match = _FRAME.fullmatch(text)
            if match is not None and _is_whole(*_parts(match)):
                count += 1
            elif text and not _TALK.fullmatch(text) and (number or not _is_tail(text)):
                return False
        return count > 0

    def _rows(self, line: bytes) -> tuple[Row, ...]:
        text = line.strip(_BLANKS)
        timed = _CLOCK.match(text)
        text = text[timed.end() :] if timed is not None else text
        match = _FRAME.fullmatch(text)
        if match is None and not text:
            return ()
        if match is None:
            begun, self._begun = self._begun, True
            if _TALK.fullmatch(text):
                return ()
            if not begun and _is_tail(text):
                self.note(f"{self.input.name}:1: begins inside a line, which was dropped")
                return ()
            raise FormatError("not an slcan line")
        row = self._frame(match, timed)
        self._begun = True
        return (row,)

    def _frame(self, match: re.Match[bytes], timed: re.Match[bytes] | None) -> Row:
        kind, code, size, rest = _parts(match)
        identifier, letter = match["base"] or match["extended"], kind.lower()
        is_fd = letter in b"db"
        if code > 8 and not is_fd:
            raise FormatError(f"the length is {code}, but a classic frame has 0 to 8 bytes")
        if len(rest) not in (2 * size, 2 * size + 4):
            raise FormatError(
                f"{len(rest)} digits after the length, not {2 * size}, or {2 * size + 4} with a time"
            )
        return frame_row(
            self._time_ns(rest[2 * size :], timed),
            int(identifier, 16),
            kind.isupper(),
            bytes.fromhex(rest[: 2 * size].decode()),
            asked_for=code if letter == b"r" else None,
            fd_flags=(bits.BRS if letter == b"b" else 0) if is_fd else None,
        )

    def _time_ns(self, stamp: bytes, timed: re.Match[bytes] | None) -> int:
        if timed is not None:
            return self._of_the_day(timed[1], timed[2])
        if not stamp:
            if not self._is_timeless:
                self._is_timeless = True
                self.note_file("lines without a timestamp: these frames get time 0")
            return 0
        millis = int(stamp, 16)
        if millis > _LAST_MS:
            self._minute.lap_ns = 65_536_000_000
        return self._minute.time_ns(millis * 1_000_000)


def _is_whole(kind: bytes, code: int, size: int, rest: bytes) -> bool:
    """Return whether the length and the digits of a frame agree."""
    return len(rest) in (2 * size, 2 * size + 4) and (code < 9 or kind.lower() in b"db")


def _parts(match: re.Match[bytes]) -> tuple[bytes, int, int, bytes]:
    """Return (kind, DLC code, bytes of data, the digits after the code)."""
    kind = match["kind"] or match["KIND"]
    code = int(match["code"] or match["CODE"], 16)
    size = 0 if kind in b"rR" else bits.FD_LENGTHS[code]
    return kind, code, size, match["rest"] if match["kind"] else match["REST"]


def _is_tail(text: bytes) -> bool:
    """Return whether ``text`` may be the end of a line that began before the capture."""
    return re.fullmatch(rb"[0-9A-Fa-f]{1,140}", text) is not None
