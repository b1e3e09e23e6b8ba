"""The writer of Parquet files."""

from __future__ import annotations

import io
from typing import Any

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.arrow import XL_COLUMNS
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.arrow.table import Pieces, TableWriter, load_pyarrow
from cantools_cli.io.base import check_known
from cantools_cli.io.files import AnyFile
from cantools_cli.io.parquet import parts
from cantools_cli.io.parquet.footer import Footers

#: frames, and bytes of data, at which a row group is written
GROUP_ROWS = 1 << 18
GROUP_BYTES = 1 << 24
#: times that mostly grow are stored as small differences
_ENCODING = {"timestamp": "DELTA_BINARY_PACKED"}
_REPEATING = ["channel", "arbitration_id", "dlc", "dlc_code", "data", *XL_COLUMNS]


class ParquetWriter(TableWriter):
    """Writes Parquet files: a row group when there are enough frames, and at each ``flush``.

    Writing never seeks, so the output may be a pipe. A file to append to needs the same columns; a file that
    was not closed is continued after its last part.

    ``compression`` is ``none``, ``snappy``, ``gzip``, ``lz4`` or ``zstd``.
    """

    def __init__(
        self, file: AnyFile, append: bool = False, *args: Any, compression: str = "zstd", **kwargs: Any
    ) -> None:
        self._parquet = load_pyarrow("pyarrow.parquet")  # first, so that no file is created without it
        check_known("compression", compression, ("none", "snappy", "gzip", "lz4", "zstd"))
        super().__init__(file, *args, append=append, **kwargs)
        self._compression = compression
        self._schema = self._arrow.schema(MessageBatch())
        self._position = 0  # in the file, which starts at the current position of an open stream
        self._footers = Footers()
        self._has_parts = False
        if append:
            with self.closed_on_error():
                self._continue()

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        self._count_losses(batch)
        self._held.extend(batch)
        if len(self._held) >= GROUP_ROWS or len(self._held.payload) >= GROUP_BYTES:
            self._write_held()

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes, including frames that are not written yet."""
        return self.output.written + 16 * len(self._held) + len(self._held.payload)

    def _put(self, batch: MessageBatch) -> None:
        """Write ``batch`` as a part."""
        pieces = Pieces()
        options = {
            "compression": self._compression,
            "use_dictionary": _REPEATING,
            "column_encoding": _ENCODING,
        }
        with self._parquet.ParquetWriter(pieces, self._schema, **options) as writer:
            if len(batch):
                writer.write_batch(self._arrow.record_batch(batch), row_group_size=len(batch))
        data = pieces.take()
        footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
        self._footers.add(footer, self._position)
        data += parts.PART.pack(self._position, parts.PART_MAGIC)
        self.output.write(data)
        self._position += len(data)
        self._has_parts = True

    def _finish(self) -> None:
        self._write_held()
        if not self._has_parts:
            if self._position:  # no frame was appended
                return
            self._put(MessageBatch())
        self.output.write(self._footers.joined())

    def _read_parts(self, size: int) -> list[tuple[int, int]]:
        """Return the parts of the file to continue, cut after the last; one part if it was closed."""
        read, name = self.output.read_back, self.output.name
        if parts.is_closed(read, size):
            return [(0, size)]
        end = parts.last_part(read, size)
        if end is None:
            raise FormatError("no footer, so the file cannot be continued")
        self.note(f"{name}: was not closed; continued after the last flushed part")
        self.output.truncate(end)
        self._position, self._has_parts = end, True
        return parts.parts_before(read, end)

    def _continue(self) -> None:
        """Read the footers of the file to continue."""
        if not self.output.seekable:
            raise UsageError(f"{self.output.name}: only a file can be continued")
        size = self.output.written
        if not size:
            return
        read, name = self.output.read_back, self.output.name
        try:
            self._position = size
            for begin, end in self._read_parts(size):
                footer = parts.footer_at(read, begin, end)
                self._footers.add(footer, begin)
            whole = parts.MAGIC + footer + len(footer).to_bytes(4, "little") + parts.MAGIC
            schema = self._parquet.read_schema(io.BytesIO(whole))
        except (self._arrow.ArrowException, OSError, FormatError) as error:
            reason = " ".join(str(error).split())
            raise FormatError(reason, source=name) from None
        if not schema.equals(self._schema):
            raise UsageError(f"{name} has columns other than those to append")
