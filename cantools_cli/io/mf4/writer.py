"""The writer of MDF 4 files."""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import Any

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.channels import NumberedChannels
from cantools_cli.io.continued import naming
from cantools_cli.io.files import AnyFile
from cantools_cli.io.mf4.append import find_end
from cantools_cli.io.mf4.blocks import HEAD
from cantools_cli.io.mf4.head import (
    ORDER_AT,
    ORDER_BY_TIME,
    ORDER_UNKNOWN,
    RECORD_SIZES,
    Head,
    build_head,
    identification,
)
from cantools_cli.io.start import EARLY, HELD
from cantools_cli.kernels import mf4 as kernel
from cantools_cli.kernels import mf4_order as order

#: bytes of records to write at a time
_ROOM = 1 << 17


class MF4Writer(FileIOMessageWriter):
    """Writes MDF 4 files that asammdf, python-can and Vector's tools read.

    A file that is not closed properly, or is written to a pipe, stays marked as unfinished: readers read it
    up to its end. Records are never compressed, whatever the ``compression_level`` of 0 to 2, since a
    compressed block cannot grow with each flush. ``database`` is the path of a DBC file, to be attached to
    the log.
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
        self._held = MessageBatch()  # frames that wait for the start of the file
        self._start_ns: int | None = None
        self._latest_ns = 0  # the time of the last frame, -1 if the records are not in the order of time
        self._room = bytearray(_ROOM)
        self._counts = array("q", bytes(8 * len(RECORD_SIZES)))
        self._origin = 0  # the position of the file in an open stream
        self._head: Head | None = None
        with self.closed_on_error():
            if append and (size := self.output.seek_end()):
                self._continue(size)
            elif self.output.seekable:  # else the head is written with the first frames
                self._origin = self.output.tell()
                self._write_head(0)

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
        """Return an estimate of the file's size in bytes, including frames that are not written yet."""
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
        length = HEAD + sum(count * size for count, size in zip(self._counts, RECORD_SIZES, strict=True))
        for number, at in enumerate(head.counts_at):
            if at:
                self.output.patch(self._origin + at, self._counts[number].to_bytes(8, "little"))
        self.output.patch(self._origin + head.length_at, length.to_bytes(8, "little"))
        if self._latest_ns >= 0:
            self.output.patch(self._origin + ORDER_AT, ORDER_BY_TIME)
        self.output.patch(self._origin, identification(finished=True))

    def _write_head(self, start_ns: int) -> None:
        head = build_head(start_ns, self._attachment)
        if self._head is None:
            self.output.write(head.data)
        else:
            self.output.patch(self._origin, head.data)
        self._head = head

    def _begin(self) -> None:
        """Choose the start of the file, in microseconds for asammdf; write the frames that wait for it."""
        held, self._held = self._held, MessageBatch()
        start = max(min(held.timestamp_ns) // 1000 * 1000, 0)
        self._write_head(start)
        self._start_ns = start
        self._put(held, start)

    def _put(self, batch: MessageBatch, start: int) -> None:
        """Write all frames of ``batch``."""
        if self._latest_ns >= 0:
            self._latest_ns = order.latest(batch.timestamp_ns, self._latest_ns)
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

    def _continue(self, size: int) -> None:
        """Continue the file of ``size`` bytes after its last complete record.

        Raises:
            FormatError: canx did not write the file, or it is damaged.
        """
        name = self.output.name
        with naming(name):
            end = find_end(self.output.read_back, size)
        if end.position < size:
            self.note(f"{name}: ended inside a record, whose {size - end.position} bytes were dropped")
        self.output.truncate(end.position)
        self._counts = end.counts
        if not any(end.counts):
            self.output.truncate(0)
            self._write_head(0)
            return
        self._start_ns, self._latest_ns, self._head = end.start_ns, end.latest_ns, end.head
        if end.latest_ns >= 0:
            self.output.patch(ORDER_AT, ORDER_UNKNOWN)
        self.output.patch(end.head.length_at, HEAD.to_bytes(8, "little"))
        self.output.patch(0, identification(finished=False))
