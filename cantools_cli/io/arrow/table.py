"""Frames out of Arrow's record batches, from any program: the base of Arrow streams and Parquet files.

The columns are those of ``cantools_cli.frame.arrow``. ``timestamp``, ``arbitration_id`` and ``data`` are
required. A missing column of the others means: extended if the identifier has more than 11 bits, CAN FD if
there are more than 8 bytes, received, on can0, no flags, not CAN XL. Names may be in upper or lower case;
further columns are ignored.

==================  ============================================================================
timestamp           any unit, any time zone, UTC by default; floating point: seconds since 1970
timestamp_ns        instead of ``timestamp``: integers, nanoseconds since 1970
channel             strings or integers; null for no channel
data                binary of any kind, lists of integers, strings of hexadecimal digits
the others          any type that Arrow casts without a loss
==================  ============================================================================
"""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame import bits
from cantools_cli.frame.arrow import COLUMNS, read_channel
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import timestamp_to_ns
from cantools_cli.io.arrow.xl import XlRows
from cantools_cli.io.base import BATCH_ROWS, FileIOMessageWriter, MessageReader
from cantools_cli.io.channels import MAX_CHANNELS, NameTable
from cantools_cli.io.files import AnyFile
from cantools_cli.kernels import arrow as kernel
from cantools_cli.kernels import columns
from cantools_cli.kernels.buffers import UInt16s

CHANNEL = "can0"  #: the channel of frames that have no such column
#: column -> the kernel's mark for it
MARKS = {
    "is_extended_id": kernel.EXTENDED,
    "is_remote_frame": kernel.REMOTE,
    "is_error_frame": kernel.ERROR,
    "is_fd": kernel.FD,
    "bitrate_switch": kernel.BRS,
    "error_state_indicator": kernel.ESI,
    "is_rx": kernel.SENT,
}


def load_pyarrow(module: str = "pyarrow") -> Any:
    """Import pyarrow, or a module of it.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(
            "Arrow and Parquet need pyarrow, which is not installed", hint="pip install 'canx[parquet]'"
        ) from error


class Pieces:
    """A file for pyarrow that keeps the data until ``take``: errors of the disk must not reach pyarrow."""

    closed = False

    def __init__(self) -> None:
        self._position = 0
        self._pieces: list[bytes] = []

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: the data is still needed."""

    def take(self) -> bytes:
        """Return the data written since the last call."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


class TableWriter(FileIOMessageWriter):
    """Gathers frames for record batches or row groups; a subclass implements ``_put``."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, "wb", *args, **kwargs)
        self._arrow = load_pyarrow()
        self._held = MessageBatch()

    @abstractmethod
    def _put(self, batch: MessageBatch) -> None:
        """Write ``batch``, which is not empty, as a whole."""

    def flush(self) -> None:
        self._write_gathered()
        self._write_held()
        self.output.flush()

    def _write_held(self) -> None:
        held, self._held = self._held, MessageBatch()
        if len(held):
            self._put(held)

    def _count_losses(self, batch: MessageBatch) -> None:
        """Count the frames on channels whose names are not Unicode."""
        for index, channel in enumerate(batch.channels):
            if isinstance(channel, str) and any("\ud800" <= character <= "\udfff" for character in channel):
                count = columns.count_entries(batch.channel, index)
                self._count("characters of channel names", count)


