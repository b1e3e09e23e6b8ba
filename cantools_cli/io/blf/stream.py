"""The inner stream of a BLF file: joins objects that containers cut, and makes batches of their frames."""

from __future__ import annotations

from collections.abc import Iterator

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.base import BATCH_PAYLOAD, BATCH_ROWS
from cantools_cli.io.blf.containers import (
    Containers,
    Fault,
    Note,
    Search,
    begins_object,
    find_object,
    read_header,
)
from cantools_cli.io.blf.inflate import Bytes
from cantools_cli.io.blf.objects import MAX_OBJECT, Objects
from cantools_cli.io.channels import ChannelTable
from cantools_cli.kernels import blf as kernel

_MIN_OBJECT = 40  #: bytes of the shortest object that becomes a frame
_MAX_NS = (1 << 63) - 1


class ObjectStream:
    """Reads objects, with times from ``start_ns``, from the pieces that ``outer`` unpacks."""

    def __init__(self, outer: Containers, start_ns: int, note: Note, fault: Fault) -> None:
        self.search = Search()  #: the search for the next object after damage
        self._outer = outer
        self._start_ns = start_ns
        self._earliest = max(-_MAX_NS - 1, -_MAX_NS - 1 - start_ns)
        self._latest = min(_MAX_NS, _MAX_NS - start_ns)
        self._note = note
        self._fault = fault
        self._objects = Objects(start_ns, note)
        self.left_out = self._objects.left_out  #: the number of objects that are not frames, by kind
        self._is_lost = False  # whether ``search`` is on
        self._tail: Bytes = b""  # the start of an object that the next piece continues
        self._to_skip = 0  # remaining bytes of an object that is skipped
        self._base = 0  # position of the tail in the stream
        self._table = ChannelTable()

    def batches(self, piece: Bytes) -> Iterator[MessageBatch]:
        """Yield the frames that end in ``piece``, the next one of the stream."""
        text = self._joined(piece)
        at, end = 0, len(text)
        while at < end:
            if self._is_lost:
                if end - at < 16:
                    break
                at, is_found = self.search.step(text, at, self._base + at)
                if not is_found:
                    break
                self._is_lost = False
                self._end_search()
            rows = min(BATCH_ROWS, (end - at) // _MIN_OBJECT + 1)
            batch = MessageBatch.with_room(rows, min(BATCH_PAYLOAD, end - at + 64), self._table.channels)
            at, rows, reason, fault = self._fill(text, at, batch)
            if rows:
                batch.channels = self._table.channels
                yield batch.cut(rows)
            if reason == kernel.LOST:
                self._is_lost = True
            elif reason == kernel.CUT:
                at, fault = self._cut(text, at)
            if fault is not None:
                self._fault(fault)
            elif reason == kernel.CUT:
                break
        self._base += at
        self._tail = text[at:]

    def end(self) -> None:
        """Report an incomplete last object, unless the file is cut."""
        is_unfinished = self._to_skip or (begins_object(self._tail) and not _is_complete(self._tail))
        if self._is_lost or not is_unfinished:
            self.search.leave_out(self._tail, self._base)
        elif not self._outer.is_cut:
            self._note("ends inside an object, which was dropped")
        self._end_search()

    def _joined(self, piece: Bytes) -> Bytes:
        """Return the rest of the last piece followed by ``piece``."""
        if self._outer.is_damaged:
            self._outer.is_damaged = False
            self._base += len(self._tail)
            self._tail, self._to_skip, self._is_lost = b"", 0, True
            self.search.mark_reported()
        if self._to_skip:
            skipped = min(self._to_skip, len(piece))
            self._to_skip -= skipped
            self._base += skipped
            piece = piece[skipped:]
        return self._tail + piece if self._tail else piece

    def _fill(self, text: Bytes, at: int, batch: MessageBatch) -> tuple[int, int, int, FormatError | None]:
        """Read objects into ``batch``; return (end of the last one, rows, reason to stop, fault)."""
        rows, end = 0, len(text)
        while True:
            times = (self._start_ns, self._earliest, self._latest)
            others = (*times, self._table.entries, rows, *batch.columns())
            at, rows, reason = kernel.parse(text, at, end, *others)
            if reason not in (kernel.STRANGE, kernel.CHANNEL):
                return at, rows, reason, None
            # An object on a new channel is decoded here as well, which enters the channel in the table.
            try:
                header = read_header(text, at)
            except FormatError as error:
                self.search.mark_reported()
                return at + 4, rows, kernel.LOST, self._placed(error, at)
            stop = at + header.size
            try:
                message = self._objects.read(bytes(text[at:stop]), header)
                if message is not None:
                    message.channel = self._channel(message.channel)
                    batch.channels = self._table.channels
                    batch.put(rows, message)
                    rows += 1
            except FormatError as error:
                return stop, rows, kernel.STRANGE, self._placed(error, at)
            at = stop

    def _channel(self, number: Channel) -> Channel:
        """Return the channel of a ``number`` in the file, and enter it in the table for the kernel."""
        assert isinstance(number, int)
        if number == 0:
            self._note("channel 0, which BLF does not have, is read as can0")
        name = f"can{max(number - 1, 0)}"
        self._table.add(number, name)
        return name

    def _cut(self, text: Bytes, at: int) -> tuple[int, FormatError | None]:
        """Return where to continue after the object at ``at``, which ``text`` cuts, and a fault."""
        if len(text) - at < 20:
            return at, None
        header = read_header(text, at)
        if not self._objects.knows(header.kind):
            self._to_skip = header.size - (len(text) - at)
            return len(text), None
        if header.size <= MAX_OBJECT:
            return at, None
        self.search.mark_reported()
        self._is_lost = True
        error = FormatError(f"an object of type {header.kind} claims {header.size} bytes")
        return at + 4, self._placed(error, at)

    def _end_search(self) -> None:
        error = self.search.end()
        if error is not None:
            self._fault(self._placed(error, (error.position or 0) - self._base))

    def _placed(self, error: FormatError, at: int) -> FormatError:
        reason = f"{error.reason}, at byte {self._base + at} of the unpacked data"
        return FormatError(reason, byte=self._outer.position)


def _is_complete(tail: Bytes) -> bool:
    """Return whether ``tail`` is a complete object, too short for the kernel."""
    at = find_object(tail, 0)
    return at >= 0 and read_header(tail, at).size <= len(tail) - at
