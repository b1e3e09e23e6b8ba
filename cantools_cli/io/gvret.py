"""GVRET's comma separated values, SavvyCAN's own format: a header, then one row per frame.

::

    Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8
    973,0000013B,false,Rx,0,8,00,00,08,00,00,00,00,4C,
    166064000,0000027A,false,Tx,1,7,30,30,0D,8C,09,15,00,00,      columns after LEN bytes are padding

The time is in microseconds, usually since the device was switched on; canx writes microseconds since 1970.
Older files have no Dir. Buses are numbered from 0: ``can0`` is 0. Rows of more than 8 bytes are read as
CAN FD.

As in SavvyCAN, the position of a column counts, so the header may have any names; bytes may have one digit;
and bytes missing at the end of a row are read as 00, which is noted.

Loses: remote, error and CAN XL frames, CAN FD frames of more than 8 bytes; the CAN FD marks of other frames,
raw DLC codes, names of channels, and fractions of a microsecond.

Source: files of SavvyCAN.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import Any

from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.channels import NumberedChannels
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import NumberedReader, Parsed, no_kernel
from cantools_cli.io.text_writer import TextWriter
from cantools_cli.kernels import columns
from cantools_cli.kernels import gvret as kernel
from cantools_cli.kernels.buffers import ReadBuffer

HEAD = ("time stamp", "id", "extended", "dir", "bus", "len")
_LENGTHS = ("len", "dlc", "length")
OLD_HEAD = ("time stamp", "id", "extended", "bus", "len")
HEADER = b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"

_NUMBER = re.compile(r"[0-9]{1,5}")
_TIME = re.compile(r"-?[0-9]{1,16}")
_IDENTIFIER = re.compile(r"(?:0[xX])?[0-9a-fA-F]{1,8}")
_BYTE = re.compile(r"[0-9a-fA-F]{1,2}")
_ROW = re.compile(
    rb"\s*-?[0-9]{1,16},(?:0x)?[0-9a-f]{1,8},(?:true|false|[01]),(?P<dir>[rt]x,)?[0-9]{1,5},"
    rb"(?P<size>[0-9]{1,2})(?P<data>(?:,[0-9a-f]{0,2})*)\s*",
    re.IGNORECASE,
)
_FLAGS = {"false": False, "0": False, "true": True, "1": True}
_DIRECTIONS = {"rx": True, "tx": False}
_LAST_BUS = 0xFFFE


class GvretReader(NumberedReader):
    """Reads GVRET's CSV, with or without directions."""

    _columns: Sequence[str] = ()
    _header = b""  #: a possible header of unknown names
    _padded = 0  #: rows with fewer bytes than LEN

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        first, _, rest = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
        if _is_header(_fields(first)):
            return True
        row = _ROW.fullmatch(rest.partition(b"\n")[0])
        if row is None or first.count(b",") < 4 or _ROW.fullmatch(first):
            return False
        return len([octet for octet in row["data"].split(b",") if octet]) >= int(row["size"]) > 0

    def _note_end(self) -> None:
        super()._note_end()
        if self._padded:
            self.note_file(f"{self._padded} rows have fewer bytes than LEN: the missing ones are read as 00")

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        if self._columns not in (HEAD, OLD_HEAD):
            return no_kernel(at, batch, first)
        directions = len(self._columns) == len(HEAD)
        return kernel.parse(text, at, end, self._numbers, directions, first, *batch.columns())

    def _numbered(self, line: bytes) -> tuple[int, str]:
        number = int(line.split(b",")[len(self._columns) - 2])
        return number, f"can{number}"

    def _line(self, line: bytes, reason: int) -> Message | None:
        if not line.strip():
            return None
        fields = _fields(line)
        if _is_header(fields):
            self._columns = OLD_HEAD if "dir" not in fields[:4] else HEAD
            if tuple(fields[: len(self._columns)]) != self._columns:
                at = next(fields.index(name) for name in _LENGTHS if name in fields)
                self._columns = (*fields[:at], "len")
            return None
        if not self._columns:
            row = _ROW.fullmatch(line)
            if not self._header or row is None:
                if self.line or b"," not in line or row is not None:
                    raise FormatError(f"no header with Time Stamp, ID, Extended, Bus and LEN: {quoted(line)}")
                self._header = line
                return None
            self._columns = HEAD if row["dir"] else OLD_HEAD
        if len(fields) < len(self._columns):
            raise FormatError(f"{len(fields)} columns, not {len(self._columns)} or more, in {quoted(line)}")
        try:
            return self._message(dict(zip(self._columns, fields, strict=False)), fields[len(self._columns) :])
        except FormatError as error:
            raise FormatError(f"{error.reason}, in {quoted(line)}") from None

    def _message(self, values: dict[str, str], octets: list[str]) -> Message:
        message = Message(
            arbitration_id=int(_matching(values, "id", _IDENTIFIER, "a hexadecimal number"), 16),
            is_extended_id=_one_of(values, "extended", _FLAGS),
            is_rx=_one_of(values, "dir", _DIRECTIONS) if "dir" in values else True,
            channel=f"can{int(_matching(values, 'bus', _NUMBER, 'a number'))}",
        )
        message.timestamp_ns = int(_matching(values, "time stamp", _TIME, "microseconds")) * 1000
        if not message.is_extended_id and message.arbitration_id > bits.CAN_SFF_MASK:
            message.is_extended_id = True
            self.note_file("identifiers above 7FF marked false are read as extended")
        size = int(_matching(values, "len", _NUMBER, "a number"))
        message.data = self._data(octets[:size], size)
        message.dlc = size
        message.is_fd = size > 8
        return message

    def _data(self, octets: list[str], size: int) -> bytearray:
        """Return the data of a row, whose last bytes may be missing."""
        while octets and not octets[-1]:
            octets.pop()
        # the last line of a truncated file may lack bytes
        is_whole = not self._newline_missing
        if len(octets) < size and (size > 8 or not is_whole):
            raise FormatError(f"LEN is {size}, but there are {len(octets)} data bytes")
        for octet in octets:
            if not _BYTE.fullmatch(octet) or (len(octet) < 2 and not is_whole):
                raise FormatError(f"bad data byte {quoted(octet)}")
        self._padded += len(octets) < size
        return bytearray(int(octet, 16) for octet in octets).ljust(size, b"\0")