class TableReader(MessageReader):
    """Reads record batches; positions of errors are rows from 1."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, "rb", *args, **kwargs)
        try:
            self._arrow = load_pyarrow()
        except UsageError:
            self.input.close()
            raise
        self._columns: dict[str, int] = {}
        self._row = 0  #: rows so far
        self._names = NameTable()
        self._dictionary: Any = None  # the last dictionary; _table has the indexes of its entries' channels
        self._table = array("H")

    def _use(self, schema: Any) -> list[str]:
        """Find the columns in ``schema``; return the names of those to read."""
        known = {"timestamp_ns", *COLUMNS}
        try:
            names = [name.lower() for name in schema.names]
        except UnicodeDecodeError:
            raise FormatError("the name of a column is not UTF-8", source=self.input.name) from None
        self._columns = {name: names.index(name) for name in names if name in known}
        for name in ("timestamp", "arbitration_id", "data"):
            if name not in self._columns and f"{name}_ns" not in self._columns:
                present = ", ".join(schema.names[:20]) or "none"
                raise FormatError(f"no column {name}; its columns: {present}", source=self.input.name)
        kind = schema.field(self._columns["timestamp"]).type if "timestamp" in self._columns else None
        types = self._arrow.types
        if kind is not None and not (types.is_timestamp(kind) or types.is_floating(kind)):
            raise FormatError(
                f"timestamp is {kind}, which has no time unit",
                source=self.input.name,
                hint="name a column of integer nanoseconds timestamp_ns",
            )
        return [schema.names[index] for index in self._columns.values()]

    def _frames(self, table: Any) -> Iterator[MessageBatch]:
        """Yield the frames of a record batch that Arrow has validated."""
        for first in range(0, table.num_rows, BATCH_ROWS):
            yield from self._part(table.slice(first, BATCH_ROWS))

    def _part(self, part: Any) -> Iterator[MessageBatch]:
        try:
            source = _Columns(self, part, self._arrow)
        except (self._arrow.ArrowException, FormatError, ValueError, TypeError, OverflowError) as error:
            if part.num_rows > 1:  # find the malformed row by halving
                half = part.num_rows // 2
                yield from self._part(part.slice(0, half))
                yield from self._part(part.slice(half))
                return
            self._row += 1
            reason = " ".join(str(error).split())
            self.fault(FormatError(f"cannot be read: {reason}", position=self._row, unit="row"))
            return
        yield from self._decoded(source)

    def _decoded(self, source: _Columns) -> Iterator[MessageBatch]:
        batch = MessageBatch.with_room(source.rows, source.size, self._names.channels)
        filled = batch.columns()
        join: Any = kernel.join  # with more columns than mypy can count
        at = count = 0
        while at < source.rows:
            at, count = join(at, *source.columns(), count, *filled)
            if at == source.rows:
                break
            reason = source.put_xl(at, batch, count) if at in source.xl_rows else source.reason(at)
            if reason is None:
                at, count = at + 1, count + 1
                continue
            fault = FormatError(reason, position=self._row + at + 1, unit="row")
            if self.on_error == "stop" and count:
                yield batch.cut(count)
            self.fault(fault)
            at += 1
        self._row += source.rows
        batch.cut(count)
        if "is_fd" not in self._columns and columns.count_bits(batch.flags, bits.FD):
            self.note_file("frames of more than 8 bytes are read as CAN FD, since there is no column is_fd")
        if count:
            yield batch

    def index_of(self, text: str | None) -> int:
        """Return the index of the channel that ``text`` spells; None for no channel."""
        return self._names.index(None if text is None else read_channel(text))

    def channel_table(self, dictionary: Any) -> UInt16s:
        """Return the index in the reader's channels of each entry of ``dictionary``; null is the last one."""
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            self._dictionary = None
            self._table = array("H", [self.index_of(text) for text in [*dictionary.to_pylist(), None]])
            self._dictionary = dictionary
        return self._table

    def column(self, part: Any, name: str) -> Any:
        """Return the column ``name`` of ``part``, None if it has no such column."""
        index = self._columns.get(name)
        return None if index is None else part.column(index)


