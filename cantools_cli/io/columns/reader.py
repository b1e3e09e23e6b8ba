"""Any separated text, one row per frame: the user names the columns; read only.

::

    --from columns,time=0,id=1,data=3:             1.5,123,2,01,02      numbers from 0; 3: to the end
    --from columns,time=Stamp,id=CAN,data=Bytes    Stamp;CAN;Bytes      names in the header
    --from columns                                 Time,ID,DLC,D1,D2    a header with usual names

The separator is found in the first row: tab, semicolon, comma, bar, else blanks. Identifiers and data are
hexadecimal unless ``base`` and ``data_base`` are ``dec``. Identifiers have 29 bits if a column says so, else
if they are above 7FF, have 8 digits, or end with x. A number in the channel column is ``canN``. Rows of more
than 8 bytes are CAN FD. Lines that begin with # are comments; lines before a header are ignored.

Loses: every other column, such as the labels of attacks.

Source: the layout is the user's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import BUS_ERROR
from cantools_cli.frame.message import Message
from cantools_cli.io.columns import fields as values
from cantools_cli.io.columns.places import Places, Spec, guessed, is_by_name, listed, resolved
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import FULL, STRANGE, Parsed, TextReader, no_kernel
from cantools_cli.kernels.buffers import ReadBuffer

DONE = 0
CHANNEL = "can0"  #: the channel of rows without one
HEADER_WITHIN = 200  #: lines that may precede a header
#: spellings of identifiers and channels that are remembered
_REMEMBERED = 4096
_SEPARATORS = {"comma": b",", "semicolon": b";", "tab": b"\t", "bar": b"|", "blank": b" "}
_BASES = {"hex": 16, "dec": 10, "16": 16, "10": 10}
_COLUMNS = (
    *("time", "identifier", "data", "dlc", "channel", "direction"),
    *("tx", "extended", "remote", "fd", "error"),
)

#: timestamp_ns, can_id, flags, index of the channel, DLC code, data
Row = tuple[int, int, int, int, int, bytes]


class ColumnsReader(TextReader):
    """Reads separated text; the keywords ``time``, ``identifier``, ``data`` and so on name its columns.

    A subclass for the layout of one program sets ``SPECS`` and ``SEPARATOR`` and overrides methods.
    """

    is_ambiguous = True  # until the last row is known
    reads_in_thread = False  # plain Python gains nothing there

    SPECS: ClassVar[dict[str, Spec]] = {}
    SEPARATOR: ClassVar[bytes | None] = None

    def __init__(
        self,
        file: AnyFile,
        *args: Any,
        separator: str | None = None,
        unit: str | None = None,
        base: str = "hex",
        data_base: str = "hex",
        dlc_base: str = "dec",
        skip: int = 0,
        **kwargs: Any,
    ) -> None:
        specs: dict[str, Spec] = {name: kwargs.pop(name) for name in _COLUMNS if name in kwargs}
        chosen = self.SEPARATOR if separator is None else _separator(str(separator))
        self._base, self._data_base = _base(base, "base"), _base(data_base, "data_base")
        self._dlc_base = _base(dlc_base, "dlc_base")
        if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
            raise UsageError(f"skip={skip} is not a number of lines")
        if specs:
            _check(specs)
        super().__init__(file, *args, **kwargs)
        self._unit = unit
        self._moments = self._clock(unit or "s")
        self._skip = skip
        self._specs = specs or self.SPECS
        self._by_name = is_by_name(self._specs)
        self._given_separator = self._separator = chosen
        self._places: Places | None = None
        self._header = b""  # as it stands in the file, which may repeat it
        self._passed = b""  # the first line that was no header
        self._identifiers: dict[bytes, tuple[int, bool]] = {}
        self._channels: dict[bytes, int] = {}

    def _clock(self, unit: str) -> values.Moments:
        if unit not in values.UNITS:
            raise UsageError(f"unknown unit of time {quoted(unit)}", hint=f"known: {', '.join(values.UNITS)}")
        return values.Moments(values.UNITS[unit], self.tz or "local")

    def _all_batches(self) -> Iterator[MessageBatch]:
        yield from super()._all_batches()
        if self._places is None and self._passed:
            self.fault(self._no_header(self._passed, 1))

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        if self._places is None or self.line < self._skip:
            return no_kernel(at, batch, first)
        assert not isinstance(text, memoryview)  # a piece of a file
        timestamp_ns, can_id, flags, channel, dlc_code, offset, payload = batch.columns()
        rows, most = len(batch), len(payload) - 64
        row, used = first, offset[first]
        fields: list[bytes] = []
        reason = DONE
        while at < end:
            if row >= rows or used > most:
                reason = FULL
                break
            stop = text.find(b"\n", at)
            line = bytes(text[at:stop]).rstrip(b"\r")
            reason = STRANGE
            if line[:1] == b"#" or b"\r" in line:
                break
            try:
                fields = self._split(line)
                timestamp_ns[row], can_id[row], flags[row], channel[row], dlc_code[row], data = self._row(
                    fields
                )
            except ValueError:
                break
            payload[used : used + len(data)] = data
            used += len(data)
            row += 1
            offset[row] = used
            at = stop + 1
            reason = DONE
        if row > first and reason == DONE and self._newline_missing:
            self.is_ambiguous = self._ends_openly(fields)
        return at, row, reason

    def _known(self, reason: int, line: bytes) -> bool:
        """Resolve the columns at the first row, if they are numbers and need no header."""
        line = line.rstrip(b"\r\n")
        if self._places is not None or self._by_name or self.line < self._skip or is_comment(line):
            return False
        if self._separator is None:
            self._separator = separator_of(line)
        places = resolved(self._specs, None)
        assert places is not None  # is_by_name
        self._use(places)
        if self._has_names(self._split(line)):
            self._header = line
            return False
        return True

    def _line(self, line: bytes, reason: int) -> Message | None:
        if self.line < self._skip or is_comment(line):
            return None
        if self._places is None:
            self._find_header(line)
            return None
        if line == self._header:  # repeated in joined files
            return None
        try:
            self._row(self._split(line))
        except FormatError as error:
            raise FormatError(f"{error.reason}, in {quoted(line)}") from None
        return None

    def _find_header(self, line: bytes) -> None:
        """Resolve the columns if ``line`` is the header, else skip it."""
        self._separator = self._given_separator or separator_of(line)
        header = [field.decode("utf-8", "replace").strip() for field in self._split(line)]
        specs, unit = (self._specs, None) if self._specs else guessed(header)
        places = resolved(specs, header) if "identifier" in specs and "data" in specs else None
        if places is not None:
            self._header = line
            if unit and not self._unit:
                self._moments = self._clock(unit)
            self._use(places)
            return
        self._passed = self._passed or line
        if self.line >= self._skip + HEADER_WITHIN:
            raise self._no_header(line, self.line + 1)

    def _no_header(self, line: bytes, position: int) -> FormatError:
        wanted = listed([str(spec) for spec in self._specs.values()]) or "an identifier and data"
        return FormatError(
            f"no header with {wanted}: {quoted(line)}",
            position=position,
            hint="columns can also be numbers from 0: --from columns,time=0,id=1,data=3:",
        )

    def _use(self, places: Places) -> None:
        self._places = places
        if places.channel is None and not self._names.channels:
            self._names.add(CHANNEL)
        if places.time is None:
            self.note_file("no time column: all frames get time 0")

    def _has_names(self, fields: Sequence[bytes]) -> bool:
        """Return whether a first row has names instead of values."""
        places = self._places
        if places is None or len(fields) < places.needed:
            return False
        if places.time is not None:
            text = _joined(fields, places.time)
            return text[:1].isalpha() and not any(48 <= octet <= 57 for octet in text)
        try:
            values.identifier(fields[places.identifier], self._base)
        except FormatError:
            return True
        return False

    def _split(self, line: bytes) -> list[bytes]:
        """Return the fields of a row."""
        separator = self._separator
        if separator == b" ":
            return line.split()
        if b'"' in line:
            return _unquoted(line, separator or b",")
        return line.split(separator)

    def _row(self, fields: list[bytes]) -> Row:
        """Return the frame of a row."""
        places = self._places
        assert places is not None
        if len(fields) < places.needed:
            raise FormatError(f"{len(fields)} columns, not {places.needed} or more")
        time = places.time
        moment = 0 if time is None else self._moments.read(_joined(fields, time))
        channel = 0 if places.channel is None else self._channel(fields[places.channel])
        flags = bits.TX if self._is_sent(fields, places) else 0
        if places.error is not None and _flag(fields, places.error, values.FLAGS, "error"):
            return moment, BUS_ERROR | bits.CAN_ERR_FLAG, flags, channel, 8, bytes(8)
        can_id = self._can_id(fields, places)
        if places.remote is not None and _flag(fields, places.remote, values.REMOTE, "remote"):
            code = 0 if places.dlc is None else values.length(fields[places.dlc], self._dlc_base)
            if code > 15:
                raise FormatError(f"a remote frame requests at most 8 bytes, not {code}")
            return moment, can_id | bits.CAN_RTR_FLAG, flags, channel, code, b""
        code, data, is_fd = self._data(fields, places)
        return moment, can_id, flags | bits.FD if is_fd else flags, channel, code, data

    def _can_id(self, fields: list[bytes], places: Places) -> int:
        text = fields[places.identifier]
        known = self._identifiers.get(text)
        if known is None:
            known = values.identifier(text, self._base)
            _remember(self._identifiers, text, known)
        value, is_extended = known
        if places.extended is not None:
            is_extended = _flag(fields, places.extended, values.EXTENDED, "extended")
            if not is_extended and value > bits.CAN_SFF_MASK:
                raise FormatError(f"identifier {value:X} is above 7FF, the largest 11-bit identifier")
        return value | bits.CAN_EFF_FLAG if is_extended or value > bits.CAN_SFF_MASK else value

    def _is_sent(self, fields: list[bytes], places: Places) -> bool:
        if places.direction is not None:
            return values.flag(fields[places.direction], values.SENT, "direction")
        return places.tx is not None and _flag(fields, places.tx, values.FLAGS, "tx")

    def _channel(self, text: bytes) -> int:
        """Return the index of the channel that ``text`` spells."""
        index = self._channels.get(text)
        if index is None:
            index = self._names.index(self._channel_name(text.strip()))
            _remember(self._channels, text, index)
        return index

    def _channel_name(self, text: bytes) -> str:
        if text.isdigit() and len(text) < 6:
            return f"can{int(text)}"
        return text.decode("utf-8", "surrogateescape") or CHANNEL

    def _data(self, fields: list[bytes], places: Places) -> tuple[int, bytes, bool]:
        """Return DLC code, data, and whether it is CAN FD."""
        dlc = -1 if places.dlc is None else values.length(fields[places.dlc], self._dlc_base)
        where = places.data
        if isinstance(where, slice):
            parts = fields[where]
            while parts and not parts[-1].strip():
                parts.pop()
            size = len(parts) if dlc < 0 else _size(dlc, len(parts))
            if size > len(parts):
                raise FormatError(f"the length is {dlc}, but there are {len(parts)} data bytes")
            data = values.octets(parts[:size], self._data_base)  # further columns are padding
        else:
            data = b"" if where is None else values.octets_of_text(fields[where], self._data_base)
            size = len(data) if dlc < 0 else _size(dlc, len(data))
            if size != len(data):
                raise FormatError(f"the length is {dlc}, but there are {len(data)} data bytes")
        is_fd = None if places.fd is None else _flag(fields, places.fd, values.FLAGS, "fd")
        code, is_fd = self._code(size, dlc, is_fd)
        return code, data, is_fd

    def _code(self, size: int, dlc: int, is_fd: bool | None) -> tuple[int, bool]:
        """Return the DLC code of ``size`` data bytes, and whether they are of CAN FD."""
        if is_fd is None and size > 8:
            self.note_file("rows of more than 8 bytes are read as CAN FD")
            is_fd = True
        if not is_fd:
            if size > 8:
                raise FormatError(f"{size} data bytes, but a classic frame holds 8")
            return dlc if size == 8 and 8 < dlc < 16 else size, False
        if size > 64 or bits.FD_LENGTHS[bits.len2dlc(size)] != size:
            raise FormatError(f"{size} is not a CAN FD length")
        return bits.len2dlc(size), True

    def _ends_openly(self, fields: Sequence[bytes]) -> bool:
        """Return whether this row may be the start of a truncated one."""
        places = self._places
        assert places is not None
        if places.closes and places.last >= 0 and len(fields) > places.last + 1:
            return False
        if places.dlc is None or places.data is None or self._data_base == 10:
            return True
        is_last = places.data == places.last if isinstance(places.data, int) else places.data.stop is None
        end = fields[-1].rstrip()[-2:]  # possibly one digit of two
        return not is_last or not (len(end) == 2 and end.isalnum())


def is_comment(line: bytes) -> bool:
    return not line.strip() or line.startswith(b"#")


def separator_of(line: bytes) -> bytes:
    """Return the separator of ``line``: a blank stands for any number of blanks and tabs."""
    for separator in (b"\t", b";", b",", b"|"):
        if separator in line:
            return separator
    return b" "


def _joined(fields: Sequence[bytes], place: int | slice) -> bytes:
    return fields[place] if isinstance(place, int) else b" ".join(fields[place])


def _flag(fields: list[bytes], place: int | bool, known: dict[bytes, bool], name: str) -> bool:
    if isinstance(place, bool):
        return place
    return values.flag(fields[place], known, name)


def _size(dlc: int, count: int) -> int:
    """Return the number of bytes for ``dlc``, a length or a DLC code, in a row of ``count`` bytes."""
    if 8 < dlc < 16 and count in (8, bits.FD_LENGTHS[dlc]):
        return count
    return dlc


def _unquoted(line: bytes, separator: bytes) -> list[bytes]:
    """Return the fields of a row of which some are quoted."""
    import csv

    try:
        for fields in csv.reader([line.decode("latin-1")], delimiter=separator.decode("latin-1")):
            return [field.encode("latin-1") for field in fields]
    except csv.Error as error:
        raise FormatError(f"quotation marks: {error}") from None
    return []


def _remember(known: dict[bytes, Any], text: bytes, value: Any) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[text] = value


def _check(specs: dict[str, Spec]) -> None:
    """Raise UsageError for columns without which no row can be read."""
    for name, option in (("identifier", "id"), ("data", "data")):
        if name not in specs:
            raise UsageError(
                f"columns: {option}=COLUMN is missing",
                hint="columns count from 0: columns,time=0,id=1,data=3:",
            )
    resolved(specs, None)


def _separator(text: str) -> bytes:
    separator = _SEPARATORS.get(text.lower(), text.encode("utf-8"))
    if len(separator) != 1 or separator.isalnum() or separator in b'"\r\n#':
        raise UsageError(
            f"separator {quoted(text)} is not one character", hint=f"or {', '.join(_SEPARATORS)}"
        )
    return separator


def _base(base: str, option: str) -> int:
    known = _BASES.get(str(base).lower())
    if known is None:
        raise UsageError(f"{option}={base} is not a base", hint="hex or dec")
    return known
