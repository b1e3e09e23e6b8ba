"""Apache Parquet: the columns of frames, for DuckDB, Polars, pandas and Spark.

::

    PAR1 | row group | footer | its size, 4 | PAR1 | where this part begins, 8 | CANXPART     a part
    PAR1 | row group | footer | its size, 4 | PAR1 | where this part begins, 8 | CANXPART     another one
    ...
    footer of all row groups | its size, 4 | PAR1

Parquet has its one footer at the end, and without it is lost. So each flush writes a part, which is a Parquet
file of its own: a log whose writer was killed is read up to its last part, along the places where the parts
begin. Closing the file adds the footer that counts, after which the others are bytes that no reader looks at.
A file that is not closed yet is refused by other programs, rather than being taken for its last part alone.

The columns are those of ``arrow_interface``.

Loses: characters of a channel's name that are not Unicode, which are escaped.

Source: Apache Parquet, "File Format" and parquet.thrift.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any

from cantools_cli.arrow_interface import XL_COLUMNS
from cantools_cli.batch import MessageBatch
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.io.arrow import unwritable_names
from cantools_cli.io.arrow_table import Pieces, TableReader, load_pyarrow
from cantools_cli.io.base import BATCH_ROWS, FileIOMessageWriter
from cantools_cli.io.files import AnyFile
from cantools_cli.io.parquet_footer import Footers, data_end

MAGIC = b"PAR1"
_ENCRYPTED = b"PARE"
_PART = struct.Struct("<Q8s")
_PART_MAGIC = b"CANXPART"
#: a row group is written when it has so many frames, or so many bytes of data
GROUP_ROWS = 1 << 18
GROUP_BYTES = 1 << 24
#: bytes of a footer that are read at most
_MOST_FOOTER = 1 << 28
_WINDOW = 1 << 20
_COMPRESSIONS = ("none", "snappy", "gzip", "lz4", "zstd")
#: times that mostly grow are small as differences
_ENCODING = {"timestamp": "DELTA_BINARY_PACKED"}
_REPEATING = ["channel", "arbitration_id", "dlc", "dlc_code", "data", *XL_COLUMNS]

ReadAt = Callable[[int, int], bytes]
"""Returns so many bytes from a position of the file on."""


class ParquetReader(TableReader):
    """Reads Parquet files, also of other programs; those of canx also while they are written.

    What cannot be read at any place, such as a pipe, is copied to a temporary file first.
    """

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.startswith((MAGIC, _ENCRYPTED))

    def batches(self) -> Iterator[MessageBatch]:
        file = self.input.seekable_file()
        if file is not None:
            yield from self._batches(file)
        elif self.input.peek(1):
            import tempfile

            with tempfile.TemporaryFile() as copy:
                while data := self.input.read():
                    copy.write(data)
                copy.flush()
                yield from self._batches(copy)
        for note in self.input.notes:
            self.note(f"{self.input.name}: {note}")

    def _batches(self, file: Any) -> Iterator[MessageBatch]:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        try:
            parts = self._parts(file, size)
        except FormatError as error:
            error.source = self.input.name
            raise
        for begin, end in parts:
            yield from self._part_of_file(_Window(file, begin, end))
            self.input.consumed = end

    def _part_of_file(self, file: _Window) -> Iterator[MessageBatch]:
        """Yield the frames of a Parquet file that is the whole, or a part."""
        parquet = load_pyarrow("pyarrow.parquet")
        try:
            table = parquet.ParquetFile(file, pre_buffer=False, buffer_size=_WINDOW)
            names = self._use(table.schema_arrow)
        except (self._arrow.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
            self.fault(self._damaged(error))
            return
        for group in range(table.num_row_groups):
            yield from self._group(table, group, names)

    def _group(self, table: Any, group: int, names: list[str]) -> Iterator[MessageBatch]:
        """Yield the frames of one row group; damage there costs what is left of it."""
        last = self._row + table.metadata.row_group(group).num_rows
        batches = table.iter_batches(
            batch_size=BATCH_ROWS, row_groups=[group], columns=names, use_threads=False
        )
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                batch.validate(full=True)
            except (self._arrow.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
                self.fault(self._damaged(error))
                self._row = last
                return
            self._use(batch.schema)
            yield from self._frames(batch)

    def _parts(self, file: Any, size: int) -> list[tuple[int, int]]:
        """Return where the Parquet files in ``file`` begin and end: one, or the parts of one not closed."""

        def read(position: int, count: int) -> bytes:
            file.seek(position)
            return bytes(file.read(count))

        head = read(0, 4)
        if head == _ENCRYPTED:
            raise UsageError(f"{self.input.name}: encrypted Parquet cannot be read")
        if not MAGIC.startswith(head):
            raise FormatError(f"not a Parquet file: it begins with {head.hex(' ')}", position=0, unit="byte")
        last = None
        if is_closed(read, size):
            is_good = self._has_good_footer(_Window(file, 0, size)) and is_joined(read, size)
            if is_good or (last := last_part(read, size)) is None:
                return [(0, size)]
            self.note(f"{self.input.name}: the footer is damaged: its parts are read, as they were flushed")
        else:
            self.note(
                f"{self.input.name}: ends inside the file, without its footer: what was flushed is read"
            )
            last = last_part(read, size)
        return parts_before(read, last)

    def _has_good_footer(self, file: _Window) -> bool:
        """Tell whether pyarrow can read the footer."""
        parquet = load_pyarrow("pyarrow.parquet")
        try:
            parquet.read_metadata(file)
        except (self._arrow.ArrowException, OSError, MemoryError, UnicodeDecodeError):
            return False
        return True

    def _damaged(self, error: BaseException) -> FormatError:
        reason = " ".join(str(error).split())
        return FormatError(f"damaged: {reason}", source=self.input.name, position=self._row + 1, unit="row")


class _Window(io.RawIOBase):
    """Bytes of a file from ``begin`` to ``end``, as a file; closing it leaves the other open."""

    def __init__(self, file: Any, begin: int, end: int) -> None:
        self._file = file
        self._begin = begin
        self._size = end - begin
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._begin + self._at)
        data = bytes(self._file.read(left if size < 0 else min(size, left)))
        self._at += len(data)
        return data


def footer_at(read: ReadAt, begin: int, end: int) -> bytes:
    """Return the footer of the Parquet file from ``begin`` to ``end``.

    Raises:
        FormatError: there is none.
    """
    size = int.from_bytes(read(end - 8, 4), "little")
    if not 0 < size <= min(end - begin - 12, _MOST_FOOTER) or read(end - 4, 4) != MAGIC:
        raise FormatError(f"a footer of {size} bytes", position=end - 8, unit="byte")
    return read(end - 8 - size, size)


def is_closed(read: ReadAt, size: int) -> bool:
    """Tell whether a file of ``size`` bytes ends with the footer of all of it.

    What ends like that may also be a part that was cut just before its mark: then the places in its footer
    count from its own begin, and so fall short of the footer by that.
    """
    if size < 12 or read(size - 4, 4) != MAGIC or is_part(read, size - 4):  # the begin of a next part
        return False
    try:
        footer = footer_at(read, 0, size)
        begin = size - 8 - len(footer)
        return is_part(read, begin) or not is_part(read, begin - data_end(footer))
    except FormatError:
        return True  # of another program, or damaged: pyarrow knows better


def is_joined(read: ReadAt, size: int) -> bool:
    """Tell whether the footer of a closed file says what those of its parts say, if it has parts.

    One with a wrong place in it is read without a complaint, and its row group is not.
    """
    try:
        footer = footer_at(read, 0, size)
        end = size - 8 - len(footer)
        if not is_part(read, end):
            return True
        footers = Footers()
        for begin, behind in parts_before(read, end):
            footers.add(footer_at(read, begin, behind), begin)
    except FormatError:
        return True  # the damage is in a part
    return footers.joined()[: len(footer)] == footer


def last_part(read: ReadAt, size: int) -> int | None:
    """Return where the last whole part of a file of ``size`` bytes ends, None where there is none."""
    end = size
    while end > _PART.size:
        begin = max(0, end - _WINDOW)
        window = read(begin, end - begin)
        at = window.rfind(_PART_MAGIC)
        while at >= 0:
            if is_part(read, begin + at + len(_PART_MAGIC)):
                return begin + at + len(_PART_MAGIC)
            at = window.rfind(_PART_MAGIC, 0, at)
        if not begin:
            break
        end = begin + len(_PART_MAGIC) - 1
    return None


def is_part(read: ReadAt, end: int) -> bool:
    """Tell whether a part ends at ``end``."""
    if end < _PART.size + 12:
        return False
    begin, magic = _PART.unpack(read(end - _PART.size, _PART.size))
    return bool(
        magic == _PART_MAGIC
        and begin + 12 <= end - _PART.size
        and read(end - _PART.size - 4, 4) == MAGIC
        and read(begin, 4) == MAGIC
    )


def parts_before(read: ReadAt, end: int | None) -> list[tuple[int, int]]:
    """Return where the parts up to the one that ends at ``end`` begin and end, None for no part."""
    found: list[tuple[int, int]] = []
    while end:
        if not is_part(read, end):  # before what was appended there is a file that was closed
            found.append((0, end))
            break
        begin = _PART.unpack(read(end - _PART.size, _PART.size))[0]
        found.append((begin, end - _PART.size))
        end = begin
    return found[::-1]


class ParquetWriter(FileIOMessageWriter):
    """Writes Parquet files, a row group when there are enough frames, and at each ``flush``.

    Nothing is written twice and nothing needs seeking, so a pipe does as well. A file that is appended to
    needs the same columns; one that was not closed is continued behind its last part.

    ``compression`` is ``none``, ``snappy``, ``gzip``, ``lz4`` or ``zstd``.
    """

    def __init__(
        self, file: AnyFile, append: bool = False, *args: Any, compression: str = "zstd", **kwargs: Any
    ) -> None:
        self._arrow = load_pyarrow()
        if compression not in _COMPRESSIONS:
            raise UsageError(
                f"unknown compression {quoted(compression)}", hint=f"known: {', '.join(_COMPRESSIONS)}"
            )
        super().__init__(file, "wb", *args, append=append, **kwargs)
        self._compression = compression
        self._schema = self._arrow.schema(MessageBatch())
        self._held = MessageBatch()
        self._position = 0  # in the file; a stream that was given begins where it stands
        self._footers = Footers()
        self._has_parts = False
        try:
            if append:
                self._continue()
        except BaseException:
            self.output.close()
            raise

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        lost = unwritable_names(batch)
        if lost:
            self.losses["characters of channel names"] += lost
        self._held.extend(batch)
        if len(self._held) >= GROUP_ROWS or len(self._held.payload) >= GROUP_BYTES:
            self._write_held()

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes: what is written, and what waits, uncompressed."""
        return self.output.written + 16 * len(self._held) + len(self._held.payload)

    def flush(self) -> None:
        self._write_gathered()
        self._write_held()
        self.output.flush()

    def _write_held(self) -> None:
        held, self._held = self._held, MessageBatch()
        if len(held):
            self._put(held)

    def _put(self, batch: MessageBatch) -> None:
        """Write ``batch`` as a part."""
        parquet = load_pyarrow("pyarrow.parquet")
        pieces = Pieces()
        with parquet.ParquetWriter(
            pieces,
            self._schema,
            compression=self._compression,
            use_dictionary=_REPEATING,
            column_encoding=_ENCODING,
        ) as writer:
            if len(batch):
                writer.write_batch(self._arrow.record_batch(batch), row_group_size=len(batch))
        data = pieces.take()
        footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
        self._footers.add(footer, self._position)
        data += _PART.pack(self._position, _PART_MAGIC)
        self.output.write(data)
        self._position += len(data)
        self._has_parts = True

    def _finish(self) -> None:
        self._write_held()
        if not self._has_parts:
            if self._position:  # nothing was appended
                return
            self._put(MessageBatch())
        self.output.write(self._footers.joined())

    def _read_parts(self, size: int) -> list[tuple[int, int]]:
        """Return the parts of the file that is continued, cut behind the last; one part if it was closed."""
        read, name = self.output.read_back, self.output.name
        if is_closed(read, size):
            return [(0, size)]
        end = last_part(read, size)
        if end is None:
            raise FormatError("without a footer, so it cannot be continued")
        self.note(f"{name}: was not closed; continued behind what was flushed last")
        self.output.truncate(end)
        self._position, self._has_parts = end, True
        return parts_before(read, end)

    def _continue(self) -> None:
        """Read the footers of the file that is to be continued, and go on behind them.

        Raises:
            FormatError: it is not a Parquet file, or without any footer.
            UsageError: it has other columns, or is a pipe.
        """
        if not self.output.seekable:
            raise UsageError(f"{self.output.name}: only a file can be continued")
        size = self.output.written
        if not size:
            return
        parquet = load_pyarrow("pyarrow.parquet")
        read, name = self.output.read_back, self.output.name
        try:
            self._position = size
            for begin, end in self._read_parts(size):
                footer = footer_at(read, begin, end)
                self._footers.add(footer, begin)
            whole = MAGIC + footer + len(footer).to_bytes(4, "little") + MAGIC
            schema = parquet.read_schema(io.BytesIO(whole))
        except (self._arrow.ArrowException, OSError, FormatError) as error:
            reason = " ".join(str(error).split())
            raise FormatError(reason, source=name) from None
        if not schema.equals(self._schema):
            raise UsageError(f"{name} has other columns than those to append")
