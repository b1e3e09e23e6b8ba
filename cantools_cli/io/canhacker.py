"""The trace of CANHacker, a .trc of its own kind; read only.

::

    Time   ID     DLC Data                    Comment
    00.000 18EA0003 8 BE FE 00 00 FF FF FF FF
    00.012 301      8 A6 07 BA 01 00 15 18 11 a comment of the user
    59,998 070      4 Remote request

Identifiers of 8 digits have 29 bits, those of 3 have 11. Times are seconds with a point or a comma, as the
adapter gave them: they begin again with each minute, unless there are more than 60 seconds. A time that falls
back is of the next minute; a longer pause cannot be seen. All frames are taken as received.

Source: traces of CANHacker.
"""

from __future__ import annotations

import re
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.io.files import AnyFile
from cantools_cli.io.rows import LapClock, Row, RowReader, frame_row, octets
from cantools_cli.io.text import decimal_ns

_LINE = re.compile(
    rb"(?P<seconds>\d{1,9})[.,](?P<fraction>\d{1,9})\s+(?P<id>[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})\s+"
    rb"(?P<size>\d)(?P<rest>\s.*)?"
)
_HEADER = re.compile(rb"\s*Time\s+ID\s+DLC\s+Data\b")
_REMOTE = re.compile(rb"\s*(?:RTR|remote)\b.*", re.IGNORECASE)
_MINUTE = 60


class CanHackerReader(RowReader):
    """Reads CANHacker's traces."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._minute = LapClock(_MINUTE * 1_000_000_000)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return _HEADER.match(head.removeprefix(b"\xef\xbb\xbf")) is not None

    def _rows(self, line: bytes) -> tuple[Row, ...]:
        text = line.strip()
        if not text or _HEADER.match(text):
            return ()
        match = _LINE.fullmatch(text)
        if match is None:
            raise FormatError("not a CANHacker line")
        size = int(match["size"])
        rest = match["rest"] or b""
        is_remote = _REMOTE.fullmatch(rest) is not None
        words = [] if is_remote else rest.split(None, size)[:size]
        data = octets(words, 0 if is_remote else size)
        seconds = int(match["seconds"])
        if seconds >= _MINUTE:
            self._minute.lap_ns = 0
        return (
            frame_row(
                self._minute.time_ns(decimal_ns(match["seconds"], match["fraction"])),
                int(match["id"], 16),
                len(match["id"]) == 8,
                data,
                asked_for=size if is_remote else None,
            ),
        )