class _Columns:
    """The columns of some rows, converted for the kernel."""

    def __init__(self, reader: TableReader, part: Any, arrow: Any) -> None:
        self.rows = part.num_rows
        self._reader = reader
        self._part = part
        self._arrow = arrow
        self._kinds = bytearray(self.rows)
        times = self._times()
        identifiers = reader.column(part, "arbitration_id").cast(arrow.uint32())
        data = self._data()
        for column in (times, identifiers):
            if column.null_count:
                self._mark(column.is_valid(), kernel.VOID, invert=True)
        self._times_ns = _values(times, "q", 8)
        self._identifiers = _values(identifiers, "I", 4)
        begin, end = 4 * data.offset, 4 * (data.offset + self.rows + 1)
        self._begins = memoryview(data.buffers()[1])[begin:end].cast("I")
        self._bytes = memoryview(data.buffers()[2] or b"").cast("B")
        #: the maximum payload of the rows, without CAN XL
        self.size = min(64 * self.rows, max(0, self._begins[-1] - self._begins[0]))
        for name, mark in MARKS.items():
            self._flag(name, mark, data)
        self._dlc = self._lengths("dlc", "H", kernel.ABSENT)
        self._codes = self._lengths("dlc_code", "B", 255)
        self._channel = self._channels()
        self._xl = XlRows(lambda name: reader.column(part, name), arrow)
        #: the rows of CAN XL, for ``put_xl``
        self.xl_rows = frozenset(row for row in self._xl.rows if not self._kinds[row] & kernel.VOID)
        for row in self.xl_rows:
            self._kinds[row] |= kernel.VOID  # stops the kernel

    def columns(self) -> Any:
        """Return the columns in the order of the kernel's parameters."""
        head = (self._kinds, self._times_ns, self._identifiers, self._channel)
        return (*head, self._dlc, self._codes, self._begins, self._bytes)

    def put_xl(self, row: int, batch: MessageBatch, at: int) -> str | None:
        """Copy ``row``, of CAN XL, to row ``at`` of ``batch``; return the reason if it is invalid."""
        kinds, begin, end = self._kinds[row], self._begins[row], self._begins[row + 1]
        others = kernel.REMOTE | kernel.ERROR | kernel.EXTENDED | kernel.BRS | kernel.ESI
        if self._reader.column(self._part, "is_fd") is not None:
            others |= kernel.FD
        if kinds & others and self._identifiers[row] <= bits.CAN_SFF_MASK:
            return "a CAN XL frame cannot be of another kind as well"
        if self._dlc[row] not in (kernel.ABSENT, end - begin):
            return f"dlc is {self._dlc[row]}, but there are {end - begin} data bytes"
        message = self._xl.message(row, bytes(self._bytes[begin:end]))
        message.timestamp_ns = self._times_ns[row]
        message.arbitration_id = self._identifiers[row]
        message.channel = batch.channels[self._channel[row]]
        message.is_rx = not kinds & kernel.SENT
        try:
            batch.put(at, message)
        except ValueError as error:
            return str(error)
        return None

    def reason(self, row: int) -> str:
        """Return the reason why ``row`` is not a valid frame."""
        kinds, identifier = self._kinds[row], self._identifiers[row]
        size, dlc, code = self._begins[row + 1] - self._begins[row], self._dlc[row], self._codes[row]
        if kinds & kernel.VOID:
            return "timestamp or arbitration_id is null"
        if identifier > bits.CAN_EFF_MASK:
            return f"arbitration_id {identifier:#x} is above 1FFFFFFF, the largest 29-bit identifier"
        if identifier > bits.CAN_SFF_MASK and not kinds & (kernel.EXTENDED | kernel.ERROR):
            return f"arbitration_id {identifier:#x} is above 7FF, the largest 11-bit identifier"
        if kinds & (kernel.BRS | kernel.ESI) and not kinds & kernel.FD:
            return "bitrate_switch and error_state_indicator need is_fd"
        if kinds & kernel.REMOTE:
            if kinds & (kernel.FD | kernel.ERROR):
                return "a remote frame is classic, and not an error frame"
            return (
                "a remote frame has no data"
                if size
                else f"dlc is {dlc} and dlc_code {code} of a remote frame"
            )
        if size > (64 if kinds & kernel.FD else 8):
            kind = "a CAN FD frame holds 64" if kinds & kernel.FD else "a classic frame holds 8"
            return f"{size} data bytes, but {kind}"
        if dlc not in (kernel.ABSENT, size):
            return f"dlc is {dlc}, but there are {size} data bytes"
        if bits.dlc2len(bits.len2dlc(size)) != size:
            return f"{size} is not a CAN FD length"
        return f"dlc_code is {code}, but there are {size} data bytes"

    def _times(self) -> Any:
        arrow, column = self._arrow, self._reader.column(self._part, "timestamp")
        if column is None:
            return self._reader.column(self._part, "timestamp_ns").cast(arrow.int64())
        if arrow.types.is_floating(column.type):
            texts = [None if time is None else timestamp_to_ns(time) for time in column.to_pylist()]
            return arrow.array(texts, arrow.int64())
        return column.cast(arrow.timestamp("ns", column.type.tz))

    def _data(self) -> Any:
        arrow, column = self._arrow, self._reader.column(self._part, "data")
        types, kind = arrow.types, column.type
        if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
            column = arrow.array([bytes(numbers or b"") for numbers in column.to_pylist()], arrow.binary())
        elif types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
            column = arrow.array([bytes.fromhex(text or "") for text in column.to_pylist()], arrow.binary())
        elif kind != arrow.binary():
            column = column.cast(arrow.binary())
        return column.fill_null(b"") if column.null_count else column

    def _flag(self, name: str, mark: int, data: Any) -> None:
        column = self._reader.column(self._part, name)
        if column is None:
            if mark == kernel.EXTENDED:
                kernel.mark_above(self._identifiers, bits.CAN_SFF_MASK, mark, self._kinds)
            elif mark == kernel.FD:
                compute = load_pyarrow("pyarrow.compute")
                self._mark(compute.greater(compute.binary_length(data), 8), mark)
            return
        column = column.cast(self._arrow.bool_())
        received = mark == kernel.SENT
        self._mark(column.fill_null(received) if column.null_count else column, mark, invert=received)

    def _mark(self, rows: Any, mark: int, *, invert: bool = False) -> None:
        bitmap = memoryview(rows.buffers()[1]).cast("B")
        kernel.mark_set(bitmap, rows.offset, int(invert), mark, self._kinds)

    def _lengths(self, name: str, code: Literal["H", "B"], absent: int) -> Any:
        """Return a column of lengths or codes, ``absent`` for null and for a missing column."""
        column, size = self._reader.column(self._part, name), array(code).itemsize
        if column is None:
            return array(code, b"\xff" * size * self.rows)
        column = column.cast(self._arrow.uint16() if code == "H" else self._arrow.uint8())
        return _values(column.fill_null(absent) if column.null_count else column, code, size)

    def _channels(self) -> UInt16s:
        arrow, column = self._arrow, self._reader.column(self._part, "channel")
        if column is None:
            return array("H", [self._reader.index_of(CHANNEL)] * self.rows)
        if not (arrow.types.is_dictionary(column.type) and len(column.dictionary) <= MAX_CHANNELS):
            column = column.cast(arrow.string()).dictionary_encode()
        table = self._reader.channel_table(column.dictionary.cast(arrow.string()))
        indices = column.indices
        if indices.null_count:
            indices = indices.fill_null(len(column.dictionary))
        entries = array("H", bytes(_values(indices.cast(arrow.uint16()), "B", 2)))
        columns.translate(entries, 0, table)
        return entries


def _values(column: Any, code: Literal["q", "I", "H", "B"], size: int) -> Any:
    """Return the values of a column of fixed width."""
    begin = size * column.offset
    return memoryview(column.buffers()[1])[begin : begin + size * len(column)].cast(code)