class GvretWriter(TextWriter):
    """Writes GVRET's CSV with directions; a file that is appended to keeps its header."""

    _header = HEADER

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._buses = NumberedChannels(note=self.note, first=0)
        self._numbers = array("H")  # the bus of each channel of the batch

    def _check_header(self, head: bytes) -> None:
        if tuple(_fields(head.partition(b"\n")[0])[: len(HEAD)]) != HEAD:
            raise UsageError(
                f"{self.output.name} cannot be continued: its columns differ",
                hint="canx convert writes a new file",
            )

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return kernel.format(row, *batch.columns(), self._numbers, self._out)

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        return format_row(batch[row], self._numbers[batch.channel[row]])

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        batch = self.without_xl(batch)
        for kind, bit in (("remote frames", bits.CAN_RTR_FLAG), ("error frames", bits.CAN_ERR_FLAG)):
            count = columns.count_words(batch.can_id, bit)
            if count:
                self._count(f"{kind} (left out)", count)
                batch = batch.without(bit)
        self._count_details(batch, "raw DLC codes")
        fd = columns.count_bits(batch.flags, bits.FD)
        if fd:
            short = batch.without_fd(above=8)
            long = len(batch) - len(short)
            self._count("CAN FD frames of more than 8 bytes (left out)", long)
            self._count("CAN FD marks", fd - long)
            batch = short if long else batch
        self._numbers = self._buses.table(batch, _LAST_BUS)
        return batch


def format_row(message: Message, bus: int) -> bytes:
    """Return the row of a frame of up to 8 bytes, as the kernel writes it, also before 1970."""
    fields = [
        str((message.timestamp_ns + 500) // 1000),
        f"{message.arbitration_id:08X}",
        "true" if message.is_extended_id else "false",
        "Rx" if message.is_rx else "Tx",
        str(bus),
        str(message.dlc),
        *(f"{octet:02X}" for octet in message.data.ljust(8, b"\0")),
    ]
    return (",".join(fields) + ",\n").encode()


def _is_header(fields: Sequence[str]) -> bool:
    return any(name in fields and {*OLD_HEAD[:-1]} <= {*fields[: fields.index(name)]} for name in _LENGTHS)


def _fields(line: bytes) -> list[str]:
    """Return the columns of a row in lower case, without an empty one after the last comma."""
    fields = [field.strip() for field in line.decode("utf-8", "replace").lower().split(",")]
    return fields[:-1] if fields[-1] == "" else fields


def _matching(values: dict[str, str], name: str, form: re.Pattern[str], wanted: str) -> str:
    if not form.fullmatch(values[name]):
        raise FormatError(f"{name} is {quoted(values[name])}, not {wanted}")
    return values[name]


def _one_of(values: dict[str, str], name: str, known: dict[str, bool]) -> bool:
    value = known.get(values[name])
    if value is None:
        raise FormatError(f"{name} is {quoted(values[name])}, not one of {', '.join(known)}")
    return value
