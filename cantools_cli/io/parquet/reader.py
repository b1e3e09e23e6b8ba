"""The reader of Parquet files."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.arrow.table import TableReader, load_pyarrow
from cantools_cli.io.base import BATCH_ROWS
from cantools_cli.io.continued import naming
from cantools_cli.io.parquet.parts import MAGIC, WINDOW, is_closed, is_joined, last_part, parts_before

_ENCRYPTED = b"PARE"


class ParquetReader(TableReader):
    """Reads Parquet files of any program, and those of canx also while they are being written.

    A pipe or a compressed file is copied to a temporary file first.
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
        self.note_input()

    def _batches(self, file: Any) -> Iterator[MessageBatch]:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        with naming(self.input.name):
            parts = self._parts(file, size)
        for begin, end in parts:
            yield from self._part_of_file(_Window(file, begin, end))
            self.input.consumed = end

    def _part_of_file(self, file: _Window) -> Iterator[MessageBatch]:
        """Yield the frames of a Parquet file: the whole file, or one part."""
        parquet = load_pyarrow("pyarrow.parquet")
        try:
            table = parquet.ParquetFile(file, pre_buffer=False, buffer_size=WINDOW)
            names = self._use(table.schema_arrow)
        except (self._arrow.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
            self.fault(self._damaged(error))
            return
        for group in range(table.num_row_groups):
            yield from self._group(table, group, names)

    def _group(self, table: Any, group: int, names: list[str]) -> Iterator[MessageBatch]:
        """Yield the frames of one row group; damage costs the rest of the group."""
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
        """Return (start, end) of the Parquet files in ``file``: itself, or its parts if it was not closed."""

        def read(position: int, count: int) -> bytes:
            file.seek(position)
            return bytes(file.read(count))

        head = read(0, 4)
        if head == _ENCRYPTED:
            raise UsageError(f"{self.input.name}: encrypted Parquet cannot be read")
        if not MAGIC.startswith(head):
            raise FormatError(f"not a Parquet file: it begins with {head.hex(' ')}", byte=0)
        last = None
        if is_closed(read, size):
            is_good = self._has_good_footer(_Window(file, 0, size)) and is_joined(read, size)
            if is_good or (last := last_part(read, size)) is None:
                return [(0, size)]
            self.note_file("the footer is damaged: the flushed parts are read instead")
        else:
            self.note_file("has no footer, so it was not closed: the flushed parts are read")
            last = last_part(read, size)
        return parts_before(read, last)

    def _has_good_footer(self, file: _Window) -> bool:
        """Return whether pyarrow can read the footer."""
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
    """The bytes of a file from ``begin`` to ``end``, as a file; closing it leaves the whole file open."""

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
