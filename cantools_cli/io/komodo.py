"""Tables that Total Phase's programs export of a Komodo's captures; read only.

::

    # Level,Index,m:s.ms.us,Dur,Len,Err,Port,ID,Record,Data     the header may be a comment
    0,0,0:00.000.000,,,,,,Capture started,[01/24/20 10:11:12]
    0,1,0:00.643.335,111 us,3,,0,0x123,CAN Data Frame,01 02 03
    0,2,1:09.643.340,111 us,0,,1,0x18DB33F1,CAN Remote Frame,

Columns are found by their names: the time by its notation ``m:s.ms.us``, the identifier as ``ID``, the
data as ``Data``; ``Len`` or ``DLC``, ``Port`` or ``Channel``, ``Record``, ``RTR`` and ``Err`` if they are
there. Rows without an identifier are events, and no frames. A row with a mark in ``Err`` is left out. Port
n is ``can{n}``. Times count from the start of the capture.

Loses: rows with errors, which are counted; durations and levels.

Source: exports of Total Phase's Data Center, whose columns of CAN are known by these names only.
"""

from __future__ import annotations

from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.message import Message
from cantools_cli.io.columns import fields as values
from cantools_cli.io.columns.places import Places
from cantools_cli.io.columns.reader import ColumnsReader, Row, is_comment

_TIMES = (b"m:s.ms.us", b"m:s.ms.us.ns")
_IDENTIFIERS = (b"id", b"identifier", b"can id", b"arb id", b"arbitration id")
_LENGTHS, _CHANNELS = (b"dlc", b"len", b"length"), (b"port", b"channel", b"chan", b"ch", b"bus")
_REMOTES = (b"rtr", b"remote")


class KomodoReader(ColumnsReader):
    """Reads tables of Total Phase's programs that have identifiers."""

    SEPARATOR = b","
    _record: int | None = None
    _error: int | None = None

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        lines = head.removeprefix(b"\xef\xbb\xbf").splitlines()[:64]
        return any(_places_by_name(_names(line)) is not None for line in lines)

    def _line(self, line: bytes, reason: int) -> Message | None:
        names = _names(line)
        places = _places_by_name(names)
        if places is not None:
            self._record = names.index(b"record") if b"record" in names else None
            self._error = names.index(b"err") if b"err" in names else None
            self._use(places)
            return None
        if self._places is not None and not is_comment(line):
            fields = self._split(line)
            if len(fields) >= self._places.needed:
                if not fields[self._places.identifier].strip():
                    return None
                if self._is_faulty(fields):
                    self.left_out["rows with errors"] += 1
                    return None
        return super()._line(line, reason)

    def _find_header(self, line: bytes) -> None:
        self._passed = self._passed or line
        raise self._no_header(line, self.line + 1)

    def _is_faulty(self, fields: list[bytes]) -> bool:
        return self._error is not None and self._error < len(fields) and bool(fields[self._error].strip())

    def _row(self, fields: list[bytes]) -> Row:
        if self._is_faulty(fields):
            raise FormatError("a row with an error")  # which _line leaves out
        moment, can_id, flags, channel, code, data = super()._row(fields)
        if self._is_remote(fields):
            can_id |= bits.CAN_RTR_FLAG
        return moment, can_id, flags, channel, code, data

    def _is_remote(self, fields: list[bytes]) -> bool:
        return self._record is not None and b"remote" in b"".join(fields[self._record :][:1]).lower()

    def _data(self, fields: list[bytes], places: Places) -> tuple[int, bytes, bool]:
        if not self._is_remote(fields):
            return super()._data(fields, places)
        size = 0 if places.dlc is None else values.length(fields[places.dlc] or b"0", 10)
        if size > 8:
            raise FormatError(f"a remote frame requests at most 8 bytes, not {size}")
        return size, b"", False


def _names(line: bytes) -> list[bytes]:
    """Return the names that a header would have in ``line``, which may be a comment."""
    return [name.strip(b' "\t').lower() for name in line.strip().lstrip(b"# ").split(b",")]


def _places_by_name(names: list[bytes]) -> Places | None:
    """Return the places of the columns; None if these are not the names of a table of frames."""

    def place(known: tuple[bytes, ...]) -> int | None:
        return next((names.index(name) for name in known if name in names), None)

    identifier, time, data = place(_IDENTIFIERS), place(_TIMES), place((b"data",))
    if identifier is None or time is None or data is None:
        return None
    return Places(identifier, time, data, place(_LENGTHS), place(_CHANNELS), remote=place(_REMOTES))
