"""The reader of BLF files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import MessageReader
from cantools_cli.io.blf import header
from cantools_cli.io.blf.containers import Containers
from cantools_cli.io.blf.stream import ObjectStream
from cantools_cli.io.channels import channel_number
from cantools_cli.io.files import AnyFile
from cantools_cli.io.processors import usable_processors


class BLFParseError(FormatError):
    """The file is not a BLF file."""


class BLFReader(MessageReader):
    """Reads BLF files, including files that are still being written, and the intact part of damaged ones.

    ``tz`` is the time zone of the start time. The default is UTC for files of python-can and canx, and local
    time, with a note, for all others. Channels are numbers from 0.
    """

    reads_in_thread = True

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, "rb", *args, **kwargs)
        self._outer: Containers | None = None
        self._head = self.input.peek(header.HEADER_SIZE)
        if not header.FILE_SIGNATURE.startswith(self._head[:4]):
            self.stop()
            raise self._not_blf(self._head[:8])

    @property
    def file_size(self) -> int:
        """Size of the file in bytes according to its header, 0 if it is not stated."""
        return int.from_bytes(self._head[16:24], "little")

    @property
    def uncompressed_size(self) -> int:
        """Size of the file in bytes with its containers unpacked, according to its header."""
        return int.from_bytes(self._head[24:32], "little")

    @property
    def object_count(self) -> int:
        """Number of objects according to the file header."""
        return int.from_bytes(self._head[32:36], "little")

    @property
    def start_timestamp(self) -> float:
        """The start of the measurement in seconds since the epoch, 0.0 if the file has no date."""
        return self._date(40)

    @property
    def stop_timestamp(self) -> float:
        """The end of the measurement in seconds since the epoch, 0.0 if the file has no date."""
        return self._date(56)

    def _date(self, at: int) -> float:
        head = self._head[:40] + self._head[at : at + 16]
        return header.read_start(head, self.tz)[0] / 1e9 if len(head) == 56 else 0.0

    def _not_blf(self, head: bytes) -> BLFParseError:
        reason = f"not a BLF file: it begins with {head.hex(' ')}"
        return BLFParseError(reason, source=self.input.name, byte=0)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.startswith(header.FILE_SIGNATURE)

    def batches(self) -> Iterator[MessageBatch]:
        self._outer = outer = Containers(self.input, self.note_file, self.fault, usable_processors())
        try:
            yield from self._as_documented(self._frames(outer))
        finally:
            outer.close()

    _documented_channel = staticmethod(channel_number)

    @property
    def consumed(self) -> int:
        """Bytes of the file that were processed so far; data that was only read ahead does not count."""
        if self._outer is None or self.input.compression:
            return self.input.consumed
        return self._outer.reached

    def stop(self) -> None:
        if self._outer is not None:
            self._outer.close()
        super().stop()

    def _frames(self, outer: Containers) -> Iterator[MessageBatch]:
        self._stated_size = 0  # according to the file header; 0 if it is not stated
        start_ns = self._read_head(outer)
        if start_ns is None:
            return
        stream = ObjectStream(outer, start_ns, self.note_file, self.fault)
        container, frames = -1, 0  # the position of the current container, and its frames
        for piece in outer.pieces():
            if outer.position != container:
                container, frames = outer.position, 0
            for batch in stream.batches(piece):
                frames += len(batch)
                yield batch
        stream.end()
        missing = self._stated_size - self.input.consumed
        if missing > 0 and not outer.is_cut:  # a cut between two containers, which leaves no other trace
            self.note_file(f"ends {missing} bytes short of the size in its header")
        if outer.is_cut:
            recovered = frames if container == outer.position else 0
            self.note_file(
                f"ends inside the container at byte {outer.position}; {recovered} frames recovered from it"
            )
        skipped = stream.search.total + outer.search.total
        if skipped:
            self.note_file(f"{skipped} bytes that belong to no object were skipped")
        for kind, count in stream.left_out.items():
            self.note_file(f"{count} {kind} left out")
        self.note_input()

    def _read_head(self, outer: Containers) -> int | None:
        """Return the start in nanoseconds, None if the file header is cut."""
        head = outer.take(8)
        if not head:
            self.fault(FormatError("empty: no BLF file header", byte=0))
            return None
        if not header.FILE_SIGNATURE.startswith(head[:4]):
            raise self._not_blf(head)
        size = header.header_size(head) if len(head) == 8 else header.HEADER_SIZE
        if not header.MIN_SIZE <= size <= header.MAX_SIZE:
            self.fault(FormatError(f"the file header claims {size} bytes", byte=4))
            size = header.HEADER_SIZE
        head += outer.take(size - len(head))
        if len(head) < size:
            self.note_file("ends inside the file header")
            return None
        self._stated_size = int.from_bytes(head[16:24], "little")
        start_ns, assumed = header.read_start(head, self.tz)
        if assumed:
            self.note_file(assumed)
        return start_ns
