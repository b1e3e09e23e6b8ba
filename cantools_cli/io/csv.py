"""python-can's comma separated values: a header, then one row per frame.

::

    timestamp,arbitration_id,extended,remote,error,dlc,data
    1700000000.123456,0x123,0,0,0,3,AQID          seconds, hex, flags, bytes, base64
    1700000000.125456,0x7ff,0,1,0,4,              a remote frame asks for dlc bytes and has none

With ``columns="full"`` five more follow, ``channel,is_fd,bitrate_switch,error_state_indicator,is_rx``: a
channel of digits alone is a number there, in quotes a name. python-can reads rows of seven columns only.

The reader accepts columns in any order by their names, or known synonyms (``csv_columns``), and ignores
further ones; rows of a standard form without a header; quoted fields, ``True`` and ``False``, hexadecimal
data. Rows of more than 8 bytes are CAN FD.

Loses: CAN XL frames and raw DLC codes; with seven columns also channels other than can0, directions and the
marks of CAN FD: frames of up to 8 bytes become classic frames.

Source: python-can's documentation, "CSVWriter".
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from cantools_cli.errors import FormatError, NotALogError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io import csv_columns
from cantools_cli.io.base import check_known
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import Parsed, TextReader, no_kernel, seconds_to_ns
from cantools_cli.io.text_writer import TextWriter
from cantools_cli.kernels import columns
from cantools_cli.kernels import csv_lines as kernel
from cantools_cli.kernels.buffers import ReadBuffer

COLUMNS = ("timestamp", "arbitration_id", "extended", "remote", "error", "dlc", "data")
MORE_COLUMNS = ("channel", "is_fd", "bitrate_switch", "error_state_indicator", "is_rx")
CHANNEL = "can0"  #: the channel of a row without one

_FIELD = re.compile(r'[ \t]*"((?:[^"]|"")*)"[ \t]*(?:,|$)|([^,]*)(?:,|$)')
_IDENTIFIER = re.compile(r"(?:0[xX])?[0-9a-fA-F]{1,8}")
_LENGTH = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_HEADLESS = re.compile(rb"[0-9.eE+-]+,0[xX][0-9a-fA-F]+,[01],[01],[01],[0-9]+,")
_STRANGE_LINE = "neither a header with timestamp and arbitration_id nor a row"
_FLAGS = {"0": False, "1": True, "false": False, "true": True}


def spell_channel(channel: Channel) -> str:
    """Return ``channel`` as a field; a line end in a name becomes a blank."""
    if channel is None:
        return ""
    if isinstance(channel, int):
        return str(channel)
    name = " ".join(channel.splitlines()) if len(channel.splitlines()) > 1 else channel.rstrip("\r\n")
    if not name or _NUMBER.fullmatch(name) or name != name.strip() or "," in name or '"' in name:
        return '"' + name.replace('"', '""') + '"'
    return name


class CSVReader(TextReader):
    """Reads CSV with or without a header; frames of a file without a column of channels have none."""

    _spelt = staticmethod(spell_channel)
    _columns: Sequence[str] = ()
    _full = False
    _plain = False  #: whether the kernel can parse the columns
    _fd_noted = False
    _title = b""  #: a first line that is neither a row nor a known header

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._data = csv_columns.DataForm()

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        line = head.lstrip().partition(b"\n")[0]
        names = [name.strip().strip('"') for name in line.decode("latin-1").split(",")]
        return csv_columns.named(names) is not None or _HEADLESS.match(line) is not None

    def _all_batches(self) -> Iterator[MessageBatch]:
        yield from super()._all_batches()
        if self._title and not self._columns and not self.skipped:  # there was nothing else
            self.fault(FormatError(f"{_STRANGE_LINE}: {quoted(self._title)}", position=1))

    def _documented_channel(self, channel: Channel) -> Channel:
        return channel if "channel" in self._columns else None

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        if not self._plain:
            return no_kernel(at, batch, first)
        at, rows, reason = kernel.parse(
            text, at, end, self._names.names, self._names.ends, self._full, first, *batch.columns()
        )
        if not self._full and not self._fd_noted and columns.count_bits(batch.flags[first:rows], bits.FD):
            self._note_fd()
        return at, rows, reason

    def _note_fd(self) -> None:
        self._fd_noted = True
        self.note_file("rows of more than 8 bytes are read as CAN FD, which CSV does not mark")

    def _learn(self, line: bytes) -> bool:
        spelt = line.split(b",")[len(COLUMNS)]
        self._names.add_as(_channel(spelt.decode("utf-8", "surrogateescape"), False), spelt)
        return True

    def _line(self, line: bytes, reason: int) -> Message | None:
        text = line.decode("utf-8", "surrogateescape")
        if not text.strip():
            return None
        fields = split(text)
        if not self._columns:
            names = csv_columns.named(field for field, _ in fields)
            if names is not None:
                if "data" not in names:
                    known = f"known: data, {', '.join(csv_columns.NAMES['data'])}"
                    raise NotALogError(
                        f"no column of data in the header {quoted(line)}",
                        hint=f"{known}; --from columns reads others by their places",
                    )
                self._use(names)
                return None
            if not _HEADLESS.match(line.lstrip()):
                if self.line == 0:  # by the documentation any first line is a header
                    self._title = line
                    return None
                raise FormatError(f"{_STRANGE_LINE}: {quoted(line)}, after {quoted(self._title)}")
            if self._title:
                self.note(f"{self.input.name}:1: a header of unknown columns left out: {quoted(self._title)}")
            self._use(COLUMNS if len(fields) == len(COLUMNS) else COLUMNS + MORE_COLUMNS)
        if len(fields) != len(self._columns):
            raise FormatError(f"{len(fields)} columns, not {len(self._columns)}, in {quoted(line)}")
        message = _Row(dict(zip(self._columns, fields, strict=True)), line, self._data).message()
        if message.is_fd and "is_fd" not in self._columns:
            self._note_fd()
        if self._data.is_cut:
            self.note_file("rows have more data than their dlc: the excess is left out")
        return message

    def _use(self, names: Sequence[str]) -> None:
        self._columns = names
        self._full = tuple(names) == COLUMNS + MORE_COLUMNS
        self._plain = self._full or tuple(names) == COLUMNS
        if not self._full:
            self._names.add(CHANNEL)


class CSVWriter(TextWriter):
    """Writes CSV; ``columns`` is ``python-can`` or ``full``.

    A file that is appended to keeps its header, and has to have the same columns.
    """

    _spelt = staticmethod(spell_channel)

    def __init__(
        self,
        file: AnyFile,
        append: bool = False,
        *args: Any,
        columns: Literal["python-can", "full"] = "python-can",
        **kwargs: Any,
    ) -> None:
        check_known("columns", columns, ("python-can", "full"))
        self._full = columns == "full"
        self._header = ",".join(COLUMNS + MORE_COLUMNS if self._full else COLUMNS).encode() + b"\n"
        super().__init__(file, append, *args, **kwargs)

    def _check_header(self, head: bytes) -> None:
        head = head.replace(b"\r\n", b"\n")
        if head.startswith(b"timestamp,") and not head.startswith(self._header):
            raise UsageError(
                f"{self.output.name} cannot be continued: its columns differ",
                hint="csv,columns=full writes twelve columns, plain csv seven",
            )

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return kernel.format(row, *batch.columns(), self._names, self._name_ends, self._full, self._out)

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        return format_row(batch[row], self._full)

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        batch = self.without_xl(batch)
        self._count_details(batch, "raw DLC codes")
        if not self._full:
            self._count_details(batch, "CAN FD marks", "directions", "channels")
        return batch


def format_row(message: Message, full: bool) -> bytes:
    """Return the row of one frame, as the kernel writes it, also before 1970."""
    seconds, fraction = divmod(abs(message.timestamp_ns), 1_000_000_000)
    sign = "-" if message.timestamp_ns < 0 else ""
    flags = [message.is_extended_id, message.is_remote_frame, message.is_error_frame]
    fields = [f"{sign}{seconds}." + (f"{fraction:09d}".rstrip("0") or "0"), f"{message.arbitration_id:#x}"]
    fields += [str(int(flag)) for flag in flags]
    fields += [str(message.dlc), b64encode(message.data).decode("ascii")]
    if full:
        flags = [message.is_fd, message.bitrate_switch, message.error_state_indicator, message.is_rx]
        fields += [spell_channel(message.channel), *(str(int(flag)) for flag in flags)]
    return (",".join(fields) + "\n").encode("utf-8", "surrogateescape")


def split(line: str) -> list[tuple[str, bool]]:
    """Return the fields of ``line``, each with whether it stood in quotes."""
    fields, at, more = [], 0, True
    while more:
        match = _FIELD.match(line, at)
        assert match is not None  # the second form matches anything
        at = match.end()
        more = line[at - 1 : at] == "," and at > match.start()
        in_quotes = match[1] is not None
        fields.append((match[1].replace('""', '"') if in_quotes else match[2], in_quotes))
    return fields


class _Row:
    """One row, parsed field by field; errors quote the row."""

    def __init__(self, fields: dict[str, tuple[str, bool]], line: bytes, form: csv_columns.DataForm) -> None:
        self._fields = fields
        self._line = line
        self._form = form

    def message(self) -> Message:
        data = self._data()
        message = Message(
            arbitration_id=int(self._matching("arbitration_id", _IDENTIFIER, "a hexadecimal number"), 16),
            is_remote_frame=self._flag("remote"),
            is_error_frame=self._flag("error"),
            channel=_channel(*self._fields["channel"]) if "channel" in self._fields else CHANNEL,
            dlc=self._dlc(len(data)),
            is_rx=self._flag("is_rx", True),
            bitrate_switch=self._flag("bitrate_switch"),
            error_state_indicator=self._flag("error_state_indicator"),
        )
        message.is_fd = self._flag("is_fd", message.dlc > 8)
        message.is_extended_id = self._extended(message)
        message.data = data
        try:
            message.timestamp_ns = seconds_to_ns(self._text("timestamp"))
        except ValueError as error:
            raise self._fault(f"timestamp is {quoted(self._text('timestamp'))}, {error}") from None
        if message.is_remote_frame and message.dlc > 8:
            raise self._fault(f"dlc is {message.dlc}, but a remote frame requests at most 8 bytes")
        if (message.bitrate_switch or message.error_state_indicator) and not message.is_fd:
            raise self._fault("bitrate_switch and error_state_indicator go with is_fd only")
        return message

    def _extended(self, message: Message) -> bool:
        if message.is_error_frame:
            return self._flag("extended")
        extended = self._flag("extended", message.arbitration_id > bits.CAN_SFF_MASK)
        if not extended and message.arbitration_id > bits.CAN_SFF_MASK:
            raise self._fault(f"{message.arbitration_id:#x} is above 7FF, the largest 11-bit identifier")
        return extended

    def _data(self) -> bytearray:
        text = self._text("data")
        if self._flag("remote"):
            if text:
                raise self._fault("a remote frame has no data")
            return bytearray()
        return bytearray(self._form.decoded(text, self._dlc(-1), self._line))

    def _dlc(self, default: int) -> int:
        if "dlc" not in self._fields:
            return default
        dlc = int(self._matching("dlc", _LENGTH, "0 to 64"))
        if dlc > 64:
            raise self._fault(f"dlc is {dlc}, not 0 to 64")
        return dlc

    def _flag(self, key: str, default: bool = False) -> bool:
        if key not in self._fields:
            return default
        value = _FLAGS.get(self._text(key).lower())
        if value is None:
            raise self._fault(f"{key} is {quoted(self._text(key))}, not 0 or 1")
        return value

    def _matching(self, key: str, form: re.Pattern[str], wanted: str) -> str:
        text = self._text(key)
        if not form.fullmatch(text):
            raise self._fault(f"{key} is {quoted(text)}, not {wanted}")
        return text

    def _text(self, key: str) -> str:
        return self._fields[key][0].strip() if key in self._fields else ""

    def _fault(self, reason: str) -> FormatError:
        return FormatError(f"{reason}, in {quoted(self._line)}")


def _channel(text: str, in_quotes: bool) -> Channel:
    if in_quotes:
        return text
    text = text.strip()
    return int(text) if _NUMBER.fullmatch(text) else text or None
