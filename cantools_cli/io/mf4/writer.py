"""Writing MDF 4."""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import Any

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.channels import NumberedChannels
from cantools_cli.io.files import AnyFile
from cantools_cli.io.mf4 import head as mf4_head
from cantools_cli.io.mf4.append import Continued, find_end
from cantools_cli.io.mf4.blocks import (
    HEAD,
)
from cantools_cli.io.start import EARLY, HELD
from cantools_cli.kernels import mf4 as kernel

#: bytes of records that are written at a time
_ROOM = 1 << 17


class MF4Writer(FileIOMessageWriter):
    """Writes MDF 4 files that asammdf, python-can and Vector's tools read.

    Every flush hands all frames over; a file that is not closed properly, or went through a pipe, says that
    it is not finished, and readers take what is there. Records are stored as they are, whatever the
    ``compression_level`` of 0 to 2: a compressed block could not grow with each flush. ``database`` is the
    path of a DBC file, which the file then carries as an attachment.
    """

    def __init__(
        self,
        file: AnyFile,
        database: str | os.PathLike[str] | None = None,
        compression_level: int = 2,
        *args: Any,
        append: bool = False,
        **kwargs: Any,
    ) -> None:
        if compression_level not in (0, 1, 2):
            raise UsageError(f"compression level {compression_level} is not in 0 to 2")
        self._attachment = None
        if database is not None:
            self._attachment = os.path.basename(os.fspath(database)), Path(database).read_bytes()
        super().__init__(file, "wb", *args, append=append, **kwargs)
        self._numbers = NumberedChannels(0, self.note)
        self._held = MessageBatch()  # until the start is known
        self._start_ns: int | None = None
        self._room = bytearray(_ROOM)
        self._counts = array("q", bytes(8 * len(mf4_head.RECORD_SIZES)))
        self._origin = 0  # where in a stream that was given the file begins
        self._head: mf4_head.Head | Continued | None = None
        try:
            self._continue_or_begin(append)
        except BaseException:
            self.output.close()
            raise

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        batch = self.without_xl(batch)
        if self._start_ns is None:
            self._held.extend(batch)
            if len(self._held) >= HELD:
                self._begin()
        elif len(batch):
            self._put(batch, self._start_ns)

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes: what is written, and what is held."""
        self._write_gathered()
        return self.output.written + 25 * len(self._held) + len(self._held.payload)

    def flush(self) -> None:
        self._write_gathered()
        if len(self._held):
            self._begin()
        self.output.flush()

    def _finish(self) -> None:
        if len(self._held):
            self._begin()
        if self._head is None:
            self._write_head(0)
        head = self._head
        if not self.output.seekable or head is None:
            return
        length = HEAD + sum(
            count * size for count, size in zip(self._counts, mf4_head.RECORD_SIZES, strict=True)
        )
        for number, at in enumerate(head.counts_at):
            if at:
                self.output.patch(self._origin + at, self._counts[number].to_bytes(8, "little"))
        self.output.patch(self._origin + head.length_at, length.to_bytes(8, "little"))
        self.output.patch(self._origin, mf4_head.identification(finished=True))

    def _write_head(self, start_ns: int) -> None:
        head = mf4_head.build_head(start_ns, self._attachment)
        if self._head is None:
            self.output.write(head.data)
        else:
            self.output.patch(self._origin, head.data)
        self._head = head

    def _begin(self) -> None:
        """Choose the start of the file, in whole microseconds as asammdf has it, and write what waited."""
        held, self._held = self._held, MessageBatch()
        start = max(min(held.timestamp_ns) // 1000 * 1000, 0)
        self._write_head(start)
        self._start_ns = start
        self._put(held, start)

    def _put(self, batch: MessageBatch, start: int) -> None:
        """Write all frames of ``batch``."""
        numbers = self._numbers.table(batch, 254)
        columns, row = batch.columns(), 0
        while row < len(batch):
            done, used, early = kernel.format(row, *columns, numbers, start, self._counts, self._room)
            if early:
                self.losses[EARLY] += early
            self.output.write(memoryview(self._room)[:used])
            if not used:
                self.losses["malformed frames (left out)"] += 1
                done += 1
            row = done

    def _continue_or_begin(self, append: bool) -> None:
        """Go on behind the file that is there, or begin one, whose start is filled in later."""
        if not self.output.seekable:
            if append:
                raise UsageError(f"{self.output.name}: only an uncompressed file can be continued")
            return
        file: Any = getattr(self.output.file, "buffer", self.output.file)
        size = file.seek(0, os.SEEK_END) if append else 0
        self.output.written = size
        if not (append and size):
            self._origin = file.tell()
            self._write_head(0)
            return
        try:
            found = find_end(self.output.read_back, size)
        except FormatError as error:
            error.source = self.output.name
            raise
        if found.end < size:
            self.note(
                f"{self.output.name}: ended inside a record, whose {size - found.end} bytes were dropped"
            )
        self.output.truncate(found.end)
        self._counts = found.counts
        if not any(found.counts):
            self.output.truncate(0)
            self._write_head(0)
            return
        self._start_ns, self._head = found.start_ns, found
        self.output.patch(found.length_at, HEAD.to_bytes(8, "little"))
        self.output.patch(0, mf4_head.identification(finished=False))
