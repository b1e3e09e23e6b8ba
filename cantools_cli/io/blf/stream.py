"""The inner stream of a Vector BLF: objects, joined where containers cut them, into batches of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.base import BATCH_PAYLOAD, BATCH_ROWS
from cantools_cli.io.blf.containers import Containers, Search, begins_object, find_object, read_header
from cantools_cli.io.blf.inflate import Bytes
from cantools_cli.io.blf.objects import LARGEST, Objects
from cantools_cli.io.channels import ChannelTable
from cantools_cli.kernels import blf as kernel

_SMALLEST_OBJECT = 40  #: bytes of the shortest object that becomes a frame
_LARGEST_NS = (1 << 63) - 1


class ObjectStream:
    """Reads objects from the pieces that ``outer`` unpacks, whose times count from ``start_ns``.

    Attributes:
        search: where the next object is looked for after damage.
        left_out: what has no place among frames, by kind.
    """

    def __init__(
        self,
        outer: Containers,
        start_ns: int,
        note: Callable[[str], None],
        fault: Callable[[FormatError], None],
    ) -> None:
        self.search = Search()
        self._outer = outer
        self._start_ns = start_ns
        self._earliest = max(-_LARGEST_NS - 1, -_LARGEST_NS - 1 - start_ns)
        self._latest = min(_LARGEST_NS, _LARGEST_NS - start_ns)
        self._note = note
        self._fault = fault
        self._objects = Objects(start_ns, note)
        self.left_out = self._objects.left_out
        self._is_lost = False  # looking for the next object
        self._tail: Bytes = b""  # the begin of an object
        self._to_skip = 0  # bytes still to come of an object that is stepped over
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
                at, found = self.search.step(text, at, self._base + at)
                if not found:
                    break
                self._is_lost = False
                self._end_search()
            rows = min(BATCH_ROWS, (end - at) // _SMALLEST_OBJECT + 1)
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
        """Say what is odd about the end of the stream, which a cut file explains."""
        is_unfinished = self._to_skip or (begins_object(self._tail) and not _is_complete(self._tail))
        if self._is_lost or not is_unfinished:
            self.search.leave_out(self._tail, self._base)
        elif not self._outer.is_cut:
            self._note("ends inside an object, which was dropped")
        self._end_search()

    def _joined(self, piece: Bytes) -> Bytes:
        """Return what is left of the inner stream with ``piece`` behind it."""
        if self._outer.is_damaged:
            self._outer.is_damaged = False
            self._base += len(self._tail)
            self._tail, self._to_skip, self._is_lost = b"", 0, True
            self.search.told()
        if self._to_skip:
            skipped = min(self._to_skip, len(piece))
            self._to_skip -= skipped
            self._base += skipped
            piece = piece[skipped:]
        return self._tail + piece if self._tail else piece

    def _fill(self, text: Bytes, at: int, batch: MessageBatch) -> tuple[int, int, int, FormatError | None]:
        """Read objects into ``batch``; return (where it stopped, rows, why, the fault that it met)."""
        rows, end = 0, len(text)
        while True:
            at, rows, reason = kernel.parse(
                text,
                at,
                end,
                self._start_ns,
                self._earliest,
                self._latest,
                self._table.entries,
                rows,
                *batch.columns(),
            )
            if reason not in (kernel.STRANGE, kernel.CHANNEL):
                return at, rows, reason, None
            # An object on a new channel is read here as well, which puts the channel into the table.
            try:
                header = read_header(text, at)
            except FormatError as error:
                self.search.told()
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
        """Return the channel of a ``number`` in the file, which is in the kernel's table from now on."""
        assert isinstance(number, int)
        if number == 0:
            self._note("channel 0, which BLF does not have, read as can0")
        name = f"can{max(number - 1, 0)}"
        self._table.add(number, name)
        return name

    def _cut(self, text: Bytes, at: int) -> tuple[int, FormatError | None]:
        """Deal with an object that goes on behind ``text``: return where to go on, and its fault.

        One that is stepped over is not kept, however long it says that it is.
        """
        if len(text) - at < 20:
            return at, None
        header = read_header(text, at)
        if not self._objects.knows(header.kind):
            self._to_skip = header.size - (len(text) - at)
            return len(text), None
        if header.size <= LARGEST:
            return at, None
        self.search.told()
        self._is_lost = True
        error = FormatError(f"an object of type {header.kind} claims {header.size} bytes")
        return at + 4, self._placed(error, at)

    def _end_search(self) -> None:
        error = self.search.end()
        if error is not None:
            self._fault(self._placed(error, (error.position or 0) - self._base))

    def _placed(self, error: FormatError, at: int) -> FormatError:
        reason = f"{error.reason}, at byte {self._base + at} of the unpacked data"
        return FormatError(reason, position=self._outer.position, unit="byte")


def _is_complete(tail: Bytes) -> bool:
    """Tell whether ``tail`` is an object, too short for the kernel to look at."""
    at = find_object(tail, 0)
    return at >= 0 and read_header(tail, at).size <= len(tail) - at
