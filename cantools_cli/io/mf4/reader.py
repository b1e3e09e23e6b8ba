"""The reader of MDF 4 files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cantools_cli import clock
from cantools_cli.errors import FormatError, NotALogError, counted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.base import MessageReader
from cantools_cli.io.channels import channel_number
from cantools_cli.io.files import CHUNK, AnyFile
from cantools_cli.io.mf4.blocks import (
    FINISHED,
    LAST_LENGTH_UNKNOWN,
    UNFINISHED,
    Blocks,
    CutError,
    UnknownLayoutError,
)
from cantools_cli.io.mf4.head import ORDER_AT, ORDER_BY_TIME, PROGRAM
from cantools_cli.io.mf4.layout import Layout, read_layout
from cantools_cli.io.mf4.merge import merged
from cantools_cli.io.mf4.records import RecordStream
from cantools_cli.io.mf4.source import Source

_MIN_CHUNK = 1 << 12
#: passes over the records of one data group; each pass reads some kinds of records
_MAX_PASSES = 16
_ENCRYPTED = b"Generic File"


class MF4Reader(MessageReader):
    """Reads the CAN frames of MDF 4 files, including files that are unfinished or cut off.

    ``tz`` is the time zone for a start in local time. Channels are numbers from 0.
    """

    reads_in_thread = True

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._faults: set[tuple[int | None, str]] = set()  # (position, reason), over all passes

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.startswith((FINISHED, UNFINISHED, _ENCRYPTED))

    def batches(self) -> Iterator[MessageBatch]:
        source = Source(self.input)
        try:
            yield from self._as_documented(self._batches(source))
        finally:
            source.close()
        self.note_input()

    def _documented_channel(self, channel: Channel) -> Channel:
        return channel_number(channel)

    def _batches(self, source: Source) -> Iterator[MessageBatch]:
        identification = source.read(0, 64)
        if len(identification) < 64:
            self._identify(identification)
            if identification:
                self.note_file("ends inside the file header")
            return
        self._identify(identification)
        flags = int.from_bytes(identification[60:62], "little")
        is_open = identification.startswith(UNFINISHED) and bool(flags & LAST_LENGTH_UNKNOWN)
        blocks = Blocks(source.read, source.size, is_last_open=is_open)
        try:
            layout = read_layout(blocks, identification[16:24])
            self._resolve_start(layout)
            is_ours = identification[16:24] == PROGRAM
            is_by_time = is_ours and source.read(ORDER_AT, len(ORDER_BY_TIME)) == ORDER_BY_TIME
            streams = self._streams(blocks, layout, is_by_time=is_by_time)
        except CutError as error:
            self.note_file(error.reason)
            return
        except UnknownLayoutError as error:
            yield from self._by_asammdf(source, error)
            return
        except FormatError as error:
            self.fault(error)
            return
        source.passes = max(len(streams) // len(layout.groups), 1)
        chunk = max(CHUNK // max(len(streams), 1), _MIN_CHUNK)
        yield from merged([stream.batches(chunk) for stream in streams])
        masked = sum(stream.masked for stream in streams)
        if masked:
            self.note_file(f"{counted(masked, 'records marked as invalid')} left out")
        if layout.fault is not None:
            if isinstance(layout.fault, CutError):
                self.note_file(layout.fault.reason)
            else:
                self.fault(layout.fault)

    def _identify(self, head: bytes) -> None:
        """Raise FormatError unless ``head`` is the start of an MDF 4 file."""
        reason = hint = None
        if head.startswith(_ENCRYPTED):
            reason = "a file that a CANedge logger compressed or encrypted"
            hint = "the vendor's mdf2finalized or mf4decrypt converts it to a plain MF4 file"
        elif not head or not (FINISHED.startswith(head[:8]) or UNFINISHED.startswith(head[:8])):
            reason = f"not an MDF file: it begins with {head[:8].hex(' ')}" if head else "empty: no MDF file"
        elif len(head) > 8 and head[8:9] not in (b"4", b"5"):
            reason = f"MDF version {head[8:16].decode('latin-1').strip()}; canx reads version 4"
            hint = "asammdf converts it: asammdf.MDF(file).convert('4.10').save(...)"
        if reason:
            raise FormatError(reason, source=self.input.name, position=0, unit="byte", hint=hint)

    def _resolve_start(self, layout: Layout) -> None:
        """Convert a start in local time to UTC."""
        if layout.is_local:
            wall = clock.ns_to_wall(layout.start_ns, "UTC")
            layout.start_ns = clock.wall_to_ns(wall, self.tz or "local") + layout.start_ns % 1000

    def _streams(self, blocks: Blocks, layout: Layout, *, is_by_time: bool) -> list[RecordStream]:
        """Return the streams that hold frames; ``is_by_time`` if each is known to be in the order of time.

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
            whole = RecordStream(blocks, layout, group, self.note_file, self._fault_once)
            kinds = [inner for inner in group.groups if inner.event]
            if is_by_time or len(kinds) == 1 or whole.is_in_order(CHUNK):
                streams.append(whole)
                continue
            if len(kinds) > _MAX_PASSES:
                self.note_file(f"a group has {len(kinds)} kinds of records, which are not all merged by time")
            # one pass per kind: the distance between records of two kinds has no bound
            for index in range(min(len(kinds), _MAX_PASSES)):
                only = kinds[index::_MAX_PASSES]
                streams.append(RecordStream(blocks, layout, group, self.note_file, self._fault_once, only))
        return streams

    def _fault_once(self, error: FormatError) -> None:
        """Raise ``error``, or count it unless an earlier pass over the same records counted it."""
        key = (error.position, error.reason)
        if self.on_error == "stop" or key not in self._faults:
            self._faults.add(key)
            self.fault(error)

    def _by_asammdf(self, source: Source, reason: UnknownLayoutError) -> Iterator[MessageBatch]:
        """Yield the frames of a file of unknown layout, read by asammdf.

        Raises:
            FormatError: asammdf is not installed.
        """
        from cantools_cli.io.mf4 import asammdf

        if not asammdf.is_installed():
            reason.hint = "pip install 'canx[mf4]' adds asammdf, which may be able to read it"
            self.fault(reason)
            return
        self.note_file(f"read by asammdf, in memory, because of {reason.reason}")
        try:
            yield from asammdf.batches(source, self.tz)
        except FormatError as error:
            self.fault(error)
