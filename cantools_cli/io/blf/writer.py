"""The writer of BLF files."""

from __future__ import annotations

from typing import Any

from cantools_cli import clock
from cantools_cli.errors import UsageError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message, timestamp_to_ns
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.blf.append import LOOK_LIMIT, BlfEnd, ReadBack, complete_part, find_end
from cantools_cli.io.blf.containers import CONTAINER_HEAD, pack_container
from cantools_cli.io.blf.header import (
    FILE_SIGNATURE,
    HEADER_SIZE,
    FileHeader,
    header_size,
    read_header,
)
from cantools_cli.io.blf.objects import pack_marker, pack_xl
from cantools_cli.io.blf.workers import ContainerPacker
from cantools_cli.io.channels import NumberedChannels
from cantools_cli.io.continued import cannot_continue, naming
from cantools_cli.io.files import AnyFile
from cantools_cli.io.processors import usable_processors
from cantools_cli.io.start import EARLY, FAR, start_of
from cantools_cli.kernels import blf as kernel

_MAX_NS = (1 << 63) - 1


class BLFWriter(FileIOMessageWriter):
    """Writes BLF files that Vector's tools, python-can and Wireshark read.

    Frames gather in a container, which is written when it is full and at every ``flush``. The file header is
    updated each time, so the file is always complete up to its last container. On a pipe the sizes in the
    header stay 0.

    ``channel`` is the number, from 1, for frames without a channel. ``compression_level`` is 0 for none, 1
    (fastest) to 9 (smallest), or -1 for zlib's default. ``tz`` is the time zone of the start time, UTC if
    None.
    """

    max_container_size = 128 * 1024  #: bytes of a container before compression
    application_id = 5  #: number of the program in the file header, documented as that of CANape

    def __init__(
        self,
        file: AnyFile,
        append: bool = False,
        channel: int = 1,
        compression_level: int = -1,
        *args: Any,
        tz: str | None = None,
        application_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        if not -1 <= compression_level <= 9:
            raise UsageError(f"compression level {compression_level} is not in -1 to 9")
        if not 1 <= channel <= 0xFFFF:
            raise UsageError(f"channel {channel} is not in 1 to 65535")
        clock.zone(tz or "UTC")
        super().__init__(file, "wb", *args, append=append, **kwargs)
        self._level = compression_level
        if application_id is not None:
            self.application_id = application_id
        self._numbers = NumberedChannels(channel - 1, self.note)
        self._held = MessageBatch()  # frames that wait for the start of the file
        self._held_markers: list[tuple[int | None, str]] = []
        self._room = bytearray()  # the open container, filled up to _used
        self._used = 0
        self._objects = 0
        self._start_ns: int | None = None
        self._previous_ns: int | None = None  # of the last frame written
        self._packer = ContainerPacker(compression_level, self._write_container, usable_processors())
        self._header = FileHeader(
            tz or "UTC", compression_level=6 if compression_level == -1 else compression_level
        )
        self._origin = 0  # the position of the file in an open stream
        with self.closed_on_error():
            if append and (size := self.output.seek_end()):
                self._continue(size, tz)
            elif self.output.seekable:  # else the head is written with the first frames
                self._origin = self.output.tell()
                self._write_head()

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        if not len(batch):
            return
        if self._start_ns is None:
            self._held.extend(batch)
            if 48 * len(self._held) + len(self._held.payload) >= self.max_container_size:
                self._begin()
        else:
            self._put(batch, self._start_ns)

    def log_event(self, text: str, timestamp: float | None = None) -> None:
        """Write ``text`` as a global marker, by default with the timestamp of the last frame."""
        self._write_gathered()
        time = None if timestamp is None else timestamp_to_ns(timestamp)
        if time is None:
            time = self._held.timestamp_ns[-1] if len(self._held) else self._previous_ns
        if self._start_ns is None:
            self._held_markers.append((time, text))
        else:
            self._put_marker(text, time, self._start_ns)

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes, including frames that are not written yet."""
        self._write_gathered()
        waiting = self._packer.waiting + self._used + 48 * len(self._held) + len(self._held.payload)
        header = self._header
        if header.unpacked_size > HEADER_SIZE:
            waiting = waiting * header.file_size // header.unpacked_size
        return self.output.written + waiting

    def flush(self) -> None:
        self._write_gathered()
        if len(self._held) or self._held_markers:
            self._begin()
        self._close_container()
        self._packer.finish()
        self.output.flush()

    def _finish(self) -> None:
        try:
            self.flush()
        finally:
            self._packer.close()
        if not self._header.file_size:
            self._write_head()

    def _begin(self) -> None:
        """Choose the start of the file; write the frames and markers that wait for it."""
        held, self._held = self._held, MessageBatch()
        markers, self._held_markers = self._held_markers, []
        times = [time for time, _ in markers if time is not None]
        if len(held):
            times.append(min(held.timestamp_ns))
        start = 0
        if times:
            start = self._header.start_ns = start_of(min(times))
            self._header.last_ns = start
        self._start_ns = start
        self._write_head()
        if len(held):
            self._put(held, start)
        for time, text in markers:
            self._put_marker(text, time, start)

    def _put(self, batch: MessageBatch, start: int) -> None:
        """Write all frames of ``batch`` to containers, and close those that are full."""
        _, largest, early, fd, sent_errors = kernel.survey(
            batch.timestamp_ns, batch.can_id, batch.flags, start
        )
        self._count(EARLY, early)
        self._count("directions", sent_errors)
        numbers = self._numbers.table(batch, 0xFE if fd or batch.xl is not None else 0xFFFE)
        self._note_time(largest)
        self._previous_ns = batch.timestamp_ns[-1]
        limit = self._limit()
        latest = _MAX_NS + min(start, 0)
        columns, view, row = batch.columns(), memoryview(self._room), 0
        while row < len(batch):
            done, used = kernel.format(row, *columns, numbers, start, latest, view[self._used : limit])
            self._used += used
            self._objects += done - row
            if done < len(batch) and batch.flags[done] & bits.XL:
                self._put_xl(batch[done], numbers[batch.channel[done]] + 1, start)
                done += 1
            elif done < len(batch):
                if not self._used:
                    is_far = batch.timestamp_ns[done] > latest
                    self.losses[FAR if is_far else "malformed frames (left out)"] += 1
                    done += 1
                self._close_container()
            row = done

    def _put_xl(self, message: Message, number: int, start: int) -> None:
        assert isinstance(message, XlMessage)
        offset = max(message.timestamp_ns - start, 0)
        if offset > _MAX_NS:
            self.losses[FAR] += 1
            return
        self._put_object(pack_xl(message, number, offset))

    def _put_marker(self, text: str, time: int | None, start: int) -> None:
        self._put_object(pack_marker(text, max((start if time is None else time) - start, 0)))
        if time is not None:
            self._note_time(time)

    def _put_object(self, data: bytes) -> None:
        if self._used + len(data) > self._limit():
            self._close_container()
        if len(data) > len(self._room):
            self._room = bytearray(len(data))
        self._room[self._used : self._used + len(data)] = data
        self._used += len(data)
        self._objects += 1

    def _limit(self) -> int:
        """Return the maximum size of a container, and make sure of the room for it."""
        limit = max(self.max_container_size, kernel.OBJECT_ROOM)
        if len(self._room) < limit:
            self._room.extend(bytes(limit - len(self._room)))
        return limit

    def _note_time(self, time: int) -> None:
        last = self._header.last_ns
        self._header.last_ns = time if last is None else max(last, time)

    def _close_container(self) -> None:
        """Write the open container unless it is empty."""
        if not self._used:
            return
        with memoryview(self._room) as room:
            self._packer.pack(room[: self._used], self._objects)
        self._used = self._objects = 0

    def _write_container(self, data: bytes, size: int, objects: int) -> None:
        """Write a packed container, and update the file header."""
        self.output.write(data)
        self._header.objects += objects
        self._header.unpacked_size += CONTAINER_HEAD + size
        self._header.file_size += len(data)
        if self.output.seekable:
            self.output.patch(self._origin, self._header.pack())

    def _write_head(self) -> None:
        """Write the file header, or replace it; on a pipe it is written once, with sizes of 0."""
        header = self._header
        header.application_id = self.application_id & 0xFF
        if header.file_size:
            self.output.patch(self._origin, header.pack())
            return
        if self.output.seekable:
            header.file_size = header.unpacked_size = HEADER_SIZE
        self.output.write(header.pack())
        header.file_size = header.unpacked_size = HEADER_SIZE

    def _continue(self, size: int, tz: str | None) -> None:
        """Continue the file of ``size`` bytes at its real end, with the start that it has."""
        name, read = self.output.name, self.output.read_back
        head = read(0, HEADER_SIZE)
        begin = header_size(head)
        with naming(name):
            if not head.startswith(FILE_SIGNATURE) or min(begin, len(head)) < HEADER_SIZE:
                raise cannot_continue("not a BLF file", 0)
            end = find_end(read, begin, size)
        if end.position == begin and not any(head[40:56]):  # no frame and no date yet
            self.output.truncate(0)
            self._write_head()
            return
        self._header, assumed = read_header(head, tz)
        if assumed:
            self.note(f"{name}: {assumed}")
        self._start_ns = self._header.start_ns
        if end.rest:
            self.note(f"{name}: ended inside a container, whose {end.rest} bytes were dropped")
            self.output.truncate(end.position)
        elif end.position > size:
            self.output.write(bytes(end.position - size))
        self._header.file_size = end.position
        self._header.unpacked_size = end.unpacked_size
        self._complete(end, read)

    def _complete(self, end: BlfEnd, read: ReadBack) -> None:
        """Rewrite the last container without the incomplete object at its end."""
        size = end.position - end.last
        if not end.last or size > LOOK_LIMIT:
            return
        container = read(end.last, size)
        inner = complete_part(container)
        if inner is None:
            return
        self.note(f"{self.output.name}: ended inside an object, which was dropped")
        shorter = pack_container(inner, self._level)
        self.output.truncate(end.last)
        self.output.write(shorter)
        self._header.file_size = end.last + len(shorter)
        self._header.unpacked_size -= int.from_bytes(container[24:28], "little") - len(inner)
