"""The loop that both readers of captures share: a kernel reads most records, Python the rest.

Chunks may cut records anywhere. A malformed record costs all bytes up to the next place that looks like a
record.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.base import BATCH_PAYLOAD, BATCH_ROWS, MessageReader, check_known
from cantools_cli.io.capture.records import SWAPPED_HINT, Interfaces, Packets
from cantools_cli.io.continued import naming
from cantools_cli.io.files import CHUNK, AnyFile
from cantools_cli.kernels import capture as kernel

#: identifiers to check for swapped bytes, and the minimum for a verdict
_LOOK, _MIN_LOOK = 256, 4
_MIN_RECORD = 24  #: bytes of the shortest record that becomes a frame


class CaptureReader(MessageReader):
    """Reads a capture.

    A subclass implements ``_head`` for the start of the file, ``_size`` for the size of a record, ``_record``
    for the records that the kernel leaves, and ``_search`` for the next record after damage.
    """

    blocks = False  #: whether it is pcapng
    head_size = 0  #: bytes that ``_head`` needs

    def __init__(self, file: AnyFile, *args: Any, byteorder: str = "big", **kwargs: Any) -> None:
        check_known("byteorder", byteorder, ("big", "little"))
        super().__init__(file, "rb", *args, **kwargs)
        self.packets = 0  #: packets so far
        self.big = False  #: whether numbers are big-endian
        self.at_end = False  #: whether the current piece is the last one
        self.interfaces = Interfaces()
        self.interfaces.is_swapped = byteorder == "little"
        self.decoder = Packets(self.interfaces)
        self._looked_at = 0  # frames whose identifiers were checked
        self._begun = False
        self._is_lost = False  # whether to search for the next record
        self._base = 0  # position of the current piece in the file
        self._to_skip = 0  # remaining bytes of a record that is skipped

    @abstractmethod
    def _head(self, head: bytes) -> int:
        """Read the start of the file; return its size. Raises ``FormatError`` for another format."""

    @abstractmethod
    def _size(self, text: bytearray, at: int, end: int) -> int:
        """Return the size of the record at ``at``, 0 if ``text`` holds too little of it."""

    @abstractmethod
    def _record(self, record: bytes) -> Message | None:
        """Return the frame of a record, None if it has none. Raises ``FormatError`` if it is malformed."""

    @abstractmethod
    def _search(self, text: bytearray, at: int, end: int) -> tuple[int, bool]:
        """Search from ``at``: return (position of a record, True) or (position to resume at, False)."""

    def batches(self) -> Iterator[MessageBatch]:
        text, have = bytearray(2 * CHUNK), 0
        while size := self.input.read_behind(text, have, CHUNK):
            have += size
            used = yield from self._piece(text, have)
            text[: have - used] = text[used:have]
            have -= used
            self._base += used
        self.at_end = True
        if self._is_lost:  # the candidate for a record is not continued
            have -= yield from self._piece(text, have)
        self._end(have)
        if self.skipped > 1 and not self._looked_at:
            self.refuse()

    def _piece(self, text: bytearray, end: int) -> Generator[MessageBatch, None, int]:
        """Yield the frames of ``text``; return the start of its last record, which is cut."""
        at = 0
        if not self._begun:
            if end < self.head_size:
                return 0
            at = self._begin(bytes(text[: self.head_size]))
        skipped = min(self._to_skip, end - at)
        self._to_skip -= skipped
        at += skipped
        while at < end:
            if self._is_lost:
                at, is_found = self._search(text, at, end)
                self._is_lost = not is_found
                if not is_found:
                    break
            rows = min(BATCH_ROWS, (end - at) // _MIN_RECORD + 1)
            batch = MessageBatch.with_room(rows, min(BATCH_PAYLOAD, end - at + 64))
            batch.channels = self.interfaces.channels
            at, rows, reason, fault = self._fill(text, at, end, batch)
            if rows:
                batch.channels = self.interfaces.channels
                self._look_at(batch, rows)
                yield batch.cut(rows)
            if fault is not None:
                self.fault(fault)
            elif reason == kernel.CUT:
                break
        return at

    def _look_at(self, batch: MessageBatch, rows: int) -> None:
        """Note whether the first identifiers look like 11-bit ones in the other byte order."""
        if self._looked_at:
            return
        self._looked_at = min(rows, _LOOK)
        if self.interfaces.is_swapped:
            return
        words = [word for word in batch.can_id[: self._looked_at] if word]
        if len(words) >= _MIN_LOOK and not any(word & 0xFFFF for word in words):
            self.note(f"{self.input.name}: its identifiers look byte-swapped: {SWAPPED_HINT}")

    def _fill(
        self, text: bytearray, at: int, end: int, batch: MessageBatch
    ) -> tuple[int, int, int, FormatError | None]:
        """Read records into ``batch``; return (end of the last one, rows, reason to stop, fault)."""
        rows = 0
        while True:
            before, others = rows, (*self.interfaces.tables(), rows, *batch.columns())
            at, rows, reason = kernel.parse(text, at, end, self.blocks, self.big, *others)
            self.packets += rows - before
            if reason not in (kernel.STRANGE, kernel.CUT):
                return at, rows, reason, None
            try:
                size = self._size(text, at, end)
            except FormatError as error:
                self._is_lost = True
                return at + 1, rows, reason, self._placed(error, at)
            if not size or at + size > end:
                if size > kernel.LARGEST_RECORD:  # is not kept until it is complete
                    self._to_skip = at + size - end
                    at = end
                return at, rows, kernel.CUT, None
            packets = self.packets
            try:
                message = self._record(bytes(text[at : at + size]))
                if message is not None:
                    batch.channels = self.interfaces.channels
                    batch.put(rows, message)
                    rows += 1
            except FormatError as error:
                if self.packets > packets:
                    error.position, error.unit = self.packets, "packet"
                return at + size, rows, reason, self._placed(error, at)
            at += size

    def _begin(self, head: bytes) -> int:
        with naming(self.input.name):
            size = self._head(head)
        self._begun = True
        return size

    def _placed(self, error: FormatError, at: int) -> FormatError:
        if error.position is None:
            error.position, error.unit = self._base + at, "byte"
        return error

    def _end(self, have: int) -> None:
        """Report an incomplete end of the file, and the packets left out."""
        if not self._begun:
            if not have:
                self.fault(FormatError("empty: no file header of a capture", byte=0))
            else:
                self.note_file("ends inside the file header")
        elif (have or self._to_skip) and not self._is_lost:
            self.note_file(f"ends inside the record after packet {self.packets}, which was dropped")
        for kind, count in self.decoder.left_out.items():
            self.note_file(f"{count} {kind} left out")
        self.note_input()
