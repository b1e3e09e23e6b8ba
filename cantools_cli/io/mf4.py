"""ASAM MDF 4, bus logging.

::

    MDF     4.10    a block tells the start, blocks behind it what      mf4_blocks, mf4_layout
                    each kind of record holds, and where the records are
    records         frames, by their kinds                              mf4_records, mf4_head for ours

A reader follows what a file says of its records; what it does not know, asammdf reads where that is
installed. The writer puts all records into one block at the end of the file, which says that it is not
finished until it is closed: readers then take what is there.

Loses: CAN XL frames; names of channels, which are numbers from 1 here, ``can0`` being 1. A frame earlier than
the start of the file, which is the earliest of the first ones, is written with that time.

Source: ASAM MDF 4.1 and its associated standard for bus logging; files of CANedge loggers, asammdf and
python-can.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cantools_cli import clock
from cantools_cli.batch import MessageBatch
from cantools_cli.errors import FormatError, NotALogError, UsageError
from cantools_cli.io import mf4_head
from cantools_cli.io.base import FileIOMessageWriter, MessageReader, NumberedChannels, channel_number
from cantools_cli.io.files import CHUNK, AnyFile
from cantools_cli.io.mf4_append import Continued, find_end
from cantools_cli.io.mf4_blocks import (
    FINISHED,
    HEAD,
    LAST_LENGTH_UNKNOWN,
    UNFINISHED,
    Blocks,
    CutError,
    UnknownLayoutError,
)
from cantools_cli.io.mf4_layout import Layout, read_layout
from cantools_cli.io.mf4_merge import merged
from cantools_cli.io.mf4_records import RecordStream
from cantools_cli.io.mf4_source import Source
from cantools_cli.io.start import EARLY, HELD
from cantools_cli.kernels import mf4 as kernel
from cantools_cli.message import Channel

#: bytes of records that are written at a time
_ROOM = 1 << 17
_LEAST_CHUNK = 1 << 12
#: passes over the records of one data group, each of which reads some kinds of them
_MOST_PASSES = 16
_ENCRYPTED = b"Generic File"


class MF4Reader(MessageReader):
    """Reads the CAN frames of MDF 4 files, also of such as were never finished or are cut off.

    ``tz`` is the time zone of a start that the file gives in local time. The channel of a frame is a number,
    from 0.
    """

    reads_in_thread = True

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._met: set[tuple[int | None, str]] = set()  # faults, by their place

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.startswith((FINISHED, UNFINISHED, _ENCRYPTED))

    def batches(self) -> Iterator[MessageBatch]:
        source = Source(self.input)
        try:
            yield from self._as_documented(self._batches(source))
        finally:
            source.close()
        for note in self.input.notes:
            self._say(note)

    def _documented_channel(self, channel: Channel) -> Channel:
        return channel_number(channel)

    def _batches(self, source: Source) -> Iterator[MessageBatch]:
        identification = source.read(0, 64)
        if len(identification) < 64:
            self._identify(identification)
            if identification:
                self._say("ends inside the file header")
            return
        self._identify(identification)
        flags = int.from_bytes(identification[60:62], "little")
        is_open = identification.startswith(UNFINISHED) and bool(flags & LAST_LENGTH_UNKNOWN)
        blocks = Blocks(source.read, source.size, is_last_open=is_open)
        try:
            layout = read_layout(blocks, identification[16:24])
            self._check(layout)
            streams = self._streams(blocks, layout)
        except CutError as error:
            self._say(error.reason)
            return
        except UnknownLayoutError as error:
            yield from self._by_asammdf(source, error)
            return
        except FormatError as error:
            self.fault(error)
            return
        source.passes = max(len(streams) // len(layout.groups), 1)
        chunk = max(CHUNK // max(len(streams), 1), _LEAST_CHUNK)
        yield from merged([stream.batches(chunk) for stream in streams])
        masked = sum(stream.masked for stream in streams)
        if masked:
            self._say(f"{masked} records that are marked as not valid left out")
        if layout.fault is not None:
            if isinstance(layout.fault, CutError):
                self._say(layout.fault.reason)
            else:
                self.fault(layout.fault)

    def _say(self, text: str) -> None:
        self.note(f"{self.input.name}: {text}")

    def _identify(self, head: bytes) -> None:
        """Raise FormatError unless a file that begins with ``head`` is one that can be read."""
        reason = hint = None
        if head.startswith(_ENCRYPTED):
            reason = "a file that a CANedge logger compressed or encrypted"
            hint = "the maker's mdf2finalized or mf4decrypt makes a plain MF4 file of it"
        elif not head or not (FINISHED.startswith(head[:8]) or UNFINISHED.startswith(head[:8])):
            reason = f"not an MDF file: it begins with {head[:8].hex(' ')}" if head else "empty: no MDF file"
        elif len(head) > 8 and head[8:9] not in (b"4", b"5"):
            reason = f"MDF of version {head[8:16].decode('latin-1').strip()}, which is not 4"
            hint = "asammdf converts it: asammdf.MDF(file).convert('4.10').save(...)"
        if reason:
            raise FormatError(reason, source=self.input.name, position=0, unit="byte", hint=hint)

    def _check(self, layout: Layout) -> None:
        if layout.is_local:
            wall = clock.ns_to_wall(layout.start_ns, "UTC")
            layout.start_ns = clock.wall_to_ns(wall, self.tz or "local") + layout.start_ns % 1000

    def _streams(self, blocks: Blocks, layout: Layout) -> list[RecordStream]:
        """Return the streams with frames in them.

        Raises:
            NotALogError: no group of the file holds frames.
        """
        holders = [group for group in layout.groups if any(inner.event for inner in group.groups)]
        if not holders and layout.fault is not None:
            raise layout.fault
        if not holders:
            names = {inner.name for group in layout.groups for inner in group.groups if inner.name}
            listed = ", ".join(sorted(names)[:6]) or "no groups with names"
            raise NotALogError(
                f"not a log that canx recognises: no CAN frames in this file ({listed})",
                source=self.input.name,
            )
        streams: list[RecordStream] = []
        for group in holders:
            whole = RecordStream(blocks, layout, group, self._say, self._fault_once)
            kinds = [inner for inner in group.groups if inner.event]
            if len(kinds) == 1 or whole.is_in_order(CHUNK):
                streams.append(whole)
                continue
            if len(kinds) > _MOST_PASSES:
                self._say(f"{len(kinds)} kinds of records in one group, which are not all merged by time")
            # a pass for each kind: how far the kinds are apart has no bound
            streams += [
                RecordStream(blocks, layout, group, self._say, self._fault_once, kinds[index::_MOST_PASSES])
                for index in range(min(len(kinds), _MOST_PASSES))
            ]
        return streams

    def _fault_once(self, error: FormatError) -> None:
        """Raise ``error``, or count it unless another pass over the same records did so already."""
        key = (error.position, error.reason)
        if self.on_error == "stop" or key not in self._met:
            self._met.add(key)
            self.fault(error)

    def _by_asammdf(self, source: Source, reason: UnknownLayoutError) -> Iterator[MessageBatch]:
        """Let asammdf read what is not known here.

        Raises:
            FormatError: it is not installed.
        """
        from cantools_cli.io import mf4_asammdf

        if not mf4_asammdf.is_installed():
            reason.hint = "pip install 'canx[mf4]' adds asammdf, which may know it"
            self.fault(reason)
            return
        self._say(f"read by asammdf, in memory, because of {reason.reason}")
        try:
            yield from mf4_asammdf.batches(source, self.tz)
        except FormatError as error:
            self.fault(error)


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
